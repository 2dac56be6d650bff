//! Header fields, replies and log lines of rules: each value is escaped for its context.

use super::scenario::{Scenario, rules};
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;

/// The fields that a rule adds for this sender, and what is logged.
async fn fields(sender: &str, lines: &str) -> (Vec<String>, Vec<String>) {
    let rules = rules(&format!("[[acl_smtp_mail]]\nverb = 'warn'\n{lines}"));
    let mut scenario = Scenario::new().with_mail(sender, "bob@mx.example");
    scenario.judge(&rules, Stage::Mail, 0).await;
    (scenario.state.headers().map(str::to_owned).collect(), scenario.state.take_log())
}

#[tokio::test]
async fn a_field_has_a_value_as_it_is() {
    for (sender, text, expected) in [
        // A quoted string stays closed: a backslash is one backslash.
        (
            r#"<"x\"; y=z"@b.example>"#,
            "X-Sender: $sender_address",
            r#"X-Sender: "x\"; y=z"@b.example"#,
        ),
        (r#"<"a\\b"@b.example>"#, "X-Sender: $sender_address", r#"X-Sender: "a\\b"@b.example"#),
        ("<é@b.example>", "X-Sender: $sender_address", "X-Sender: é@b.example"),
        ("<\"a\u{2028}b\"@b.example>", "X-Sender: $sender_address", "X-Sender: a?b@b.example"),
    ] {
        let (added, _) = fields(sender, &format!("add_header = '{text}'")).await;
        assert_eq!(added, [expected], "{text}");
    }
}

#[tokio::test]
async fn a_constant_breaks_lines_and_a_value_does_not() {
    for (lines, expected) in [
        (r#"add_header = "X-A: 1\nX-B: 2""#, &["X-A: 1", "X-B: 2"][..]),
        (r#"add_header = "X-A: 1\n  2\nX-B: 3""#, &["X-A: 1 2", "X-B: 3"]),
        (r#"add_header = "X-A: ${if eq{a}{a}{1\nX-B: 2}}\n""#, &["X-A: 1", "X-B: 2"]),
        (r"add_header = 'X-A: 1\nX-B: 2'", &["X-A: 1", "X-B: 2"]),
        // A value that was set from the configuration is a constant, too.
        ("set.acl_m0 = \"1\\nX-B: 2\"\nadd_header = 'X-A: $acl_m0'", &["X-A: 1", "X-B: 2"]),
        // One that a client can write is not.
        (
            "set.acl_m0 = \"$sender_helo_name\\nX-B: 2\\r\\n\\t 3\"\nadd_header = 'X-A: $acl_m0'",
            &["X-A: client.example X-B: 2 3"],
        ),
    ] {
        let (added, _) = fields("<ann@a.example>", lines).await;
        assert_eq!(added, expected, "{lines}");
    }
    // What is known only at work is left out, and said.
    let lines = r#"add_header = "X-A: ${if eq{a}{a}{1\nno field}}""#;
    let (added, log) = fields("<ann@a.example>", lines).await;
    assert_eq!((added.len(), log.len()), (1, 1));
    assert!(log[0].ends_with("left out: no field"), "{log:?}");
}

#[tokio::test]
async fn received_spf_is_one_field_whose_quotes_hold() {
    let rules = rules(
        "[[acl_smtp_mail]]\nverb = 'warn'\nspf = 'none : temperror'\nadd_header = '$spf_received'",
    );
    let mut scenario = Scenario::new().with_mail(r#"<"x\"; a=b"@b.example>"#, "bob@mx.example");
    scenario.judge(&rules, Stage::Mail, 0).await;
    assert_eq!(scenario.state.headers().count(), 1);
    for field in scenario.state.headers() {
        assert!(field.contains(r#"envelope-from="\"x\\\"; a=b\"@b.example""#), "{field}");
    }
}

#[tokio::test]
async fn a_value_in_a_reply_makes_no_line() {
    let text = "[[acl_smtp_mail]]\nverb = 'deny'\nset.acl_m0 = \"$sender_helo_name\\r\\n550 x\"\n\
                message = \"no $acl_m0\\ntwo\"";
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    let refusal = scenario.refusal(&rules(text), Stage::Mail).await;
    assert_eq!(refusal, "550-5.7.1 no client.example 550 x\r\n550 5.7.1 two");
}

#[tokio::test]
async fn the_reason_of_a_quarantine_is_written_for_its_field_and_for_the_log() {
    let text = "[[acl_smtp_rcpt]]\nverb = 'quarantine'\nlog_message = 'from $sender_address'";
    let mut scenario = Scenario::new().with_mail(r#"<"a\"b"@b.example>"#, "bob@mx.example");
    scenario.judge(&rules(text), Stage::Rcpt, 0).await;
    assert_eq!(scenario.state.quarantined(), Some(r#"X-Quarantine: from "a\"b"@b.example"#));
    assert_eq!(scenario.state.take_log(), [r#"Quarantine: from "a\\"b"@b.example"#]);
}

async fn holds(message: &str, line: &str) -> bool {
    let text = format!("[[acl_smtp_data]]\nverb = 'deny'\n{line}");
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.message = message.to_owned();
    !scenario.refusal(&rules(&text), Stage::Data).await.is_empty()
}

#[tokio::test]
async fn a_header_test_sees_what_a_reader_sees() {
    for (subject, lottery) in [
        ("you won the lottery", true),
        ("=?utf-8?B?bG90dGVyeQ==?=", true),
        ("=?utf-8?Q?=6Cottery?=", true),
        ("=?UTF-8?q?lott?=\r\n =?utf-8?B?ZXJ5?=", true), // A word in two encoded words.
        ("=?iso-8859-1?Q?=4c=4F=54tery?=", true),
        ("=?koi8-r?B?bG90dGVyeQ==?=", true),
        ("a =?utf-8?Q?lot=\r\n tery?=", false), // Blanks are in no encoded word.
        ("lot\r\n tery", false),
        ("=?utf-8?Q?lot?= tery", false),
        ("=?utf-8?B?bm90aGluZw==?=", false),
    ] {
        let message = format!("Subject: {subject}\r\nTo: x@a.example\r\n\r\nlottery\r\n");
        let line = "header.subject = '*lottery*'";
        assert_eq!(holds(&message, line).await, lottery, "{subject}");
        let raw = subject.contains("lottery");
        let line = "header_raw.subject = '*lottery*'";
        assert_eq!(holds(&message, line).await, raw, "{subject}");
    }
    let message = "Subject: =?utf-8?B?bG90dGVyeQ==?=\r\n\r\n";
    assert!(holds(message, "header_raw.subject = '=?utf-8?B?bG90dGVyeQ==?='").await);
    assert!(
        !holds(message, "header_raw.subject = '=?UTF-8?B?bG90dGVyeQ==?='").await,
        "case counts"
    );
    assert!(holds("Subject : lottery\r\n\r\n", "header.subject = 'lottery'").await);
    // A text that is longer than an expansion may be.
    for word in ["=?utf-8?Q?=6Cottery?=", "lottery"] {
        for blanks in [100, 3_600_000] {
            let message = format!("Subject: {word}{}x\r\n\r\n", "\r\n ".repeat(blanks / 3));
            assert!(holds(&message, "header.subject = '*lottery*'").await, "{word} {blanks}");
        }
    }
}

#[test]
fn a_code_of_another_class_is_refused_at_load() {
    for (place, verb, message, code) in [
        ("acl_smtp_rcpt", "deny", "451 4.7.1 later", "451"),
        ("acl_smtp_rcpt", "deny", "250 ok", "250"),
        ("acl_smtp_rcpt", "deny", "550 4.7.1 no", "4.7.1"),
        ("acl_smtp_rcpt", "defer", "550 no", "550"),
        ("acl_smtp_rcpt", "defer", "550 $domain", "550"),
        ("acl_smtp_data_prdr", "accept", "550 no", "550"),
        ("acl_smtp_data_prdr", "quarantine", "451 x", "451"),
        ("acl_smtp_connect", "deny", "421 x", "421"),
        // An enhanced code alone.
        ("acl_smtp_rcpt", "deny", "4.7.1 later", "4.7.1"),
        ("acl_smtp_rcpt", "deny", "4.7.1", "4.7.1"),
        ("acl_smtp_rcpt", "deny", " 4.7.1  later", "4.7.1"),
        ("acl_smtp_rcpt", "deny", "4.7.1 $domain", "4.7.1"),
        ("acl_smtp_rcpt", "deny", "4.7.1\\nlater $domain", "4.7.1"),
        ("acl_smtp_rcpt", "deny", "2.0.0 fine", "2.0.0"),
        ("acl_smtp_rcpt", "defer", "5.7.1 never", "5.7.1"),
        ("acl_smtp_connect", "defer", "5.7.1 never", "5.7.1"),
        ("acl_smtp_data_prdr", "accept", "4.2.2 no", "4.2.2"),
    ] {
        let text = format!("[[{place}]]\nverb = '{verb}'\nmessage = '{message}'");
        let error = Config::parse(&text).unwrap_err().to_string();
        let expected =
            format!("line 3: message: the class of reply code {code} does not fit the verb {verb}");
        assert!(error.starts_with(&expected), "{message}: {error}");
    }
    for message in [
        "550 5.7.1 no",
        "no",
        "551$domain",
        "1000 reasons",
        "550",
        "5 things",
        "5.1.1 no",
        "4.7.1$domain",
        "4.7",
    ] {
        let text = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nmessage = '{message}'");
        assert!(Config::parse(&text).is_ok(), "{message}");
    }
}

#[tokio::test]
async fn a_code_of_another_class_that_is_expanded_is_logged() {
    for (verb, message, reply, wrong) in [
        ("deny", "451 4.7.1 later", "550 5.7.1 later", Some("451")),
        ("deny", "451 5.1.1 later", "550 5.7.1 later", Some("451")),
        ("deny", "250 ok", "550 5.7.1 ok", Some("250")),
        ("deny", "553 4.1.1 later", "553 5.7.1 later", Some("4.1.1")),
        ("defer", "550 5.1.1 no", "451 4.7.1 no", Some("550")),
        ("defer", "550", "451 4.7.1 ", Some("550")),
        ("deny", "553 5.1.3 no", "553 5.1.3 no", None),
        ("deny", "5.1.3 no", "550 5.1.3 no", None),
        ("deny", "4.7.1 later", "550 5.7.1 later", Some("4.7.1")),
        ("deny", "2.1.5", "550 5.7.1 ", Some("2.1.5")),
        ("defer", "5.7.1 never", "451 4.7.1 never", Some("5.7.1")),
        ("deny", "4.1 is old", "550 5.7.1 4.1 is old", None),
    ] {
        let text = format!(
            "[[acl_smtp_rcpt]]\nverb = '{verb}'\nmessage = '${{if eq{{a}}{{a}}{{{message}}}}}'"
        );
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
        assert_eq!(scenario.refusal(&rules(&text), Stage::Rcpt).await, reply, "{message}");
        let logged = wrong
            .map(|code| format!("message: {verb} cannot reply {code}; its default code is sent"));
        assert_eq!(scenario.state.take_log(), Vec::from_iter(logged), "{message}");
    }
}

/// A line of the log has an end, whatever a client has written.
#[tokio::test]
async fn a_long_value_does_not_make_a_long_line() {
    let warn = "[[acl_smtp_data]]\nverb = 'warn'\nlogwrite = 'a$h_subject:'\nlog_message = '$h_subject:'\n";
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    scenario.message = format!("Subject: {}\r\n\r\n", "\u{e9}".repeat(100_000));
    let mut lines = Vec::new();
    for (verb, count) in [("quarantine", 3), ("deny", 2)] {
        let last = format!("[[acl_smtp_data]]\nverb = '{verb}'\nlog_message = '$h_subject:'");
        let decision = scenario.judge(&rules(&format!("{warn}{last}")), Stage::Data, 0).await;
        let logged = scenario.state.take_log();
        assert_eq!((logged.len(), decision.log_message.is_some()), (count, true), "{verb}");
        lines.extend(logged.into_iter().chain(decision.log_message));
    }
    for line in &lines {
        assert!((8192..=8195).contains(&line.len()) && line.ends_with("\u{e9}..."), "{line}");
    }
}
