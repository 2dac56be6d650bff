//! Results, records and outcomes as they are stored.

#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use mail_types::dns::Zone;
use mail_types::smtp::Helo;
use serde_json::{Value, json};
use spf_result::{Check, MacroString, Record, Report, SpfResult};

fn report(client: &str, record: &str) -> Report {
    let zone = format!("example.com TXT \"{record}\"\nwhy.example.com TXT \"not from %{{i}}\"");
    let zone = Zone::parse(&zone).unwrap();
    let (helo, sender) = (Helo::new("client.example"), "<ann@example.com>".parse().unwrap());
    let check = Check::mail_from(client.parse().unwrap(), &helo, &sender);
    let check = check.with_receiver("mx.example.org");
    check.report(check.session().run(|question| zone.answer(question)))
}

#[test]
fn a_result_and_a_record_are_their_texts() {
    assert_eq!(serde_json::to_value(SpfResult::SoftFail).unwrap(), json!("softfail"));
    assert_eq!(
        serde_json::from_value::<SpfResult>(json!("softfail")).unwrap(),
        SpfResult::SoftFail
    );
    let text = json!("v=spf1 a:mx.example.com ~all exp=why.%{d}");
    let record: Record = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(serde_json::to_value(&record).unwrap(), text);
    let comment: MacroString = serde_json::from_value(json!("%{i} is out")).unwrap();
    assert_eq!(serde_json::to_value(&comment).unwrap(), json!("%{i} is out"));
}

#[test]
fn a_malformed_text_is_refused_with_its_cause() {
    let refused = |value: Value| serde_json::from_value::<Record>(value).unwrap_err().to_string();
    let cause = |text: &str| text.parse::<Record>().unwrap_err().to_string();
    for text in ["v=spf2 -all", "v=spf1 ip4:192.0.2.256", "v=spf1 -all redirect=%{x}"] {
        assert_eq!(refused(json!(text)), cause(text));
    }
    assert!(refused(json!(7)).starts_with("invalid type: integer `7`"));
    let word = serde_json::from_value::<SpfResult>(json!("passed")).unwrap_err();
    assert_eq!(word.to_string(), "not an SPF result word");
}

#[test]
fn an_outcome_has_its_cause() {
    let found = report("192.0.2.9", "v=spf1 ip4:198.51.100.0/24 -all exp=why.example.com");
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        json!({
            "outcome": {
                "result": "fail",
                "identity": "mailfrom",
                "domain": "example.com",
                "cause": {
                    "kind": "matched",
                    "domain": "example.com",
                    "record": "v=spf1 ip4:198.51.100.0/24 -all exp=why.example.com",
                    "directive": "-all",
                },
                "explanation": {"text": "not from 192.0.2.9"},
                "lookups": 0,
                "void_lookups": 0,
                "terms": 2,
                "guess": false,
            },
            "client": "192.0.2.9",
            "helo": "client.example",
            "sender": "ann@example.com",
            "domain": "example.com",
            "receiver": "mx.example.org",
            "null_path": false,
        })
    );
}

#[test]
fn each_cause_has_its_kind() {
    for (client, record, cause, explanation) in [
        (
            "192.0.2.9",
            "v=spf1 mx",
            json!({"kind": "default", "domain": "example.com"}),
            json!("absent"),
        ),
        (
            "192.0.2.9",
            "nothing",
            json!({"kind": "no_record", "domain": "example.com"}),
            json!("absent"),
        ),
        (
            "192.0.2.9",
            "v=spf1 include:absent.example.com",
            json!({
                "kind": "failed",
                "domain": "absent.example.com",
                "problem": "no SPF record at the target of include or redirect",
            }),
            json!("absent"),
        ),
        (
            "192.0.2.9",
            "v=spf1 -all exp=absent.example.com",
            json!({
                "kind": "matched",
                "domain": "example.com",
                "record": "v=spf1 -all exp=absent.example.com",
                "directive": "-all",
            }),
            json!("withheld"),
        ),
    ] {
        let outcome = serde_json::to_value(report(client, record).outcome()).unwrap();
        assert_eq!(
            (&outcome["cause"], &outcome["explanation"]),
            (&cause, &explanation),
            "{record}"
        );
    }
}
