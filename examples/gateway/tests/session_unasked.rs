//! The decisions of the session that it asks nobody about.

use mail_types::smtp::Severity::{Permanent, Transient};

use crate::gateway::smtp::session::{MessageEnd, Unasked};
use crate::gateway::smtp::tests::session::{ready, settings};

const REFUSED: Option<MessageEnd> = Some(MessageEnd::Refused(Permanent));
const BROKEN_OFF: Option<MessageEnd> = Some(MessageEnd::BrokenOff);

/// Rows: what a client with a recipient sends, and the end of its message.
#[test]
fn a_message_that_comes_to_no_question_has_its_end() {
    let (large, hopeless) = ("x\r\n".repeat(400), "x\r\n".repeat(1000));
    let hops = "Received: a\r\n".repeat(3);
    let header = format!("A: {}\r\n\r\n", "x".repeat(900));
    for (text, end) in [
        ("DATA", None),
        (&*format!("DATA|{large}.\r\n"), REFUSED),
        (&format!("DATA|{hopeless}"), REFUSED),
        (&format!("DATA|{hops}\r\n.\r\n"), REFUSED),
        ("DATA|a\nb\r\n.\r\n", REFUSED),
        (&format!("DATA|{header}.\r\n"), None),
        ("DATA|a\r\n.\r\n", None),
        ("BDAT 3 LAST|a\nb", REFUSED),
        (&format!("BDAT 1200 LAST|{large}"), REFUSED),
        ("BDAT 3 LAST|a\r\n", None),
        ("BDAT 3|a\r\n", None),
        ("BDAT 3|a\r\nBDAT 3 FIRST\r\nabc", REFUSED),
        // Without a message there is nothing to refuse.
        ("BDAT 3 FIRST|abc", None),
        ("RSET|BDAT 3 LAST\r\nabc", None),
    ] {
        let mut talk = ready(settings());
        let (command, rest) = text.split_once('|').unwrap_or((text, ""));
        talk.say(&format!("{command}\r\n"));
        talk.say(rest);
        let expected = Unasked { message: end, ..Unasked::default() };
        assert_eq!(talk.session.take_unasked(), expected, "{text}");
        assert_eq!(talk.session.take_unasked(), Unasked::default(), "once");
    }
}

/// Rows: what a client with a recipient sends before its connection ends.
#[test]
fn a_message_is_broken_off_by_the_end_of_its_connection() {
    for (text, end) in [
        ("", None),
        ("RCPT TO:<d@d.example>\r\n", None),
        ("DATA\r\n", BROKEN_OFF),
        ("DATA\r\na\r\n", BROKEN_OFF),
        ("BDAT 3\r\na", BROKEN_OFF),
        ("BDAT 1\r\na", BROKEN_OFF),
        ("BDAT 1\r\naQUIT\r\n", BROKEN_OFF),
        ("BDAT 1\r\naBDAT x\r\n", BROKEN_OFF),
        ("DATA\r\na\r\n.\r\n", None),
        ("QUIT\r\n", None),
    ] {
        for how in 0..3 {
            let mut talk = ready(settings());
            // The client must wait for 354.
            let (command, rest) = text.split_once("DATA\r\n").unwrap_or((text, ""));
            talk.say(if text.starts_with("DATA") { "DATA\r\n" } else { command });
            talk.say(rest);
            match how {
                0 => talk.session.handle_end(),
                1 => talk.session.handle_timeout(),
                _ => talk.session.handle_stop(),
            }
            talk.session.handle_end();
            let expected = Unasked { message: end, ..Unasked::default() };
            assert_eq!(talk.session.take_unasked(), expected, "{how}: {text}");
        }
    }
}

#[test]
fn no_room_defers_a_message() {
    let mut talk = ready(settings());
    talk.say("DATA\r\n");
    talk.session.handle_no_room();
    assert!(talk.say("a\r\n.\r\n").starts_with("452 "));
    let message = Some(MessageEnd::Refused(Transient));
    assert_eq!(talk.session.take_unasked(), Unasked { message, ..Unasked::default() });
}

/// Rows: a command, and the recipients put off and refused without a question.
#[test]
fn recipients_with_mistakes_and_too_many_are_counted() {
    for (text, deferred, refused) in [
        ("RCPT TO:<d@d.example>", 0, 0),
        // These are asked about.
        ("RCPT TO:<no@d.example>\r\nRCPT TO:<wait@d.example>", 0, 0),
        ("RCPT TO:<d@d.example> A=B", 0, 1),
        ("RCPT TO:<d@@>", 0, 1),
        ("RCPT TO:<\u{e4}@d.example>", 0, 1),
        ("RCPT TO:<d@d.example>\r\nRCPT TO:<e@d.example>\r\nRCPT TO:<f@d.example>", 1, 0),
        ("RSET\r\nRCPT TO:<d@d.example>", 0, 0),
    ] {
        let mut talk = ready(settings());
        talk.say(&format!("{text}\r\n"));
        let expected = Unasked { deferred, refused, message: None };
        assert_eq!(talk.session.take_unasked(), expected, "{text}");
    }
}
