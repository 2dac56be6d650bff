//! Proofs as they are stored.

#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::time::Duration;

use authority::{Authority, GOOD, Said, Wanted, extension, later};
use data::file;
use ocsp_staple::{Certificate, CertificateStatus, Check, Issuer, Proof, RevocationReason};
use rustls_pki_types::UnixTime;
use serde_json::{Value, json};
use vector_time::now;

/// The proof of a response on 2026-06-15.
fn proof(response: &str, leaf: &str) -> Proof {
    verified(&file(leaf), &file("certificates/ca.der"), &file(response), now())
}

fn verified(leaf: &[u8], issuer: &[u8], response: &[u8], at: UnixTime) -> Proof {
    let (leaf, issuer) = (Certificate::parse(leaf).unwrap(), Certificate::parse(issuer).unwrap());
    let check = Check::new(&leaf, [Issuer::from(&issuer)], webpki::ALL_VERIFICATION_ALGS).unwrap();
    check.verify(response, at).unwrap()
}

fn is_stored_as(proof: &Proof, json: &Value) {
    assert_eq!(serde_json::to_value(proof).unwrap(), *json);
    assert_eq!(serde_json::from_value::<Proof>(json.clone()).unwrap(), *proof);
}

#[test]
fn a_proof_has_its_status_and_times() {
    let good = proof("responses/good_direct.der", "certificates/leaf.der");
    let json = serde_json::to_value(good).unwrap();
    assert_eq!((&json["status"], &json["signer"]), (&json!("good"), &json!("issuer")));
    is_stored_as(
        &good,
        &json!({
            "status": "good",
            "this_update": json["this_update"],
            "next_update": "2026-06-21T12:00:00Z",
            "produced_at": json["produced_at"],
            "until": "2026-06-21T12:00:00Z",
            "signer": "issuer",
            "has_nonce": false,
        }),
    );
    let revoked = proof("responses/revoked.der", "certificates/leafrev.der");
    let json = serde_json::to_value(revoked).unwrap();
    assert_eq!(
        json["status"],
        json!({"revoked": {"time": "2026-06-01T00:00:00Z", "reason": "keyCompromise"}})
    );
    is_stored_as(&revoked, &json);
    let delegated = proof("responses/good_delegated.der", "certificates/leaf.der");
    let json = serde_json::to_value(delegated).unwrap();
    assert!(json["signer"]["delegated"]["until"].is_string(), "{json}");
    is_stored_as(&delegated, &json);
}

#[test]
fn each_reason_has_its_name_in_rfc_5280() {
    for reason in [
        RevocationReason::Unspecified,
        RevocationReason::KeyCompromise,
        RevocationReason::CaCompromise,
        RevocationReason::AffiliationChanged,
        RevocationReason::Superseded,
        RevocationReason::CessationOfOperation,
        RevocationReason::CertificateHold,
        RevocationReason::RemoveFromCrl,
        RevocationReason::PrivilegeWithdrawn,
        RevocationReason::AaCompromise,
        RevocationReason::Unassigned,
    ] {
        let json = json!(reason.as_str());
        assert_eq!(serde_json::to_value(reason).unwrap(), json);
        assert_eq!(serde_json::from_value::<RevocationReason>(json).unwrap(), reason);
    }
}

#[test]
fn what_is_malformed_is_refused_with_its_cause() {
    for (value, cause) in [
        (json!({"revoked": {"time": "yesterday"}}), "not a time of RFC 3339 in UTC"),
        (json!({"revoked": {"reason": "superseded"}}), "missing field `time`"),
        (json!("fine"), "unknown variant `fine`, expected one of `good`, `revoked`, `unknown`"),
    ] {
        let error = serde_json::from_value::<CertificateStatus>(value).unwrap_err().to_string();
        assert!(error.starts_with(cause), "{error}");
    }
}

/// Times that no response has, so that a server would staple it for too long.
#[test]
fn a_proof_whose_times_do_not_fit_is_refused() {
    let good = proof("responses/good_direct.der", "certificates/leaf.der");
    let delegated = proof("responses/good_delegated.der", "certificates/leaf.der");
    let [good, mut delegated] = [good, delegated].map(|proof| serde_json::to_value(proof).unwrap());
    let refused = |json: &Value| {
        serde_json::from_value::<Proof>(json.clone()).err().map(|error| error.to_string())
    };
    for (field, time, cause) in [
        ("until", "2026-06-21T12:00:01Z", Some("until is after next_update")),
        ("until", "9999-12-31T23:59:59Z", Some("until is after next_update")),
        ("until", "2026-06-21T12:00:00Z", None),
        ("until", "2026-06-20T00:00:00Z", None),
        // It may be the end of a certificate, within the skew of the clocks.
        ("until", "2001-01-01T00:00:00Z", None),
        ("this_update", "2026-06-21T12:00:00Z", None),
        ("this_update", "2026-06-21T12:00:01Z", Some("next_update is before this_update")),
        ("next_update", "2001-01-01T00:00:00Z", Some("next_update is before this_update")),
    ] {
        let mut json = good.clone();
        json[field] = json!(time);
        assert_eq!(refused(&json).as_deref(), cause, "{field} {time}");
    }
    // Without nextUpdate the end of the certificate counts.
    let mut json = good;
    json["next_update"] = json!(null);
    json["until"] = json!("2030-01-01T00:00:00Z");
    assert_eq!(refused(&json), None);
    delegated["signer"]["delegated"]["until"] = json!("2026-06-16T00:00:00Z");
    let cause = "until is after the end of the signer's certificate";
    assert_eq!(refused(&delegated).as_deref(), Some(cause));
}

/// The clock of the responder is ahead, and the certificate ends before it says that it is good.
#[test]
fn a_proof_of_the_last_minute_is_read_back() {
    let (issuer, server) = (Authority::new("Issuer", 1), Authority::new("mx.example", 3));
    let validity = (now(), later(now(), Duration::from_secs(3600)));
    let must_staple = extension(b"\x2b\x06\x01\x05\x05\x07\x01\x18", b"\x30\x03\x02\x01\x05");
    let wanted = |serial, name, extensions| Wanted { serial, name, validity, extensions };
    let issuer_der = issuer.issue(&issuer, &wanted(9, "Issuer", &[]));
    let leaf = issuer.issue(&server, &wanted(1, "mx.example", &[must_staple]));
    let at = later(now(), Duration::from_secs(3550));
    let this = later(at, Duration::from_secs(200));
    let said =
        Said { produced_at: at, ..Said::new(GOOD, this, later(this, Duration::from_secs(9))) };
    let response = issuer.respond(&issuer, &said, None);
    let proof = verified(&leaf, &issuer_der, &response, at);
    assert!(proof.until < proof.this_update);
    is_stored_as(&proof, &serde_json::to_value(proof).unwrap());
}
