//! The effect of rules on messages, observed by clients.

use std::net::TcpStream;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;

const RULES: &str = r#"
prdr_enable = true

[[acl_smtp_mail]]
verb = "warn"
sender_domains = "sender.test"
add_header = "X-Command: $smtp_command"

[[acl_smtp_data_prdr]]
verb = "deny"
local_parts = "bad"
message = "$local_part does not"

[[acl_smtp_data_prdr]]
verb = "defer"
local_parts = "later"

[[acl_smtp_data_prdr]]
verb = "quarantine"
local_parts = "wary : wary1 : wary2"
header.subject = "*lottery*"
log_message = "a lottery for $local_part"

[[acl_smtp_data_prdr]]
verb = "accept"
local_parts = "nice"
message = "$local_part thanks you"

[[acl_smtp_data]]
verb = "deny"
header.x-virus = "*"
message = "554 5.6.0 nobody wants that"

[[acl_smtp_data]]
verb = "warn"
set.acl_m_count = "$recipients_count"
add_header = ["X-Count: $acl_m_count", "X-Prdr: $prdr_requested"]
"#;

type Smtp = Dialogue<TcpStream, TcpStream>;

/// Sends a message with these fields to these local parts; returns the replies to it.
fn send(smtp: &mut Smtp, asking: bool, rcpts: &[&str], fields: &str) -> Vec<String> {
    let parameter = if asking { " PRDR" } else { "" };
    assert!(smtp.say(&format!("MAIL FROM:<a@sender.test>{parameter}")).starts_with("250"));
    for rcpt in rcpts {
        let reply = smtp.say(&format!("RCPT TO:<{rcpt}@local.test>"));
        assert!(reply.starts_with("250"), "{reply}");
    }
    assert!(smtp.say("DATA").starts_with("354"));
    let first = smtp.say(&format!("{fields}\r\n\r\nbody\r\n."));
    let block = first.starts_with("353");
    let mut replies = vec![first];
    if block {
        replies.extend((0..=rcpts.len()).map(|_| smtp.reply()));
    }
    replies
}

fn connect(gateway: &Gateway) -> Smtp {
    let mut smtp = Dialogue::connect(gateway.port());
    assert!(smtp.reply().starts_with("220"));
    let offers = smtp.say("EHLO client.test");
    assert!(offers.contains("\n250-PRDR\n"), "{offers}");
    smtp
}

/// Checks that each reply begins with what was expected.
fn check(replies: &[String], expected: &[&str]) {
    let fits = replies.iter().zip(expected).all(|(reply, begin)| reply.starts_with(begin));
    assert!(fits && replies.len() == expected.len(), "{replies:?}, not {expected:?}");
}

#[test]
fn the_message_as_a_whole_has_the_last_word() {
    let block = Block::claim();
    let gateway = Gateway::start(block.own(0), RULES);
    let mut smtp = connect(&gateway);
    let fields = "Subject: x\r\nX-Virus: y";
    let refused = "554 5.6.0 nobody wants that";
    let replies = send(&mut smtp, true, &["nice", "bad", "ann"], fields);
    check(
        &replies,
        &["353", "250 2.1.5 nice thanks you", "550 5.7.1 bad does not", "250 2.1.5", refused],
    );
    check(&send(&mut smtp, true, &["ann"], fields), &[refused]);
    check(&send(&mut smtp, false, &["ann", "bob"], fields), &[refused]);
    assert!(gateway.messages().is_empty() && gateway.arrivals().is_empty());
}

/// Who did not ask gets one reply for recipients that differ: later goes before no, no before yes.
#[test]
fn who_did_not_ask_gets_the_strictest_verdict() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), RULES);
    let mut smtp = connect(&gateway);
    for (rcpts, expected) in [
        (&["ann", "bad"][..], "550 5.7.1 bad does not"),
        (&["bad", "ann"], "550 5.7.1 bad does not"),
        (&["ann", "later"], "450 4.7.1"),
        (&["bad", "later"], "450 4.7.1"),
        (&["later", "bad", "ann"], "450 4.7.1"),
    ] {
        check(&send(&mut smtp, false, rcpts, "Subject: x"), &[expected]);
    }
    assert!(gateway.messages().is_empty());
    check(&send(&mut smtp, false, &["ann", "nice"], "Subject: both"), &["250 2.0.0 OK id="]);
    gateway.message("Subject: both");
}

#[test]
fn fields_are_added_behind_our_own() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), RULES);
    let mut smtp = connect(&gateway);
    send(&mut smtp, true, &["ann", "bad", "bob"], "Subject: some");
    let message = gateway.message("Subject: some");
    let fields: Vec<_> = message.lines().filter(|line| !line.starts_with('\t')).collect();
    let names = fields.iter().map(|field| field.split(':').next().unwrap());
    let names: Vec<_> = names.take(6).collect();
    assert_eq!(names, ["Return-Path", "Received", "X-Command", "X-Count", "X-Prdr", "Subject"]);
    let added = "X-Command: MAIL FROM:<a@sender.test> PRDR\r\nX-Count: 2\r\nX-Prdr: yes\r\n";
    assert!(message.contains(added), "{message}");
    // A message of its own has its own.
    send(&mut smtp, false, &["ann"], "Subject: one");
    let message = gateway.message("Subject: one");
    let without = "X-Command: MAIL FROM:<a@sender.test>\r\nX-Count: 1\r\nX-Prdr: no\r\n";
    assert!(message.contains(without), "{message}");
}

#[test]
fn a_message_is_in_quarantine_for_all_its_recipients_or_for_none() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), RULES);
    let mut smtp = connect(&gateway);
    let own = "450 4.5.3 recipient with another treatment, send a separate message";
    for (asking, rcpts, subject, expected, reason) in [
        (true, &["wary"][..], "lottery 1.", &["250"][..], Some("wary")),
        (true, &["wary"], "hello 2.", &["250"], None),
        (true, &["wary1", "wary2"], "lottery 3.", &["353", "250", "250", "250"], Some("wary1")),
        (true, &["ann", "wary"], "lottery 4.", &["353", "250", own, "250"], None),
        (
            true,
            &["bad", "wary", "ann"],
            "lottery 5.",
            &["353", "550", "250", own, "250"],
            Some("wary"),
        ),
        (false, &["ann", "wary"], "lottery 6.", &["250"], Some("wary")),
    ] {
        check(&send(&mut smtp, asking, rcpts, &format!("Subject: {subject}")), expected);
        let message = gateway.message(&format!("Subject: {subject}"));
        let field = message.lines().find_map(|line| line.strip_prefix("X-Quarantine: "));
        let reason = reason.map(|name| format!("a lottery for {name}"));
        assert_eq!(field, reason.as_deref(), "{message}");
    }
}
