//! What rules make at the most.

use super::super::rules::notes::Notes;
use super::super::rules::place::Place;
use super::super::rules::text::Text;
use super::stage::{Stage, rules};

#[tokio::test]
async fn an_expansion_is_cut() {
    let text =
        "[[acl_smtp_mail]]\nverb = 'warn'\nset.acl_m0 = '$acl_m0$acl_m0'\nlogwrite = '$acl_m0'";
    let start = "[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_m0 = 'x'";
    let mut stage = Stage::new().with_mail("<>", "bob@mx.example");
    stage.judge(&rules(start), Place::Rcpt, 0).await;
    let rules = rules(text);
    for doubled in 1..=20 {
        stage.judge(&rules, Place::Mail, 0).await;
        let [line] = stage.notes.take_log().try_into().unwrap();
        assert_eq!(line.len(), Text::MAX_LENGTH.min(1 << doubled));
    }
}

#[tokio::test]
async fn a_message_gets_only_so_many_fields_and_none_that_is_too_long() {
    let text = "[[acl_smtp_mail]]\nverb = 'warn'\nadd_header = 'X-A: $sender_helo_name'";
    let rules_of_one = rules(text);
    let mut stage = Stage::new().with_mail("<>", "bob@mx.example");
    for count in 1..=Notes::MAX_HEADERS + 2 {
        stage.judge(&rules_of_one, Place::Mail, 0).await;
        assert_eq!(stage.notes.headers().count(), count.min(Notes::MAX_HEADERS));
    }
    // RFC 5322 section 2.1.1.
    for (length, expected) in [(993, 998), (994, 998), (2000, 998), (10, 15)] {
        let body = "x".repeat(length);
        let rules = rules(&format!("[[acl_smtp_mail]]\nverb = 'warn'\nadd_header = 'X-A: {body}'"));
        let mut stage = Stage::new().with_mail("<>", "bob@mx.example");
        stage.judge(&rules, Place::Mail, 0).await;
        assert_eq!(stage.notes.headers().next().unwrap().len(), expected);
    }
}

#[test]
fn what_is_counted_once_is_remembered_for_only_so_many_keys() {
    let text =
        "[[acl_smtp_mail]]\nverb = 'deny'\nratelimit = '1.5 / 1h / per_conn / strict / $acl_m0'";
    let rules = rules(text);
    let mut stage = Stage::new().with_mail("<>", "bob@mx.example");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut over = |key: usize| {
        let set = format!("[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_m0 = {key}");
        runtime.block_on(async {
            stage.judge(&super::stage::rules(&set), Place::Rcpt, 0).await;
            stage.judge(&rules, Place::Mail, 0).await.refusal.is_some()
        })
    };
    assert!((0..1000).all(|key| !over(key)));
    assert!(!over(999) && !over(0), "a connection is counted once");
    assert!(!over(1000));
    assert!(over(1000), "what is not remembered counts again");
}
