//! Conditions on result words, each of eight words against each list, in both semantics.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use mail_types::exim::{List, Semantics, Word, WordList, WordListError};

const WORDS: &[Word] = &[
    Word::new("pass", &[]),
    Word::new("fail", &[]),
    Word::new("softfail", &[]),
    Word::new("none", &[]),
    Word::new("neutral", &[]),
    Word::new("permerror", &["err_perm"]),
    Word::new("temperror", &["err_temp"]),
    Word::new("invalid", &[]),
];

/// Which of the words a list takes, in the order of `WORDS`: one letter each.
fn taken(list: &str, semantics: Semantics) -> String {
    let list = WordList::new(List::new(list), WORDS).unwrap();
    let names =
        ["pass", "fail", "softfail", "none", "neutral", "permerror", "temperror", "invalid"];
    names.iter().map(|name| if list.matches(name, semantics) { 'y' } else { '.' }).collect()
}

#[test]
fn both_semantics() {
    for (list, each_item, list_order) in [
        ("", "........", "........"),
        ("*", "yyyyyyyy", "yyyyyyyy"),
        ("!*", "........", "........"),
        ("pass", "y.......", "y......."),
        ("PASS", "y.......", "y......."),
        ("!pass", ".yyyyyyy", ".yyyyyyy"),
        ("! pass", ".yyyyyyy", ".yyyyyyy"),
        ("pass : fail", "yy......", "yy......"),
        ("pass : !fail", "y.yyyyyy", "y.yyyyyy"),
        ("!fail : pass", "y.yyyyyy", "y......."),
        ("!fail : !softfail", "yyyyyyyy", "y..yyyyy"),
        ("fail : !fail", "yyyyyyyy", "yyyyyyyy"),
        ("err_perm : err_temp", ".....yy.", ".....yy."),
        ("<; fail; invalid", ".y.....y", ".y.....y"),
    ] {
        assert_eq!(taken(list, Semantics::EachItem), each_item, "{list}, each item");
        assert_eq!(taken(list, Semantics::ListOrder), list_order, "{list}, in order");
    }
}

#[test]
fn bad() {
    for (list, item) in
        [("pas", 1), ("pass : !", 2), ("pass : : fail", 2), ("!!pass", 1), ("pass : *x", 2)]
    {
        let error = WordList::new(List::new(list), WORDS).unwrap_err();
        assert!(matches!(error, WordListError::Unknown { item: at, .. } if at == item), "{list}");
    }
    for (list, told) in [
        ("pass : !hardfail", "item 2 (hardfail) is no result; expected pass, fail, softfail, none"),
        ("fail, softfail", "; items are separated by colons"),
    ] {
        let error = WordList::new(List::new(list), WORDS).unwrap_err().to_string();
        assert!(error.contains(told), "{list}: {error}");
    }
}

#[test]
fn a_hundred_items_are_the_limit() {
    let list = ["pass"; WordList::MAX_ITEMS].join(":");
    assert!(WordList::new(List::new(&list), WORDS).is_ok());
    let list = list + ":pass";
    assert_eq!(WordList::new(List::new(&list), WORDS), Err(WordListError::TooMany));
}
