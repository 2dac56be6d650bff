//! The public keys of signers, and the verification of their signatures by ring.

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use ring::digest::{SHA256, digest};
use ring::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::keys::KeyError;
use super::terms::Algorithm;

/// The public key of a signer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Reads the octets of `p=` for an algorithm.
    pub(crate) fn read(octets: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        if algorithm == Algorithm::Ed25519Sha256 {
            // RFC 8463 section 4: the plain octets.
            return match octets.len() {
                32 => Ok(Self::Ed25519(octets.to_vec())),
                _ => Err(KeyError::Malformed),
            };
        }
        let (n, e) = rsa(octets).map_err(|_| KeyError::Malformed)?;
        let zeros = n.first().map_or(0, |first| first.leading_zeros());
        let bits = 8 * n.len() - usize::try_from(zeros).unwrap_or_default();
        match bits {
            // RFC 8301 section 3.2.
            ..1024 => Err(KeyError::TooShort { bits }),
            1024..=MOST_BITS => Ok(Self::Rsa { n, e }),
            _ => Err(KeyError::TooLong { bits }),
        }
    }

    /// Tells whether this key has signed these octets.
    pub(crate) fn has_signed(&self, octets: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => {
                let parameters = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                RsaPublicKeyComponents { n, e }.verify(parameters, octets, signature).is_ok()
            }
            // RFC 8463 section 3: the signature is of the hash.
            Self::Ed25519(key) => {
                let hash = digest(&SHA256, octets);
                UnparsedPublicKey::new(&ED25519, key).verify(hash.as_ref(), signature).is_ok()
            }
        }
    }
}

/// Parses a `SubjectPublicKeyInfo` (RFC 5280 section 4.1) or, as some domains publish it, a bare
/// `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn rsa(octets: &[u8]) -> der::Result<(Vec<u8>, Vec<u8>)> {
    let mut outer = SliceReader::new(octets)?;
    let info = outer.sequence(|info| -> der::Result<_> {
        info.sequence(|algorithm| -> der::Result<_> {
            let identifier = AnyRef::decode(algorithm)?;
            if (identifier.tag(), identifier.value()) != (Tag::ObjectIdentifier, RSA_ENCRYPTION) {
                return Err(Tag::ObjectIdentifier.value_error().into());
            }
            Option::<AnyRef<'_>>::decode(algorithm).map(drop)
        })?;
        BitStringRef::decode(info)
    });
    let info = info.and_then(|key| outer.finish().map(|()| key));
    let key = match &info {
        Ok(key) => key.as_bytes().ok_or_else(|| Tag::BitString.value_error())?,
        Err(_) => octets,
    };
    let mut reader = SliceReader::new(key)?;
    let numbers = reader.sequence(|key| -> der::Result<_> {
        let (n, e) = (UintRef::decode(key)?, UintRef::decode(key)?);
        Ok((n.as_bytes().to_vec(), e.as_bytes().to_vec()))
    })?;
    reader.finish()?;
    Ok(numbers)
}

/// `rsaEncryption`: 1.2.840.113549.1.1.1.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// The longest RSA key. RFC 8301 requires at least 4096 bits; ring accepts this many.
const MOST_BITS: usize = 8192;
