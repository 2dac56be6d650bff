//! Greetings that are refused, and refusals that end the session.

use mail_types::smtp::{EnhancedCode, ReplyCode};

use super::session::{Talk, dialogue, ready, settings};
use crate::gateway::smtp::replies::say;
use crate::gateway::smtp::session::{Question, SessionStep};

#[test]
fn a_greeting_that_is_refused_changes_nothing() {
    dialogue(&[
        ("EHLO no.example", "550 5.7.1"),
        ("MAIL FROM:<a@b.example>", "503 5.5.1"),
        ("EHLO c.example", "250 HELP"),
        ("MAIL FROM:<a@b.example>", "250 2.1.0"),
        // RFC 5321 section 4.1.4: the session stays as it was.
        ("HELO no.example", "550 5.7.1"),
        ("RCPT TO:<c@d.example>", "250 2.1.5"),
        ("EHLO c.example", "250 HELP"),
        ("RCPT TO:<c@d.example>", "503 5.5.1"),
    ]);
}

/// The first is free, as is the first after the start of TLS.
#[test]
fn greetings_that_are_refused_are_limited() {
    let mut talk = Talk::new(settings());
    talk.replies();
    for _ in 0..=settings().smtp_accept_max_nonmail {
        assert!(talk.say("EHLO no.example\r\n").starts_with("550 "));
    }
    assert!(talk.say("EHLO no.example\r\n").starts_with("421 4.7.0 too many nonmail commands"));
    assert!(talk.closed);
    let mut talk = Talk::new(settings());
    talk.replies();
    for _ in 0..=settings().smtp_accept_max_nonmail {
        talk.say("EHLO c.example\r\n");
    }
    assert!(talk.say("STARTTLS\r\n").starts_with("220 "));
    assert!(talk.say("EHLO c.example\r\n").ends_with("250 HELP\r\n"));
}

fn dropped(talk: &mut Talk, text: &str) -> String {
    talk.session.handle_bytes(text.as_bytes());
    loop {
        match talk.session.poll() {
            SessionStep::Decide(Question::Verdict(0)) => {
                let yes = say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "takes it");
                talk.session.handle_decision(&yes);
            }
            SessionStep::Decide(_) => {
                let no = say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::REFUSED_BY_POLICY, "no");
                talk.session.handle_drop(&no);
            }
            SessionStep::Close => break,
            step => assert_eq!(step, SessionStep::Turn),
        }
    }
    assert!(talk.session.is_closed());
    String::from_utf8(talk.session.take_output()).unwrap()
}

/// The commands behind the one that was refused are not looked at.
#[test]
fn a_refusal_that_drops_is_the_last_reply() {
    let mut talk = Talk::new(settings());
    talk.replies();
    assert_eq!(dropped(&mut talk, "EHLO c.example\r\nNOOP\r\n"), "550 5.7.1 no\r\n");
    for command in ["RSET\r\nMAIL FROM:<a@b.example>", "RCPT TO:<e@d.example>"] {
        let mut talk = ready(settings());
        let said = dropped(&mut talk, &format!("{command}\r\nNOOP\r\n"));
        assert!(said.ends_with("550 5.7.1 no\r\n") && !said.contains("2.0.0 ok"), "{said}");
    }
    // With a reply for each recipient, all of them are sent before.
    let mut talk = Talk::new(settings());
    talk.replies();
    let message = "BDAT 6 LAST\r\na: b\r\nNOOP\r\n";
    let envelope = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";
    talk.say(envelope);
    talk.say("RCPT TO:<e@d.example>\r\n");
    assert_eq!(dropped(&mut talk, message), "550 5.7.1 no\r\n");
    let settings =
        crate::gateway::smtp::session::SessionSettings { prdr_enable: true, ..settings() };
    let mut talk = Talk::new(settings);
    talk.replies();
    talk.say(&envelope.replace("b.example>", "b.example> PRDR"));
    talk.say("RCPT TO:<e@d.example>\r\n");
    let said = dropped(&mut talk, message);
    let codes: Vec<_> = said.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(codes, ["353", "250", "550", "550"], "{said}");
}

/// A header would else be a wrong command, and the messages behind it those of the proxy's address.
#[test]
fn a_proxy_header_that_nobody_expects_ends_the_session_and_is_told() {
    let (line, block) =
        (&b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x21\x11");
    let unsynchronized = "554 5.5.0 SMTP synchronization error\r\n";
    for (header, before_banner, last) in [
        (line, true, unsynchronized),
        (block, true, unsynchronized),
        (line, false, unsynchronized),
        // Its octets are lines, and the last of these ends in a bare LF.
        (block, false, "554 5.6.0 bare CR or LF in the message or command\r\n"),
    ] {
        // In pieces of any size.
        for size in [1, 5, header.len()] {
            let mut talk = Talk::new(settings());
            if !before_banner {
                assert!(talk.replies().starts_with("220 "));
            }
            let mut said = String::new();
            for piece in header.chunks(size) {
                talk.session.handle_bytes(piece);
                said += &talk.replies();
            }
            assert!(said.ends_with(last) && talk.closed, "{header:?} {size}: {said}");
            assert!(!said.contains("250 "), "{said}");
            if !before_banner || size == header.len() {
                assert!(talk.session.take_stray_header(), "{header:?} {size}");
                assert!(!talk.session.take_stray_header());
            }
        }
    }
    // Behind the start of the session it is a wrong command, and no other start is a header.
    let mut talk = ready(settings());
    assert!(talk.say("PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n").starts_with("500 "));
    assert!(!talk.session.take_stray_header());
    let mut early = Talk::new(settings());
    early.session.handle_bytes(b"EHLO a\r\n");
    assert!(!early.session.take_stray_header());
}
