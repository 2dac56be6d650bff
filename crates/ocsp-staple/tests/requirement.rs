//! The decision of each requirement for each result of a staple: RFC 6066 section 8, RFC 7633.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use ocsp_staple::{
    Certificate, DerError, DerFault, IssuerError, ProofError, Requirement, StapleError, Stapled,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use vector_time::now;

/// A certificate that demands a staple, or not.
fn certificate(demands: bool) -> Vec<u8> {
    let mut params = CertificateParams::new(["mx.example".to_owned()]).unwrap();
    let feature = b"\x30\x03\x02\x01\x05".to_vec();
    let must_staple = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], feature);
    params.custom_extensions.extend(demands.then_some(must_staple));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn each_result_is_judged_by_the_requirement_and_the_certificate() {
    use Requirement::{Off, Request, Require};
    let malformed =
        IssuerError::Malformed(DerError { at: 1, field: "certificate", fault: DerFault::Value });
    let failed = StapleError::from(ProofError::CertificateExpired(now()));
    let none = [Stapled::NotRequested, Stapled::Missing];
    let mut rows = Vec::new();
    for missing in none {
        rows.push((Off, missing.clone(), [None, None]));
        rows.push((Request, missing.clone(), [None, Some(StapleError::MustStaple)]));
        rows.push((Require, missing, [Some(StapleError::Required), Some(StapleError::Required)]));
    }
    for (error, refused) in [
        (IssuerError::Unsupported, false),
        (IssuerError::TooMany { most: 16 }, true),
        (malformed, true),
    ] {
        let (stapled, cause) = (Stapled::NotVerified(error.clone()), StapleError::Issuer(error));
        let requested = refused.then(|| cause.clone());
        rows.push((Off, stapled.clone(), [None, None]));
        rows.push((Request, stapled.clone(), [requested, Some(cause.clone())]));
        rows.push((Require, stapled, [Some(cause.clone()), Some(cause)]));
    }
    let stapled = Stapled::Failed(failed.clone());
    rows.push((Off, stapled.clone(), [None, None]));
    for requirement in [Request, Require] {
        rows.push((requirement, stapled.clone(), [Some(failed.clone()), Some(failed.clone())]));
    }
    for (requirement, stapled, expected) in rows {
        for (demands, expected) in [false, true].into_iter().zip(expected) {
            let der = certificate(demands);
            let judged = requirement.judge(&Certificate::parse(&der).unwrap(), &stapled);
            assert_eq!(judged.err(), expected, "{requirement:?} {demands} {stapled}");
        }
    }
}
