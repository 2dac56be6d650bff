//! A server's certificate that is an authority's too, for webpki, which takes no such.
//!
//! RFC 5280 section 6 does not ask whether the last certificate of a path is an authority's.

use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
};

use crate::certificate::Certificate;

/// A copy of a certificate that does not say that it is an authority's.
#[derive(Debug)]
pub(crate) struct Unlabelled<'a> {
    pub(crate) der: CertificateDer<'static>,
    /// The signed octets.
    signed: &'a [u8],
    /// Where it is in the copy.
    at: usize,
}

impl<'a> Unlabelled<'a> {
    /// Makes the copy, with another octet in the place where it says so.
    pub(crate) fn new(certificate: &Certificate<'a>, authority_at: usize) -> Self {
        let mut der = certificate.as_der().to_vec();
        if let Some(octet) = der.get_mut(authority_at) {
            *octet = 0;
        }
        let tbs = certificate.tbs();
        let at = tbs.at + tbs.contents.len() - tbs.encoded.len();
        Self { der: der.into(), signed: tbs.encoded, at }
    }

    /// Wraps an algorithm, so that it verifies what was signed and not its copy.
    pub(crate) fn wrap<'w>(
        &'w self,
        algorithm: &'w dyn SignatureVerificationAlgorithm,
    ) -> Verifier<'w> {
        let copy = self.der.get(self.at..self.at + self.signed.len()).unwrap_or_default();
        Verifier { algorithm, copy, signed: self.signed }
    }
}

/// An algorithm that takes the original for the copy.
#[derive(Debug)]
pub(crate) struct Verifier<'a> {
    algorithm: &'a dyn SignatureVerificationAlgorithm,
    copy: &'a [u8],
    signed: &'a [u8],
}

impl SignatureVerificationAlgorithm for Verifier<'_> {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let message = if message == self.copy { self.signed } else { message };
        self.algorithm.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}
