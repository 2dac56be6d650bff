//! Public keys, and signatures verified with the algorithms that the caller hands in.

use der::SliceReader;
use rustls_pki_types::SignatureVerificationAlgorithm;

use crate::fields::{self, Field};

/// The algorithms that a signature may be made with, as of a rustls provider:
/// `provider.signature_verification_algorithms.all`.
pub type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// A public key, as the contents of its `SubjectPublicKeyInfo`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct PublicKey<'a> {
    algorithm: &'a [u8],
    pub(crate) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    pub(crate) fn read(reader: &mut SliceReader<'a>) -> Field<Self> {
        let algorithm = fields::algorithm(reader, "algorithm")?;
        Ok(Self { algorithm, bits: fields::bits(reader, "subjectPublicKey")? })
    }
}

/// The signed octets, and their signature.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Signed<'a> {
    /// The encoding that was signed.
    pub(crate) message: &'a [u8],
    /// The contents of its `AlgorithmIdentifier`.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum SignatureFault {
    /// None of the algorithms is the signature's.
    Unsupported,
    /// It was not made with this key.
    Wrong,
}

impl Signed<'_> {
    /// Verifies the signature by the key.
    pub(crate) fn verify(
        &self,
        key: &PublicKey<'_>,
        algorithms: Algorithms<'_>,
    ) -> Result<(), SignatureFault> {
        let mut fault = SignatureFault::Unsupported;
        for algorithm in algorithms {
            if algorithm.signature_alg_id().as_ref() != self.algorithm {
                continue;
            }
            if algorithm.public_key_alg_id().as_ref() == key.algorithm {
                let verified = algorithm.verify_signature(key.bits, self.message, self.signature);
                return verified.map_err(|_| SignatureFault::Wrong);
            }
            fault = SignatureFault::Wrong; // The key is of another kind.
        }
        Err(fault)
    }
}
