//! The limits of a session, and their replies.

use super::session::{Talk, dialogue, ready, settings};
use crate::gateway::smtp::session::SessionSettings;

#[test]
fn limits_are_reached_and_named() {
    let dots = "x\r\n".repeat(333) + "\r\n";
    let mut talk = ready(settings());
    talk.say("DATA\r\n");
    assert_eq!(talk.say(&format!("{}.\r\n", &dots[..999])), "250 2.0.0 taken\r\n");
    let mut talk = ready(settings());
    talk.say("DATA\r\n");
    assert_eq!(talk.say(&format!("{dots}.\r\n")), "552 5.3.4 message too large\r\n");
    assert!(!talk.closed && talk.messages.is_empty());
    // Far beyond the limit nobody reads on.
    let mut talk = ready(settings());
    talk.say("DATA\r\n");
    assert_eq!(talk.say(&"x".repeat(2002)), "552 5.3.4 message too large\r\n");
    assert!(talk.closed);

    let mut talk = ready(settings());
    assert_eq!(talk.say(&"RCPT TO:<c@d.example>\r\n".repeat(2)), "250 2.1.5 ok\r\n".repeat(2));
    assert!(talk.say("RCPT TO:<c@d.example>\r\n").starts_with("452 4.5.3"));

    for (fields, code) in [(2, "250"), (3, "554 5.4.6")] {
        let mut talk = ready(settings());
        talk.say("DATA\r\n");
        let message =
            format!("{}\r\nReceived: not a field\r\n.\r\n", "received: by x\r\n".repeat(fields));
        assert!(talk.say(&message).starts_with(code), "{fields} fields");
    }

    let mut talk = ready(settings());
    assert!(talk.say(&format!("NOOP {}\r\n", "x".repeat(4089))).starts_with("250"));
    assert!(talk.say(&format!("NOOP {}", "x".repeat(4092))).starts_with("500 5.5.2 line too long"));
    assert!(talk.closed);
}

#[test]
fn patience_has_limits() {
    dialogue(&[
        ("EHLO c", "250 HELP"),
        ("NOOP", "250 2.0.0"),
        ("NOOP", "250 2.0.0"),
        ("NOOP", "250 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("NOOP", "421 4.7.0"),
    ]);
    dialogue(&[("x", "500 5.5.2"), ("x", "500 5.5.2"), ("x", "500 5.5.2, 421 4.7.0")]);
    dialogue(&[
        ("EHLO", "501 5.5.4"),
        ("EHLO", "501 5.5.4"),
        ("EHLO", "501 5.5.4"),
        ("EHLO", "501 5.5.4, 421 4.7.0"),
    ]);
    let mut talk = Talk::new(settings());
    talk.replies();
    talk.say("EHLO c.example\r\n");
    for _ in 0..2 {
        talk.say("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 1 LAST\r\nx");
    }
    assert_eq!(talk.messages.len(), 2);
    assert!(talk.say("MAIL FROM:<>\r\n").starts_with("421 4.7.0"));
}

/// The empty line behind the header section does not count, and the body has no limit of its own.
#[test]
fn a_header_section_has_its_own_limit() {
    let too_large = "552 5.3.4 message header section too large\r\n";
    let field = format!("X: {}\r\n", "y".repeat(95));
    let folded = format!("X:\r\n{}", " y\r\n".repeat(24));
    for header in [&*field, &folded] {
        assert_eq!(header.len(), 100);
        let body = "z\r\n".repeat(100);
        for (limit, expected) in [(100, "250 2.0.0 taken\r\n"), (99, too_large)] {
            for message in
                [format!("{header}\r\n{body}"), format!("{header}\r\n"), header.to_owned()]
            {
                let bdat = format!("BDAT {} LAST\r\n{message}", message.len());
                let data = ["DATA\r\n", &*format!("{message}.\r\n")];
                for pieces in [&data[..], &[&*bdat]] {
                    let mut talk = ready(SessionSettings { header_maxsize: limit, ..settings() });
                    let replies: Vec<_> = pieces.iter().map(|piece| talk.say(piece)).collect();
                    let last = replies.last().map(String::as_str);
                    assert_eq!(last, Some(expected), "{limit} {pieces:?}");
                    assert!(!talk.closed);
                }
            }
        }
    }
}
