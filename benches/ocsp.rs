//! Reading and verifying OCSP responses, beside x509-ocsp, which reads only, and OpenSSL.
//!
//! With `--test` each runs once. With `--instructions` instructions are counted instead of times.

mod any_signature;
mod ocsp_handshake;
#[cfg(feature = "peers")]
mod ocsp_peers;

use std::hint::black_box;
use std::time::Duration;

use any_signature::AnySignature;
use benches::{Task, Work};
use ocsp_staple::rustls_pki_types::{UnixTime, alg_id};
use ocsp_staple::{Algorithms, Certificate, CertificateStatus, Check, Issuer, Limits, Response};

fn main() {
    benches::run(&tasks());
}

const DELEGATED: &[u8] =
    include_bytes!("../crates/ocsp-staple/tests/data/responses/good_delegated.der");
const LEAF: &[u8] = include_bytes!("../crates/ocsp-staple/tests/data/certificates/leaf.der");
const ISSUER: &[u8] = include_bytes!("../crates/ocsp-staple/tests/data/certificates/ca.der");
/// When the response is to be verified: 2026-06-15T12:00:00Z.
const NOW: u64 = 1_781_524_800;

fn tasks() -> Vec<Task> {
    let parse: Vec<Work<'static>> = vec![
        ("ours", Box::new(|| Response::parse(black_box(DELEGATED), &Limits::default()).is_ok())),
        #[cfg(feature = "peers")]
        ("x509-ocsp", Box::new(|| ocsp_peers::parse(black_box(DELEGATED)))),
    ];
    let verify: Vec<Work<'static>> = vec![
        ("ours", verifier(webpki::ALL_VERIFICATION_ALGS)),
        #[cfg(feature = "peers")]
        ("OpenSSL", ocsp_peers::verifier(DELEGATED, LEAF, ISSUER, NOW)),
    ];
    // Two signatures cost what the provider takes for them; the rest is ours.
    let outside: Vec<Work<'static>> = vec![("ours", verifier(&[&ANY]))];
    // What no peer does: the other is the same without a staple.
    let handshake: Vec<Work<'static>> = vec![
        ("ours", ocsp_handshake::handshake(Some(DELEGATED))),
        ("without", ocsp_handshake::handshake(None)),
    ];
    let task = |name, works| Task { name, works };
    vec![
        task("parse, delegated", parse),
        task("parse and verify, delegated", verify),
        task("the same outside the provider", outside),
        task("handshake with a staple", handshake),
    ]
}

fn verifier(algorithms: Algorithms<'static>) -> Box<dyn Fn() -> bool> {
    Box::new(move || {
        thread_local! {
            static CERTIFICATES: Option<[Certificate<'static>; 2]> =
                Certificate::parse(LEAF).ok().zip(Certificate::parse(ISSUER).ok()).map(Into::into);
        }
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        CERTIFICATES.with(|certificates| {
            let Some([leaf, issuer]) = certificates else { return false };
            let Ok(check) = Check::new(leaf, [Issuer::from(issuer)], algorithms) else {
                return false;
            };
            let proof = check.verify(black_box(DELEGATED), now);
            proof.is_ok_and(|proof| proof.status == CertificateStatus::Good)
        })
    })
}

const ANY: AnySignature =
    AnySignature { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA256 };
