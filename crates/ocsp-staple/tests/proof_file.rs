//! Proofs in files that somebody else replaces.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use authority::{GOOD, later};
use data::file;
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{
    Certificate, Check, DerError, DerFault, Issuer, IssuerError, Look, ProofError, ProofFile,
    ProofFileError, replace_file,
};
use times::time;
use vector_time::now;
use world::{DAY, HOUR, World, after};

const SECOND: Duration = Duration::from_secs(1);

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ocsp-proof-file-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn with_check(leaf: &str, test: impl FnOnce(&Check<'_>)) {
    let (leaf, issuer) = (file(leaf), file("certificates/ca.der"));
    let (leaf, issuer) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&issuer).unwrap());
    let issuers = [Issuer::from(&issuer)];
    test(&Check::new(&leaf, issuers, webpki::ALL_VERIFICATION_ALGS).unwrap());
}

fn look(file: &mut ProofFile, check: &Check<'_>, at: UnixTime) -> Look {
    file.look(at, |response| Ok(check.verify(response, at)?))
}

const LEAF: &str = "certificates/leaf.der";

#[test]
fn a_proof_file_is_read_when_it_has_changed() {
    let path = directory("file").join("proof.der");
    with_check(LEAF, |check| {
        let mut proof = ProofFile::new(&path);
        let missing = ProofFileError::Unreadable(std::io::ErrorKind::NotFound);
        assert_eq!(look(&mut proof, check, now()), Look::Ignored(missing));
        assert_eq!(look(&mut proof, check, now()), Look::Unchanged, "it is told once");
        let good = file("responses/good_delegated.der");
        replace_file(&path, &good).unwrap();
        let until = time("2026-06-21T12:00:00Z");
        assert!(
            matches!(look(&mut proof, check, now()), Look::Loaded(proof) if proof.until == until)
        );
        assert_eq!(look(&mut proof, check, now()), Look::Unchanged);
        assert_eq!(proof.staple(now()).map(|staple| staple.response).as_deref(), Some(&good[..]));
        // At its end it is not stapled, though the file is the same.
        let end = time("2026-06-21T12:00:01Z");
        assert_eq!(proof.staple(end), None);
        assert_eq!(look(&mut proof, check, end), Look::Ignored(ProofFileError::Ended(until)));
        assert_eq!(look(&mut proof, check, end), Look::Unchanged);
        // A new one of the same length, in PEM, of a file that was replaced.
        let base64 = data_encoding::BASE64.encode(&good);
        let pem = format!(
            "# of the CA\n-----BEGIN OCSP RESPONSE-----\n{base64}\n-----END OCSP RESPONSE-----\n"
        );
        replace_file(&path, pem.as_bytes()).unwrap();
        assert!(matches!(look(&mut proof, check, now()), Look::Loaded(_)));
        assert_eq!(proof.staple(now()).map(|staple| staple.response).as_deref(), Some(&good[..]));
        fs::remove_file(&path).unwrap();
        assert!(matches!(look(&mut proof, check, now()), Look::Ignored(_)));
        assert_eq!(proof.staple(now()), None);
    });
}

#[test]
fn a_bad_proof_is_ignored_with_its_cause() {
    let path = directory("bad").join("proof.der");
    let mut looked = Vec::new();
    with_check(LEAF, |check| {
        let mut proof = ProofFile::new(&path);
        for name in ["no_next_update", "expired", "wrong_serial_good", "good_delegated_nocert"] {
            replace_file(&path, &file(&format!("responses/{name}.der"))).unwrap();
            looked.push(look(&mut proof, check, now()));
            assert_eq!(proof.staple(now()), None);
        }
        replace_file(&path, b"-----BEGIN CERTIFICATE-----\n").unwrap();
        looked.push(look(&mut proof, check, now()));
        replace_file(&path, b"").unwrap();
        looked.push(look(&mut proof, check, now()));
    });
    with_check("certificates/leafrev.der", |check| {
        replace_file(&path, &file("responses/revoked.der")).unwrap();
        looked.push(look(&mut ProofFile::new(&path), check, now()));
    });
    let causes: Vec<_> = looked
        .into_iter()
        .map(|look| if let Look::Ignored(error) = look { error.to_string() } else { String::new() })
        .collect();
    let empty = DerError { at: 0, field: "OCSPResponse", fault: DerFault::Incomplete };
    let empty = ProofFileError::Proof(ProofError::Malformed(empty));
    assert_eq!(
        causes,
        [
            "the OCSP response has no nextUpdate",
            "the OCSP response ended at 2026-06-08T12:00:00Z",
            "the OCSP response is about another certificate",
            "the OCSP response has no certificate of its signer, \"O=OCSP vectors, CN=OCSP signer\"",
            "it is not DER, and has no PEM block \"OCSP RESPONSE\"",
            &empty.to_string(),
            "the certificate is revoked since 2026-06-01T00:00:00Z: keyCompromise",
        ]
    );
}

/// As told by its responder's clock, of which ours is behind.
#[test]
fn a_proof_of_a_time_to_come_counts_when_that_has_come() {
    let path = directory("early").join("proof.der");
    let world = World::new(DAY * 90);
    world.run(|check, _| {
        replace_file(&path, &world.respond(GOOD, after(HOUR), DAY)).unwrap();
        let mut proof = ProofFile::new(&path);
        let early = ProofFileError::Proof(ProofError::NotYetValid(after(HOUR)));
        assert_eq!(look(&mut proof, check, now()), Look::Ignored(early));
        let mut looks = 0;
        let at = (1..5000_u32).map(|seconds| after(SECOND * seconds)).find(|at| {
            let look = proof.look(*at, |response| {
                looks += 1;
                Ok(check.verify(response, *at)?)
            });
            look != Look::Unchanged
        });
        let skew = Duration::from_secs(300);
        assert_eq!(at, Some(after(HOUR.checked_sub(skew).unwrap())));
        assert_eq!(looks, 330, "one in ten seconds");
        assert!(proof.staple(after(HOUR)).is_some());
    });
}

#[test]
fn a_fault_of_the_caller_is_no_fault_of_the_file() {
    let path = directory("caller").join("proof.der");
    replace_file(&path, &file("responses/good_delegated.der")).unwrap();
    with_check(LEAF, |check| {
        let mut proof = ProofFile::new(&path);
        let missing = || ProofFileError::Issuer(IssuerError::Unsupported);
        let ignored = Look::Ignored(missing());
        assert_eq!(proof.look(now(), |_| Err(missing())), ignored);
        assert_eq!(
            look(&mut proof, check, after(SECOND * 9)),
            Look::Unchanged,
            "not for each look"
        );
        assert_eq!(
            proof.look(after(SECOND * 10), |_| Err(missing())),
            Look::Unchanged,
            "told once"
        );
        let other = ProofFileError::Pem;
        let looked = proof.look(after(SECOND * 20), |_| Err(other.clone()));
        assert_eq!(looked, Look::Ignored(other));
        assert!(matches!(look(&mut proof, check, after(SECOND * 30)), Look::Loaded(_)));
    });
}

/// A proof that had ended by a clock that was ahead counts again when the clock is right.
#[test]
fn a_clock_that_is_set_back_has_a_proof_looked_at_again() {
    let path = directory("clock").join("proof.der");
    let world = World::new(DAY * 90);
    world.run(|check, _| {
        replace_file(&path, &world.respond(GOOD, now(), DAY)).unwrap();
        let mut proof = ProofFile::new(&path);
        assert!(matches!(look(&mut proof, check, now()), Look::Loaded(_)));
        let ahead = after(DAY * 2);
        let ended = Look::Ignored(ProofFileError::Ended(after(DAY)));
        assert_eq!(look(&mut proof, check, ahead), ended);
        let unchanged = proof.look(later(ahead, DAY), |_| panic!("it has not changed"));
        assert_eq!(unchanged, Look::Unchanged);
        assert!(matches!(look(&mut proof, check, after(HOUR)), Look::Loaded(_)));
        // The same of one that had ended when it was first seen.
        let mut proof = ProofFile::new(&path);
        let ended = Look::Ignored(ProofError::Expired(after(DAY)).into());
        assert_eq!(look(&mut proof, check, ahead), ended);
        assert!(matches!(look(&mut proof, check, after(HOUR)), Look::Loaded(_)));
    });
}
