//! The vectors as staples: a client that requires one takes those that are good, and no other.
#![cfg(feature = "rustls")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/any_certificate.rs"]
mod any_certificate;
#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;

use std::sync::Arc;

use any_certificate::AnyCertificate;
use data::file;
use ocsp_staple::rustls::StapleVerifier;
use ocsp_staple::{Requirement, Stapled};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, Error};
use serde_json::Value;
use times::time;

#[test]
fn a_client_takes_good_vectors_and_no_other() {
    let vectors: Vec<Value> = serde_json::from_slice(&file("vectors.json")).unwrap();
    let algorithms = default_provider().signature_verification_algorithms;
    let name = ServerName::try_from("mx.example").unwrap();
    let (mut good, mut bad) = (0, 0);
    // The client of `no_next_update@lenient` has an option that this one has not.
    for vector in vectors.iter().filter(|vector| vector["name"] != "no_next_update@lenient") {
        let text = |field: &str| vector[field].as_str().unwrap();
        let (leaf, issuer) = (file(text("certificate")), file(text("issuer")));
        let (leaf, issuer) = (CertificateDer::from(leaf), CertificateDer::from(issuer));
        let response = file(text("response"));
        let is_strict = vector["policy"] == "skew=0";
        let is_good = vector["expected"]["status"] == "good" || is_strict;
        let now = time(text("time"));
        for requirement in [Requirement::Request, Requirement::Require] {
            let verifier = StapleVerifier::new(Arc::new(AnyCertificate), [].into(), algorithms)
                .with_requirement(requirement);
            let taken = verifier.verify_server_cert(
                &leaf,
                std::slice::from_ref(&issuer),
                &name,
                &response,
                now,
            );
            let stapled = verifier.stapled().unwrap();
            // What is empty is no staple, which not every client requires.
            let is_missing = response.is_empty() && requirement == Requirement::Request;
            if is_good || is_missing {
                taken.unwrap_or_else(|_| panic!("{vector} {requirement:?}: {stapled}"));
                good += 1;
            } else {
                let refused = Error::InvalidCertificate(CertificateError::InvalidOcspResponse);
                assert_eq!(taken.unwrap_err(), refused, "{vector} {requirement:?}: {stapled}");
                bad += 1;
            }
            assert_eq!(matches!(stapled, Stapled::Verified(_)), is_good, "{vector}: {stapled}");
        }
    }
    assert!(good > 60 && bad > 100, "{good} {bad}");
}
