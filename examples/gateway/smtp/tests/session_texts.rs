//! Names of clients, and texts of replies.

use std::sync::Arc;

use mail_types::smtp::{EnhancedCode, ReplyCode};

use super::session::{Talk, settings};
use crate::gateway::smtp::replies::say;
use crate::gateway::smtp::session::{Question, Session, SessionStep};

#[test]
fn names_of_clients() {
    for (name, expected) in [
        ("c.example.", "c.example"),
        ("c.example", "c.example"),
        ("localhost", "localhost"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:DB8::1]", "[2001:DB8::1]"),
        ("[IPv6:::1]", "[IPv6:::1]"),
        ("[ipv6:2001:db8::1]", "[ipv6:2001:db8::1]"),
        ("[192.0.2.1]", "[192.0.2.1]"),
    ] {
        let mut talk = Talk::new(settings());
        talk.replies();
        assert!(
            talk.say(&format!("EHLO {name}\r\n")).starts_with("250-mx.example greets "),
            "{name}"
        );
        assert_eq!(talk.session.greeting().name, expected);
    }
    for name in
        ["c.example..", ".", "..", "[2001:db8::1", "2001:db8::1", "[::1%1]", "[192.0.2]", "[]"]
    {
        let mut talk = Talk::new(settings());
        talk.replies();
        assert!(talk.say(&format!("EHLO {name}\r\n")).starts_with("501 5.5.4"), "{name}");
    }
}

/// RFC 5321 section 4.2: `textstring`.
#[test]
fn replies_are_ascii_for_who_does_not_take_more() {
    let session = Session::new(Arc::new(settings()), true);
    let mut talk = Talk { session, ..Talk::new(settings()) };
    talk.replies();
    let answer = talk.say("EHLO \u{fc}.example\r\n");
    assert!(answer.starts_with("250-mx.example greets ?.example\r\n"), "{answer}");
    talk.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
    talk.session.handle_bytes(b"RCPT TO:<e@d.example>\r\n");
    assert_eq!(talk.session.poll(), SessionStep::Decide(Question::Recipient));
    let reply = say(
        ReplyCode::MAILBOX_UNAVAILABLE,
        EnhancedCode::NO_SUCH_MAILBOX,
        "gibt es nicht: \u{e4}\u{1f4e7}",
    );
    talk.session.handle_decision(&reply);
    assert_eq!(talk.replies(), "550 5.1.1 gibt es nicht: ??\r\n");
    talk.say("RSET\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\n");
    talk.session.handle_bytes(b"RCPT TO:<e@d.example>\r\n");
    talk.session.poll();
    talk.session.handle_decision(&reply);
    assert_eq!(talk.replies(), "550 5.1.1 gibt es nicht: \u{e4}\u{1f4e7}\r\n");
    talk.say("RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<\u{e4}@d.example>\r\n");
    assert!(talk.say("RCPT TO:<c@d.example>\r\n").is_ascii());
}
