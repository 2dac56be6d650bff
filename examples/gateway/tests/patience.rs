//! The limit of refused recipients and transactions without a message.

use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::smtp::tests::session::{Talk, ready, settings};

fn greeted(settings: SessionSettings) -> Talk {
    let mut talk = Talk::new(settings);
    talk.replies();
    talk.say("EHLO c.example\r\n");
    talk
}

#[test]
fn refused_recipients_end_a_connection_that_has_none_accepted() {
    let mut talk = greeted(settings());
    talk.say("MAIL FROM:<a@b.example>\r\n");
    let refused = "550 5.1.1 no\r\n";
    assert_eq!(talk.say(&"RCPT TO:<no@d.example>\r\n".repeat(5)), refused.repeat(5));
    let last = talk.say(&"RCPT TO:<no@d.example>\r\n".repeat(5));
    assert_eq!(last, format!("{refused}421 4.7.0 {REASON}\r\n"));
    assert!(talk.closed && talk.pauses.is_empty());
    // 0 is off.
    let mut talk = greeted(SessionSettings { smtp_max_refused: 0, ..settings() });
    talk.say("MAIL FROM:<a@b.example>\r\n");
    assert_eq!(talk.say(&"RCPT TO:<no@d.example>\r\n".repeat(500)), refused.repeat(500));
    assert!(!talk.closed);
}

/// Where a recipient was accepted, its message comes in the end.
#[test]
fn beside_an_accepted_recipient_replies_only_slow_down() {
    let mut talk = ready(settings());
    talk.say(&"RCPT TO:<no@d.example>\r\n".repeat(5));
    assert!(talk.pauses.is_empty());
    let replies = talk.say(&"RCPT TO:<no@d.example>\r\n".repeat(13));
    assert_eq!(replies, "550 5.1.1 no\r\n".repeat(13));
    assert_eq!(talk.pauses, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]);
    assert!(talk.say("RCPT TO:<d@d.example>\r\n").starts_with("250"));
    talk.say("DATA\r\n");
    assert_eq!(talk.say("a: b\r\n.\r\n"), "250 2.0.0 taken\r\n");
    assert_eq!(talk.taken, [["c@d.example", "d@d.example"]]);
    // That began the count again.
    talk.pauses.clear();
    talk.say("MAIL FROM:<a@b.example>\r\n");
    talk.say(&"RCPT TO:<no@d.example>\r\n".repeat(5));
    assert!(!talk.closed && talk.pauses.is_empty());
}

#[test]
fn many_recipients_in_one_pipeline_are_none_too_many() {
    let mut many = settings();
    (many.recipients_max, many.smtp_accept_max_per_connection) = (1000, 0);
    many.smtp_max_refused = 20;
    let mut talk = greeted(many);
    let pipeline = |first: usize, count| {
        let recipients = (first..first + count).map(|at| format!("RCPT TO:<r{at}@d.example>\r\n"));
        format!("MAIL FROM:<a@b.example>\r\n{}", recipients.collect::<String>())
    };
    let replies = talk.say(&pipeline(0, 1500));
    assert_eq!(replies.matches("250 2.1.5").count(), 1000);
    assert_eq!(replies.matches("452 4.5.3").count(), 500);
    assert!(talk.turns >= 1500 / 16, "others had {} turns", talk.turns);
    talk.say("DATA\r\n");
    assert!(talk.say("a: b\r\n.\r\n").starts_with("250"));
    talk.say(&pipeline(1000, 500));
    talk.say("DATA\r\n");
    assert!(talk.say("a: b\r\n.\r\n").starts_with("250"));
    assert_eq!(talk.taken.iter().map(Vec::len).collect::<Vec<_>>(), [1000, 500]);
    assert!(talk.pauses.is_empty() && !talk.closed);
}

/// However they are answered, and whether they are counted or not; a message ends it.
#[test]
fn who_sends_very_many_commands_has_longer_turns() {
    for line in
        ["RCPT TO:<no@d.example>", "RCPT TO:<wait@d.example>", "RCPT TO:<c@d.example>", "NOOP"]
    {
        let mut many = settings();
        (many.smtp_max_refused, many.smtp_accept_max_nonmail) = (0, 1000);
        let mut talk = ready(many);
        talk.say(&format!("{line}\r\n").repeat(97));
        assert!(!talk.session.is_long_winded(), "{line}: not with one hundred");
        talk.say(&format!("{line}\r\n"));
        assert!(talk.session.is_long_winded() && !talk.closed, "{line}");
        talk.say("DATA\r\n");
        assert!(talk.say("a: b\r\n.\r\n").starts_with("250"));
        assert!(!talk.session.is_long_winded(), "{line}");
    }
}

#[test]
fn who_is_put_off_is_not_refused() {
    let mut talk = ready(settings());
    let replies = talk.say(&"RCPT TO:<wait@d.example>\r\n".repeat(50));
    assert_eq!(replies, "450 4.2.1 wait\r\n".repeat(50));
    talk.say("DATA\r\n");
    assert!(talk.say("a: b\r\n.\r\n").starts_with("250"));
    // Each in a transaction of its own, and the good one at the end.
    let mut talk = greeted(settings());
    for _ in 0..50 {
        let replies = talk.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<wait@d.example>\r\nRSET\r\n");
        assert!(replies.ends_with("450 4.2.1 wait\r\n250 2.0.0 reset\r\n"), "{replies}");
    }
    talk.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    assert!(talk.say("a: b\r\n.\r\n").starts_with("250"));
    assert!(talk.pauses.is_empty() && !talk.closed);
}

/// However a transaction ends without a message, it counts once.
#[test]
fn transactions_without_a_message_count() {
    let mail = "MAIL FROM:<a@b.example>\r\n";
    let reset = format!("{mail}RSET\r\n");
    let greeting = format!("{mail}EHLO c.example\r\n");
    let refused = "MAIL FROM:<no@b.example>\r\n".to_owned();
    let recipient = format!("{mail}RCPT TO:<no@d.example>\r\nRSET\r\n");
    let accepted = format!("{mail}RCPT TO:<c@d.example>\r\nRSET\r\n");
    let hops = "Received: x\r\n".repeat(3);
    let failed = format!("{mail}RCPT TO:<c@d.example>\r\nBDAT {} LAST\r\n{hops}", hops.len());
    let bad = format!("{mail}RCPT TO:<bad@d.example>\r\nBDAT 6 LAST\r\na: b\r\n");
    for round in [reset, greeting, refused, recipient, accepted, failed, bad] {
        let mut many = settings();
        many.smtp_accept_max_nonmail = 100;
        let mut talk = greeted(many);
        for _ in 0..5 {
            let replies = talk.say(&round);
            assert!(!talk.closed, "{round}: {replies}");
        }
        let replies = talk.say(&round);
        assert!(talk.closed && replies.contains(REASON), "{round}: {replies}");
    }
    // One that is put off does not.
    let mut talk = greeted(settings());
    for _ in 0..20 {
        talk.say(&format!("{mail}RCPT TO:<later@d.example>\r\nBDAT 6 LAST\r\na: b\r\n"));
    }
    assert!(!talk.closed);
}

/// Fifty of them count as one that is refused, whatever puts them off.
#[test]
fn nobody_is_put_off_for_ever() {
    let mail = "MAIL FROM:<a@b.example>\r\n";
    let recipient = format!("{mail}RCPT TO:<wait@d.example>\r\nRSET\r\n");
    let message = format!("{mail}RCPT TO:<later@d.example>\r\nBDAT 6 LAST\r\na: b\r\n");
    for round in [recipient, message] {
        let mut talk = greeted(settings());
        for _ in 0..299 {
            talk.say(&round);
            assert!(!talk.closed, "{round}");
        }
        assert!(talk.say(&round).ends_with(&format!("421 4.7.0 {REASON}\r\n")) && talk.closed);
    }
    // Beside an accepted recipient, each fiftieth reply slows down; the message comes in the end.
    for (line, code) in
        [("RCPT TO:<wait@d.example>", "450 4.2.1"), ("RCPT TO:<c@d.example>", "452 4.5.3")]
    {
        let recipients_max = if code == "452 4.5.3" { 1 } else { 3 };
        let mut talk = ready(SessionSettings { recipients_max, ..settings() });
        let replies = talk.say(&format!("{line}\r\n").repeat(400));
        assert_eq!(replies.matches(code).count(), 400);
        assert_eq!(talk.pauses, [1, 2, 3], "{line}");
        talk.say("DATA\r\n");
        assert!(talk.say("a: b\r\n.\r\n").starts_with("250") && !talk.closed);
    }
}

/// The host's own name may be no domain; then nobody is its postmaster.
#[test]
fn a_postmaster_without_a_domain_counts_as_refused() {
    let mut talk = greeted(SessionSettings { primary_hostname: "no name".into(), ..settings() });
    talk.say("MAIL FROM:<a@b.example>\r\n");
    let replies = talk.say(&"RCPT TO:<postmaster>\r\n".repeat(10));
    assert_eq!(replies.matches("550 5.1.1").count(), 6);
    assert!(replies.ends_with(&format!("421 4.7.0 {REASON}\r\n")) && talk.closed);
}

const REASON: &str = "too many refused recipients or transactions without a message";
