//! Conditions on DMARC. Against a name server: `tests/peers/dmarc.rs`.

use dmarc_policy::{Author, DkimInput, Dmarc};
use mail_types::dns::{DnssecStatus, InquiryStep, RecordType, Zone};
use mail_types::exim::Semantics;
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use super::scenario::{Scenario, rules, rules_with};
use crate::gateway::authentication::dmarc::{DmarcSettings, Examined};
use crate::gateway::config::Config;
use crate::gateway::policy::conditions::dmarc::{keep, publish_off};
use crate::gateway::policy::stage::Stage;

#[tokio::test]
async fn a_word_is_known_and_both_ways_to_read_a_list_are_there() {
    // The words and their order: Exim's specification of 2014, and match_isinlist() of today.
    let rows = [
        ("p=reject", "reject", true, true),
        ("p=reject", "quarantine : none", false, false),
        ("p=reject", "!accept", true, true),
        ("p=reject", "!reject : none", false, false),
        ("p=none", "!reject : accept", true, false),
        // Each item tested alone, one of them always holds: so it is refused where it is no expansion.
        ("p=none", "${if eq{a}{a}{!quarantine : !none}}", true, false),
        ("p=quarantine", "reject : !none", true, true),
        ("", "norecord", true, true),
        ("", "accept : !norecord", false, false),
        ("", "*", true, true),
    ];
    for (record, words, each_item, list_order) in rows {
        let text = format!("[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = '{words}'");
        for (semantics, expected) in
            [(Semantics::EachItem, each_item), (Semantics::ListOrder, list_order)]
        {
            let rules = rules_with(&text, &DmarcSettings { semantics, ..DmarcSettings::default() });
            let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
            keep(examined(record, false), "mx.example", &mut scenario.state);
            let refused = !scenario.refusal(&rules, Stage::Data).await.is_empty();
            assert_eq!(refused, expected, "{record}: {words} by {semantics:?}");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_not_examined_is_off() {
    let rules = rules(
        "[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'off'\nmessage = 'it is $dmarc_status'",
    );
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
    publish_off(&mut scenario.state);
    assert_eq!(scenario.refusal(&rules, Stage::Data).await, "550 5.7.1 it is off");
}

#[tokio::test]
async fn each_variable_has_its_value() {
    let rules = rules(
        "[[acl_smtp_data]]
        verb = 'warn'
        logwrite = '$dmarc_status/$dmarc_status_text/$dmarc_used_domain/$dmarc_domain_policy/$dmarc_alignment_spf/$dmarc_alignment_dkim'
        add_header = '$dmarc_ar_header'",
    );
    for (record, aligned, expected, header) in [
        ("p=reject", false, "reject/Reject/a.example/reject/no/no", "fail policy.dmarc=reject"),
        ("p=reject", true, "accept/Accept/a.example/reject/no/yes", "pass policy.dmarc=reject"),
        ("p=none", false, "none/None, Accept/a.example/none/no/no", "fail policy.dmarc=none"),
        ("", false, "norecord/No DMARC record/a.example//no/no", "none"),
    ] {
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
        keep(examined(record, aligned), "mx.example", &mut scenario.state);
        scenario.judge(&rules, Stage::Data, 0).await;
        assert_eq!(scenario.state.take_log(), [expected]);
        let field =
            format!("Authentication-Results: mx.example; dmarc={header} header.from=a.example");
        assert_eq!(scenario.state.headers().collect::<Vec<_>>(), [field]);
    }
}

#[test]
fn all_results_are_in_the_field_for_readers() {
    let mut scenario = Scenario::new();
    keep(examined("p=reject", true), "mx.test", &mut scenario.state);
    assert_eq!(
        scenario.state.authentication.field("mx.test").unwrap(),
        "Authentication-Results: mx.test;\r\n\tdkim=none;\r\n\t\
         dmarc=pass policy.dmarc=reject header.from=a.example"
    );
}

#[test]
fn words_options_and_controls_are_checked_before_the_start() {
    let rows = [
        (
            "[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'fail'",
            "line 3: dmarc_status: item 1 (fail) is no result; expected accept, reject, quarantine",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\ndmarc_status = 'reject'",
            "line 3: the condition dmarc_status has nothing to test at acl_smtp_rcpt; it is known at acl_smtp_data_prdr and acl_smtp_data",
        ),
        (
            "[[acl_smtp_data]]\nverb = 'warn'\ncontrol = 'dmarc_disable_verify'",
            "line 3: control dmarc_disable_verify has no effect at ",
        ),
        (
            "[[acl_smtp_data_prdr]]\nverb = 'warn'\ncontrol = 'dmarc_forensic_enable'",
            "line 3: control dmarc_forensic_enable has no effect at ",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'warn'\ncontrol = 'dmarc_disable_verify/x'",
            "line 3: unknown control dmarc_disable_verify/x; did you mean dmarc_disable_verify?",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'warn'\ncontrol = 'dmarc_enable_forensic/x'",
            "line 3: unknown control dmarc_enable_forensic/x; did you mean dmarc_enable_forensic?",
        ),
        // A slip of the pen of the text of 2014.
        (
            "[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'reject'\nmessage = 'Message from $domain_used_domain failed'",
            "line 4: ",
        ),
        ("dmarc_verify_hosts = '1.2.3.4/99'", "dmarc_verify_hosts: "),
        ("dmarc_status_semantics = 'other'", "unknown word \"other\"; expected one of "),
        ("dmarc_invalid_from = 'defer'", "unknown word \"defer\"; expected one of "),
        ("dmarc_temperror = 'reject'", "unknown word \"reject\"; expected one of "),
        ("dmarc_tld_file = '/nowhere/list'", "dmarc_tld_file: /nowhere/list cannot be read"),
    ];
    for (text, error) in rows {
        let found = Config::parse(text).unwrap_err().to_string();
        assert!(found.contains(error), "{text}: {found}");
    }
    for control in ["dmarc_disable_verify", "dmarc_enable_forensic", "dmarc_forensic_enable"] {
        let text = format!("[[acl_smtp_rcpt]]\nverb = 'warn'\ncontrol = '{control}'");
        assert!(Config::parse(&text).is_ok(), "{control}");
    }
}

/// A control at RCPT counts if each accepted recipient has it: a sender could add a recipient who has.
#[tokio::test]
async fn a_control_of_dmarc_is_for_recipients_who_all_have_it() {
    let rules = rules(
        "[[acl_smtp_rcpt]]
        verb = 'warn'
        local_parts = 'abuse'
        control = 'dmarc_disable_verify'",
    );
    for (recipients, expected) in [
        (&[("abuse", true)][..], true),
        (&[("abuse", true), ("abuse", true)], true),
        (&[("abuse", true), ("ann", true)], false),
        (&[("ann", true), ("abuse", true)], false),
        (&[("ann", true), ("abuse", false)], false),
        (&[("abuse", true), ("ann", false)], true),
        (&[("abuse", false)], false),
    ] {
        let mut scenario = Scenario::new();
        for (name, accepted) in recipients {
            scenario = scenario.with_mail("<a@b.example>", &format!("{name}@local.test"));
            scenario.state.start_recipient();
            scenario.judge(&rules, Stage::Rcpt, 0).await;
            if *accepted {
                scenario.state.accept_recipient();
            }
        }
        assert_eq!(scenario.state.has_control("dmarc_disable_verify"), expected, "{recipients:?}");
    }
}

/// What is found of a message from a.example, with this record, and a signature of it or of another.
pub(super) fn examined(record: &str, aligned: bool) -> Examined {
    let mut zone = Zone::default();
    if !record.is_empty() {
        let (name, text) = ("_dmarc.a.example".parse().unwrap(), format!("v=DMARC1; {record}"));
        zone.add(name, RecordType::Txt, &text, DnssecStatus::default()).unwrap();
    }
    let signer = if aligned { "a.example" } else { "b.test" };
    let dkim = vec![DkimInput {
        result: AuthResult::Pass,
        domain: signer.parse().unwrap(),
        selector: "s".into(),
    }];
    let spf = SpfInput {
        result: AuthResult::Fail,
        identity: SpfIdentity::MailFrom,
        domain: "a.example".parse().unwrap(),
    };
    let dmarc = Dmarc::new(Author::One("a.example".parse().unwrap()));
    let dmarc = dmarc.with_dkim(&dkim).with_spf(&spf);
    let mut session = dmarc.session();
    let verdict = loop {
        match session.poll() {
            InquiryStep::Ask(question) => session.handle_answer(&question, zone.answer(&question)),
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(verdict) => break verdict,
        }
    };
    let (signatures, dkim_results, overridden) = (Vec::new(), Vec::new(), None);
    Examined { verdict, spf: Some(spf), dkim, signatures, dkim_results, overridden }
}
