//! Why no path leads from a server's certificate to a trust anchor: RFC 5280 section 6.

use rustls_pki_types::UnixTime;
use thiserror::Error;

use crate::time::Written;

/// Why no path leads from the server's certificate to a trust anchor.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum PathFault {
    /// The server's certificate, and those between, have other issuers.
    #[error("it has not issued the server's certificate, nor an authority's between")]
    Issuer,
    /// A certificate names the right issuer, but is not signed with its key.
    #[error("a certificate on the path is not signed with the key of its issuer")]
    Signature,
    /// A certificate is signed with an algorithm that was not handed in.
    #[error("a certificate on the path is signed with an unsupported algorithm")]
    Algorithm,
    /// A certificate has expired.
    #[error("a certificate on the path expired at {}", Written(*.not_after))]
    Expired {
        /// The last second in which it was valid.
        not_after: UnixTime,
    },
    /// A certificate is not valid yet.
    #[error("a certificate on the path is not valid before {}", Written(*.not_before))]
    NotYetValid {
        /// The first second in which it is valid.
        not_before: UnixTime,
    },
    /// A certificate that has issued another is not an authority's (`basicConstraints`).
    #[error("a certificate on the path has issued another, but is not an authority's")]
    NotAuthority,
    /// A key is used for what its certificate's `keyUsage` does not allow.
    #[error("keyUsage of a certificate on the path does not allow this use")]
    KeyUsage,
    /// There are more authorities between than a `pathLenConstraint` allows.
    #[error("the path is longer than pathLenConstraint of an authority allows")]
    PathLength,
    /// A name is not one that an authority may give.
    #[error("nameConstraints of an authority do not allow a name")]
    NameConstraints,
    /// A certificate is not meant for TLS servers (`extKeyUsage`).
    #[error("extKeyUsage of a certificate on the path does not allow TLS servers")]
    Purpose,
    /// A certificate has an extension that is critical and not known.
    #[error("a certificate on the path has an unknown critical extension")]
    CriticalExtension,
    /// A certificate is malformed, or of an old version.
    #[error("a certificate on the path is malformed, or not of version 3")]
    Malformed,
    /// There are too many ways to try.
    #[error("the certificates allow more paths than are tried")]
    Limit,
}

impl From<webpki::Error> for PathFault {
    fn from(error: webpki::Error) -> Self {
        use webpki::Error;
        match error {
            Error::UnknownIssuer => Self::Issuer,
            Error::InvalidSignatureForPublicKey => Self::Signature,
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | Error::SignatureAlgorithmMismatch => Self::Algorithm,
            Error::CertExpired { not_after, .. } => Self::Expired { not_after },
            Error::CertNotValidYet { not_before, .. } => Self::NotYetValid { not_before },
            Error::EndEntityUsedAsCa => Self::NotAuthority,
            Error::PathLenConstraintViolated => Self::PathLength,
            Error::NameConstraintViolation => Self::NameConstraints,
            Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Self::Purpose,
            Error::UnsupportedCriticalExtension => Self::CriticalExtension,
            Error::MaximumNameConstraintComparisonsExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumPathDepthExceeded
            | Error::MaximumSignatureChecksExceeded => Self::Limit,
            _ => Self::Malformed,
        }
    }
}
