//! Conditions on SPF: their questions and their results. Against a name server: `tests/peers/spf.rs`.

use mail_types::dns::{DnssecStatus, RecordType, Zone};
use mail_types::smtp::Helo;
use spf_result::{Check, Report};

use super::scenario::{Scenario, rules};
use crate::gateway::authentication::results::Authentication;
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;

/// What the text of 2014 has as its first example, with a plain message.
const FAIL: &str = "[[acl_smtp_mail]]
    verb = 'deny'
    message = '$sender_host_address is not allowed to send mail from $sender_address_domain.'
    spf = 'fail'";

#[tokio::test]
async fn a_result_that_is_known_is_not_asked_for_again() {
    for (record, expected) in [
        ("v=spf1 -all", "550 5.7.1 192.0.2.1 is not allowed to send mail from a.example."),
        ("v=spf1 ip4:192.0.2.1 -all", ""),
    ] {
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
        scenario.state.authentication.spf = Some(report("ann@a.example", record));
        assert_eq!(scenario.refusal(&rules(FAIL), Stage::Mail).await, expected, "{record}");
    }
}

#[tokio::test]
async fn who_has_used_up_the_questions_is_to_come_back() {
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
    scenario.state.count_spf_questions(PolicyState::MAX_SPF_QUESTIONS);
    let reply = scenario.refusal(&rules(FAIL), Stage::Mail).await;
    assert_eq!(reply, "451 4.7.0 temporary failure evaluating policy, try again later");
}

#[test]
fn words_and_options_are_checked_before_the_start() {
    let rows = [
        ("[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'fail : nonsense'", "line 3: "),
        ("[[acl_smtp_mail]]\nverb = 'deny'\nspf_guess = 'maybe'", "line 3: "),
        (
            "[[acl_smtp_connect]]\nverb = 'deny'\nspf = 'fail'",
            "line 3: the condition spf has nothing to test at ",
        ),
        ("spf_guess = 'v=spf1 a/99'", "line 1: spf_guess: "),
        ("spf_smtp_comment_template = '%{'", "line 1: spf_smtp_comment_template: "),
    ];
    for (text, error) in rows {
        let found = Config::parse(text).unwrap_err().to_string();
        assert!(found.starts_with(error), "{text}: {found}");
    }
    for words in ["fail", "pass:softfail", "!fail : none", "err_perm : err_temp", "permerror"] {
        assert!(
            Config::parse(&format!("[[acl_smtp_rcpt]]\nverb = 'warn'\nspf = '{words}'")).is_ok()
        );
    }
}

#[test]
fn what_was_found_is_in_the_field_for_readers() {
    let mut found = Authentication::default();
    assert_eq!(found.field("mx.test"), None);
    found.spf = Some(report("\"a b\"@a.example", "v=spf1 -all"));
    let text = found.field("mx.test").unwrap();
    assert_eq!(text, "Authentication-Results: mx.test; spf=fail smtp.mailfrom=a.example");
}

fn report(sender: &str, record: &str) -> Report {
    let mut zone = Zone::default();
    let name = "a.example".parse().unwrap();
    zone.add(name, RecordType::Txt, record, DnssecStatus::default()).unwrap();
    let (helo, client) = (Helo::new("host.example"), "192.0.2.1".parse().unwrap());
    let check = Check::from_text(client, &helo, sender).unwrap();
    check.report(check.session().run(|question| zone.answer(question)))
}
