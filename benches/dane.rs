//! Verifying servers by TLSA records, beside OpenSSL, both from the DER of the certificates.
//!
//! With `--test` each runs once. With `--instructions` instructions are counted instead of times.

mod any_signature;
mod dane_cases;
#[cfg(feature = "peers")]
mod dane_peer;

use std::hint::black_box;
use std::time::Duration;

use any_signature::AnySignature;
use benches::{Task, Work};
use dane_cases::{Case, NOW};
use dane_tlsa::rustls_pki_types::{UnixTime, alg_id};
use dane_tlsa::{Algorithms, Check};

fn main() {
    benches::run(&tasks());
}

fn tasks() -> Vec<Task> {
    let task = |name, bar, instructions, works| Task { name, bar, instructions, works };
    vec![
        task("3 1 1", 0.25, 9_500.0, beside("extra-ee-expired")),
        task("2 0 1, two certificates", 1.0, 840_000.0, beside("extra-ta-int")),
        task("2 1 0, the key in the DNS", 1.0, 1_620_000.0, beside("extra-ta-210-root")),
        // A signature costs what the provider takes for it; the rest is ours.
        task("2 0 1 outside the provider", 1.0, 41_000.0, {
            vec![("ours", verifier("extra-ta-int", &[&ANY]))]
        }),
        task("2 1 0 outside the provider", 1.0, 27_000.0, {
            vec![("ours", verifier("extra-ta-210-root", &[&ANY]))]
        }),
    ]
}

fn beside(id: &str) -> Vec<Work<'static>> {
    vec![
        ("ours", verifier(id, webpki::ALL_VERIFICATION_ALGS)),
        #[cfg(feature = "peers")]
        (
            "OpenSSL",
            Case::read(id).map_or_else(|| Box::new(|| false) as _, |it| dane_peer::verifier(&it)),
        ),
    ]
}

fn verifier(id: &str, algorithms: Algorithms<'static>) -> Box<dyn Fn() -> bool> {
    let Some(case) = Case::read(id) else { return Box::new(|| false) };
    Box::new(move || {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.into()));
        let check = Check::new(&case.records, &case.names, algorithms);
        check.verify(black_box(&case.chain), now).is_match()
    })
}

const ANY: AnySignature = AnySignature { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA256 };
