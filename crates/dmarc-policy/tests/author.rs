//! `From` fields of every kind, good and bad.

use dmarc_policy::{Author, AuthorFault};

#[test]
fn the_domain_is_that_of_the_address_whatever_stands_around_it() {
    let rows: &[&str] = &[
        "x@example.com",
        " x@example.com\r\n",
        "<x@example.com>",
        "X Y <x@EXAMPLE.com>",
        "\"admin@other.net\" <x@example.com>",
        "\"admin\\\" <a@other.net>\" <x@example.com>",
        "John Q. Public <x@example.com>",
        "x@example.com (a@other.net)",
        "(a (nested \\) one)) x (y) @ (z) example . com",
        "\"a b\"@example.com",
        "<@a.example,@b.example:x@example.com>", // obs-route, RFC 5322 section 4.4
        "x@example.com, y@example.com",
        "Group: x@example.com, <y@example.com>;",
        ",, x@example.com,,",
        "J\u{f6}rg <x@example.com>",
        "=?utf-8?q?a?= <x@example.com>",
        "Folded\r\n\t<x@example.com>",
    ];
    for row in rows {
        let expected = Author::One("example.com".parse().unwrap());
        assert_eq!(Author::from_fields([row.as_bytes()]), expected, "{row}");
    }
    let latin_1 = Author::from_fields([&b"J\xf6rg <x@example.com>"[..]]);
    assert_eq!(latin_1, Author::One("example.com".parse().unwrap()));
}

#[test]
fn a_field_without_a_domain_has_no_author() {
    for row in ["", " ", "undisclosed:;", "a@[192.0.2.1]", "<a@[IPv6:2001:db8::1]>", "(only)"] {
        assert_eq!(Author::from_fields([row.as_bytes()]), Author::Absent, "{row}");
    }
    assert_eq!(Author::from_fields([]), Author::Absent);
}

#[test]
fn several_domains_are_told_apart_and_are_no_more_than_the_limit() {
    let body = b"a@example.com, b@other.net, c@EXAMPLE.com";
    let domains = ["example.com", "other.net"].map(|domain| domain.parse().unwrap());
    assert_eq!(Author::from_fields([&body[..]]), Author::Several(domains.to_vec()));
    for (count, fault) in [(16, None), (17, Some(AuthorFault::TooMany))] {
        let addresses: Vec<_> = (0..count).map(|i| format!("a@d{i}.example")).collect();
        let one = Author::from_fields([addresses.join(",").as_bytes()]);
        let fields = Author::from_fields(addresses.iter().map(String::as_bytes));
        let broken = Author::from_fields([addresses.join(";").as_bytes()]);
        for author in [one, fields, broken] {
            assert_eq!((author.domains().len(), author.fault()), (16, fault), "{count}");
        }
    }
}

#[cfg(feature = "idna")]
#[test]
fn a_domain_in_unicode_is_the_one_in_ascii() {
    let author = Author::from_fields(["x@b\u{fc}cher.example".as_bytes()]);
    assert_eq!(author, Author::One("xn--bcher-kva.example".parse().unwrap()));
}
