//! Exim's string lists: items, separators, and their written form.

use mail_types::exim::{ByteList, List};
use proptest::prelude::*;

/// Exim's specification, chapter 6, "Expansion of lists" and "Changing list separators"; the counts
/// of `a:`, `a::b` and `a: :b` were seen of exim 4.96.
#[test]
fn items() {
    for (text, items) in [
        ("", &[][..]),
        (" ", &[]),
        ("a", &["a"]),
        (" a ", &["a"]),
        ("a:b", &["a", "b"]),
        ("a : b", &["a", "b"]),
        ("a:", &["a"]),
        ("a::b", &["a:b"]),
        ("a: :b", &["a", "", "b"]),
        (":", &[""]),
        (":a", &["", "a"]),
        ("::a", &[":a"]),
        (":::a", &[":", "a"]),
        ("a:::b", &["a:", "b"]),
        ("<; a;b:c", &["a", "b:c"]),
        ("<;a;;b", &["a;b"]),
        ("  <, a,b", &["a", "b"]),
        ("<\na\n\nb", &["a", "", "b"]),
        ("<\t a b\tc", &["a b", "c"]),
        ("<a:b", &["<a", "b"]),
        ("<", &[]),
        (" <", &[]),
        ("< ", &["<"]),
        ("a<", &["a<"]),
        ("192.0.2.1 : 2001::db8::::1", &["192.0.2.1", "2001:db8::1"]),
    ] {
        let found: Vec<_> = List::new(text).collect();
        assert_eq!(found, items, "{text:?}");
        let bytes: Vec<_> = ByteList::new(text.as_bytes()).collect();
        let items: Vec<_> = items.iter().map(|item| item.as_bytes()).collect();
        assert_eq!(bytes, items, "{text:?}");
    }
}

#[test]
fn a_list_that_was_joined_comes_back() {
    for items in [&["a", "b"][..], &[""], &["a", ""], &["", "", "a"], &[":a", "b:", ":"], &[]] {
        let text = List::join(items.iter().copied(), ':');
        assert_eq!(List::separated(&text, ':').collect::<Vec<_>>(), items, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_items_come_back(items in prop::collection::vec("([a:;é]([a:; ]{0,5}[a:;])?)?", 0..6)) {
        let text = List::join(items.iter().map(String::as_str), ';');
        prop_assert_eq!(List::separated(&text, ';').collect::<Vec<_>>(), items, "{:?}", text);
    }

    #[test]
    fn a_list_ends(text in any::<String>()) {
        prop_assert!(List::new(&text).count() <= text.len());
    }
}
