//! The positions of added fields, and fields that are removed.

use bytes::Bytes;

use super::config_effect::refused;
use super::gateway::Running;
use super::scenario::{Scenario, rules};
use crate::gateway::message::forged::without_forged;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;

/// Applies these lines of a rule to a message; returns the changed message, the fields before those of this host, the
/// fields behind them, and the log.
async fn edited(lines: &str, message: &str) -> (String, String, String, Vec<String>) {
    let rules = rules(&format!("[[acl_smtp_rcpt]]\nverb = 'warn'\n{lines}"));
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.judge(&rules, Stage::Rcpt, 0).await;
    let edits = scenario.state.header_edits();
    let parts = without_forged(&Bytes::copy_from_slice(message.as_bytes()), &|_| true, true);
    let text = String::from_utf8(edits.apply(parts).concat()).unwrap();
    (edits.at_start(), edits.behind_ours(), text, scenario.state.take_log())
}

const HEADER: &str =
    "Received: a\r\n\tb\r\nRECEIVED : c\r\nResent-To: d\r\nX-Quarantine: forged\r\nTo: e\r\n";

/// Source: Exim's chapter on access control lists, and Exim 4.96 for the order.
#[tokio::test]
async fn a_field_stands_where_its_word_says() {
    let lines = r"add_header = [':at_start:X-A: 1', ':AT_START: X-B: 2', ':at_start_rfc:X-E: 5', ':after_received:X-C: 3',
                 ':after_received:X-D: 4', ':at_end:X-F: 6', 'X-G: 7', ':at_end:X-H: 8']";
    for body in ["\r\nTo: x\r\n", "\r\n", ""] {
        let (start, ours, text, _) = edited(lines, &format!("{HEADER}{body}")).await;
        assert_eq!(start, "X-B: 2\r\nX-A: 1\r\n");
        assert_eq!(ours, "X-G: 7\r\n");
        let expected = "Received: a\r\n\tb\r\nRECEIVED : c\r\nX-D: 4\r\nX-C: 3\r\nResent-To: d\r\nX-E: 5\r\n\
                        To: e\r\nX-F: 6\r\nX-H: 8\r\n";
        assert_eq!(text, format!("{expected}{body}"));
    }
    // Where both places are one, the last is the first.
    for (message, expected) in [
        (
            "To: e\r\n\r\nx\r\n",
            "X-D: 4\r\nX-C: 3\r\nX-E: 5\r\nTo: e\r\nX-F: 6\r\nX-H: 8\r\n\r\nx\r\n",
        ),
        ("\r\nx\r\n", "X-D: 4\r\nX-C: 3\r\nX-E: 5\r\nX-F: 6\r\nX-H: 8\r\n\r\nx\r\n"),
        (
            "Received: x\r\n\r\nReceived: y\r\n",
            "Received: x\r\nX-D: 4\r\nX-C: 3\r\nX-E: 5\r\nX-F: 6\r\nX-H: 8\r\n\r\nReceived: y\r\n",
        ),
    ] {
        assert_eq!(edited(lines, message).await.2, expected);
    }
}

/// A field that was added behind `Received` is no `Resent-…` field.
#[tokio::test]
async fn a_block_ends_at_a_field_that_was_added_in_it() {
    let lines = "add_header = [':after_received:X-A: 1', ':at_start_rfc:X-B: 2']";
    let text = edited(lines, "Received: a\r\nResent-To: b\r\nTo: c\r\n\r\n").await.2;
    assert_eq!(text, "Received: a\r\nX-B: 2\r\nX-A: 1\r\nResent-To: b\r\nTo: c\r\n\r\n");
}

#[tokio::test]
async fn fields_are_removed_by_their_names() {
    let message = "Received: a\r\nX-Spam-Flag: 1\r\n 2\r\nSubject : b\r\nx-spam-score: 3\r\nX\0-Ab\u{1}c: 4\r\n\
                   X-Spam: 5\r\nTo: c\r\n\r\nSubject: body\r\n";
    let left = |names: &[&str]| {
        let mut text = message.to_owned();
        for name in names {
            text = text.replace(name, "");
        }
        text
    };
    let (flag, score) = ("X-Spam-Flag: 1\r\n 2\r\n", "x-spam-score: 3\r\n");
    for (list, removed) in [
        ("Subject", &["Subject : b\r\n"][..]),
        ("subject : TO", &["Subject : b\r\n", "To: c\r\n"]),
        ("<; X-Spam-* ; x-abc", &[flag, score, "X\0-Ab\u{1}c: 4\r\n"]),
        ("X-Spam", &["X-Spam: 5\r\n"]),
        ("X-Spam*:nothing", &[flag, score, "X-Spam: 5\r\n"]),
        ("R*", &[]),
        ("body", &[]),
    ] {
        let line = format!("remove_header = '{list}'");
        assert_eq!(edited(&line, message).await.2, left(removed), "{list}");
    }
    // The message as it came is what conditions see; what rules add stays.
    let lines = "remove_header = 'To : X-New'\nadd_header = ':at_end:X-New: $sender_helo_name'";
    let text = edited(lines, "To: a\r\nX-New: old\r\n\r\n").await.2;
    assert_eq!(text, "X-New: client.example\r\n\r\n");
}

/// A value of the client ends no line, and names no field that is removed.
#[tokio::test]
async fn hostile_values_change_nothing_else() {
    for helo in [
        "x\r\nX-Evil: 1",
        "x\nX-Evil: 1",
        "x\rX-Evil: 1",
        "x\0",
        "x\u{85}X-Evil: 1",
        "x\u{2028}X-Evil: 1",
        ":at_start:X-Evil: 1",
        "*",
        "Received",
        "r\r\n\r\nbody",
    ] {
        let rules = rules(
            "[[acl_smtp_rcpt]]\nverb = 'warn'\nremove_header = 'X-$sender_helo_name'\n\
             add_header = [':at_end:X-A: $sender_helo_name', ':at_start:X-B: $sender_helo_name', 'X-C: $sender_helo_name']\n\
             [[acl_smtp_rcpt]]\nverb = 'warn'\nremove_header = '$sender_helo_name'",
        );
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
        helo.clone_into(&mut scenario.greeting.name);
        scenario.judge(&rules, Stage::Rcpt, 0).await;
        let edits = scenario.state.header_edits();
        let message = "Received: a\r\nTo: b\r\nX: c\r\n\r\nbody\r\n";
        let parts = edits.apply(vec![Bytes::from_static(message.as_bytes())]).concat();
        let text = format!(
            "{}{}{}",
            edits.at_start(),
            edits.behind_ours(),
            String::from_utf8(parts).unwrap()
        );
        let lines: Vec<_> = text.split("\r\n").collect();
        let names: Vec<_> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(
            names,
            ["X-B", "X-C", "Received", "To", "X", "X-A", "", "body", ""],
            "{helo:?}: {text:?}"
        );
        assert!(
            !text.replace("\r\n", "").contains(|c: char| c.is_control() || c == '\u{2028}'),
            "{text:?}"
        );
        assert!(scenario.state.take_log().iter().all(|line| !line.contains(char::is_control)));
    }
}

#[tokio::test]
async fn names_that_are_expanded_are_checked_and_limited() {
    let names = |text: &str| format!("remove_header = '${{if eq{{a}}{{a}}{{{text}}}}}'");
    let (.., text, log) =
        edited(&names("To : a b : Received : * : X:"), "To: a\r\nReceived: b\r\n\r\n").await;
    assert_eq!(text, "Received: b\r\n\r\n");
    assert_eq!(
        log,
        [
            "line 3: remove_header: \"a b\" is not the name of a field",
            "line 3: remove_header: Received fields stay",
            "line 3: remove_header: \"*\" is not the name of a field",
        ]
    );
    let many: Vec<_> = (0..=PolicyState::MAX_HEADERS).map(|number| format!("X-{number}")).collect();
    let (.., log) = edited(&names(&many.join(":")), "To: a\r\n\r\n").await;
    assert_eq!(log, ["line 3: remove_header: too many names"]);
    let (.., log) = edited(&names(&many[1..].join(":")), "To: a\r\n\r\n").await;
    assert!(log.is_empty());
}

#[test]
fn what_cannot_be_added_or_removed_is_refused_at_load() {
    for (place, line, error) in [
        ("rcpt", "add_header = ':at_start:x'", "add_header: NAME: text expected"),
        ("rcpt", "add_header = ':at_middle:X-A: x'", "add_header: NAME: text expected"),
        ("rcpt", "add_header = ':at_end:$domain: x'", "add_header: NAME: text expected"),
        ("rcpt", "remove_header = ''", "remove_header: \"\" is not the name of a field"),
        ("rcpt", "remove_header = 'a b'", "remove_header: \"a b\" is not the name of a field"),
        ("rcpt", "remove_header = 'X-*-Flag'", "remove_header: \"X-*-Flag\" is not the name"),
        ("rcpt", "remove_header = '*'", "remove_header: \"*\" is not the name of a field"),
        ("rcpt", "remove_header = 'X : received'", "remove_header: Received fields show loops"),
        ("connect", "remove_header = 'X'", "remove_header has no effect at acl_smtp_connect"),
        ("helo", "remove_header = 'X'", "remove_header has no effect at acl_smtp_helo"),
        ("data_prdr", "remove_header = 'X'", "remove_header has no effect at acl_smtp_data_prdr"),
    ] {
        let found = refused(&format!("[[acl_smtp_{place}]]\nverb = 'warn'\n{line}"));
        assert!(found.starts_with(&format!("line 3: {error}")), "{line}: {found}");
    }
    for line in ["add_header = ':at_start:$spf_received'", "remove_header = 'X-$domain'"] {
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'warn'\nspf = 'fail'\n{line}");
        assert_eq!(refused(&rule), "", "{line}");
    }
}

/// A whole gateway: the stored message, and the one for the next hop.
#[tokio::test]
async fn a_stored_message_and_a_relayed_one_have_the_changes() {
    let rules = "event_action = ''
        [[acl_smtp_rcpt]]
        verb = 'warn'
        add_header = [':at_start:X-First: 1', ':after_received:X-Third: 3', ':at_end:X-Last: 4', 'X-Second: 2']
        remove_header = 'X-Spam* : Authentication-Results : X-Quarantine'
        [[acl_smtp_data]]
        verb = 'warn'
        header.x-spam-flag = 'YES'
        remove_header = 'Subject'";
    let running = Running::start(rules).await;
    let mut client = running.client().await;
    client.say("EHLO client.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    client.say("RCPT TO:<bob@example.com>").await;
    client.say("DATA").await;
    let message = b"Received: old\r\nX-Spam-Flag: YES\r\nSubject: x\r\nTo: y\r\n\r\ntext\r\n.\r\n";
    client.raw(message).await;
    assert!(client.reply().await.starts_with("250 "));
    client.quit().await;
    let scratch = running.end().await;
    let file =
        std::fs::read_dir(scratch.path().join("maildir/new")).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let names = text
        .lines()
        .filter(|line| !line.starts_with('\t'))
        .map(|line| line.split(':').next().unwrap());
    let expected = [
        "Return-Path",
        "Delivered-To",
        "X-First",
        "Received",
        "X-Second",
        "Received",
        "X-Third",
        "To",
        "X-Last",
        "",
        "text",
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected, "{text}");
}
