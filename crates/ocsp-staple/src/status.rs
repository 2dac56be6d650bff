//! What a responder says of a certificate: RFC 6960 sections 2.2, 2.3 and 4.2.1.

use std::fmt;

use der::SliceReader;
use rustls_pki_types::UnixTime;
use thiserror::Error;

use crate::fields::{self, DerFault, Field};
use crate::time::Written;

/// Whether a certificate is revoked, as its issuer has it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[expect(clippy::exhaustive_enums, reason = "the standard knows just these")]
pub enum CertificateStatus {
    /// It is not revoked.
    Good,
    /// It is revoked, or on hold.
    Revoked(Revocation),
    /// The responder does not know it.
    Unknown,
}

impl CertificateStatus {
    /// Returns its word in RFC 6960: `good`, `revoked` or `unknown`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked(_) => "revoked",
            Self::Unknown => "unknown",
        }
    }

    /// How strict it is: of several, the strictest counts.
    pub(crate) fn strictness(&self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Unknown => 1,
            Self::Revoked(_) => 2,
        }
    }

    pub(crate) fn read(reader: &mut SliceReader<'_>) -> Field<Self> {
        const FIELD: &str = "certStatus";
        let tag = fields::next(reader, FIELD)?;
        if tag == Some(fields::context(1, true)) {
            let read = |reader: &mut _| Revocation::read(reader);
            return fields::nested(reader, fields::context(1, true), FIELD, read)
                .map(Self::Revoked);
        }
        let (number, status) = match tag {
            Some(tag) if tag == fields::context(2, false) => (2, Self::Unknown),
            _ => (0, Self::Good),
        };
        let wrong = fields::fault(reader, FIELD, DerFault::Length);
        match fields::contents(reader, fields::context(number, false), FIELD)? {
            [] => Ok(status),
            _ => Err(wrong),
        }
    }
}

impl fmt::Display for CertificateStatus {
    /// Writes `good`, `unknown to the responder`, or since when and why it is revoked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Revoked(revocation) => revocation.fmt(f),
            Self::Unknown => f.write_str("unknown to the responder"),
        }
    }
}

/// Since when a certificate is revoked, and why.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct Revocation {
    /// Since when; it may be a time to come.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde::time"))]
    pub time: UnixTime,
    /// Why, if the issuer says so.
    pub reason: Option<RevocationReason>,
}

impl Revocation {
    fn read(reader: &mut SliceReader<'_>) -> Field<Self> {
        let time = fields::generalized_time(reader, "revocationTime")?;
        let reason = fields::explicit(reader, 0, "revocationReason", |reader| {
            fields::enumerated(reader, "revocationReason").map(RevocationReason::from_contents)
        })?;
        Ok(Self { time, reason })
    }

    /// Tells whether the certificate was never issued: on hold since 1970 ([RFC 6960 section 2.2]).
    ///
    /// [RFC 6960 section 2.2]: https://www.rfc-editor.org/rfc/rfc6960#section-2.2
    ///
    /// ```
    /// use ocsp_staple::{CertificateStatus, Limits, Response, RevocationReason};
    ///
    /// let der = include_bytes!("../tests/data/responses/x_nonissued_1970.der");
    /// let Response::Successful(response) = Response::parse(der, &Limits::default())? else { unreachable!() };
    /// let status = response.responses().next().ok_or("about no certificate")?.status();
    /// let CertificateStatus::Revoked(revocation) = status else { unreachable!() };
    /// assert!(revocation.is_non_issued() && status.as_str() == "revoked");
    /// assert_eq!(revocation.reason.map(RevocationReason::as_str), Some("certificateHold"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_non_issued(&self) -> bool {
        self.time.as_secs() == 0 && self.reason == Some(RevocationReason::CertificateHold)
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_non_issued() {
            return f.write_str("revoked: it was never issued");
        }
        write!(f, "revoked since {}", Written(self.time))?;
        self.reason.map_or(Ok(()), |reason| write!(f, ": {}", reason.as_str()))
    }
}

/// Why a certificate is revoked: RFC 5280 section 5.3.1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "camelCase")
)]
#[non_exhaustive]
pub enum RevocationReason {
    /// `unspecified`.
    Unspecified,
    /// `keyCompromise`.
    KeyCompromise,
    /// `cACompromise`.
    #[cfg_attr(feature = "serde", serde(rename = "cACompromise"))]
    CaCompromise,
    /// `affiliationChanged`.
    AffiliationChanged,
    /// `superseded`.
    Superseded,
    /// `cessationOfOperation`.
    CessationOfOperation,
    /// `certificateHold`: it may become good again.
    CertificateHold,
    /// `removeFromCRL`.
    #[cfg_attr(feature = "serde", serde(rename = "removeFromCRL"))]
    RemoveFromCrl,
    /// `privilegeWithdrawn`.
    PrivilegeWithdrawn,
    /// `aACompromise`.
    #[cfg_attr(feature = "serde", serde(rename = "aACompromise"))]
    AaCompromise,
    /// A number that is not assigned, as 7; the certificate is revoked all the same.
    Unassigned,
}

impl RevocationReason {
    fn from_contents(contents: &[u8]) -> Self {
        match contents {
            [0] => Self::Unspecified,
            [1] => Self::KeyCompromise,
            [2] => Self::CaCompromise,
            [3] => Self::AffiliationChanged,
            [4] => Self::Superseded,
            [5] => Self::CessationOfOperation,
            [6] => Self::CertificateHold,
            [8] => Self::RemoveFromCrl,
            [9] => Self::PrivilegeWithdrawn,
            [10] => Self::AaCompromise,
            _ => Self::Unassigned,
        }
    }

    /// Returns its name in RFC 5280.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
            Self::Unassigned => "unassigned",
        }
    }
}

/// Why a responder gives no answer. It is not signed: anyone on the way can say it.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the standard knows just these")]
pub enum ResponderError {
    /// It does not understand the request.
    #[error("the responder answers malformedRequest")]
    MalformedRequest,
    /// It is broken.
    #[error("the responder answers internalError")]
    InternalError,
    /// It is busy.
    #[error("the responder answers tryLater")]
    TryLater,
    /// It wants the request signed.
    #[error("the responder answers sigRequired")]
    SignatureRequired,
    /// It does not serve us, or, as often, has no record of the certificate (RFC 5019 section 2.2.3).
    #[error("the responder answers unauthorized: it may have no record of the certificate yet")]
    Unauthorized,
}

impl ResponderError {
    /// Reads a status; `None` is success.
    pub(crate) fn read(reader: &mut SliceReader<'_>) -> Field<Option<Self>> {
        let unknown = fields::fault(reader, "responseStatus", DerFault::Value);
        Ok(match fields::enumerated(reader, "responseStatus")? {
            [0] => None,
            [1] => Some(Self::MalformedRequest),
            [2] => Some(Self::InternalError),
            [3] => Some(Self::TryLater),
            [5] => Some(Self::SignatureRequired),
            [6] => Some(Self::Unauthorized),
            _ => return Err(unknown),
        })
    }
}
