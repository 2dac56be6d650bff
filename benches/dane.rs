//! Verifying servers by TLSA records, beside OpenSSL, both from the DER of the certificates.
//!
//! With `--test` each runs once. With `--instructions` instructions are counted instead of times, with
//! `--signature-checks` the signatures that OpenSSL and we verify.

mod any_signature;
mod dane_cases;
mod dane_hostile;
#[cfg(feature = "peers")]
mod dane_peer;
#[cfg(feature = "peers")]
mod dane_signatures;

use std::cell::OnceCell;
use std::hint::black_box;
use std::time::Duration;

use any_signature::AnySignature;
use benches::{Task, Work};
use dane_cases::{Case, NOW};
use dane_tlsa::rustls_pki_types::{UnixTime, alg_id};
use dane_tlsa::{Algorithms, Check};

/// The cases that OpenSSL runs too: those of the library's own tests, of the bars and of the instructions.
const BESIDE: [(&str, &str); 3] = [
    ("3 1 1", "extra-ee-expired"),
    ("2 0 1, two certificates", "extra-ta-int"),
    ("2 1 0, the key in the DNS", "extra-ta-210-root"),
];

fn main() {
    #[cfg(feature = "peers")]
    if std::env::args().any(|argument| argument == "--signature-checks") {
        return dane_signatures::count();
    }
    benches::run(&tasks());
}

fn tasks() -> Vec<Task> {
    let task = |name, works| Task { name, works };
    let beside = BESIDE.map(|(name, id)| task(name, beside(id)));
    // A signature costs what the provider takes for it; the rest is ours.
    let outside = |id| vec![("ours", verifier(id, &[&ANY]))];
    beside
        .into_iter()
        .chain([
            task("2 0 1 outside the provider", outside("extra-ta-int")),
            task("2 1 0 outside the provider", outside("extra-ta-210-root")),
            task("anchors that fail", hostile(dane_hostile::anchors)),
            task("paths that lead nowhere", hostile(dane_hostile::paths)),
        ])
        .collect()
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
    Box::new(move || verify(&case, algorithms))
}

/// Refuses what is made when it is first needed: that takes longest.
fn hostile(make: fn() -> Option<Case>) -> Vec<Work<'static>> {
    let case = OnceCell::new();
    let refuse = move || {
        let case = case.get_or_init(make).as_ref();
        case.is_some_and(|case| !verify(case, webpki::ALL_VERIFICATION_ALGS))
    };
    vec![("ours", Box::new(refuse))]
}

fn verify(case: &Case, algorithms: Algorithms<'_>) -> bool {
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.into()));
    let check = Check::new(&case.records, &case.names, algorithms);
    check.verify(black_box(&case.chain), now).is_match()
}

const ANY: AnySignature = AnySignature { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA256 };
