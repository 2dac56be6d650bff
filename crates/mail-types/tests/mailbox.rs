//! Mailboxes and paths: RFC 5321 section 4.1.2 and RFC 6531.

use mail_types::smtp::{DomainError, MailHost, MailHostError, Mailbox, MailboxError, ReversePath};
use proptest::prelude::*;

#[test]
fn a_mailbox_comes_back() {
    for text in [
        "ann@example.com",
        "o'brien+tag=1@example.com",
        "a.b.c@xn--bcher-kva.example",
        r#""ann lee"@example.com"#,
        r#""a\"b\\c"@example.com"#,
        r#"".a."@example.com"#,
        r#"""@example.com"#,
        "用户@example.com",
        "ann@[192.0.2.1]",
        "ann@[IPv6:2001:db8::1]",
        "ann@localhost",
    ] {
        assert_eq!(text.parse::<Mailbox>().unwrap().to_string(), text);
    }
}

#[test]
fn quotes_that_need_not_be_are_dropped() {
    for (written, meant) in [
        (r#""ann"@example.com"#, "ann@example.com"),
        (r#""a\@b"@example.com"#, r#""a@b"@example.com"#),
        (r#""\a\n\n"@EXAMPLE.com"#, "ann@example.com"),
        ("ann@[ipv6:2001:DB8:0::1]", "ann@[IPv6:2001:db8::1]"),
    ] {
        let mailbox: Mailbox = written.parse().unwrap();
        assert_eq!(mailbox, meant.parse().unwrap());
        assert_eq!(mailbox.to_string(), meant);
    }
}

#[test]
fn the_local_part_has_its_case_and_the_domain_has_none() {
    let mailbox: Mailbox = "Ann@Example.COM".parse().unwrap();
    assert_eq!(mailbox.local_part(), "Ann");
    assert_eq!(mailbox.domain().unwrap().as_str(), "example.com");
    assert_ne!(mailbox, "ann@example.com".parse().unwrap());
    assert!("ann@[192.0.2.1]".parse::<Mailbox>().unwrap().domain().is_none());
}

#[test]
fn sixty_four_octets_are_the_limit() {
    let local_part = "a".repeat(64);
    assert!(format!("{local_part}@example.com").parse::<Mailbox>().is_ok());
    let error = MailboxError::LocalPartTooLong { octets: 65 };
    assert_eq!(format!("{local_part}a@example.com").parse::<Mailbox>(), Err(error));
    // The quotes count where they are needed, and where they were written.
    let host = || MailHost::Domain("example.com".parse().unwrap());
    assert!(Mailbox::new(&" ".repeat(62), host()).is_ok());
    assert_eq!(Mailbox::new(&" ".repeat(63), host()), Err(error));
    assert_eq!(format!("\"{}\"@example.com", "a".repeat(63)).parse::<Mailbox>(), Err(error));
}

#[test]
fn bad() {
    let host = |at, source| MailboxError::Host { at, source };
    for (text, error) in [
        ("", MailboxError::Empty { at: 0 }),
        ("ann", MailboxError::At { at: 3 }),
        ("@example.com", MailboxError::Empty { at: 0 }),
        (".ann@example.com", MailboxError::Empty { at: 0 }),
        ("a..b@example.com", MailboxError::Empty { at: 2 }),
        ("ann.@example.com", MailboxError::Empty { at: 4 }),
        ("a b@example.com", MailboxError::Character { at: 1 }),
        ("a\r\nb@example.com", MailboxError::Character { at: 1 }),
        ("a(b)@example.com", MailboxError::Character { at: 1 }),
        ("a,b@example.com", MailboxError::Character { at: 1 }),
        (r#"a"b"@example.com"#, MailboxError::Character { at: 1 }),
        (r#""ann@example.com"#, MailboxError::Quote { at: 0 }),
        ("\"a\rb\"@example.com", MailboxError::Character { at: 2 }),
        ("\"a\0\"@example.com", MailboxError::Character { at: 2 }),
        ("a\u{85}b@example.com", MailboxError::Character { at: 1 }),
        ("\"\u{85}\"@example.com", MailboxError::Character { at: 1 }),
        ("\"\\\u{fc}\"@example.com", MailboxError::Character { at: 2 }),
        (r#""ann"example.com"#, MailboxError::At { at: 5 }),
        ("ann@", host(4, MailHostError::Domain(DomainError::EmptyLabel { at: 0 }))),
        ("ann@a@b", host(4, MailHostError::Domain(DomainError::Character { at: 1 }))),
        ("ann@exa mple", host(4, MailHostError::Domain(DomainError::Character { at: 3 }))),
        ("ann@[192.0.2.1", host(4, MailHostError::Literal)),
        ("ann@[192.0.2.256]", host(4, MailHostError::Literal)),
        ("ann@[2001:db8::1]", host(4, MailHostError::Literal)),
        ("ann@[x-tag:content]", host(4, MailHostError::Literal)),
    ] {
        assert_eq!(text.parse::<Mailbox>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_path_comes_back_without_its_route() {
    for (written, meant) in [
        ("<>", "<>"),
        ("<ann@example.com>", "<ann@example.com>"),
        ("<@a.example,@b.example:ann@example.com>", "<ann@example.com>"),
    ] {
        assert_eq!(written.parse::<ReversePath>().unwrap().to_string(), meant);
    }
}

#[test]
fn bad_paths() {
    for (text, error) in [
        ("ann@example.com", MailboxError::Bracket { at: 0 }),
        ("<ann@example.com", MailboxError::Bracket { at: 16 }),
        ("<", MailboxError::Bracket { at: 1 }),
        ("", MailboxError::Bracket { at: 0 }),
        ("< >", MailboxError::Character { at: 1 }),
        ("<a b@example.com>", MailboxError::Character { at: 2 }),
        ("<@a.example>", MailboxError::Route { at: 1 }),
        ("<@a_b:ann@example.com>", MailboxError::Route { at: 1 }),
        ("<@a.example:a b@example.com>", MailboxError::Character { at: 13 }),
        (
            "<a@b.example>x>",
            MailboxError::Host {
                at: 3,
                source: MailHostError::Domain(DomainError::Character { at: 9 }),
            },
        ),
    ] {
        assert_eq!(text.parse::<ReversePath>(), Err(error), "{text:?}");
    }
}

#[cfg(feature = "idna")]
#[test]
fn a_domain_in_unicode_needs_its_own_parser() {
    let text = "<ann@bücher.example>";
    assert!(text.parse::<ReversePath>().is_err());
    let path = ReversePath::from_unicode(text).unwrap();
    assert_eq!(path.to_string(), "<ann@xn--bcher-kva.example>");
    assert!(!path.mailbox().unwrap().needs_utf8());
    assert!(Mailbox::from_unicode("üb@bücher.example").unwrap().needs_utf8());
}

proptest! {
    #[test]
    fn any_local_part_comes_back(text in "[^\\p{Cc}]{0,20}") {
        let host = MailHost::Domain("example.com".parse().unwrap());
        if let Ok(mailbox) = Mailbox::new(&text, host) {
            prop_assert_eq!(mailbox.to_string().parse::<Mailbox>(), Ok(mailbox));
        }
    }

    #[test]
    fn what_parses_comes_back(text in r#"[a".\\@ <>\[\]é]{0,12}@[a.\[\]0-9-]{1,8}"#) {
        if let Ok(mailbox) = text.parse::<Mailbox>() {
            prop_assert_eq!(mailbox.to_string().parse::<Mailbox>(), Ok(mailbox));
        }
    }
}
