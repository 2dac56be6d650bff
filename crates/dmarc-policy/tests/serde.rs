//! Records, verdicts and reports as they are stored.

#![cfg(all(feature = "serde", feature = "reports"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fmt::Debug;

use dmarc_policy::{
    Alignment, AlignmentMode, Author, AuthorFault, Discovery, DiscoveryMethod, Dmarc,
    FailureOptions, Feedback, FeedbackRow, Override, OverrideKind, Policy, PublishedPolicy, Record,
    ReportId, ReportMetadata, ReportUri, RowDisposition, SignatureRow, SpfRow, Status, Verdict,
};
use mail_types::dns::Zone;
use mail_types::results::AuthResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A value is written as this JSON, and read from it.
fn is_stored_as<T: Debug + DeserializeOwned + PartialEq + Serialize>(value: &T, json: &Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), *json);
    assert_eq!(serde_json::from_value::<T>(json.clone()).unwrap(), *value, "{json}");
}

/// The reason why a value is refused.
fn refused<T: Debug + DeserializeOwned>(json: Value) -> String {
    serde_json::from_value::<T>(json).unwrap_err().to_string()
}

#[test]
fn words_and_texts_are_themselves() {
    is_stored_as(&Policy::Quarantine, &json!("quarantine"));
    is_stored_as(&Status::NoRecord, &json!("norecord"));
    is_stored_as(&AlignmentMode::Strict, &json!("strict"));
    is_stored_as(&RowDisposition::Pass, &json!("pass"));
    is_stored_as(&DiscoveryMethod::TreeWalk, &json!("treewalk"));
    is_stored_as(&OverrideKind::PolicyTestMode, &json!("policy_test_mode"));
    is_stored_as(
        &"mailto:d@example.com".parse::<ReportUri>().unwrap(),
        &json!("mailto:d@example.com"),
    );
    is_stored_as(&"1@mx.example.net".parse::<ReportId>().unwrap(), &json!("1@mx.example.net"));
    is_stored_as(&FailureOptions::default(), &json!("0"));
    is_stored_as(&FailureOptions { any: true, dkim: true, spf: false, all: false }, &json!("1:d"));
    for (alignment, word) in [
        (Alignment::Absent, "absent"),
        (Alignment::NotPassed(AuthResult::Fail), "fail"),
        (Alignment::NotPassed(AuthResult::TempError), "temperror"),
        (Alignment::Different, "different"),
        (Alignment::Unknown, "unknown"),
        (Alignment::SameOrganization, "same_organization"),
        (Alignment::Same, "same"),
    ] {
        is_stored_as(&alignment, &json!(word));
    }
    is_stored_as(&AuthorFault::TooMany, &json!("too_many"));
    is_stored_as(&AuthorFault::Unreadable { at: 3 }, &json!({"unreadable": {"at": 3}}));
    let text = "v=DMARC1; p=reject; sp=none; adkim=s; fo=1; rua=mailto:d@example.com";
    is_stored_as(&Record::parse(text.as_bytes()).unwrap(), &json!(text));
}

/// The words are those of `as_str`.
#[test]
fn each_word_is_that_of_the_standard() {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    for status in [
        Status::Accept,
        Status::Reject,
        Status::Quarantine,
        Status::None,
        Status::NoRecord,
        Status::NoFrom,
        Status::TempError,
        Status::Off,
    ] {
        assert_eq!(word(serde_json::to_value(status).unwrap()), status.as_str());
    }
    for kind in [
        OverrideKind::LocalPolicy,
        OverrideKind::MailingList,
        OverrideKind::Other,
        OverrideKind::PolicyTestMode,
        OverrideKind::TrustedForwarder,
        OverrideKind::Forwarded,
        OverrideKind::SampledOut,
    ] {
        assert_eq!(word(serde_json::to_value(kind).unwrap()), kind.as_str());
    }
    for method in [DiscoveryMethod::Psl, DiscoveryMethod::TreeWalk] {
        assert_eq!(word(serde_json::to_value(method).unwrap()), method.as_str());
    }
}

#[test]
fn what_is_malformed_is_refused_with_its_cause() {
    for (refusal, cause) in [
        (
            refused::<Policy>(json!("refuse")),
            "invalid DMARC policy: not none, quarantine or reject",
        ),
        (refused::<Record>(json!("v=spf1 -all")), "DMARC record does not begin with v=DMARC1"),
        (refused::<FailureOptions>(json!("2")), "invalid tag fo: not 0, 1, d and s between colons"),
        (refused::<Alignment>(json!("pass")), "not the word of an alignment"),
        (
            refused::<ReportId>(json!("a b")),
            "invalid character or end of the report identifier, at byte 1",
        ),
        (
            refused::<OverrideKind>(json!("whim")),
            "unknown variant `whim`, expected one of `local_policy`",
        ),
        (refused::<FeedbackRow>(json!({"source": "here"})), "invalid IP address syntax"),
        (refused::<SpfRow>(json!({"scope": "helo"})), "missing field `domain`"),
    ] {
        assert!(refusal.starts_with(cause), "{refusal}");
    }
}

#[test]
fn a_verdict_has_its_record() {
    let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=reject; t=y\"").unwrap();
    let dmarc = Dmarc::new(Author::from_message(b"From: ann@mx.example.com\r\n\r\n"));
    let verdict: Verdict = dmarc.session().run(|question| zone.answer(question));
    assert_eq!(
        serde_json::to_value(&verdict).unwrap(),
        json!({
            "result": "fail",
            "status": "quarantine",
            "author": "mx.example.com",
            "fault": null,
            "org_domain": "example.com",
            "policy_domain": "example.com",
            "policy": "reject",
            "disposition": "quarantine",
            "pending": "none",
            "spf": "absent",
            "dkim": "absent",
            "record": "v=DMARC1; p=reject; t=y",
        })
    );
}

fn written_report() -> Value {
    json!({
        "metadata": {
            "org_name": "Example",
            "email": "d@mx.example.net",
            "extra_contact_info": null,
            "report_id": "1@mx.example.net",
            "begin": 0,
            "end": 86_399,
            "error": null,
            "generator": "a test",
        },
        "policy": {
            "domain": "example.com",
            "discovery": "treewalk",
            "p": "reject",
            "sp": null,
            "np": null,
            "adkim": "relaxed",
            "aspf": "strict",
            "fo": "1:d",
            "testing": false,
            "pct": null,
        },
        "rows": [{
            "source": "192.0.2.1",
            "count": 1,
            "disposition": "none",
            "dkim": false,
            "spf": false,
            "reasons": [{"kind": "mailing_list", "comment": "a list"}],
            "header_from": "example.com",
            "envelope_from": "b.example",
            "envelope_to": null,
            "signatures": [
                {"domain": "example.com", "selector": "s1", "result": "fail", "human_result": null},
            ],
            "spf_result": {
                "domain": "b.example",
                "scope": "mailfrom",
                "result": "softfail",
                "human_result": "so",
            },
        }],
    })
}

#[test]
fn a_report_is_read_back() {
    let record = Record::parse(b"v=DMARC1; p=reject; aspf=s; fo=1:d").unwrap();
    let domain = "example.com".parse().unwrap();
    let policy = PublishedPolicy::new(&domain, &record, &Discovery::TreeWalk);
    let mut row = FeedbackRow::new("192.0.2.1".parse().unwrap(), "example.com")
        .with_envelope_from("b.example")
        .with_reason(Override::new(OverrideKind::MailingList).with_comment("a list"));
    row.signatures.push(SignatureRow::new("example.com", "s1", AuthResult::Fail));
    row.spf_result = Some(SpfRow::new("b.example", AuthResult::SoftFail).with_human_result("so"));
    let metadata =
        ReportMetadata::new("Example", "d@mx.example.net", "1@mx.example.net", 0..86_400);
    let report = Feedback::new(metadata.with_generator("a test"), policy, vec![row]);
    is_stored_as(&report, &written_report());
    // Fields without a value may be missing, and fields of a later version are ignored.
    let row = json!({
        "source": "2001:db8::1", "count": 2, "reasons": [], "header_from": "a.example", "signatures": [], "later": 1,
    });
    let row: FeedbackRow = serde_json::from_value(row).unwrap();
    assert_eq!((row.count, row.disposition, row.spf_result), (2, None, None));
}
