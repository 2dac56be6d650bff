//! A signature algorithm without its work, so that a bench has the rest alone.

use ocsp_staple::rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm,
};

/// An algorithm that accepts every signature at once.
#[derive(Debug)]
pub(crate) struct AnySignature {
    /// The algorithm of the key.
    pub(crate) key: AlgorithmIdentifier,
    /// The algorithm of the signature.
    pub(crate) signature: AlgorithmIdentifier,
}

impl SignatureVerificationAlgorithm for AnySignature {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}
