//! Sessions with PRDR: draft-hall-prdr-00.

use super::session::{Talk, ready, settings};
use crate::gateway::smtp::session::SessionSettings;

fn offering() -> SessionSettings {
    SessionSettings { prdr_enable: true, recipients_max: 10, ..settings() }
}

/// Comes as far as recipients with these local parts, of a client that asked for PRDR or not.
fn with_recipients(asked: bool, recipients: &[&str]) -> Talk {
    let mut talk = Talk::new(offering());
    talk.replies();
    let parameter = if asked { " PRDR" } else { "" };
    talk.say(&format!("EHLO client.example\r\nMAIL FROM:<a@b.example>{parameter}\r\n"));
    for recipient in recipients {
        talk.say(&format!("RCPT TO:<{recipient}@d.example>\r\n"));
    }
    talk
}

const BLOCK: &str = "353 content analysis has started\r\n";

#[test]
fn it_is_offered_where_it_is_enabled_and_beside_its_companions() {
    for (enabled, offered) in [(true, true), (false, false)] {
        let mut talk = Talk::new(SessionSettings { prdr_enable: enabled, ..settings() });
        talk.replies();
        let answer = talk.say("EHLO client.example\r\n");
        let lines = answer.lines().map(|line| &line[4..]);
        assert_eq!(prdr::is_offered(lines), offered, "{answer}");
    }
}

/// Source: draft-hall-prdr-00 section 4.2, RFC 5321 sections 4.1.1.1 and 4.1.1.11.
#[test]
fn the_parameter_is_strict() {
    for (enabled, greeting, parameters, expected) in [
        (true, "EHLO", "PRDR", "250 2.1.0"),
        (true, "EHLO", "prdr SIZE=10", "250 2.1.0"),
        (true, "EHLO", "PRDR=yes", "501 5.5.4"),
        (true, "EHLO", "PRDR PRDR", "501 5.5.4"),
        (true, "HELO", "PRDR", "555 5.5.4"),
        (false, "EHLO", "PRDR", "555 5.5.4"),
    ] {
        let mut talk = Talk::new(SessionSettings { prdr_enable: enabled, ..settings() });
        talk.replies();
        talk.say(&format!("{greeting} client.example\r\n"));
        let answer = talk.say(&format!("MAIL FROM:<a@b.example> {parameters}\r\n"));
        assert!(answer.starts_with(expected), "{greeting} {parameters}: {answer}");
    }
}

#[test]
fn each_recipient_gets_a_reply_by_data_and_by_bdat() {
    let expected = "353 content analysis has started\r\n250 2.1.5 ann takes it\r\n\
                    550 5.7.1 not this\r\n450 4.2.1 not now\r\n250 2.0.0 taken\r\n";
    let bdat = "BDAT 3\r\nx\r\nBDAT 3 LAST\r\nz\r\n";
    for (first, end) in [("DATA\r\n", "x\r\nz\r\n.\r\n"), ("", bdat)] {
        let mut talk = with_recipients(true, &["ann", "bad", "no", "later"]);
        talk.say(first);
        let answer = talk.say(end);
        assert!(answer.ends_with(expected), "{answer}");
        assert_eq!(talk.messages.len(), 1);
        assert_eq!(talk.taken, [["ann@d.example"]]);
    }
}

#[test]
fn the_message_is_for_exactly_those_who_take_it() {
    for (recipients, taken) in [
        (&["ann", "bad", "bob"][..], &["ann@d.example", "bob@d.example"][..]),
        (&["bad", "later", "ann"], &["ann@d.example"]),
        (&["ann", "ann", "bad", "bad"], &["ann@d.example", "ann@d.example"]),
    ] {
        let mut talk = with_recipients(true, recipients);
        talk.say("DATA\r\n");
        talk.say("x\r\n.\r\n");
        assert_eq!(talk.taken, [taken]);
    }
}

/// Source: draft-hall-prdr-00 section 4.5.3.
#[test]
fn where_nobody_takes_it_nothing_is_kept() {
    for (recipients, last) in [
        (&["bad", "bad"][..], "550 5.7.1 message refused for all recipients\r\n"),
        (&["bad", "later"], "450 4.0.0 no recipient accepted the message, try again later\r\n"),
        (&["later", "later"], "450 4.0.0 no recipient accepted the message, try again later\r\n"),
    ] {
        let mut talk = with_recipients(true, recipients);
        talk.say("DATA\r\n");
        let answer = talk.say("x\r\n.\r\n");
        assert!(answer.starts_with(BLOCK) && answer.ends_with(last), "{answer}");
        assert!(talk.messages.is_empty() && !talk.closed);
    }
}

#[test]
fn what_one_message_asked_for_the_next_one_has_not() {
    for reset in ["RSET\r\n", "DATA\r\nx\r\n.\r\n"] {
        let mut talk = with_recipients(true, &["ann", "bob"]);
        for line in reset.split_inclusive('\n') {
            talk.say(line);
        }
        talk.say(
            "MAIL FROM:<a@b.example>\r\nRCPT TO:<ann@d.example>\r\nRCPT TO:<bob@d.example>\r\n",
        );
        talk.say("DATA\r\n");
        assert_eq!(talk.say("x\r\n.\r\n"), "250 2.0.0 taken\r\n", "{reset}");
    }
}

#[test]
fn a_single_recipient_gets_its_verdict_asked_for_or_not() {
    for asked in [true, false] {
        for (recipients, expected) in [
            (&["ann"][..], "250 2.0.0 taken\r\n"),
            (&["bad"], "550 5.7.1 not this\r\n"),
            (&["no", "later"], "450 4.2.1 not now\r\n"),
        ] {
            let mut talk = with_recipients(asked, recipients);
            talk.say("DATA\r\n");
            assert_eq!(talk.say("x\r\n.\r\n"), expected, "{recipients:?}, asked: {asked}");
        }
    }
}

#[test]
fn who_did_not_ask_gets_one_reply_for_all() {
    let mut talk = with_recipients(false, &["ann", "bad"]);
    talk.say("DATA\r\n");
    assert_eq!(talk.say("x\r\n.\r\nNOOP\r\n"), "250 2.0.0 taken\r\n250 2.0.0 ok\r\n");
    assert_eq!(talk.taken, [["ann@d.example", "bad@d.example"]]);
    // What one transaction asked for is not asked for the next.
    let mut talk = with_recipients(true, &["ann"]);
    talk.say("RSET\r\nMAIL FROM:<>\r\nRCPT TO:<ann@d.example>\r\nRCPT TO:<bad@d.example>\r\n");
    assert_eq!(talk.say("BDAT 1 LAST\r\nx"), "250 2.0.0 taken\r\n");
}

/// Source: draft-hall-prdr-00 section 4.4: the traditional reply remains.
#[test]
fn a_message_refused_as_a_whole_gets_one_reply() {
    let large = "x".repeat(998) + "\r\n\r\n.\r\n";
    let hops = "Received: x\r\n".repeat(3) + "\r\n.\r\n";
    for (first, rest, expected) in [
        ("DATA\r\n", large.as_str(), "552 5.3.4"),
        ("DATA\r\n", hops.as_str(), "554 5.4.6"),
        ("", "BDAT 4 LAST\r\nx\ny\n", "554 5.6.0"),
    ] {
        let mut talk = with_recipients(true, &["ann", "bob"]);
        talk.say(first);
        let answer = talk.say(rest);
        assert!(answer.starts_with(expected) && answer.lines().count() == 1, "{answer}");
        assert!(talk.messages.is_empty());
    }
}

#[test]
fn commands_behind_the_dot_wait_for_the_last_reply() {
    let mut talk = with_recipients(true, &["ann", "later"]);
    talk.say("DATA\r\n");
    let answer = talk.say("x\r\n.\r\nMAIL FROM:<> PRDR\r\nQUIT\r\n");
    let codes: Vec<_> = answer.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["353", "250", "450", "250", "250", "221"], "{answer}");
}

#[test]
fn a_server_that_stops_says_the_whole_sequence() {
    use crate::gateway::smtp::session::SessionStep;
    let mut talk = with_recipients(true, &["ann", "bob"]);
    talk.say("DATA\r\n");
    talk.session.handle_bytes(b"x\r\n.\r\n");
    assert!(matches!(talk.session.poll(), SessionStep::Decide(_)));
    talk.session.handle_stop();
    let answer = talk.replies();
    let codes: Vec<_> = answer.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["353", "451", "451", "450", "421"], "{answer}");
    assert!(talk.closed && talk.messages.is_empty());
}

/// Source: RFC 5321 section 3.8.
#[test]
fn who_says_421_closes() {
    use crate::gateway::smtp::session::SessionStep;
    let leaving = "421 4.3.2 bye".parse().unwrap();
    for (recipients, sent) in [(&["ann"][..], "421 4.3.2 bye\r\n"), (&["ann", "bob"], "")] {
        let mut talk = with_recipients(true, recipients);
        talk.say("DATA\r\n");
        talk.session.handle_bytes(b"x\r\n.\r\nNOOP\r\n");
        for _ in recipients {
            assert!(matches!(talk.session.poll(), SessionStep::Decide(_)));
            talk.session.handle_decision(&leaving);
        }
        let answer = talk.replies();
        assert!(answer.ends_with(sent) && talk.messages.is_empty(), "{answer}");
        // A recipient's 421 is one that defers: the sequence goes on.
        assert_eq!(talk.closed, recipients.len() == 1, "{answer}");
    }
    let mut talk = with_recipients(true, &[]);
    talk.session.handle_bytes(b"RCPT TO:<ann@d.example>\r\nNOOP\r\n");
    assert!(matches!(talk.session.poll(), SessionStep::Decide(_)));
    talk.session.handle_decision(&leaving);
    assert_eq!(talk.replies(), "421 4.3.2 bye\r\n");
    assert!(talk.closed);
}

/// Nothing is kept before the question about the message, which comes last.
#[test]
fn a_connection_that_is_cut_leaves_nothing_behind() {
    use crate::gateway::smtp::session::{Question, SessionStep};
    for cut in 0..3 {
        let mut talk = with_recipients(true, &["ann", "bob", "carl"]);
        talk.say("DATA\r\n");
        talk.session.handle_bytes(b"x\r\n.\r\n");
        for at in 0..cut {
            assert_eq!(talk.session.poll(), SessionStep::Decide(Question::Verdict(at)));
            talk.session.handle_decision(&"250 2.1.5 ok".parse().unwrap());
        }
        talk.session.handle_end();
        talk.session.handle_decision(&"250 2.1.5 ok".parse().unwrap());
        assert_eq!(talk.session.poll(), SessionStep::Close);
        assert!(talk.messages.is_empty());
    }
    let mut talk = ready(offering());
    talk.session.handle_decision(&"250 2.1.5 not asked".parse().unwrap());
    assert_eq!(talk.replies(), "");
}
