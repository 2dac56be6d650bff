//! A proof in a file, read by a process without free descriptors. There is no other test here: it would have
//! none either.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use data::file;
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{Certificate, Check, Issuer, Look, ProofFile, ProofFileError, replace_file};
use times::time;
use vector_time::now;

/// Whether a file is there, and which, can be told without a descriptor.
#[cfg(unix)]
#[test]
fn a_file_that_could_not_be_opened_is_opened_later() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ocsp-descriptors.der");
    replace_file(&path, &file("responses/good_delegated.der")).unwrap();
    let (leaf, issuer) = (file("certificates/leaf.der"), file("certificates/ca.der"));
    let (leaf, issuer) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&issuer).unwrap());
    let issuers = [Issuer::from(&issuer)];
    let check = Check::new(&leaf, issuers, webpki::ALL_VERIFICATION_ALGS).unwrap();
    let look = |proof: &mut ProofFile, at: UnixTime| {
        proof.look(at, |response| Ok(check.verify(response, at)?))
    };
    let mut proof = ProofFile::new(&path);
    let all: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let looked = look(&mut proof, now());
    drop(all);
    let Look::Ignored(ProofFileError::Unreadable(cause)) = looked else { panic!("{looked:?}") };
    assert_ne!(cause, ErrorKind::NotFound);
    let later = UnixTime::since_unix_epoch(Duration::from_secs(now().as_secs() + 10));
    assert!(later < time("2026-06-21T12:00:00Z"));
    assert!(matches!(look(&mut proof, later), Look::Loaded(_)));
    assert!(proof.staple(later).is_some());
}
