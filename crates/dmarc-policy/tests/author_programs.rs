//! `From` fields that some programs take apart in another way: by lines that end with a CR, by the text
//! before a domain, or after decoding.
#![cfg(feature = "idna")]

#[path = "support/authors.rs"]
mod authors;

use authors::{name, read, shows_victim};
use dmarc_policy::Author;

/// RFC 5322 section 2.2 forbids a CR alone. Some programs end a line there, so that
/// the field ends too.
#[test]
fn a_line_may_end_with_a_cr_alone() {
    for end in ["\r", "\n", "\r\r", "\r\n\r"] {
        for row in [
            format!("a@victim.example{end}.evil.example"),
            format!("A <a@victim.example{end}.evil.example>"),
            format!("A, B <a@victim.example{end}.evil.example>"),
            format!("a@victim.{end}example.evil.example, a@victim.example{end}x.evil.example"),
        ] {
            let author = read(&row);
            assert!(shows_victim(&author), "{row:?}: {author:?}");
            assert!(author.domains().len() > 1, "{row:?}: {author:?}");
        }
    }
    // A fold is none of it.
    for row in
        ["A\r\n <a@victim.example>", "A,\r\n\tB <a@victim.example>", "A\n <a@victim.example>\r\n"]
    {
        assert_eq!(read(row), Author::One(name("victim.example")), "{row:?}");
    }
}

#[test]
fn a_field_after_a_cr_alone_is_read_too() {
    for (message, domains) in [
        ("Subject: x\rFrom: a@victim.example\r\n\r\n", &["victim.example"][..]),
        (
            "From: x@evil.example\r\nSubject: x\rFROM : a@victim.example\r\n\r\n",
            &["evil.example", "victim.example"],
        ),
        (
            "From: \"A\rFrom: a@victim.example\r\" <x@evil.example>\r\n\r\n",
            &["evil.example", "victim.example"],
        ),
        (
            "To: x\r\r\r\n y\rFrom:\r\n a@victim.example\r\nTo: b@c.example\r\n\r\n",
            &["victim.example"],
        ),
        // Neither a field nor in the header section.
        ("To: x\r:From: a@victim.example\rFrom", &[]),
        ("To: x\r\n\r\nx\rFrom: a@victim.example\r\n", &[]),
    ] {
        let author = Author::from_message(message.as_bytes());
        let wanted: Vec<_> = domains.iter().map(|domain| name(domain)).collect();
        let found = wanted.iter().all(|domain| author.domains().contains(domain));
        assert!(
            found && author.domains().is_empty() == wanted.is_empty(),
            "{message:?}: {author:?}"
        );
    }
    // In proportion to the length.
    let start = std::time::Instant::now();
    for piece in ["\r", "\rFrom:", "\rFrom", "\r\n From\r:", "\r:"] {
        let message = format!("To: {}", piece.repeat((1 << 20) / piece.len()));
        let _ = Author::from_message(message.as_bytes());
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// An `@` may be in a quoted local part (RFC 5321 section 4.1.2). Some programs
/// take the text there for the address.
#[test]
fn an_address_in_a_quoted_local_part_may_be_shown() {
    for local in [
        "\"a@victim.example\"",
        "\"a@victim.example x\"",
        "\"<a@victim.example>\"",
        "\"a\\@victim.example x\"",
        "\"a@victim.example\" (c \\) (d)) ",
        "\"a@victim.example\".x",
        "x.\"a@victim.example\"",
        "\"x\".\"a@victim.example\"\r\n ",
        "\"=?utf-8?q?a=40victim.example?=\"",
        "\"a\u{ff20}victim.example\"",
        "\"a@victim.example\" \u{ff20}x",
        "a\u{ff20}victim.example",
        "a\u{fe6b}victim.example",
    ] {
        for row in [
            format!("{local}@evil.example"),
            format!("<{local}@evil.example>"),
            format!("A <{local}@evil.example>"),
            format!("A, B <{local}@evil.example>;"),
            format!("g: {local}@evil.example;"),
        ] {
            let author = read(&row);
            assert!(shows_victim(&author), "{row:?}: {author:?}");
            assert!(author.domains().contains(&name("evil.example")), "{row:?}: {author:?}");
            assert_eq!(author.fault(), None, "{row:?}");
        }
    }
    // A display name is not a local part, nor is text in a comment, nor one without a domain.
    for row in [
        "\"a@victim.example\" <x@evil.example>",
        "\"a@victim.example\" (c) <x@evil.example>",
        "\"a@victim.example\": x@evil.example;",
        "\"a@victim.example\" x@evil.example",
        "\"a@victim.example\" x <x@evil.example>;",
        "(\"a@victim.example\"@b.example) x@evil.example",
        "\"a@\"@evil.example",
        "\"a\"@evil.example",
    ] {
        assert_eq!(read(row), Author::One(name("evil.example")), "{row:?}");
    }
}

/// Most programs show the first of several addresses, and take a semicolon for a comma; some
/// end an address at other characters too. RFC 2047 section 6.2 decodes after a field is taken
/// apart, and not every program does.
#[test]
fn an_address_before_a_separator_is_shown_although_the_next_one_is_malformed() {
    for row in [
        "a@victim.example, Sales, Inc. <x@evil.example>",
        "A <a@victim.example>, Sales, Inc. <x@[127.0.0.1]>",
        "\"A, B\" a@victim.example, Sales, Inc. <x@evil.example>",
        "a@victim.example; <x@evil.example>",
        "a@victim.example; Sales <x@evil.example>",
        "a@victim.example (c); Sales <x@evil.example>;",
        "a@victim.example) <x@evil.example>",
        "a@victim.example> <x@evil.example>",
        "a@victim.example: <x@evil.example>",
        "a\u{ff20}victim.example; <x@evil.example>",
        "\"a@victim.example\", x@evil.example",
        "\"a@victim.example\" (c), <x@evil.example>",
        "\"<a@victim.example>\"; Sales <x@evil.example>",
        "A, \"a@victim.example\", B <x@evil.example>",
        "\"a@victim.example\"> <x@evil.example>",
        "\"a@victim.example\" Sales, <x@evil.example>",
        "\"a@victim.example\" \"b\" (c) S. , <x@evil.example>",
        "\"a@victim.example\" Sales\r <x@evil.example>",
        "\"a@victim.example\"] <x@evil.example>",
        "\"a@victim.example\"\r <x@evil.example>",
        "a@victim.example] <x@evil.example>",
        "=?utf-8?q?a=40victim.example?=, Sales, Inc. <x@evil.example>",
        "=?utf-8?q?a=40victim.example=3B?= Sales, Inc. <x@evil.example>",
        "=?utf-8?q?=3Ca=40victim.example=3E?=, <x@evil.example>",
        "=?utf-8?q?a=40victim.example?=, <x@evil.example>",
        "=?utf-8?b?PGFAdmljdGltLmV4YW1wbGU+LA==?=, A <x@evil.example>",
        "=?utf-8?q?A_=3Ca=40victim.example=3E?=, B <x@evil.example>",
    ] {
        let author = read(row);
        assert!(shows_victim(&author), "{row:?}: {author:?}");
        let other = name("evil.example");
        assert_eq!(author.domains().contains(&other), row.contains("evil"), "{row:?}: {author:?}");
        assert_eq!(author.fault(), None, "{row:?}");
    }
    // A name stays a name.
    for row in [
        "=?utf-8?q?a=40victim.example?= <x@evil.example>",
        "=?utf-8?q?=3Ca=40victim.example=3E?= <x@evil.example>",
        "A, =?utf-8?q?a=40victim.example?= <x@evil.example>",
        "a@victim.example <x@evil.example>",
    ] {
        assert_eq!(read(row), Author::One(name("evil.example")), "{row:?}");
    }
}

#[test]
fn a_fold_in_an_encoded_word_is_removed_or_not() {
    for word in [
        "=?utf-8?q?a=40vic\r\n tim.example?=",
        "=?utf-8?q?a=\r\n 40victim.example?=",
        "=?utf-8?q?a=4\r\n\t0victim.example?=",
        "=\r\n ?utf-8?q?a=40victim.example?=",
        "=?utf-8?\r\n q?a=40victim.example?=",
        "=?utf-8?b?YUB2aWN0aW0\r\n uZXhhbXBsZQ==?\r\n =",
    ] {
        let author = read(word);
        assert!(shows_victim(&author), "{word:?}: {author:?}");
    }
}

/// RFC 5321 section 4.1.3: `tag:` before the content of a literal.
#[test]
fn a_domain_in_a_literal_may_have_a_tag() {
    for literal in ["[IPv6:victim.example]", "[x-tag:victim.example]", "[x:y:victim.example:25]"] {
        for row in [format!("a@{literal}"), format!("A <a@{literal}>")] {
            assert!(shows_victim(&read(&row)), "{row}: {:?}", read(&row));
        }
    }
    assert_eq!(read("a@[IPv6:2001:db8::1]"), Author::Absent);
}
