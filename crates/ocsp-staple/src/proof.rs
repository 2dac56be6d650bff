//! Verified responses, and the reasons to refuse one.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::UnixTime;
use thiserror::Error;

use crate::extension::Oid;
use crate::fields::DerError;
use crate::response::Responder;
use crate::status::{CertificateStatus, ResponderError};
use crate::time::Written;

/// What a verified response proves of a certificate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(try_from = "crate::serde::StoredProof")
)]
#[non_exhaustive]
pub struct Proof {
    /// Whether the certificate is revoked.
    pub status: CertificateStatus,
    /// When that was known to be so.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde::time"))]
    pub this_update: UnixTime,
    /// By when there is newer word, if the response says so.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::serde::optional_time"))]
    pub next_update: Option<UnixTime>,
    /// When it was signed.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde::time"))]
    pub produced_at: UnixTime,
    /// The last second for which it counts: the earliest of `nextUpdate`, the end of the signer's
    /// certificate and the end of the certificate that it is about. No skew is in it.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde::time"))]
    pub until: UnixTime,
    /// The signer.
    pub signer: Signer,
    /// Whether it has the nonce that was sent.
    pub has_nonce: bool,
}

impl Proof {
    /// Tells whether a server may staple it now: it is good, and has not ended.
    #[must_use]
    pub fn is_to_be_stapled(&self, now: UnixTime) -> bool {
        self.status == CertificateStatus::Good && now <= self.until
    }
}

impl fmt::Display for Proof {
    /// Writes the status and until when it counts: `good, until 2026-06-21T12:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, until {}", self.status, Written(self.until))
    }
}

/// A good response to be stapled: the octets that came, and until when they count.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a server needs just these")]
pub struct Staple {
    /// The DER of the response.
    pub response: Arc<[u8]>,
    /// The last second for which it may be served.
    pub until: UnixTime,
}

/// The signer of a response.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Signer {
    /// The issuer of the certificate.
    Issuer,
    /// A signer with a certificate of the issuer for the purpose `OCSPSigning`.
    Delegated {
        /// The last second of that certificate.
        #[cfg_attr(feature = "serde", serde(with = "crate::serde::time"))]
        until: UnixTime,
        /// Whether that certificate need not be checked for revocation itself (`ocsp-nocheck`). If
        /// not, it is taken all the same: checking it would need another response.
        no_check: bool,
    },
}

/// Why a response proves nothing.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProofError {
    /// It is no response.
    #[error("the OCSP response is malformed: {0}")]
    Malformed(#[from] DerError),
    /// The responder gives no answer.
    #[error(transparent)]
    Responder(#[from] ResponderError),
    /// It is not signed by the issuer, and does not contain the certificate of its signer.
    #[error("the OCSP response has no certificate of its signer, {responder}")]
    SignerMissing {
        /// The signer, as the response names it.
        responder: Responder<'static>,
    },
    /// The signer's certificate is not from the issuer of the certificate, by its name and key.
    #[error(
        "the certificate of the signer, {responder}, is not from the issuer of the certificate"
    )]
    SignerIssuer {
        /// The signer, as the response names it.
        responder: Responder<'static>,
    },
    /// The signer's certificate lacks the purpose `OCSPSigning`.
    #[error("the certificate of the signer, {responder}, lacks the purpose OCSPSigning")]
    SignerPurpose {
        /// The signer, as the response names it.
        responder: Responder<'static>,
    },
    /// The signer's certificate has a `keyUsage` without signatures.
    #[error("keyUsage in the certificate of the signer, {responder}, allows no signatures")]
    SignerKeyUsage {
        /// The signer, as the response names it.
        responder: Responder<'static>,
    },
    /// The signer's certificate has a critical extension that is not known.
    #[error("the certificate of the signer, {responder}, has the unknown critical extension {oid}")]
    SignerExtension {
        /// The signer, as the response names it.
        responder: Responder<'static>,
        /// The extension.
        oid: Oid,
    },
    /// The signer's certificate is not valid yet.
    #[error("the certificate of the signer, {responder}, is not valid before {}", Written(*.from))]
    SignerNotYetValid {
        /// The signer, as the response names it.
        responder: Responder<'static>,
        /// Its first second.
        from: UnixTime,
    },
    /// The signer's certificate has ended, maybe before `nextUpdate`.
    #[error("the certificate of the signer, {responder}, ended at {}", Written(*.until))]
    SignerExpired {
        /// The signer, as the response names it.
        responder: Responder<'static>,
        /// Its last second.
        until: UnixTime,
    },
    /// The response, or the signer's certificate, is signed with an algorithm that was not handed
    /// in: SHA-1, as a rule.
    #[error("the signature of {responder} has an unsupported algorithm")]
    Algorithm {
        /// The signer, as the response names it.
        responder: Responder<'static>,
    },
    /// The signature is wrong.
    #[error("the signature of {responder} is wrong")]
    Signature {
        /// The signer, as the response names it.
        responder: Responder<'static>,
    },
    /// It has a critical extension that is not known.
    #[error("the OCSP response has the unknown critical extension {0}")]
    CriticalExtension(Oid),
    /// It is about other certificates: of another number, or of another issuer's name or key.
    #[error("the OCSP response is about another certificate")]
    OtherCertificate,
    /// It has no `nextUpdate`.
    #[error("the OCSP response has no nextUpdate")]
    NextUpdateMissing,
    /// `nextUpdate` is before `thisUpdate`.
    #[error("nextUpdate of the OCSP response, {}, is before thisUpdate", Written(*.0))]
    NextUpdateBeforeThis(UnixTime),
    /// `thisUpdate` is yet to come.
    #[error("the OCSP response does not count before {}", Written(*.0))]
    NotYetValid(UnixTime),
    /// `nextUpdate` has gone by, or the answer is older than it may be.
    #[error("the OCSP response ended at {}", Written(*.0))]
    Expired(UnixTime),
    /// It was signed in time to come, or outside the certificate's validity.
    #[error("producedAt of the OCSP response, {}, is in the future, or outside the validity of the certificate", Written(*.0))]
    ProducedAt(UnixTime),
    /// The certificate itself has ended.
    #[error("the certificate ended at {}", Written(*.0))]
    CertificateExpired(UnixTime),
    /// It has another nonce than the one that was sent.
    #[error("the OCSP response has another nonce")]
    NonceDiffers,
    /// It lacks the nonce that was sent and is required.
    #[error("the OCSP response has no nonce")]
    NonceMissing,
}
