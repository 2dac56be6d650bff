//! Aggregate reports, written.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, clippy::unwrap_in_result, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Stdio};

use dmarc_policy::{
    AlignmentMode, DiscoveryMethod, FailureOptions, Feedback, FeedbackLimits, FeedbackRow,
    Override, OverrideKind, Policy, PublishedPolicy, ReportMetadata, RowDisposition, SignatureRow,
    SpfRow,
};
use mail_types::results::{AuthResult, SpfIdentity};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dmarc-xml-0.2.xsd");

/// The errors of `xmllint` for a text; `None` without that program, which is a failure with `CI=true`.
fn lint(xml: &str) -> Option<Result<(), String>> {
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema", SCHEMA, "-"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        println!("SKIPPED: there is no xmllint (Debian: libxml2-utils)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no xmllint");
        return None;
    };
    child.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { Ok(()) } else { Err(said) })
}

fn full() -> Feedback {
    let text = include_bytes!("data/feedback-rfc9990.xml");
    Feedback::read(text, &FeedbackLimits::default()).unwrap().feedback
}

#[test]
fn what_is_written_is_valid_by_the_schema() {
    let Some(found) = lint(&full().to_xml()) else { return };
    assert_eq!(found, Ok(()));
    let broken = full().to_xml().replace("<p>reject</p>", "<p>refuse</p>");
    assert!(lint(&broken).unwrap().is_err(), "the schema is looked at");
}

#[test]
fn what_only_rfc_7489_has_is_written_as_rfc_9990_wants_it() {
    let mut report = full();
    report.policy.pct = Some(50);
    for (kind, row) in
        [OverrideKind::Forwarded, OverrideKind::SampledOut].into_iter().zip(&mut report.rows)
    {
        row.reasons = vec![Override::new(kind)];
        let mut spf = SpfRow::new("a.example", AuthResult::Fail).with_human_result("said helo");
        spf.scope = Some(SpfIdentity::Helo);
        row.spf_result = Some(spf);
        row.signatures = vec![SignatureRow::new("a.example", "s", AuthResult::SoftFail)];
    }
    let xml = report.to_xml();
    for absent in ["pct", "helo", "forwarded", "sampled_out", "softfail"] {
        assert!(!xml.contains(absent), "{absent}");
    }
    if let Some(found) = lint(&xml) {
        assert_eq!(found, Ok(()));
    }
}

#[test]
fn no_value_can_break_out_of_its_element() {
    let mut report = full();
    let hostile = "a</org_name><x>&amp;]]>\r\n\0\u{1b}\u{fffe}<!--";
    report.metadata.org_name = hostile.to_owned();
    report.metadata.error = Some(hostile.to_owned());
    report.policy.domain = hostile.to_owned();
    for row in &mut report.rows {
        row.header_from = hostile.to_owned();
        row.envelope_from = Some(hostile.to_owned());
        row.signatures = vec![SignatureRow::new(hostile, hostile, AuthResult::Pass)];
    }
    let xml = report.to_xml();
    let read = Feedback::read(xml.as_bytes(), &FeedbackLimits::default()).unwrap();
    assert_eq!(read.deviations, []);
    assert_eq!(read.feedback.metadata.org_name, "a</org_name><x>&amp;]]>    \u{fffd}<!--");
    assert_eq!(read.feedback.rows.len(), report.rows.len());
    if let Some(found) = lint(&xml) {
        assert_eq!(found, Ok(()));
    }
}

fn text() -> impl Strategy<Value = String> {
    "[!-~äß€𝄞]([ -~äß€𝄞]{0,20}[!-~äß€𝄞])?"
}

fn result() -> impl Strategy<Value = AuthResult> {
    prop::sample::select(vec![
        AuthResult::None,
        AuthResult::Pass,
        AuthResult::Fail,
        AuthResult::Neutral,
        AuthResult::Policy,
        AuthResult::TempError,
        AuthResult::PermError,
    ])
}

fn policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(vec![Policy::None, Policy::Quarantine, Policy::Reject])
}

prop_compose! {
    fn metadata()(
        org in text(), email in text(), id in text(),
        contact in option::of(text()), error in option::of(text()), generator in option::of(text()),
        begin in any::<u64>(), length in any::<u32>(),
    ) -> ReportMetadata {
        let period = begin..begin.saturating_add(length.into());
        let mut metadata = ReportMetadata::new(&org, &email, &id, period);
        (metadata.extra_contact_info, metadata.error, metadata.generator) = (contact, error, generator);
        metadata
    }
}

prop_compose! {
    fn published()(
        domain in text(), p in policy(), sp in option::of(policy()), np in option::of(policy()),
        strict in option::of(any::<bool>()), discovery in option::of(any::<bool>()),
        testing in option::of(any::<bool>()), fo in any::<(bool, bool, bool)>(),
    ) -> PublishedPolicy {
        let mut policy = PublishedPolicy::default();
        (policy.domain, policy.p, policy.sp, policy.np) = (domain, Some(p), sp, np);
        let mode = |strict| if strict { AlignmentMode::Strict } else { AlignmentMode::Relaxed };
        (policy.adkim, policy.aspf) = (strict.map(mode), strict.map(|strict| mode(!strict)));
        let method = |psl| if psl { DiscoveryMethod::Psl } else { DiscoveryMethod::TreeWalk };
        policy.discovery = discovery.map(method);
        policy.testing = testing;
        let (any, dkim, spf) = fo;
        policy.fo = Some(FailureOptions { any, dkim, spf, all: !any });
        policy
    }
}

prop_compose! {
    fn row()(
        source in any::<std::net::IpAddr>(), count in any::<u64>(), from in text(),
        envelope in (option::of(option::of(text())), option::of(text())),
        disposition in prop::sample::select(vec![
            RowDisposition::None, RowDisposition::Pass, RowDisposition::Quarantine, RowDisposition::Reject,
        ]),
        passes in any::<(bool, bool)>(),
        reasons in vec((prop::sample::select(vec![
            OverrideKind::LocalPolicy, OverrideKind::MailingList, OverrideKind::Other,
            OverrideKind::PolicyTestMode, OverrideKind::TrustedForwarder,
        ]), option::of(text())), 0..3),
        signatures in vec((text(), text(), result(), option::of(text())), 0..4),
        spf in option::of((text(), result(), option::of(text()), any::<bool>())),
    ) -> FeedbackRow {
        let mut row = FeedbackRow::new(source, &from);
        (row.count, row.disposition) = (count, Some(disposition));
        (row.dkim, row.spf) = (Some(passes.0), Some(passes.1));
        row.envelope_from = envelope.0.map(Option::unwrap_or_default);
        row.envelope_to = envelope.1;
        row.reasons = reasons.into_iter().map(|(kind, comment)| {
            let mut reason = Override::new(kind);
            reason.comment = comment;
            reason
        }).collect();
        row.signatures = signatures.into_iter().map(|(domain, selector, result, human)| {
            let mut signature = SignatureRow::new(&domain, &selector, result);
            signature.human_result = human;
            signature
        }).collect();
        row.spf_result = spf.map(|(domain, result, human, scoped)| {
            let mut spf = SpfRow::new(&domain, result);
            spf.human_result = human;
            spf.scope = spf.scope.filter(|_| scoped);
            spf
        });
        row
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_equal(
        metadata in metadata(), policy in published(), rows in vec(row(), 1..4),
    ) {
        let report = Feedback::new(metadata, policy, rows);
        for written in [report.to_xml().into_bytes(), report.to_gzip()] {
            let read = Feedback::read(&written, &FeedbackLimits::default()).unwrap();
            prop_assert_eq!(&read.feedback, &report);
            prop_assert_eq!(read.deviations, []);
        }
    }
}

#[test]
fn many_written_reports_are_valid() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (metadata(), published(), vec(row(), 1..4));
    for _ in 0..20 {
        let (metadata, policy, rows) = strategy.new_tree(&mut runner).unwrap().current();
        let xml = Feedback::new(metadata, policy, rows).to_xml();
        match lint(&xml) {
            Some(found) => assert_eq!(found, Ok(()), "{xml}"),
            None => return,
        }
    }
}
