//! The verbs `require` and `drop`, and the rules at HELO.

use super::config_effect::refused;
use super::gateway::Running;
use super::scenario::{Scenario, rules};
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;

/// The refusal of these rules at RCPT, for a recipient.
async fn refusal(text: &str, recipient: &str) -> String {
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", recipient);
    scenario.refusal(&rules(text), Stage::Rcpt).await
}

/// Source: Exim's chapter on access control lists: if all conditions are true, the next statement is asked; else
/// access is denied, with the message that precedes the condition.
#[tokio::test]
async fn require_denies_where_a_condition_does_not_hold() {
    let text = "
        [[acl_smtp_rcpt]]
        verb = 'require'
        message = 'the first'
        domains = 'mx.example : b.example'
        [[acl_smtp_rcpt]]
        verb = 'require'
        domains = 'mx.example'
        [[acl_smtp_rcpt]]
        verb = 'deny'
        local_parts = 'no'
        message = 'the last'
    ";
    for (recipient, expected) in [
        ("bob@c.example", "550 5.7.1 the first"),
        ("bob@b.example", "550 5.7.1 not permitted"),
        ("no@mx.example", "550 5.7.1 the last"),
        ("bob@mx.example", ""),
    ] {
        assert_eq!(refusal(text, recipient).await, expected, "{recipient}");
    }
    // A code of its own; the message of the last that was reached; a negated condition.
    for (lines, expected) in [
        ("message = '553 5.1.8 no'\ndomains = 'x.example'", "553 5.1.8 no"),
        ("message = 'no'\n'!domains' = 'mx.example'", "550 5.7.1 no"),
        ("message = 'no'\n'!domains' = 'x.example'", ""),
        (
            "condition = '${lookup sqlite{SELECT 1}}'",
            "451 4.7.0 temporary failure evaluating policy, try again later",
        ),
        ("condition = '${if eq{a}{b}{yes}fail}'", ""),
    ] {
        let text = format!("[[acl_smtp_rcpt]]\nverb = 'require'\n{lines}");
        assert_eq!(refusal(&text, "bob@mx.example").await, expected, "{lines}");
    }
}

/// Modifiers before the failed condition take effect, modifiers behind it do not.
#[tokio::test]
async fn the_modifiers_of_a_require_work_in_their_order() {
    let text = "[[acl_smtp_rcpt]]\nverb = 'require'\nset.acl_m_a = 'before'\nlog_message = 'because'\n\
                domains = 'mx.example'\nset.acl_m_b = 'behind'";
    for (recipient, is_mx) in [("bob@mx.example", true), ("bob@b.example", false)] {
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", recipient);
        let decision = scenario.judge(&rules(text), Stage::Rcpt, 0).await;
        assert!(scenario.state.variable("acl_m_a").is_some());
        assert_eq!(scenario.state.variable("acl_m_b").is_some(), is_mx);
        let why = decision.refusal.is_some().then(|| "because".to_owned());
        assert_eq!(decision.log_message, why);
        assert!(!decision.drops);
    }
}

#[tokio::test]
async fn a_list_that_is_called_can_require() {
    let list = "[[acl.known]]\nverb = 'require'\nmessage = 'only $acl_arg1'\ndomains = '$acl_arg1'\n\
                [[acl.known]]\nverb = 'accept'\nmessage = 'yes'\n";
    for (rule, recipient, expected) in [
        ("verb = 'require'\nacl = 'known mx.example'", "bob@mx.example", ""),
        (
            "verb = 'require'\nacl = 'known mx.example'",
            "bob@b.example",
            "550 5.7.1 only mx.example",
        ),
        (
            "verb = 'deny'\n'!acl' = 'known mx.example'",
            "bob@b.example",
            "550 5.7.1 only mx.example",
        ),
        ("verb = 'deny'\nmessage = '${acl{known}{mx.example}}'", "bob@mx.example", "550 5.7.1 yes"),
        (
            "verb = 'deny'\nmessage = '${if acl{{known}{mx.example}}{}{<$value>}}'",
            "bob@b.example",
            "550 5.7.1 <only mx.example>",
        ),
    ] {
        let rule = rule.replace("'known mx.example'", "\"known mx.example\"");
        let text = format!("{list}[[acl_smtp_rcpt]]\n{rule}");
        let config = Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", recipient);
        scenario.services.named = config.server.live.rules.named().clone();
        assert_eq!(
            scenario.refusal(&config.server.live.rules, Stage::Rcpt).await,
            expected,
            "{rule}"
        );
    }
}

#[test]
fn a_require_that_does_nothing_is_refused() {
    for (rule, error) in [
        ("verb = 'require'", "line 1: the rule has no effect: require without a condition"),
        ("verb = 'require'\nhosts = '*'", "line 1: the rule has no effect: require without"),
        (
            "verb = 'require'\ndomains = 'a.example'\nmessage = 'x'",
            "line 4: message has no effect behind",
        ),
        (
            "verb = 'require'\nlogwrite = 'y'\nlog_message = 'x'",
            "line 4: log_message has no effect behind",
        ),
        (
            "verb = 'require'\n'!hosts' = '*'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
            "line 4: unreachable rule: the rule of line 1",
        ),
        (
            "verb = 'require'\nauthenticated = '*'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
            "line 4: unreachable rule: the rule of line 1",
        ),
        ("verb = 'drop'\n[[acl_smtp_rcpt]]\nverb = 'accept'", "line 3: unreachable rule"),
        (
            "verb = 'require'\nmessage = '451 x'\ndomains = 'a.example'",
            "line 3: message: the class",
        ),
    ] {
        let found = refused(&format!("[[acl_smtp_rcpt]]\n{rule}"));
        assert!(found.starts_with(error), "{rule}: {found}");
    }
    for rule in [
        "verb = 'require'\ndomains = 'a.example'\n[[acl_smtp_rcpt]]\nverb = 'accept'",
        "verb = 'require'\nlogwrite = 'x'",
        "verb = 'require'\nratelimit = '5 / 1h / per_cmd'",
        "verb = 'require'\n'!authenticated' = '*'\nlogwrite = 'x'",
    ] {
        assert_eq!(refused(&format!("[[acl_smtp_rcpt]]\n{rule}")), "", "{rule}");
    }
}

#[test]
fn what_a_place_does_not_have_is_refused() {
    for (text, error) in [
        (
            "[[acl_smtp_data_prdr]]\nverb = 'drop'",
            "line 2: the verb drop has no effect at acl_smtp_data_prdr; it has one at acl_smtp_connect, ",
        ),
        (
            "[[acl.x]]\nverb = 'drop'\n[[acl_smtp_rcpt]]\nverb = 'deny'\nacl = 'x'",
            "line 2: the verb drop has no effect in a list that is called",
        ),
        (
            "[[acl_smtp_helo]]\nverb = 'deny'\nsenders = 'x'",
            "line 3: the condition senders has nothing to test at acl_smtp_helo; it is known at acl_smtp_mail, ",
        ),
        (
            "[[acl_smtp_helo]]\nverb = 'warn'\nadd_header = 'X: y'",
            "line 3: add_header has no effect at acl_smtp_helo; it has one at acl_smtp_connect, ",
        ),
        (
            "[[acl_smtp_helo]]\nverb = 'deny'\nmessage = 'n\u{e9}'",
            "line 3: message: only ASCII is allowed",
        ),
        (
            "[[acl_smtp_helo]]\nverb = 'deny'\nspf = 'fail'",
            "line 3: the condition spf has nothing to test at acl_smtp_helo; ",
        ),
        (
            "[[acl_smtp_helo]]\nverb = 'deny'\nmessage = '$sender_address'",
            "line 3: byte 1: $sender_address is not available at acl_smtp_helo, but at acl_smtp_mail, ",
        ),
    ] {
        let found = refused(text);
        assert!(found.starts_with(error), "{text}: {found}");
    }
}

#[tokio::test]
async fn rules_at_helo_see_the_name_and_no_sender() {
    let text = "[[acl_smtp_helo]]\nverb = 'deny'\ncondition = '${if eq{$sender_helo_name}{client.example}}'\n\
                message = '$sender_helo_name $received_protocol $smtp_command'";
    let mut scenario = Scenario::new();
    let refusal = scenario.refusal(&rules(text), Stage::Helo).await;
    assert_eq!(refusal, "550 5.7.1 client.example esmtp MAIL FROM:<ann@a.example> PRDR");
    let defer = rules("[[acl_smtp_helo]]\nverb = 'defer'");
    assert!(scenario.refusal(&defer, Stage::Helo).await.starts_with("451 4.7.1 "));
    // A quarantine and a control are for the connection.
    let wary = rules("[[acl_smtp_helo]]\nverb = 'quarantine'\nlog_message = 'odd name'");
    scenario.judge(&wary, Stage::Helo, 0).await;
    scenario.state.start_message();
    assert_eq!(scenario.state.quarantined(), Some("X-Quarantine: odd name"));
}

/// A whole gateway: what is refused at each place, and what ends the connection.
#[tokio::test]
async fn a_gateway_drops_who_is_dropped() {
    let rules = "event_action = ''
        [[acl_smtp_helo]]
        verb = 'deny'
        condition = '${if eq{$sender_helo_name}{bad.example}}'
        message = 'not $sender_helo_name'
        [[acl_smtp_helo]]
        verb = 'drop'
        condition = '${if eq{$sender_helo_name}{worse.example}}'
        [[acl_smtp_rcpt]]
        verb = 'drop'
        local_parts = 'trap'
        message = 'no more'
        [[acl_smtp_data]]
        verb = 'drop'
        header.subject = 'bad'
        message = 'away'";
    let running = Running::start(rules).await;
    let mut client = running.client().await;
    assert_eq!(client.say("EHLO bad.example").await.trim_end(), "550 5.7.1 not bad.example");
    assert!(client.say("MAIL FROM:<a@b.example>").await.starts_with("503 "));
    assert!(client.say("EHLO good.example").await.starts_with("250-"));
    client.say("MAIL FROM:<a@b.example>").await;
    assert!(client.say("RCPT TO:<bob@example.com>").await.starts_with("250 "));
    client.raw(b"RCPT TO:<trap@example.com>\r\nNOOP\r\n").await;
    assert_eq!(client.rest().await, "550 5.7.1 no more\r\n");
    let mut client = running.client().await;
    client.raw(b"HELO worse.example\r\n").await;
    assert_eq!(client.rest().await, "550 5.7.1 not permitted\r\n");
    let mut client = running.client().await;
    client.say("EHLO good.example").await;
    client.say("MAIL FROM:<a@b.example>").await;
    client.say("RCPT TO:<bob@example.com>").await;
    client.say("DATA").await;
    client.raw(b"Subject: bad\r\n\r\n.\r\n").await;
    assert_eq!(client.rest().await, "550 5.7.1 away\r\n");
    running.end().await;
}

/// A client that is dropped at its connection gets the refusal in place of the banner, and nothing after it.
#[tokio::test]
async fn a_gateway_drops_a_connection() {
    let rules = "event_action = ''
        [[acl_smtp_connect]]
        verb = 'drop'
        hosts = '127.0.0.0/8'
        message = 'not from $sender_host_address'";
    let running = Running::start(rules).await;
    let mut client = running.connect().await;
    assert_eq!(client.rest().await, "554 5.7.1 not from 127.0.0.1\r\n");
    running.end().await;
}
