//! The vectors of `data/vectors.json`, each by what it is expected to be and why.

#![expect(
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::time::Duration;

use data::file;
use ocsp_staple::{Certificate, CertificateStatus, Check, DerError, DerFault, Options, Proof};
use ocsp_staple::{Issuer, ProofError, ResponderError, RevocationReason};
use serde_json::Value;
use times::time;
use vector_time::now;

/// What this crate does where the standards leave it a choice: the vectors with a `policy`.
const CHOICES: &[(&str, &str, &str)] = &[
    // name, the vector's expectation, ours
    ("no_next_update@lenient", "good", "good"), // `Options::missing_next_update`
    ("skew_3min", "good", "good"),              // `Options::skew`
    ("skew_3min@strict", "reject", "reject"),
    ("sha1_signature", "reject", "reject"), // the algorithms that are handed in lack it
    ("x_dup_good_revoked", "revoked", "revoked"), // the strictest counts
    ("x_dup_expired_good", "good", "good"), // of those that count now
    ("x_produced_future", "reject", "reject"), // `Options::check_produced_at`
    ("x_produced_before_cert", "reject", "reject"),
    ("x_nonce_dup", "reject", "reject"), // RFC 5280 section 4.2: no extension twice
    ("x_junk_cert_first", "good", "good"), // one that cannot be read does not spoil the others
    ("x_two_signers_same_name", "good", "good"), // all of the name are tried
    ("x_many_singles_5000", "reject", "reject"), // `Limits::response`
    // Signed by the issuer, so revoked, for whatever reason.
    ("x_revoked_bad_reason7", "reject", "revoked"),
];

fn vectors() -> Vec<Value> {
    serde_json::from_slice(&file("vectors.json")).unwrap()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

fn options(vector: &Value) -> Options {
    let options = Options::default();
    match vector["policy"].as_str() {
        Some("allow_missing_next_update") => options.with_missing_next_update(true),
        Some("skew=0") => options.with_skew(Duration::ZERO),
        _ => options,
    }
}

fn verify(vector: &Value, options: Options) -> Result<Proof, ProofError> {
    let file = |field| file(text(vector, field));
    let (leaf, issuer, response) = (file("certificate"), file("issuer"), file("response"));
    let (leaf, issuer) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&issuer).unwrap());
    let check = Check::new(&leaf, [Issuer::from(&issuer)], webpki::ALL_VERIFICATION_ALGS).unwrap();
    check.with_options(options).verify(&response, time(text(vector, "time")))
}

fn word(verified: &Result<Proof, ProofError>) -> &'static str {
    match verified {
        Ok(proof) => proof.status.as_str(),
        Err(ProofError::Responder(_)) => "error-status",
        Err(_) => "reject",
    }
}

/// Whether the error is of the kind that the vector names.
fn is_cause(error: &ProofError, detail: &str) -> bool {
    use ProofError as E;
    match detail {
        "parse" => matches!(error, E::Malformed(_)),
        "limit" => {
            matches!(error, E::Malformed(DerError { fault: DerFault::Limit(_), .. }))
        }
        "signer-not-found" => matches!(error, E::SignerMissing { .. }),
        "unauthorized-signer" => matches!(
            error,
            E::SignerIssuer { .. } | E::SignerPurpose { .. } | E::SignerKeyUsage { .. }
        ),
        "signer-expired" => matches!(error, E::SignerExpired { .. }),
        "signer-not-yet-valid" => matches!(error, E::SignerNotYetValid { .. }),
        "bad-signature" => matches!(error, E::Signature { .. }),
        "bad-signature-or-signer" => matches!(error, E::Signature { .. } | E::SignerIssuer { .. }),
        "unsupported-algorithm" => matches!(error, E::Algorithm { .. }),
        "no-matching-single" => matches!(error, E::OtherCertificate),
        "critical-extension" => matches!(error, E::CriticalExtension(_)),
        "no-next-update" => matches!(error, E::NextUpdateMissing),
        "bad-times" => matches!(error, E::NextUpdateBeforeThis(_)),
        "not-yet-valid" => matches!(error, E::NotYetValid(_)),
        "expired" => matches!(error, E::Expired(_)),
        "produced-at" => matches!(error, E::ProducedAt(_)),
        "malformedRequest" => *error == E::Responder(ResponderError::MalformedRequest),
        "internalError" => *error == E::Responder(ResponderError::InternalError),
        "tryLater" => *error == E::Responder(ResponderError::TryLater),
        "sigRequired" => *error == E::Responder(ResponderError::SignatureRequired),
        "unauthorized" => *error == E::Responder(ResponderError::Unauthorized),
        other => panic!("no such cause: {other}"),
    }
}

#[test]
fn every_vector_is_as_expected() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 127);
    for vector in &vectors {
        let (name, expected) = (text(vector, "name"), &vector["expected"]);
        let verified = verify(vector, options(vector));
        let choice = CHOICES.iter().find(|(known, ..)| *known == name);
        assert_eq!(choice.is_some(), vector["policy"].is_string(), "{name}");
        let status = text(expected, "status");
        let wanted = choice.map_or(status, |(_, given, ours)| {
            assert_eq!(*given, status, "{name}");
            ours
        });
        assert_eq!(word(&verified), wanted, "{name}: {verified:?}");
        match &verified {
            Err(error) => assert!(is_cause(error, text(expected, "detail")), "{name}: {error:?}"),
            Ok(proof) => holds(name, proof, expected),
        }
    }
}

fn holds(name: &str, proof: &Proof, expected: &Value) {
    if let Some(until) = expected["effective_expiry"].as_str() {
        assert_eq!(proof.until, time(until), "{name}");
    }
    if let CertificateStatus::Revoked(revocation) = proof.status {
        let reason = expected["reason"].as_str();
        assert!(
            reason.is_none() || revocation.reason.map(RevocationReason::as_str) == reason,
            "{name}"
        );
        let since = expected["time"].as_str();
        assert!(since.is_none_or(|since| revocation.time == time(since)), "{name}");
    }
}

#[test]
fn no_changed_byte_of_a_response_makes_it_good_for_another_message() {
    for name in ["good_direct", "good_delegated", "p256_direct"] {
        let vectors = vectors();
        let vector = vectors.iter().find(|vector| vector["name"] == name).unwrap();
        let read = |field| file(text(vector, field));
        let (leaf, issuer, response) = (read("certificate"), read("issuer"), read("response"));
        let leaf = Certificate::parse(&leaf).unwrap();
        let issuer = Certificate::parse(&issuer).unwrap();
        let check =
            Check::new(&leaf, [Issuer::from(&issuer)], webpki::ALL_VERIFICATION_ALGS).unwrap();
        let proof = check.verify(&response, now()).unwrap();
        for at in 0..response.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = response.clone();
                *changed.get_mut(at).unwrap() ^= flip;
                let changed = check.verify(&changed, now());
                assert!(changed.is_err(), "{name}, byte {at}: {changed:?} of {proof:?}");
            }
        }
    }
}

#[test]
fn no_prefix_and_no_longer_input_is_a_response() {
    for name in ["responses/good_delegated.der", "responses/status_3.der"] {
        let response = file(name);
        let limits = ocsp_staple::Limits::default();
        ocsp_staple::Response::parse(&response, &limits).unwrap();
        for end in 0..response.len() {
            let prefix = response.get(..end).unwrap();
            let error = ocsp_staple::Response::parse(prefix, &limits).unwrap_err();
            assert!(error.at <= end, "{end}: {error}");
        }
        let longer = [&response[..], &[0]].concat();
        let error = ocsp_staple::Response::parse(&longer, &limits).unwrap_err();
        assert_eq!(error.fault, DerFault::Trailing);
        assert_eq!(error.at, response.len());
    }
}
