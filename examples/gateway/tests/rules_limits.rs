//! The limits of rules.

use super::scenario::{Scenario, rules};
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;
use crate::gateway::policy::text::Text;

#[tokio::test]
async fn an_expansion_is_cut() {
    let text = "[[acl_smtp_mail]]\nverb = 'warn'\nset.acl_m0 = '$acl_m0$acl_m0'\nlogwrite = '${strlen:$acl_m0}'";
    let start = "[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_m0 = 'x'";
    let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
    scenario.judge(&rules(start), Stage::Rcpt, 0).await;
    let rules = rules(text);
    for doubled in 1..=20 {
        scenario.judge(&rules, Stage::Mail, 0).await;
        let [line] = scenario.state.take_log().try_into().unwrap();
        assert_eq!(line, Text::MAX_LENGTH.min(1 << doubled).to_string());
    }
}

#[tokio::test]
async fn a_message_gets_only_so_many_fields_and_none_that_is_too_long() {
    let text = "[[acl_smtp_mail]]\nverb = 'warn'\nadd_header = 'X-A: $sender_helo_name'";
    let rules_of_one = rules(text);
    let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
    for count in 1..=PolicyState::MAX_HEADERS + 2 {
        scenario.judge(&rules_of_one, Stage::Mail, 0).await;
        assert_eq!(scenario.state.headers().count(), count.min(PolicyState::MAX_HEADERS));
    }
    // RFC 5322 section 2.1.1.
    for (length, expected) in [(993, 998), (994, 998), (2000, 998), (10, 15)] {
        let body = "x".repeat(length);
        let rules = rules(&format!("[[acl_smtp_mail]]\nverb = 'warn'\nadd_header = 'X-A: {body}'"));
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        scenario.judge(&rules, Stage::Mail, 0).await;
        assert_eq!(scenario.state.headers().next().unwrap().len(), expected);
    }
}

#[test]
fn what_is_counted_once_is_remembered_for_only_so_many_keys() {
    let text =
        "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '1.5 / 1h / per_conn / strict / $acl_m0'";
    let rules = rules(text);
    let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut over = |key: usize| {
        let set = format!("[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_m0 = {key}");
        runtime.block_on(async {
            scenario.judge(&super::scenario::rules(&set), Stage::Rcpt, 0).await;
            scenario.judge(&rules, Stage::Mail, 0).await.refusal.is_some()
        })
    };
    assert!((0..1000).all(|key| !over(key)));
    assert!(!over(999) && !over(0), "a connection is counted once");
    assert!(!over(1000));
    assert!(over(1000), "what is not remembered counts again");
}

#[test]
fn named_lists_name_each_other_only_so_deep() {
    for (count, sound) in [(8, true), (9, false)] {
        let lists = (1..count).map(|at| format!("l{at} = '+l{}'\n", at - 1));
        let lists: String = lists.collect();
        // The list of the rule itself names the last.
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\ndomains = '+l{}'", count - 1);
        let text = format!("[domainlist]\nl0 = 'x.example'\n{lists}{rule}");
        assert_eq!(Config::parse(&text).is_ok(), sound, "{text}");
    }
}

#[test]
fn a_template_is_only_so_long() {
    for (length, sound) in [(65_536, true), (65_537, false)] {
        let text = "x".repeat(length - "$domain".len()) + "$domain";
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nmessage = '{text}'");
        let read = Config::parse(&rule);
        assert_eq!(read.is_ok(), sound, "{length}");
        if let Err(error) = read {
            assert_eq!(error.to_string(), "line 3: template longer than 65536 bytes");
        }
    }
}

#[tokio::test]
async fn an_expanded_list_and_the_fields_of_a_name_are_only_so_many() {
    for (items, refusal) in [(10_000, "550 "), (10_001, "451 ")] {
        let list = "x.a:".repeat(items - 1);
        let text = "[[acl_smtp_rcpt]]\nverb = 'deny'\ndomains = '$sender_rate$domain'";
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        // What a modifier sets would be cut.
        scenario.state.publish("sender_rate", mail_types::exim::Value::trusted(&list).into_owned());
        let found = scenario.refusal(&rules(text), Stage::Rcpt).await;
        assert!(found.starts_with(refusal), "{items}: {found}");
    }
    let count = "${listcount:<\\n $h_x:}";
    for (fields, counted) in [(999, 999), (1000, 1000), (1001, 1000)] {
        let text = format!("[[acl_smtp_data]]\nverb = 'deny'\nmessage = '{count}'");
        let mut scenario = Scenario::new().with_mail("<>", "bob@mx.example");
        scenario.message = "X: y\r\n".repeat(fields) + "\r\n";
        let refusal = scenario.refusal(&rules(&text), Stage::Data).await;
        assert_eq!(refusal, format!("550 5.7.1 {counted}"));
    }
}
