//! OpenSSL's verdicts on chains and records: its own tests of DANE, and more of the same form.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of tests may panic"
)]

#[path = "../../mail-types/tests/support/vectors.rs"]
mod vectors;

use std::time::Duration;

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::rustls_pki_types::pem::PemObject as _;
use dane_tlsa::rustls_pki_types::{CertificateDer, UnixTime};
use dane_tlsa::{Check, Limits, RecordSet, Standing, Verdict};
use serde_json::Value;
use vectors::shared;

/// Rows that do not hold: name checks for DANE-EE(3), against RFC 7672 section 3.2.1.
const NOT_HELD: &[&str] = &["danetest-54"];

#[test]
fn the_rows_of_openssls_own_tests_that_are_of_smtp() {
    let Some(text) = shared("third-party/openssl-danetest.json") else { return };
    let file: Value = serde_json::from_str(&text).unwrap();
    let is_smtp = |case: &Value| {
        let records = case["tlsa"].as_array().unwrap();
        records.iter().all(|record| record["usage"].as_u64().unwrap() >= 2)
            && !NOT_HELD.contains(&case["id"].as_str().unwrap())
    };
    assert_eq!(check(&file, is_smtp), 34);
}

#[test]
fn the_rows_beyond_them() {
    let file: Value = serde_json::from_str(include_str!("data/verify-extra.json")).unwrap();
    assert_eq!(check(&file, |_| true), 30);
}

/// Checks the rows of a file, and returns how many there were.
fn check(file: &Value, holds: impl Fn(&Value) -> bool) -> usize {
    let cases = file["cases"].as_array().unwrap();
    let mut count = 0;
    for case in cases.iter().filter(|case| holds(case)) {
        let records = records(case);
        let verdict = verify(file, case, &records);
        let expected = &case["expect"];
        let depth = match &verdict {
            Verdict::Match(found) => i64::try_from(found.depth).unwrap(),
            Verdict::NoMatch(_) | Verdict::Unusable(_) => -1,
        };
        let ours = (verdict.is_match(), depth);
        let is_match = expected["ok"].as_bool().unwrap();
        // OpenSSL tells a depth where a record matches and the rest does not.
        let theirs = if is_match { expected["match_depth"].as_i64().unwrap() } else { -1 };
        assert_eq!(ours, (is_match, theirs), "{}: {verdict}", case["id"]);
        if let Some(usable) = expected["record_usable"].as_array() {
            let ours: Vec<_> =
                records.standings().map(|it| !matches!(it, Standing::Unusable(_))).collect();
            let theirs: Vec<_> = usable.iter().map(|usable| usable.as_bool().unwrap()).collect();
            assert_eq!(ours, theirs, "{}", case["id"]);
        }
        count += 1;
    }
    count
}

fn records(case: &Value) -> RecordSet {
    let record = |record: &Value| {
        let numbers = ["usage", "selector", "mtype"].map(|name| record[name].to_string());
        format!("{} {}", numbers.join(" "), record["data_hex"].as_str().unwrap()).parse().unwrap()
    };
    let records = case["tlsa"].as_array().unwrap().iter().map(record);
    RecordSet::new(records, &Limits::default()).unwrap()
}

fn verify(file: &Value, case: &Value, records: &RecordSet) -> Verdict {
    let certificate = |name: &Value| {
        let pem = file["certs"][name.as_str().unwrap()].as_str().unwrap();
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    };
    let chain: Vec<_> = case["chain"].as_array().unwrap().iter().map(certificate).collect();
    let names: Vec<Name> = case["reference_names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().parse().unwrap())
        .collect();
    // All rows of this file are of one time; those of OpenSSL have none, and their certificates are
    // valid until 2115 or never.
    assert!(matches!(case["time"].as_str(), None | Some("2026-12-01T00:00:00Z")));
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_796_083_200));
    Check::new(records, &names, webpki::ALL_VERIFICATION_ALGS).verify(&chain, now)
}
