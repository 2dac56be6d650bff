//! `From` fields that RFC 5322 does not allow, read as mail programs show them.
#![cfg(feature = "idna")]

use dmarc_policy::{Author, AuthorFault};

/// Fields whose author is shown to be of `victim.example`.
const SHOWN: &[&str] = &[
    // Names that mail is not sent to are valid in a field.
    "a@VICTIM.example",
    "Victim, Inc. <a@victim.example>",
    "bob@other.net <a@victim.example>",
    "a@victim.example>",
    "A <a@victim.example>;",
    "a..b@victim.example",
    ".a@victim.example",
    "A <a@victim.example.>",
    "A <a@victim.example..>",
    "a@victim.example.",
    "A <a@victim.example",
    "A <<a@victim.example>>",
    "A < a @ victim . example >",
    "A <a@victim.\r\n\texample>;",
    "A <a@\tvictim.example >, x",
    "A <a b@victim.example>",
    "A <@route.net,@other.net:a@victim.example>, x",
    "<foo> <a@victim.example>",
    "<> <a@victim.example>",
    "O\"Brien <a@victim.example>",
    "Smith (Sales <a@victim.example>",
    "\"a@good.net\" a@victim.example",
    "\"<a@good.net>\" a@victim.example;",
    "a@victim.example (<b@good.net>);",
    "a@victim.example \"<b@good.net>\"",
    "a@victim.example (x \"(y) b@good.net\\) z);",
    "A <a%good.net@victim.example>, x",
    "A <a@victim(x).example>;",
    "A <a@\"victim\".example>",
    "A <a@\"victim.example\">",
    "a@[victim.example]",
    "A <a@[victim.example]>",
    "A <a@vic\0tim.example>",
    "a@victim\u{3002}example",
    "A <a@victim\u{ff0e}example\u{ff61}>",
    "a\u{ff20}victim.example",
    "A <a@\u{ff56}ictim.example>;",
    "A <a@vic\u{ad}tim.example>;",
    "=?utf-8?q?a=40victim.example?=",
    "=?utf-8?q?A_<a=40victim.example>?=",
    "=?utf-8?B?YUB2aWN0aW0uZXhhbXBsZQ==?=",
    "=?utf-8?B?YUB2aWN0aW0uZXhhbXBsZQ?=",
    "=?utf-8?B?YUB2aWN0aW0uZXhhbXBsZQ=====?=",
    "=?iso-8859-1?q?a=40victim.example?=",
    "=?x-unknown?q?a=40victim.example?=",
    "=?utf-8*en?q?a=40victim.example?=",
    "=?utf-8?q?a=40vic?= =?utf-8?q?tim.example?=",
    "=?utf-8?q?a=40vic?=\r\n =?us-ascii?b?dGltLmV4YW1wbGU=?=",
    "A <=?utf-8?q?a=40victim.example?=>",
    "=?utf-8?q?=22a=40victim.example=22?= x@",
];

#[test]
fn what_a_reader_is_shown_is_the_author() {
    for row in SHOWN {
        let author = Author::from_fields([row.as_bytes()]);
        let found = author.domains().iter().any(|domain| *domain == name("victim.example"));
        assert!(found, "{row:?}: {author:?}");
        let only = author == Author::One(name("victim.example"));
        // Where a reader may be shown something else, that is tested too.
        assert!(
            only || row.contains(['\0', '(']) || row.contains("<<") || row.contains("x@"),
            "{row:?}: {author:?}"
        );
    }
}

#[test]
fn a_name_that_mail_is_not_sent_to_is_an_author() {
    for domain in [
        "x_y.victim.example",
        "-x.victim.example",
        "x-.victim.example",
        "x*y.z.example",
        "xn--zzzzz.victim.example",
    ] {
        for row in [format!("a@{domain}"), format!("A <a@{domain}.>")] {
            let author = Author::from_fields([row.as_bytes()]);
            assert_eq!(author, Author::One(name(domain)), "{row}");
        }
    }
    let author = Author::from_fields(["a@x_y.b\u{fc}cher.example".as_bytes()]);
    assert_eq!(author, Author::One(name("x_y.xn--bcher-kva.example")));
    let latin_1 = b"=?iso-8859-1?q?a=40b=FCcher.example?=";
    assert_eq!(Author::from_fields([&latin_1[..]]), Author::One(name("xn--bcher-kva.example")));
}

/// A program that ends the domain early shows another one than a program that joins its parts.
#[test]
fn a_domain_with_a_gap_is_read_both_ways() {
    for gap in [
        "\0",
        "\u{b}",
        "\u{1}",
        "\u{7f}",
        // RFC 5322 section 4.4 lets a domain go on behind a blank, and not every program does.
        " ",
        "\t",
        "\r\n ",
        "(c)",
        " (c) ",
        " x",
        "\r\n x",
        "\u{2003}x",
        "\u{a0}x",
        "\u{3000}x",
        "\u{feff}",
        "(c)x",
        "\"x\"",
        "\"\"x",
        "=?utf-8?q?=00?=",
        "=?utf-8?q?=3E=20?=",
        "=?utf-8?b?PiA=?=",
    ] {
        // A byte order mark is not shown, and IDNA drops it: the programs agree.
        let joined = gap == "\u{feff}";
        for row in [
            format!("a@victim.example{gap}.evil.example"),
            format!("<a@victim.example{gap}.evil.example>"),
            format!("A <a@victim.example{gap}.evil.example>;"),
        ] {
            let author = Author::from_fields([row.as_bytes()]);
            let found = author.domains().iter().any(|domain| *domain == name("victim.example"));
            assert_ne!(found, joined, "{row:?}: {author:?}");
            let blank = |domain: &mail_types::dns::Name| domain.to_string().contains('\\');
            assert!(!author.domains().iter().any(blank), "{row:?}: {author:?}");
        }
    }
}

/// The same behind a dot. One label before a gap is nobody's domain: there both parts are one.
#[test]
fn a_domain_with_a_gap_behind_a_dot_is_read_both_ways() {
    for gap in [" ", "\t", "\r\n ", "(c)"] {
        for (open, close) in [("", ""), ("<", ">"), ("A <", ">;")] {
            let row = format!("{open}a@victim.example.{gap}evil.example{close}");
            let wanted = ["victim.example", "victim.example.evil.example"].map(name);
            let author = Author::from_fields([row.as_bytes()]);
            assert_eq!((author.domains(), author.fault()), (&wanted[..], None), "{row:?}");
            let row = format!("{open}a@victim{gap}.{gap}example{close}");
            let author = Author::from_fields([row.as_bytes()]);
            assert_eq!(author, Author::One(name("victim.example")), "{row:?}");
        }
    }
}

/// An unquoted name before the only `<…>` is a name with any content; but a literal in it names no
/// domain, so that it does not take the place of one that stands before it.
#[test]
fn an_address_in_brackets_goes_before_what_stands_there_and_a_literal_does_not() {
    for before in ["a@victim.example;", "a@victim.example; A", "a@victim.example A"] {
        let row = format!("{before} <y@evil.example>");
        let author = Author::from_fields([row.as_bytes()]);
        let evil = name("evil.example");
        // Programs differ on what a separator behind an address does.
        if before.contains(';') {
            assert_eq!(author.domains(), [name("victim.example"), evil], "{row}");
        } else {
            assert_eq!(author, Author::One(evil), "{row}");
        }
        for literal in ["[127.0.0.1]", "[IPv6:::1]", " [ 127.0.0.1 ] "] {
            for end in ["", ";", ", x"] {
                let row = format!("{before} <y@{literal}>{end}");
                let author = Author::from_fields([row.as_bytes()]);
                assert_eq!(author, Author::One(name("victim.example")), "{row}");
            }
        }
    }
    // By RFC 5322 these are two addresses.
    let row = "a@victim.example, <y@[127.0.0.1]>";
    assert_eq!(Author::from_fields([row.as_bytes()]), Author::One(name("victim.example")));
}

/// RFC 5322 section 4.4, `obs-angle-addr`: the hosts of a route are not the author's.
#[test]
fn the_author_stands_behind_a_route() {
    for route in [
        "@a.example,@b.example:",
        "@a.example:",
        " @a.example , @b.example : ",
        "@a.example,,@b.example:",
    ] {
        for (before, behind) in [("", ""), ("A ", ""), ("A, B ", ""), ("A ", ";"), ("A. ", ", x")] {
            let row = format!("{before}<{route}c@victim.example>{behind}");
            let author = Author::from_fields([row.as_bytes()]);
            assert_eq!(author, Author::One(name("victim.example")), "{row}");
        }
    }
}

/// RFC 2047 section 5 forbids it, and programs decode it nevertheless.
#[test]
fn an_encoded_word_in_an_address_is_read_both_ways() {
    for row in [
        "a@=?utf-8?q?victim.example?=",
        "<a@=?utf-8?q?victim.example?=>",
        "A <a@=?utf-8?q?victim?=.example>",
        "=?utf-8?b?PGFAdmljdGltLmV4YW1wbGU+?==?utf-8?Q?=00?=@evil.example",
        "<=?utf-8?q?a=40victim.example=3E=00?=@evil.example>",
        "B <b@good.net>, <=?utf-8?q?a=40victim.example=3E?=.x@evil.example>",
        "g: =?utf-8?q?a=40victim.example?=@evil.example;",
        "=?utf-8?b?YQ==QHZpY3RpbS5leGFtcGxl?=",
        "=?utf-8?b?PA==YUB2aWN0aW0uZXhhbXBsZT4=?=",
        "=?utf-8?b?YUB2aWN0aW0=LmV4YW1wbGU=?=",
    ] {
        let author = Author::from_fields([row.as_bytes()]);
        let found = author.domains().iter().any(|domain| *domain == name("victim.example"));
        assert!(found, "{row:?}: {author:?}");
    }
    // In a display name it is just a name.
    let named = "=?utf-8?q?a=40victim.example?= <x@good.net>";
    assert_eq!(Author::from_fields([named.as_bytes()]), Author::One(name("good.net")));
}

#[test]
fn all_fields_together_are_no_longer_than_the_limit() {
    let padding = "\r\n ".repeat(Author::MAX_OCTETS / 3 + 1);
    for rows in [
        &[&*format!("{padding}=?utf-8?q?a=40victim.example?=")][..],
        &[&format!("{padding}a")],
        &[&*padding, "=?utf-8?q?a=40victim.example?="],
        &["a@good.net", &padding],
    ] {
        let author = Author::from_fields(rows.iter().map(|row| row.as_bytes()));
        assert_eq!(author.fault(), Some(AuthorFault::TooLong), "{author:?}");
    }
    let half = format!("a@good.net,{}", " ".repeat(Author::MAX_OCTETS / 2 - 11));
    let fields = [half.as_bytes(), half.as_bytes()];
    assert_eq!(Author::from_fields(fields), Author::One(name("good.net")));
    let one_more = [&half.as_bytes(), &half.as_bytes(), &&b" "[..]].map(|field| *field);
    assert_eq!(Author::from_fields(one_more).fault(), Some(AuthorFault::TooLong));
}

#[test]
fn the_domains_of_all_fields_are_taken_together() {
    for (rows, domains) in [
        (&["a@good.net", "b@victim.example"][..], &["good.net", "victim.example"][..]),
        (&["b@victim.example", "a@good.net"], &["victim.example", "good.net"]),
        (&["a@good.net", "a@good.net"], &["good.net"]),
        (&["root", "a@victim.example"], &["victim.example"]),
        (&["a@good.net, b@victim.example;"], &["good.net", "victim.example"]),
        (&["<a@good.net> <b@victim.example>"], &["good.net", "victim.example"]),
        (&["<a@victim.example> b@good.net"], &["victim.example", "good.net"]),
        (&["<a@good.net> =?utf-8?q?<b=40victim.example>?="], &["good.net", "victim.example"]),
        (&["\"<a@good.net>, b@victim.example"], &["good.net", "victim.example"]),
        (&["<b@victim.example <a@good.net>"], &["victim.example", "good.net"]),
        (&["a@good.net@victim.example"], &["good.net", "victim.example"]),
    ] {
        let author = Author::from_fields(rows.iter().map(|row| row.as_bytes()));
        let wanted: Vec<_> = domains.iter().map(|domain| name(domain)).collect();
        assert_eq!((author.domains(), author.fault()), (&*wanted, None), "{rows:?}");
    }
}

#[test]
fn a_field_without_a_domain_that_can_be_read_is_invalid() {
    let label = "l".repeat(64);
    for (row, at, domains) in [
        ("a@", 2, &[][..]),
        ("\"a@victim.example\" <>", 20, &[]),
        ("\"a@victim.example\"", 18, &[]),
        ("root (a@victim.example)", 23, &[]),
        ("a@b\u{fffd}.victim.example", 21, &["victim.example"]),
        (&format!("a@{label}.victim.example"), 81, &["victim.example"]),
        (&format!("a@b@{label}.victim.example"), 3, &["b", "victim.example"]),
        (&format!("a@{}example", "l.".repeat(125)), 259, &["l.l.l.l.l.l.l.example"]),
    ] {
        let author = Author::from_fields([row.as_bytes()]);
        let wanted: Vec<_> = domains.iter().map(|domain| name(domain)).collect();
        let fault = author.fault();
        assert_eq!(
            (author.domains(), fault),
            (&*wanted, Some(AuthorFault::Unreadable { at })),
            "{row}"
        );
    }
    let latin_1 = Author::from_fields([&b"x@b\xfccher.example"[..]]);
    assert!(latin_1.fault().is_some(), "{latin_1:?}");
    for (size, fault) in [(65_536, None), (65_537, Some(AuthorFault::TooLong))] {
        let body = format!("x@victim.example{}", " ".repeat(size - 16));
        let author = Author::from_fields([body.as_bytes()]);
        assert_eq!((author.domains(), author.fault()), (&[name("victim.example")][..], fault));
    }
    let hidden = format!("{}<a@victim.example>", "x".repeat(65_536));
    let author = Author::from_fields([hidden.as_bytes()]);
    assert_eq!((author.domains().len(), author.fault()), (0, Some(AuthorFault::TooLong)));
}

#[test]
fn a_field_without_an_at_claims_no_domain() {
    for row in [
        "root",
        "undisclosed:;",
        "",
        "root (Cron Daemon)",
        "=?utf-8?q?root?=",
        "<>",
        "a@[192.0.2.1]",
        "A, B <a@[IPv6:2001:db8::1]>",
        "\"",
        "=?utf-8?q",
        "=?",
    ] {
        assert_eq!(Author::from_fields([row.as_bytes()]), Author::Absent, "{row}");
    }
    assert_eq!(Author::from_fields([]), Author::Absent);
}

/// Nothing takes longer than in proportion to its length.
#[test]
fn long_fields_are_read_in_time() {
    let start = std::time::Instant::now();
    for piece in [
        "@",
        "(",
        "\"",
        "<",
        "<@",
        "=?",
        "=?a?q?",
        "@\"",
        "a@b.",
        "a@\u{fc}.",
        "<>",
        "=?a?x? ",
        "=?a?q? ",
        "=?utf-7?",
        "a@b\"c\"",
        "a@b(c)",
        "@ ",
        "<a@b> ",
        "\\\"",
        "@\u{fffd}.",
    ] {
        let body = piece.repeat(65_536 / piece.len());
        for (begin, end) in
            [("", ""), ("", ";"), ("", "\""), ("", "a@x"), ("", "?="), ("x, y <a@b.example>", "")]
        {
            let body = format!("{begin}{body}{end}");
            let cut = body.as_bytes().get(..Author::MAX_OCTETS).unwrap_or(body.as_bytes());
            let _ = Author::from_fields(std::iter::repeat_n(cut, 1000));
        }
    }
    // Without optimization it took 60 to 80 s on two busy cores.
    assert!(start.elapsed().as_secs() < 240, "{:?}", start.elapsed());
}

fn name(text: &str) -> mail_types::dns::Name {
    text.parse().unwrap_or_else(|_| mail_types::dns::Name::root())
}
