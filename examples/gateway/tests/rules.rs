//! Rules: their decisions and their effects.

use super::scenario::{Scenario, rules};
use crate::gateway::policy::stage::Stage;

/// Asks one rule with these lines, whose verb is deny, of this place; tells whether it holds.
async fn holds(scenario: &mut Scenario, place: Stage, lines: &str) -> bool {
    let text = format!("[[{}]]\nverb = 'deny'\n{lines}\n", place.option());
    let rules = rules(&text);
    !scenario.refusal(&rules, place).await.is_empty()
}

#[tokio::test]
async fn conditions_hold_for_what_is_in_their_lists() {
    for (lines, expected) in [
        ("hosts = '192.0.2.0/24'", true),
        ("hosts = '!192.0.2.1 : *'", false),
        ("'!hosts' = '198.51.100.0/24'", true),
        ("authenticated = '*'", false),
        ("'!authenticated' = '*'", true),
        ("senders = 'ann@a.example'", true),
        ("senders = 'ANN@A.EXAMPLE'", true),
        ("senders = '*@a.example'", true),
        ("senders = 'a.example'", true),
        ("senders = 'bob@a.example : *@*.example'", true),
        ("senders = '!ann@a.example : *@*'", false),
        ("senders = ':'", false),
        ("sender_domains = 'b.example : a.example'", true),
        ("sender_domains = '*.example'", true),
        ("sender_domains = '*a.example'", true),
        ("sender_domains = '*.a.example'", false),
        ("sender_domains = '!a.example'", false),
        ("sender_domains = '@'", false),
        ("domains = '@ : [192.0.2.9]'", true),
        ("domains = 'm\u{fc}.example : mx.example'", true),
        ("domains = '*'", true),
        ("'!domains' = 'mx.example'", false),
        ("local_parts = 'postmaster : bob'", true),
        ("local_parts = '*ob'", true),
        ("local_parts = 'bo'", false),
        ("recipients = 'bob@mx.example'", true),
        ("recipients = '*@elsewhere.example'", false),
        ("recipients = '${if eq{a}{b}{x}}'", false),
        ("'!recipients' = '${if eq{a}{b}{x}}'", true),
    ] {
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "Bob@mx.example");
        assert_eq!(holds(&mut scenario, Stage::Rcpt, lines).await, expected, "{lines}");
    }
    for (lines, expected) in [
        ("senders = ':'", true),
        ("senders = 'x.example : <>'", true),
        ("senders = '*'", false),
        ("sender_domains = '*'", false),
        ("'!sender_domains' = '*'", true),
    ] {
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        assert_eq!(holds(&mut scenario, Stage::Rcpt, lines).await, expected, "{lines}");
    }
}

#[tokio::test]
async fn header_tests_look_at_fields_and_nothing_else() {
    let message = "Subject: You have\r\n\twon the LOTTERY\r\nX-Twice: a\r\nx-twice : b\r\nEmpty:\r\n\
                   \r\nX-Body: not a field\r\n";
    for (lines, expected) in [
        ("header.subject = '*lottery'", true),
        ("header.Subject = 'you*won*lot*y'", true),
        ("header.subject = 'you have\twon the lottery'", true),
        ("header.subject = 'lottery'", false),
        ("header.subject = '*lottery*lottery*'", false),
        ("header.subject = 'none : *won*'", true),
        ("'!header'.subject = '*won*'", false),
        ("header.x-twice = 'b'", true),
        ("header.x-twice = '*'", true),
        ("header.empty = '*'", true),
        ("header.empty = '?'", false),
        ("header.x-body = '*'", false),
        ("header.x = '*'", false),
        ("'!header'.x = '*'", true),
    ] {
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        scenario.message = message.into();
        assert_eq!(holds(&mut scenario, Stage::Data, lines).await, expected, "{lines}");
    }
    for message in ["", "Subject", ":", "\n", "Subject: \n x\n", " folded: x\r\n"] {
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        scenario.message = message.into();
        assert!(!holds(&mut scenario, Stage::Data, "header.subject = 'y'").await, "{message:?}");
    }
}

#[tokio::test]
async fn the_first_rule_that_holds_decides() {
    let text = "
        [[acl_smtp_mail]]
        verb = 'warn'
        log_message = 'seen $sender_address'
        [[acl_smtp_mail]]
        verb = 'accept'
        senders = 'friend@a.example'
        [[acl_smtp_mail]]
        verb = 'defer'
        sender_domains = 'slow.example'
        [[acl_smtp_mail]]
        verb = 'deny'
        hosts = '192.0.2.0/24'
        message = 'not from $sender_host_address, ${sender_address_domain}'
        log_message = 'blocked'
    ";
    let rules = rules(text);
    for (sender, expected) in [
        ("<friend@a.example>", ""),
        ("<x@slow.example>", "451 4.7.1 not now, try again later"),
        ("<x@a.example>", "550 5.7.1 not from 192.0.2.1, a.example"),
    ] {
        let mut scenario = Scenario::new().with_mail(sender, "bob@mx.example");
        assert_eq!(scenario.refusal(&rules, Stage::Mail).await, expected);
        let address = sender.trim_matches(['<', '>']);
        assert_eq!(scenario.state.take_log(), [format!("Warning: seen {address}")]);
        // There are no rules at rcpt, so everybody is accepted there.
        assert_eq!(scenario.refusal(&rules, Stage::Rcpt).await, "");
    }
    let mut scenario = Scenario::new().with_mail("<x@a.example>", "bob@mx.example");
    let decision = scenario.judge(&rules, Stage::Mail, 0).await;
    assert_eq!(decision.log_message.as_deref(), Some("blocked"));
}

#[tokio::test]
async fn each_place_has_its_codes_and_a_message_can_have_its_own() {
    for (place, verb, message, expected) in [
        (Stage::Connect, "deny", "no", "554 5.7.1 no"),
        (Stage::Connect, "defer", "no", "421 4.7.1 no"),
        (Stage::Rcpt, "deny", "no", "550 5.7.1 no"),
        (Stage::Rcpt, "defer", "no", "451 4.7.1 no"),
        (Stage::Prdr, "defer", "no", "450 4.7.1 no"),
        (Stage::Data, "deny", "no", "550 5.7.1 no"),
        (Stage::Data, "deny", "554 no", "554 5.7.1 no"),
        (Stage::Data, "deny", "550 5.7.26 no", "550 5.7.26 no"),
        (Stage::Data, "deny", "5.7.26 no", "550 5.7.26 no"),
        (Stage::Data, "deny", "no\\nreally", "550-5.7.1 no\r\n550 5.7.1 really"),
        (Stage::Data, "deny", "", "550 5.7.1 "),
    ] {
        let text = format!("[[{}]]\nverb = '{verb}'\nmessage = \"{message}\"", place.option());
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        assert_eq!(scenario.refusal(&rules(&text), place).await, expected);
    }
    let text = "
        [[acl_smtp_data]]
        verb = 'deny'
        control = 'no_multiline_responses'
        message = \"no\\nreally\"
    ";
    let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
    let refusal = scenario.refusal(&rules(text), Stage::Data).await;
    assert_eq!(refusal, "550 5.7.1 no really");
}

#[tokio::test]
async fn modifiers_are_worked_in_their_order_until_a_condition_fails() {
    let text = "
        [[acl_smtp_rcpt]]
        verb = 'deny'
        set.acl_m_a = 'first'
        logwrite = ['one $acl_m_a', 'two']
        local_parts = 'nobody'
        set.acl_m_b = 'never'
        [[acl_smtp_rcpt]]
        verb = 'warn'
        set.acl_c0 = 7
        set.\"$acl_m_d\" = '$acl_m_a$acl_m_b, ${acl_c0}, \\$5, [$acl_m_none]'
        add_header = 'X-Seen: $acl_m_d'
        logwrite = '$acl_m_d'
    ";
    let rules = rules(text);
    let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
    scenario.judge(&rules, Stage::Rcpt, 0).await;
    assert_eq!(scenario.state.take_log(), ["one first", "two", "first, 7, $5, []"]);
    assert_eq!(scenario.state.headers().collect::<Vec<_>>(), ["X-Seen: first, 7, $5, []"]);
    // What was set for the message is gone with it, what was set for the connection is not.
    scenario.state.start_message();
    assert_eq!(scenario.state.headers().count(), 0);
    let later =
        super::scenario::rules("[[acl_smtp_mail]]\nverb = 'warn'\nlogwrite = '$acl_m_d$acl_c0'");
    scenario.judge(&later, Stage::Mail, 0).await;
    assert_eq!(scenario.state.take_log(), ["7"]);
}

#[tokio::test]
async fn what_a_client_says_cannot_break_a_line() {
    let text = "
        [[acl_smtp_mail]]
        verb = 'deny'
        set.acl_m0 = '$sender_address'
        add_header = 'X-Sender: $acl_m0'
        logwrite = 'from $acl_m0'
        message = 'no $acl_m0'
        condition = 'yes'
    ";
    let rules = rules(text);
    let mut scenario =
        Scenario::new().with_mail("<\"a\u{2028}b\\\\\"@a.example>", "bob@mx.example");
    let refusal = scenario.refusal(&rules, Stage::Mail).await;
    assert!(!refusal.contains(['\r', '\n']), "{refusal}");
    let [line] = scenario.state.take_log().try_into().unwrap();
    assert_eq!(line, "from \"a\\u{2028}b\\\\\\\\\"@a.example");
    assert!(scenario.state.headers().all(|field| !field.contains(['\r', '\n', '\u{2028}'])));
}

#[tokio::test]
async fn a_message_is_put_into_quarantine_with_a_reason() {
    let text = "
        [[acl_smtp_data]]
        verb = 'quarantine'
        header.subject = '*lottery*'
        log_message = 'a lottery'
        [[acl_smtp_data]]
        verb = 'deny'
    ";
    let rules = rules(text);
    let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
    scenario.message = "Subject: lottery\r\n\r\n".into();
    assert_eq!(scenario.refusal(&rules, Stage::Data).await, "");
    assert_eq!(scenario.state.quarantined(), Some("X-Quarantine: a lottery"));
    assert_eq!(scenario.state.take_log(), ["Quarantine: a lottery"]);
    scenario.state.start_message();
    assert_eq!(scenario.state.quarantined(), None);
    // At connect it is for every message.
    let text = "[[acl_smtp_connect]]\nverb = 'quarantine'";
    scenario.judge(&super::scenario::rules(text), Stage::Connect, 0).await;
    scenario.state.start_message();
    assert_eq!(scenario.state.quarantined(), Some("X-Quarantine: a rule says so"));
}

#[test]
fn recipients_agree_on_quarantine_or_come_back() {
    let why = || Some("spam".to_owned());
    for (wanted, apart, agreed, quarantined) in [
        ([None, None], true, [true, true], false),
        ([why(), why()], true, [true, true], true),
        ([None, why()], true, [true, false], false),
        ([why(), None], true, [true, false], true),
        ([None, why()], false, [true, true], true),
    ] {
        let mut scenario = Scenario::new();
        let agree = |wanted| scenario.state.agree_on_quarantine(wanted, apart);
        assert_eq!(wanted.map(agree), agreed);
        assert_eq!(scenario.state.quarantined().is_some(), quarantined);
    }
}
