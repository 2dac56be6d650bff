//! The number of signatures that are verified for a case.

use std::sync::atomic::{AtomicUsize, Ordering};

use dane_tlsa::rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

use crate::dane_cases::Case;
use crate::{BESIDE, verify};

/// Counts OpenSSL's and ours.
///
/// # Panics
///
/// If we verify more.
pub(crate) fn count() {
    for (task, id, ..) in BESIDE {
        let openssl = benches::calls(task, "OpenSSL", "X509_verify");
        let counted = Counted::default();
        let verified = Case::read(id).is_some_and(|case| verify(&case, &[&counted]));
        let ours = counted.0.into_inner();
        println!("{task}: ours {ours} signatures, OpenSSL {openssl}");
        assert!(verified && ours <= openssl, "{task} must take no more than OpenSSL");
    }
}

/// An algorithm that counts signatures, and accepts each.
#[derive(Debug, Default)]
struct Counted(AtomicUsize);

impl SignatureVerificationAlgorithm for Counted {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}
