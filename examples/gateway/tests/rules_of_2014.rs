//! The example rules of Exim's text on its experimental features, of 2014, that need no other check.

use std::sync::Arc;
use std::time::Duration;

use mail_types::exim::{Trust, Value};

use super::rules_dmarc::examined;
use super::scenario::{Scenario, rules};
use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::config::Config;
use crate::gateway::lookups::macros::Macros;
use crate::gateway::policy::condition::{Condition, ConditionKind, RuleScope, Test, Truth};
use crate::gateway::policy::conditions::dmarc::{keep, publish_off};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::rules::Rules;
use crate::gateway::policy::stage::Stage;

/// Section 3 of the text on the PROXY protocol: who talks to whom.
#[tokio::test]
async fn both_ends_of_both_connections_are_logged() {
    let rules = rules(include_str!("data/proxy-addresses.toml"));
    for (mut scenario, expected) in [
        (
            Scenario::proxied("PROXY TCP4 192.0.2.1 203.0.113.9 5555 2525\r\n"),
            [
                "Remote Source Address: 192.0.2.1:5555",
                "Proxy Target Address: 203.0.113.9:2525",
                "Proxy Internal Address: 198.51.100.7:4000",
                "Internal Server Address: 203.0.113.25:25",
            ],
        ),
        (
            Scenario::new(),
            [
                "Remote Source Address: 192.0.2.1:5555",
                "Proxy Target Address: :",
                "Proxy Internal Address: :",
                "Internal Server Address: 203.0.113.25:25",
            ],
        ),
    ] {
        scenario.judge(&rules, Stage::Connect, 0).await;
        assert_eq!(scenario.state.take_log(), expected);
    }
}

#[test]
fn each_file_is_a_whole_configuration() {
    for text in [
        include_str!("data/proxy-addresses.toml"),
        include_str!("data/connection-rate.toml"),
        include_str!("data/content-filters.toml"),
        include_str!("data/dmarc.toml"),
    ] {
        Config::parse(text).unwrap();
    }
}

/// The text on PRDR: a content filter for each recipient.
#[tokio::test]
async fn a_recipient_has_the_filter_of_its_profile() {
    let rules = rules(include_str!("data/content-filters.toml"));
    for (recipient, refusal) in [
        ("ann@local.test", "550 5.7.1 ann does not like this content"),
        ("carl-filtered@local.test", "550 5.7.1 carl-filtered does not like this content"),
        ("bob@local.test", "450 4.7.1 bob says try later"),
        ("dora@local.test", ""),
        ("ann@other.test", ""),
    ] {
        let mut scenario = Scenario::new().with_mail("<a@b.example>", recipient);
        assert_eq!(scenario.refusal(&rules, Stage::Rcpt).await, "");
        scenario.state.accept_recipient();
        scenario.message = "Subject: your lottery\r\n\r\n".into();
        assert_eq!(scenario.refusal(&rules, Stage::Prdr).await, refusal, "{recipient}");
        scenario.message = "Subject: hello\r\n\r\n".into();
        assert_eq!(scenario.refusal(&rules, Stage::Prdr).await, "", "{recipient}");
    }
}

/// The same text: whether the client asked is known from `$smtp_command`, and said plainly.
#[tokio::test]
async fn whether_prdr_was_asked_for_is_a_variable() {
    let text = "[[acl_smtp_mail]]\nverb = 'warn'\nlogwrite = '$prdr_requested: $smtp_command'";
    let rules = rules(text);
    for (asked, word) in [(true, "yes"), (false, "no")] {
        let mut scenario = Scenario::new().with_mail("<a@b.example>", "c@d.example");
        scenario.transaction.as_mut().unwrap().prdr = asked;
        scenario.judge(&rules, Stage::Mail, 0).await;
        assert_eq!(scenario.state.take_log(), [format!("{word}: MAIL FROM:<ann@a.example> PRDR")]);
    }
}

/// The text on DMARC, section 6: at the recipients, who is left alone and of whom failures are told.
#[tokio::test]
async fn dmarc_is_off_for_our_own_and_tells_of_failures_but_for_broken_records() {
    let rules = Config::parse(include_str!("data/dmarc.toml")).unwrap().server.live.rules;
    for (recipient, off, forensic) in [
        ("ann@local.test", true, true),
        ("ann@other.test", false, true),
        ("ann@broken.test", false, false),
    ] {
        let mut scenario = Scenario::new().with_mail("<a@b.example>", recipient);
        assert_eq!(scenario.refusal(&rules, Stage::Rcpt).await, "");
        scenario.state.accept_recipient();
        assert_eq!(scenario.state.has_control("dmarc_disable_verify"), off, "{recipient}");
        assert_eq!(scenario.state.has_control("dmarc_enable_forensic"), forensic, "{recipient}");
    }
}

/// The same, behind the data: what is logged and added, and what is refused.
#[tokio::test]
async fn dmarc_decides_as_the_text_has_it() {
    let rules = Config::parse(include_str!("data/dmarc.toml")).unwrap().server.live.rules;
    let refusal = "550 5.7.1 Message from a.example failed sender's DMARC policy, REJECT";
    let rows = [
        (Some(("p=reject", true)), &["DMARC DEBUG: accept a.example"][..], 1, None, ""),
        (
            Some(("p=none", false)),
            &["DMARC DEBUG: none a.example", "DMARC DEBUG: 'none' for a.example"],
            1,
            None,
            "",
        ),
        (None, &["DMARC DEBUG: off ", "DMARC DEBUG: 'off' for "], 0, None, ""),
        (Some(("", false)), &["DMARC DEBUG: 'norecord' for a.example"], 0, None, ""),
        (
            Some(("p=quarantine", false)),
            &["DMARC DEBUG: 'quarantine' for a.example"],
            0,
            Some("1"),
            "",
        ),
        (Some(("p=reject", false)), &["DMARC DEBUG: 'reject' for a.example"], 0, None, refusal),
    ];
    for (found, logged, headers, flag, refused) in rows {
        let mut scenario = Scenario::new().with_mail("<a@b.example>", "ann@other.test");
        match found {
            Some((record, aligned)) => {
                keep(examined(record, aligned), "mx.example", &mut scenario.state);
            }
            None => publish_off(&mut scenario.state),
        }
        assert_eq!(scenario.refusal(&rules, Stage::Data).await, refused, "{found:?}");
        let lines: Vec<_> = logged.iter().map(|line| format!("Warning: {line}")).collect();
        assert_eq!(scenario.state.take_log(), lines);
        assert_eq!(scenario.state.headers().count(), headers, "{found:?}");
        let set = "[[acl_smtp_data]]\nverb = 'warn'\nlogwrite = '$acl_m_quarantine'";
        scenario.judge(&super::scenario::rules(set), Stage::Data, 0).await;
        assert_eq!(scenario.state.take_log(), [flag.unwrap_or_default()]);
    }
}

/// The same: mail of a domain that asks to reject breaks mailing lists, even where it passes.
#[tokio::test]
async fn no_mail_of_a_strict_domain_goes_to_a_mailing_list() {
    let rules = Config::parse(include_str!("data/dmarc.toml")).unwrap().server.live.rules;
    let breaks = "550 5.7.1 Messages from a.example break mailing lists";
    for (recipient, record, refused) in [
        ("all@lists.test", "p=reject", breaks),
        ("all@lists.test", "p=quarantine", ""),
        ("ann@other.test", "p=reject", ""),
    ] {
        let mut scenario = Scenario::new().with_mail("<a@b.example>", recipient);
        assert_eq!(scenario.refusal(&rules, Stage::Rcpt).await, "");
        keep(examined(record, true), "mx.example", &mut scenario.state);
        assert_eq!(scenario.refusal(&rules, Stage::Data).await, refused, "{recipient}: {record}");
    }
}

/// A condition as one that asks the DNS would be: it waits, remembers what it found, and publishes a
/// variable.
#[derive(Debug)]
struct Slow {
    wanted: String,
}

impl Slow {
    fn holds(found: &[u8]) -> Truth {
        match found {
            b"yes" => Truth::Yes,
            b"later" => Truth::Later,
            _ => Truth::No,
        }
    }
}

impl Condition for Slow {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        let known =
            context.state.published("sender_rate").map(|value| Self::holds(value.as_bytes()));
        if let Some(holds) = known {
            return Test::Known(holds);
        }
        Test::Pending(Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let value = Value::new(self.wanted.clone().into_bytes(), Trust::Untrusted);
            context.state.publish("sender_rate", value);
            Self::holds(self.wanted.as_bytes())
        }))
    }
}

#[tokio::test]
async fn a_condition_that_takes_a_while_plugs_in() {
    let kinds = [ConditionKind {
        name: "slow",
        stages: &[Stage::Mail],
        read: |entry, _, _| Ok(Box::new(Slow { wanted: entry.text.clone() })),
    }];
    let host = "mx.example".parse().unwrap();
    let read = |text: &str| {
        let home = RuleScope {
            kinds: &kinds,
            host: &host,
            language: &Arc::default(),
            spf: &SpfSettings::default(),
            dmarc: &DmarcSettings::default(),
            is_option: |_| false,
        };
        Rules::read(text, &Macros::default(), &home).unwrap()
    };
    for (verb, wanted, expected) in [
        ("deny", "slow = 'yes'", "550 5.7.1 found yes"),
        ("deny", "slow = 'no'", ""),
        ("deny", "'!slow' = 'no'", "550 5.7.1 found no"),
        (
            "deny",
            "slow = 'later'",
            "451 4.7.0 temporary failure evaluating policy, try again later",
        ),
        (
            "deny",
            "'!slow' = 'later'",
            "451 4.7.0 temporary failure evaluating policy, try again later",
        ),
    ] {
        let text =
            format!("[[acl_smtp_mail]]\nverb = '{verb}'\n{wanted}\nmessage = 'found $sender_rate'");
        let mut scenario = Scenario::new().with_mail("<a@b.example>", "c@d.example");
        let rules = read(&text);
        assert_eq!(scenario.refusal(&rules, Stage::Mail).await, expected, "{wanted}");
        // The second time it is known.
        assert_eq!(scenario.refusal(&rules, Stage::Mail).await, expected, "{wanted}");
    }
    // A warning that cannot be given is not given.
    let rules = read("[[acl_smtp_mail]]\nverb = 'warn'\nslow = 'later'\nlog_message = 'x'");
    let mut scenario = Scenario::new().with_mail("<a@b.example>", "c@d.example");
    assert_eq!(scenario.refusal(&rules, Stage::Mail).await, "");
    assert!(scenario.state.take_log().is_empty());
}
