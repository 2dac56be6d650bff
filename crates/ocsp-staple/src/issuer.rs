//! The issuer of a certificate, whose key signs proofs or certificates of signers.

use der::SliceReader;
use rustls_pki_types::TrustAnchor;
use thiserror::Error;

use crate::certificate::Certificate;
use crate::fields::{self, DerError};
use crate::name::Name;
use crate::signature::{Algorithms, PublicKey, SignatureFault};

/// A name and a key that may have issued a certificate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Issuer<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) key: PublicKey<'a>,
}

impl<'a> From<&Certificate<'a>> for Issuer<'a> {
    fn from(certificate: &Certificate<'a>) -> Self {
        Self { name: certificate.subject.clone(), key: certificate.key }
    }
}

impl<'a> TryFrom<&'a TrustAnchor<'_>> for Issuer<'a> {
    type Error = DerError;

    fn try_from(anchor: &'a TrustAnchor<'_>) -> Result<Self, DerError> {
        let info: &[u8] = anchor.subject_public_key_info.as_ref();
        let key = |reader: &mut SliceReader<'a>| PublicKey::read(reader);
        let key = fields::whole(info, "subjectPublicKeyInfo", key)?;
        Ok(Self { name: Name::from_contents(anchor.subject.as_ref()), key })
    }
}

#[cfg(feature = "rustls")]
impl<'a> Issuer<'a> {
    /// Reads the name and the key in a certificate. Nothing else in it matters here: a signature by
    /// the key tells whether it is the issuer.
    pub(crate) fn of_certificate(der: &'a [u8]) -> Result<Self, DerError> {
        fields::first_of_certificate(der, |reader| {
            let version = fields::next(reader, "version")? == Some(fields::context(0, true));
            for field in ["version", "serialNumber", "signature", "issuer", "validity"] {
                if version || field != "version" {
                    fields::any(reader, field)?;
                }
            }
            let name = Name::read(reader, "subject")?;
            let key = fields::sequence(reader, "subjectPublicKeyInfo", PublicKey::read)?;
            Ok(Self { name, key })
        })
    }
}

impl Issuer<'_> {
    /// Verifies that it has issued the certificate.
    ///
    /// # Errors
    ///
    /// [`IssuerError`] if it has another name or key, or if none of the algorithms is that of the
    /// certificate's signature.
    pub fn verify(
        &self,
        certificate: &Certificate<'_>,
        algorithms: Algorithms<'_>,
    ) -> Result<(), IssuerError> {
        if self.name != certificate.issuer {
            return Err(IssuerError::missing(certificate));
        }
        let verified = certificate.signed.verify(&self.key, algorithms);
        verified.map_err(|fault| match fault {
            SignatureFault::Unsupported => IssuerError::Unsupported,
            SignatureFault::Wrong => {
                IssuerError::Signature { issuer: self.name.clone().into_owned() }
            }
        })
    }
}

/// Why the issuer of a certificate cannot be used.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum IssuerError {
    /// No certificate of its issuer is there; a server's chain file may lack it.
    #[error("the certificate of the issuer \"{issuer}\" is missing")]
    Missing {
        /// The issuer, by the name in the certificate.
        issuer: Name<'static>,
    },
    /// The certificate of that name has another key than the one that signed.
    #[error("the issuer \"{issuer}\" has not signed the certificate with the key it has here")]
    Signature {
        /// The issuer, by its name.
        issuer: Name<'static>,
    },
    /// A certificate that may be the issuer's cannot be read.
    #[error("a certificate that may be the issuer's is malformed: {0}")]
    Malformed(DerError),
    /// Too many certificates have the issuer's name, and none of the first has signed.
    #[error("more than {most} certificates have the name of the issuer")]
    TooMany {
        /// The most that are tried.
        most: usize,
    },
    /// The certificate is signed with an algorithm that was not handed in.
    #[error("the certificate is signed with an unsupported algorithm")]
    Unsupported,
}

impl IssuerError {
    pub(crate) fn missing(certificate: &Certificate<'_>) -> Self {
        Self::Missing { issuer: certificate.issuer.clone().into_owned() }
    }
}
