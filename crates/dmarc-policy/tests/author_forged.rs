//! `From` fields in which one program shows `victim.example`, and another one a different domain or
//! none.
#![cfg(feature = "idna")]

#[path = "support/authors.rs"]
mod authors;

use authors::{name, read, shows_victim};
use dmarc_policy::{Author, AuthorFault};

/// Programs that remove a fold, or all blanks of an address, join words that RFC 5322 separates.
#[test]
fn the_parts_of_a_label_are_joined() {
    for domain in [
        "vic tim.example",
        "vic\ttim.example",
        "victim.exam\tple",
        "victim.exam\r\n ple",
        "victim\r\n .exam\r\n ple",
        "vic tim . exam ple",
        "v i c t i m.example",
        "v i c t i m . e x a m p l e",
        "victim.exa\r\n\tmple",
        "vic(c)tim.example",
        "vic\u{2003}tim.example",
        "vic\u{a0}tim.exa\u{3000}mple",
    ] {
        for row in [
            format!("<a@{domain}>"),
            format!("A <a@{domain}>"),
            format!("a@{domain}"),
            format!("a@{domain}, b@good.net"),
            format!("a@{domain};"),
            format!("A <a@{domain}> x"),
        ] {
            let author = read(&row);
            assert!(shows_victim(&author), "{row:?}: {author:?}");
            assert_eq!(author.fault(), None, "{row:?}");
        }
    }
    // Words after an address, and a display name before the next one.
    for row in ["a@vic tim.example Ann Smith", "a@vic tim.example A <y@[127.0.0.1]>"] {
        assert!(shows_victim(&read(row)), "{row}");
    }
}

/// RFC 5322 section 4.4 continues a domain after a blank; a program may end it there. A dot may be
/// one of those of RFC 3490 section 3.1.
#[test]
fn a_blank_ends_a_domain_of_several_labels_whatever_its_dots_are() {
    for dot in [".", "\u{3002}", "\u{ff0e}", "\u{ff61}"] {
        for rest in [". x", " .x", "(c).x", ".\r\n x", " . x", ". x.y"] {
            let domain = format!("victim{dot}example{rest}");
            for row in [format!("a@{domain}"), format!("<a@{domain}>"), format!("A, <a@{domain}>")]
            {
                let author = read(&row);
                assert!(shows_victim(&author), "{row:?}: {author:?}");
                assert!(author.domains().len() > 1, "{row:?}: {author:?}");
            }
        }
    }
}

/// RFC 5322 appendix A.6.3: `machine(comment).  example` is one domain; `machine` alone is not a domain.
#[test]
fn a_blank_does_not_end_a_domain_after_one_label() {
    for gap in ["(comment).  ", ". ", " .", " . ", "\r\n ."] {
        for row in [format!("a@victim{gap}example"), format!("A <a@victim{gap}example>")] {
            assert_eq!(read(&row), Author::One(name("victim.example")), "{row:?}");
        }
    }
    // Where no label follows, the one label is the domain.
    assert_eq!(read("bJx@exa."), Author::One(name("exa")));
    assert_eq!(read("bJx@exa. x"), Author::One(name("exa.x")));
}

/// IDNA knows no A-label of ASCII only; a program that decodes one shows another domain.
#[test]
fn an_a_label_of_ascii_is_decoded() {
    for domain in [
        "xn--victim-.example",
        "XN--VICTIM-.example",
        "victim.xn--example-",
        "xn--victim-.xn--example-",
        "xn--victim-\u{3002}example",
        "xn--victim-.example!",
    ] {
        for row in [
            format!("a@{domain}"),
            format!("A <a@{domain}>"),
            format!("A, B <a@{domain}>"),
            format!("=?utf-8?q?a=40{domain}?= <x@good.net> y@good.net"),
        ] {
            let author = read(&row);
            assert!(shows_victim(&author), "{row:?}: {author:?}");
            assert_eq!(author.fault(), None, "{row:?}");
        }
    }
    assert_eq!(read("a@xn--bcher-kva.example"), Author::One(name("xn--bcher-kva.example")));
    assert_eq!(read("a@x-.example"), Author::One(name("x-.example")));
}

/// The end of its line is not a part of a field, so that an escape before it is one at the end.
#[test]
fn the_end_of_a_line_changes_nothing() {
    for row in [
        "A <a@victim.example\u{1b}",
        "a@victim.example, <x@y.example>\u{1b}",
        "a@victim.example\u{e}",
    ] {
        for end in ["\r\n", "\n", " \r\n", "\r\n \r\n"] {
            assert_eq!(read(&format!("{row}{end}")), read(row), "{row:?}{end:?}");
        }
    }
}

/// An unclosed quote or comment changes nothing before it.
#[test]
fn a_comment_before_an_unclosed_quote_is_one() {
    for end in ["\"", "(", "\"x", "(x \"y", "((x)", "\\\"(", "\"\\\""] {
        for row in [
            "\"a@b\" <@x.example:y@(c) victim.example>, z;",
            "A <a@(c)victim.example>",
            "A <a@(c (d) \\) e)victim.example>, b@good.net",
            "\"A, B\" <a@ (c) victim(d).example> x",
        ] {
            let author = read(&format!("{row}{end}"));
            assert!(shows_victim(&author), "{row}{end}: {author:?}");
        }
    }
}

/// RFC 5322 allows these characters in a domain; a program that turns an address into a link ends it
/// before them, as it does with the punctuation of a sentence.
#[test]
fn punctuation_around_a_domain_is_not_part_of_it() {
    for mark in
        "'/!#?&^=$%+_-|~*`{}".chars().chain("\u{2019}\u{201d}\u{bb}\u{ff07}\u{300d}".chars())
    {
        for row in [
            format!("a@victim.example{mark}"),
            format!("<a@victim.example{mark}>"),
            format!("A <a@victim.example{mark}>"),
            format!("A, B <a@victim.example{mark}>"),
            format!("'a@victim.example{mark}{mark}"),
            format!("a@victim.example.{mark}"),
            format!("=?utf-8?q?x?= <a@victim.example{mark}> x"),
        ] {
            let author = read(&row);
            assert!(shows_victim(&author), "{row:?}: {author:?}");
        }
    }
    for row in [
        "{a@victim.example}",
        "<'a@victim.example'>",
        "a@'victim.example'",
        "a@{victim.example}",
        "a@victim.example/x.evil.example",
        "a@victim.example'x.evil.example",
        "a@victim.example\\.evil.example",
        "<a@victim.example\\x.evil.example>",
        "A <a@victim.example\\\r\n .evil.example>",
        "A, B <a@victim.exam\\ple>",
    ] {
        assert!(shows_victim(&read(row)), "{row}");
    }
    // The domain as written counts as well: its owner may have a policy.
    assert_eq!(
        read("a@victim.example'x.evil.example").domains(),
        [name("victim.example'x.evil.example"), name("victim.example")]
    );
}

/// A group without members (RFC 5322 section 3.4) has no author, but its name is shown.
#[test]
fn the_name_of_an_empty_group_may_be_an_address() {
    for row in [
        "=?utf-8?q?a=40victim.example?=:;",
        "\"x\" =?utf-8?q?=3Ca=40victim.example=3E?= :;",
        "=?utf-8?b?YUB2aWN0aW0uZXhhbXBsZQ==?= : ;",
        "=?utf-8?q?a=40vic?= =?utf-8?q?tim.example?= :;",
        "=?utf-8?q?a=40victim.example?=:,;",
        "=?utf-8?q?a=40victim.example?=: <x@[127.0.0.1]>;",
        "=?utf-8?q?a=40victim.example?= <x@[127.0.0.1]>",
    ] {
        assert_eq!(read(row), Author::One(name("victim.example")), "{row}");
    }
    assert!(shows_victim(&read("=?utf-8?q?=22a=40victim.example=22_=40?=:;")));
    let quoted = read("\"a@victim.example\":;").fault();
    assert!(matches!(quoted, Some(AuthorFault::Unreadable { .. })), "{quoted:?}");
    for row in ["undisclosed:;", "=?utf-8?q?undisclosed?=:;", "M\u{fc}ller:;", "\"x\":,;"] {
        assert_eq!(read(row), Author::Absent, "{row}");
    }
    // A group with a member has an author.
    assert_eq!(read("=?utf-8?q?a=40victim.example?=: b@good.net;"), Author::One(name("good.net")));
}

#[test]
fn a_domain_goes_on_after_an_address_literal() {
    for row in [
        "<a@[127.0.0.1]victim.example>",
        "<a@[127.0.0.1].victim.example>",
        "a@[127.0.0.1]victim.example",
        "A <a@[IPv6:::1] .victim.example>",
        "A <a@[127.0.0.1]. victim . example>",
    ] {
        assert!(shows_victim(&read(row)), "{row}: {:?}", read(row));
    }
}

/// ISO 2022 without an encoded word: some programs decode it, and others see a comment in it.
#[test]
fn an_escape_sequence_hides_no_domain() {
    for row in [
        "a@\x1b(Bvictim.example",
        "A <a@\x1b(Bvictim.example>",
        "A <a@vic\x1b(Jtim.example>",
        "\x1b$B$\"\x1b(B <a@victim\x1b(B.example>",
        "A <a\x1b$(D@victim.example\x1b(B>",
    ] {
        assert!(shows_victim(&read(row)), "{row:?}: {:?}", read(row));
    }
}

/// Text in another charset is unreadable here; it may be an `@`, a dot or a letter.
#[test]
fn text_between_escape_sequences_is_not_read_as_ascii() {
    for row in [
        "a\x1b$B!w\x1b(Bvictim.example",
        "<a\x1b$B!w\x1b(Bvictim.example>",
        "a\x1b$B!w\x1b(Bvictim.example <x@[192.0.2.1]>",
        "a@victim\x1b$B!%\x1b(Bexample",
        "a@victim\x1b$B!#\x1b(Bexample",
        "a@\x1b$B#v#i#c#t#i#m\x1b(B.example",
        "a\x1b(I@\x1b(Bvictim.example",
    ] {
        assert!(read(row).fault().is_some(), "{row:?}: {:?}", read(row));
    }
    // Here a part of the character is an ASCII `@`.
    assert!(shows_victim(&read("a\x1b$)C\x0e#@\x0fvictim.example")));
    // Beside an author, in another field too.
    let fields = ["x@good.net", "a\x1b$B!w\x1b(Bvictim.example"];
    assert!(Author::from_fields(fields.map(str::as_bytes)).fault().is_some());
    let row = "\x1b$B;3ED\x1b(B <a@good.net>";
    assert_eq!(read(row), Author::One(name("good.net")));
}

/// U+202E shows the text after it from right to left (UAX #9).
#[test]
fn an_address_that_is_shown_reversed_is_a_fault() {
    for row in [
        "<\u{202e}elpmaxe.mitciv@a>",
        "\u{202e}elpmaxe.mitciv@a",
        "\u{202e} <elpmaxe.mitciv@a.good.net>",
        "=?utf-8?q?=E2=80=AEelpmaxe.mitciv=40a?=",
        "A, <\u{202e}elpmaxe.mitciv@a>",
    ] {
        assert!(read(row).fault().is_some(), "{row:?}: {:?}", read(row));
    }
}

/// The name of a charset may have a language (RFC 2231 section 5), of any length.
#[test]
fn the_length_of_a_charset_hides_no_address() {
    for length in [10, 80, 200, 2000] {
        let language = "x".repeat(length);
        for row in [
            format!("=?utf-8*{language}?q?a=40victim.example?="),
            format!("=?{language}?q?a=40victim.example?="),
            format!("=?utf-8*{language}?b?YUB2aWN0aW0uZXhhbXBsZQ?= :;"),
        ] {
            assert!(shows_victim(&read(&row)), "{row}");
        }
        let opaque = format!("=?utf-7*{language}?q?a+AEA-victim.example?=");
        assert!(read(&opaque).fault().is_some(), "{opaque}");
    }
}

#[test]
fn a_charset_that_may_hide_an_address_is_a_fault_by_any_of_its_names() {
    for charset in [
        "u7",
        "utf_7",
        "UTF 7",
        "x-utf-7",
        "csUTF7",
        "windows-65000",
        "cp65000",
        "x-cp65000",
        "ms65000",
        "ibm-037",
        "037",
        "x-ibm1047",
        "csIBM500",
        "cp_500",
        "unicode_escape",
        "raw-unicode-escape",
        "x-ebcdic-germany",
        // Unregistered names.
        "rot13",
        "scsu",
    ] {
        let row = format!("=?{charset}?q?a+AEA-victim.example?=");
        assert!(read(&row).fault().is_some(), "{row}");
    }
    for charset in [
        "utf-8",
        "UTF8",
        "us-ascii",
        "iso-8859-15",
        "iso8859_1",
        "latin1",
        "windows-1252",
        "cp1251",
        "ibm850",
        "koi8-u",
        "GB18030",
        "x-mac-roman",
        "x-sjis",
        "cp65001",
        "unknown-8bit",
    ] {
        let row = format!("=?{charset}?q?root?=");
        assert_eq!(read(&row), Author::Absent, "{row}");
    }
}
