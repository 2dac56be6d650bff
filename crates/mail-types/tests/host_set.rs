//! Host lists: the hosts that they match.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::net::IpAddr;

use mail_types::dns::Name;
use mail_types::exim::{HostPatternError, HostSet, HostSetError, List, SeparatorHint};

fn set(list: &str) -> HostSet {
    HostSet::new(List::new(list)).unwrap()
}

#[test]
fn by_address() {
    for (list, address, inside) in [
        ("", "127.0.0.1", false),
        ("*", "127.0.0.1", true),
        ("*", "2001:db8::1", true),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("<; ::ffff:192.0.2.1", "192.0.2.1", true),
        ("<; ::ffff:192.0.2.0/120", "192.0.2.9", true),
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.0/24", "::ffff:192.0.2.7", true),
        ("0.0.0.0/0", "192.0.2.1", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("<; ::/0", "2001:db8::1", true),
        ("<; ::/0", "192.0.2.1", false),
        ("<; ::/0", "::ffff:192.0.2.1", false),
        ("<; 2001:db8::/32; 192.0.2.1", "2001:db8:ffff::1", true),
        ("2001::db8::::/32 : 192.0.2.1", "2001:db8::1", true),
        ("!192.0.2.9 : 192.0.2.0/24", "192.0.2.9", false),
        ("!192.0.2.9 : 192.0.2.0/24", "192.0.2.8", true),
        ("!192.0.2.9 : 192.0.2.0/24", "198.51.100.1", false),
        ("! 192.0.2.9", "198.51.100.1", true),
        ("192.0.2.0/24 : !192.0.2.9", "192.0.2.9", true),
        ("10.0.0.1 : 10.0.0.1 : 10.0.0.2", "10.0.0.2", true),
        // An empty item is for no host that has an address.
        (":", "10.0.0.1", false),
        (" : 10.0.0.1", "10.0.0.1", true),
        ("10.0.0.2 : !", "10.0.0.1", true),
    ] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(set(list).contains(address, None), inside, "{address} in {list}");
    }
}

#[test]
fn by_name() {
    let address = "198.51.100.1".parse().unwrap();
    for (list, name, inside) in [
        ("mx.example.com", Some("MX.example.com"), true),
        ("mx.example.com", Some("a.mx.example.com"), false),
        ("*.example.com", Some("mx.example.com"), true),
        ("*.example.com", Some("a.mx.example.com"), true),
        ("*.example.com", Some("example.com"), false),
        ("*.example.com", Some("badexample.com"), false),
        ("!*.example.com : *", Some("mx.example.com"), false),
        ("!*.example.com : *", Some("mx.example.org"), true),
        // A host without a name does not get past an item that needs one.
        ("!*.example.com : *", None, false),
        ("*.example.com : 198.51.100.1", None, false),
        ("!mx.example.com", None, false),
        ("198.51.100.1 : *.example.com", None, true),
    ] {
        let name: Option<Name> = name.map(|name| name.parse().unwrap());
        assert_eq!(set(list).contains(address, name.as_ref()), inside, "{name:?} in {list}");
    }
    assert!(set("192.0.2.1 : *.example").needs_names());
    assert!(!set("192.0.2.1 : *").needs_names());
}

#[test]
fn an_empty_set_holds_nobody() {
    for hosts in [HostSet::default(), set(""), set(" ")] {
        assert!(hosts.is_empty());
        assert!(!hosts.contains("127.0.0.1".parse().unwrap(), None));
    }
}

#[test]
fn bad() {
    let prefix = |longest| HostPatternError::Prefix { longest };
    for (list, item, source) in [
        ("a : 2001:db8::1", 2, HostPatternError::Item), // a colon that is not doubled
        ("192.0.2", 1, HostPatternError::Item),
        ("192.0.2.256", 1, HostPatternError::Item),
        ("a b", 1, HostPatternError::Item),
        ("a : *.müller.example", 2, HostPatternError::NotAscii),
        ("*a", 1, HostPatternError::Item),
        ("a.*.b", 1, HostPatternError::Item),
        ("192.0.2.1/33", 1, prefix(32)),
        ("192.0.2.1/+8", 1, prefix(32)),
        ("192.0.2.1/", 1, prefix(32)),
        ("192.0.2.1/24", 1, HostPatternError::HostBits { prefix: 24 }),
        ("<; ::1/129", 1, prefix(128)),
        ("<; ::ffff:192.0.2.0/64", 1, HostPatternError::HostBits { prefix: 64 }),
    ] {
        let found = HostSet::new(List::new(list));
        let Err(HostSetError::Item { item: at, source: why, .. }) = found else {
            panic!("{list}: {found:?}")
        };
        assert_eq!((at, why), (item, source), "{list}");
    }
}

#[test]
fn an_item_that_separators_have_cut_or_not_has_a_hint() {
    let blanks = |separator| Some(SeparatorHint::Blanks { separator });
    for (list, hint) in [
        ("2001:db8::1 : 192.0.2.1", Some(SeparatorHint::Colons)),
        ("192.0.2.1 : !2001:db8::/32", Some(SeparatorHint::Colons)),
        ("192.0.2.1:2001:db8:0:0:0:0:0:1", Some(SeparatorHint::Colons)),
        ("::1", Some(SeparatorHint::Colons)),
        ("::/0", Some(SeparatorHint::Colons)),
        ("::ffff:192.0.2.1", Some(SeparatorHint::Colons)),
        ("mx.example : fe80::1", Some(SeparatorHint::Colons)),
        ("[2001:db8::1]", Some(SeparatorHint::Colons)),
        ("a.example, b.example", blanks(':')),
        ("192.0.2.1 192.0.2.2", blanks(':')),
        ("<; 2001:db8::1, 2001:db8::2", blanks(';')),
        ("[2001::db8::::1]", None), // brackets are not allowed here
        ("192.0.2.256 : ab : cd", None),
        ("192.0.2.1/33", None),
        ("2001", None),
        ("<; 2001; db8", None),
    ] {
        let found = HostSet::new(List::new(list));
        let Err(HostSetError::Item { hint: given, .. }) = found else {
            panic!("{list}: {found:?}")
        };
        assert_eq!(given, hint, "{list}");
    }
    let error = HostSet::new(List::new("<| 192.0.2.1, 192.0.2.2")).unwrap_err();
    assert!(error.to_string().ends_with("; items are separated by '|'"), "{error}");
}

#[test]
fn ten_thousand_items_are_the_limit() {
    let list = "192.0.2.1:".repeat(HostSet::MAX_ITEMS);
    assert!(HostSet::new(List::new(&list)).is_ok());
    assert_eq!(HostSet::new(List::new(&(list + "a"))), Err(HostSetError::TooMany));
}
