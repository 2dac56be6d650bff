//! Files: what was saved, and proofs that somebody else replaces.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::fs;
use std::path::{Path, PathBuf};

use data::file;
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{
    Certificate, Check, DerError, DerFault, Issuer, Look, ProofError, ProofFile, ProofFileError,
    Saved, SavedError, Store, StoreError, replace_file,
};
use times::time;
use vector_time::now;

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ocsp-store-{name}"));
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
fn what_is_saved_is_there_again() {
    let directory = directory("saved").join("new");
    let store = Store::new(&directory);
    let (leaf, other) = (file(LEAF), file("certificates/leafms.der"));
    let (leaf, other) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&other).unwrap());
    assert_eq!(store.load(&leaf).unwrap(), None);
    let text = b"ocsp-staple 1\nsince 5 failures 0 next 9\nresponse 3\nabc";
    let saved = Saved::parse(text).unwrap();
    store.save(&leaf, &saved).unwrap();
    assert_eq!(store.load(&leaf).unwrap(), Some(saved.clone()));
    assert_eq!(store.load(&other).unwrap(), None);
    // Nothing but the file is left, and it is named by the certificate.
    let entries: Vec<_> = fs::read_dir(&directory).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(entries, [store.path(&leaf)]);
    // Cut off, as by a full disk, it is an error that names the file.
    fs::write(store.path(&leaf), &text[..text.len() - 1]).unwrap();
    let error = store.load(&leaf).unwrap_err();
    let damaged = SavedError::Length { said: 3, found: 2 };
    assert!(matches!(&error, StoreError::Format { source, .. } if *source == damaged));
    assert!(error.to_string().ends_with(".ocsp is damaged"));
    // Where nothing can be written what was there stays.
    let blocked = directory.join("blocked");
    fs::write(&blocked, "a file").unwrap();
    let error = Store::new(&blocked).save(&leaf, &saved).unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }));
    assert_eq!(fs::read(&blocked).unwrap(), b"a file");
}

#[test]
fn every_part_of_the_format_is_checked() {
    for bad in [
        &b""[..],
        b"ocsp-staple 1\n",
        b"ocsp-staple 2\nsince 5 failures 0 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince 5 failures 0 next\nresponse 0\n",
        b"ocsp-staple 1\nsince 05 failures 0 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince +5 failures 0 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince 5 failures 4294967296 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince 5 failures 0 next 9\nresponse -1\n",
        b"ocsp-staple 1\nsince 5 failures 0 next 9\nresponse 0",
    ] {
        assert_eq!(Saved::parse(bad), Err(SavedError::Format), "{}", bad.escape_ascii());
    }
}

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
