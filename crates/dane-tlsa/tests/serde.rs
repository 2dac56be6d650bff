//! Records, decisions and outcomes as they are stored.

#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fmt::Debug;

use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
use dane_tlsa::{
    Check, ConnectionFault, Decision, Failure, Limits, MatchingType, NextHop, Policy, PolicyType,
    RecordSet, ResultType, Selector, TlsaRecord, Usage,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const RECORD: &str = "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn is_stored_as<T: Debug + DeserializeOwned + PartialEq + Serialize>(value: &T, json: &Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), *json);
    assert_eq!(serde_json::from_value::<T>(json.clone()).unwrap(), *value, "{json}");
}

fn refused<T: Debug + DeserializeOwned>(json: Value) -> String {
    serde_json::from_value::<T>(json).unwrap_err().to_string()
}

fn decide(zone: &str, next_hop: &str) -> Decision {
    let zone = Zone::parse(zone).unwrap().with_security(DnssecStatus::Secure);
    let policy = Policy::new(NextHop::Domain(next_hop.parse().unwrap()), 25);
    policy.session().run(|question| zone.answer(question))
}

#[test]
fn records_are_their_texts_and_their_parts_numbers() {
    let record: TlsaRecord = RECORD.parse().unwrap();
    is_stored_as(&record, &json!(RECORD));
    is_stored_as(&RecordSet::new([record], &Limits::default()).unwrap(), &json!([RECORD]));
    is_stored_as(&Usage::DANE_EE, &json!(3));
    is_stored_as(&Selector::SPKI, &json!(1));
    is_stored_as(&MatchingType::new(9), &json!(9));
    let cause = "3 1 1 0".parse::<TlsaRecord>().unwrap_err().to_string();
    assert_eq!(refused::<TlsaRecord>(json!("3 1 1 0")), cause);
    assert!(refused::<Usage>(json!(256)).contains("expected u8"));
    let many = vec![RECORD; Limits::default().records + 1];
    let limit = refused::<RecordSet>(json!(many));
    assert!(limit.contains(&Limits::default().records.to_string()), "{limit}");
}

/// The rest of a list beyond the limit is not read: it is malformed here.
#[test]
fn a_list_is_read_as_far_as_the_limit() {
    let limit = Limits::default().records;
    let mut many = vec![json!(RECORD); limit];
    assert_eq!(serde_json::from_value::<RecordSet>(json!(many)).unwrap().len(), limit);
    many.push(json!(RECORD));
    many.extend([json!(7), json!({})]);
    let refusal = refused::<RecordSet>(json!(many));
    assert!(refusal.contains(&limit.to_string()), "{refusal}");
}

fn failure() -> Value {
    json!({
        "result": "starttls-not-supported",
        "policy_type": "tlsa",
        "policy_string": [RECORD],
        "policy_domain": "mx.a.example",
        "receiving_host": "mx.a.example",
        "reason": "the server offers no STARTTLS",
    })
}

/// Fields of a failure that no policy has made.
#[test]
fn a_failure_that_cannot_be_is_refused() {
    let records = vec![RECORD; Limits::default().records + 1];
    for (field, value, cause) in [
        ("reason", json!("a\nb"), "the reason is not a line"),
        ("reason", json!("a\u{0}"), "the reason is not a line"),
        ("reason", json!("x".repeat(513)), "the reason is not a line"),
        ("reason", json!("ü".repeat(257)), "the reason is not a line"),
        ("policy_string", json!(["3 1 1 0"]), ""),
        ("policy_string", json!(["v=spf1"]), ""),
        ("policy_string", json!(records), "more than 100"),
        ("policy_type", json!("no-policy-found"), "the policy type does not fit"),
        ("result", json!("dane-required"), "the policy type does not fit"),
        ("result", json!("dnssec-invalid"), "the policy type does not fit"),
        ("receiving_host", json!(null), "the result needs the host"),
    ] {
        let mut json = failure();
        json[field] = value;
        let refusal = refused::<Failure>(json);
        assert!(refusal.contains(cause), "{field}: {refusal}");
    }
    let mut json = failure();
    json["policy_type"] = json!("no-policy-found");
    json["result"] = json!("dane-required");
    assert!(refused::<Failure>(json.clone()).starts_with("the result has no TLSA records"));
    for (field, value) in [("policy_string", json!([])), ("receiving_host", json!(null))] {
        json[field] = value;
        assert!(serde_json::from_value::<Failure>(json.clone()).is_ok(), "{json}");
    }
    for reason in ["", &*"x".repeat(512), &*"ü".repeat(256)] {
        let mut json = failure();
        json["reason"] = json!(reason);
        assert!(serde_json::from_value::<Failure>(json).is_ok());
    }
}

/// Failures of each kind of record are read back.
#[test]
fn each_failure_is_read_back() {
    for record in [RECORD, "3 1 1 00", "0 0 0 00", "255 255 255 00"] {
        let zone = format!(
            "a.example MX 10 mx.a.example.\nmx.a.example A 192.0.2.1\n_25._tcp.mx.a.example TLSA {record}"
        );
        let decision = decide(&zone, "a.example");
        let failures = decision.hosts().iter().flat_map(|host| {
            [host.failure(), host.connection_failure(&ConnectionFault::NoStarttls)]
        });
        let failures: Vec<_> = failures.flatten().collect();
        assert!(!failures.is_empty(), "{record}");
        for failure in failures {
            let json = serde_json::to_value(&failure).unwrap();
            is_stored_as(&failure, &json);
        }
    }
    let set =
        RecordSet::from_wire(&[&[3_u8][..], &[3, 1], &[3, 1, 1]], &Limits::default()).unwrap();
    let json = serde_json::to_value(&set).unwrap();
    is_stored_as(&set, &json);
}

/// The words are those of `as_str`.
#[test]
fn each_word_is_that_of_the_standard() {
    for result in [
        ResultType::StarttlsNotSupported,
        ResultType::CertificateHostMismatch,
        ResultType::CertificateExpired,
        ResultType::CertificateNotTrusted,
        ResultType::ValidationFailure,
        ResultType::TlsaInvalid,
        ResultType::DnssecInvalid,
        ResultType::DaneRequired,
    ] {
        is_stored_as(&result, &json!(result.as_str()));
    }
    for policy in [PolicyType::Tlsa, PolicyType::NoPolicyFound] {
        is_stored_as(&policy, &json!(policy.as_str()));
    }
}

#[test]
fn a_verdict_has_its_match_or_its_reasons() {
    let records = RecordSet::new([RECORD.parse().unwrap()], &Limits::default()).unwrap();
    let check = Check::new(&records, &[], webpki::ALL_VERIFICATION_ALGS);
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_796_000_000));
    let verdict = check.verify(&Vec::<CertificateDer<'_>>::new(), now);
    assert_eq!(
        serde_json::to_value(&verdict).unwrap(),
        json!({
            "verdict": "no_match",
            "records": [{"numbers": [3, 1, 1], "reason": "the server sent no certificate"}],
        })
    );
    let certified = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
    let der = CertificateDer::from(certified.cert.der().to_vec());
    let certificate = dane_tlsa::Certificate::parse(&der).unwrap();
    let record = TlsaRecord::of_certificate(
        &certificate,
        Usage::DANE_EE,
        Selector::SPKI,
        MatchingType::SHA2_256,
    );
    let records = RecordSet::new([record.unwrap()], &Limits::default()).unwrap();
    let check = Check::new(&records, &[], webpki::ALL_VERIFICATION_ALGS);
    assert_eq!(
        serde_json::to_value(check.verify(std::slice::from_ref(&der), now)).unwrap(),
        json!({"verdict": "match", "record": 0, "numbers": [3, 1, 1], "depth": 0})
    );
}

#[test]
fn a_decision_has_its_hosts() {
    let zone = format!(
        "a.example MX 10 mx.a.example.\nmx.a.example A 192.0.2.1\n_25._tcp.mx.a.example TLSA {RECORD}\n\
         b.example A 192.0.2.2\nc.example MX 0 ."
    );
    let decision = decide(&zone, "a.example");
    assert_eq!(
        serde_json::to_value(&decision).unwrap(),
        json!({"hosts": [{
            "host": "mx.a.example",
            "preference": 10,
            "addresses": ["192.0.2.1"],
            "action": "dane",
            "records": [RECORD],
            "base_domain": "mx.a.example",
            "reference_names": ["mx.a.example", "a.example"],
            "authenticates_next_hop": true,
        }]})
    );
    let failure = decision
        .hosts()
        .iter()
        .find_map(|host| host.connection_failure(&ConnectionFault::NoStarttls));
    is_stored_as(&failure.unwrap(), &self::failure());
    assert!(refused::<Failure>(json!({"result": "none"})).starts_with("unknown variant `none`"));
    assert_eq!(
        serde_json::to_value(decide(&zone, "b.example")).unwrap(),
        json!({"hosts": [{
            "host": "b.example",
            "preference": 0,
            "addresses": ["192.0.2.2"],
            "action": "opportunistic",
            "reason": "the host has no secure TLSA records",
        }]})
    );
    assert_eq!(
        serde_json::to_value(decide(&zone, "c.example")).unwrap(),
        json!({"bounce": "the domain accepts no mail (null MX)"})
    );
}
