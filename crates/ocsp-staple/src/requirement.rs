//! A client's requirement of staples, and the result: RFC 6066 section 8, RFC 7633.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::certificate::Certificate;
use crate::fields::DerError;
use crate::issuer::IssuerError;
use crate::proof::{Proof, ProofError};
use crate::status::{CertificateStatus, Revocation};

/// A client's requirement: Exim's `hosts_request_ocsp` and `hosts_require_ocsp`.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::rustls_pki_types::UnixTime;
/// use ocsp_staple::{Certificate, Check, Issuer, Requirement, StapleError, Stapled};
///
/// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
/// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
/// # let response = include_bytes!("../tests/data/responses/good_delegated.der");
/// # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_781_524_800));
/// # let algorithms = webpki::ALL_VERIFICATION_ALGS;
/// let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
/// let check = Check::new(&leaf, [Issuer::from(&issuer)], algorithms)?;
/// let stapled = Stapled::of(check.verify(response, now));
/// assert_eq!(stapled.variable("tls_out_ocsp").as_deref(), Some("4"));
/// assert_eq!(Requirement::Require.judge(&leaf, &stapled), Ok(()));
/// assert_eq!(Requirement::Request.judge(&leaf, &Stapled::Missing), Ok(()));
/// assert_eq!(Requirement::Require.judge(&leaf, &Stapled::Missing), Err(StapleError::Required));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "these are the options there are")]
pub enum Requirement {
    /// Staples are not looked at, not even where the certificate demands one.
    Off,
    /// A staple that is there must be good, and one must be there if the certificate demands it. Where
    /// the issuer's certificate is missing, or is of another key or an unsupported algorithm, a staple
    /// counts as none: see [`Stapled::NotVerified`].
    #[default]
    Request,
    /// There must be a good staple.
    Require,
}

/// The result of a staple.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Stapled {
    /// It was not looked at.
    NotRequested,
    /// The server sent none.
    Missing,
    /// It could not be verified, since no certificate is there that is surely the issuer's. It is refused
    /// if one of those that are there cannot be read ([`IssuerError::Malformed`],
    /// [`IssuerError::TooMany`]).
    NotVerified(IssuerError),
    /// The staple does not prove that the certificate is good.
    Failed(StapleError),
    /// The certificate is good.
    Verified(Proof),
}

impl Requirement {
    /// Decides whether the connection may continue with this certificate and result.
    ///
    /// # Errors
    ///
    /// [`StapleError`] if the client is to end the connection, with the alert
    /// `bad_certificate_status_response`.
    pub fn judge(
        self,
        certificate: &Certificate<'_>,
        stapled: &Stapled,
    ) -> Result<(), StapleError> {
        self.judge_by(certificate.requires_staple(), stapled)
    }

    /// Decides for a certificate that demands a staple or not.
    pub(crate) fn judge_by(self, demanded: bool, stapled: &Stapled) -> Result<(), StapleError> {
        let required = match self {
            Self::Off => return Ok(()),
            Self::Request if demanded => StapleError::MustStaple,
            Self::Request => return stapled.failure().map_or(Ok(()), Err),
            Self::Require => StapleError::Required,
        };
        match stapled {
            Stapled::Verified(_) => Ok(()),
            Stapled::Failed(error) => Err(error.clone()),
            Stapled::NotVerified(error) => Err(StapleError::Issuer(error.clone())),
            Stapled::NotRequested | Stapled::Missing => Err(required),
        }
    }
}

impl Stapled {
    /// Returns the result for a verified response, or for the reason to refuse it.
    #[must_use]
    pub fn of(verified: Result<Proof, ProofError>) -> Self {
        match verified {
            Ok(proof) => match proof.status {
                CertificateStatus::Good => Self::Verified(proof),
                CertificateStatus::Revoked(revocation) => {
                    Self::Failed(StapleError::Revoked(revocation))
                }
                CertificateStatus::Unknown => Self::Failed(StapleError::Unknown),
            },
            Err(error) => Self::Failed(error.into()),
        }
    }

    fn failure(&self) -> Option<StapleError> {
        match self {
            Self::Failed(error) => Some(error.clone()),
            // RFC 6066 section 8: it may well say that the certificate is revoked.
            Self::NotVerified(
                error @ (IssuerError::Malformed(_) | IssuerError::TooMany { .. }),
            ) => Some(error.clone().into()),
            _ => None,
        }
    }

    /// Returns the value of an Exim variable, or `None` if this crate does not know it:
    /// `tls_out_ocsp` is 0 if none was asked for, 1 if none came, 2 if it was not verified, 3 if it
    /// failed, 4 if it is good. With rustls 0.23, which asks always, 0 means that it was not looked
    /// at.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Cow<'static, str>> {
        (name == "tls_out_ocsp").then_some(Cow::Borrowed(match self {
            Self::NotRequested => "0",
            Self::Missing => "1",
            Self::NotVerified(_) => "2",
            Self::Failed(_) => "3",
            Self::Verified(_) => "4",
        }))
    }
}

impl fmt::Display for Stapled {
    /// Writes a line for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRequested => f.write_str("no OCSP staple was asked for"),
            Self::Missing => f.write_str("the server sent no OCSP staple"),
            Self::NotVerified(error) => write!(f, "the OCSP staple was not verified: {error}"),
            Self::Failed(error) => write!(f, "the OCSP staple failed: {error}"),
            Self::Verified(proof) => write!(f, "the OCSP staple is {proof}"),
        }
    }
}

/// Why a client ends a connection because of a staple.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum StapleError {
    /// The server sent none, and one is required.
    #[error("the server sent no OCSP staple, and one is required")]
    Required,
    /// The server sent none, and its certificate demands one.
    #[error("the server sent no OCSP staple, which its certificate demands (must-staple)")]
    MustStaple,
    /// The certificate of the server cannot be read.
    #[error("the certificate of the server is malformed: {0}")]
    Certificate(#[from] DerError),
    /// It proves nothing.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The issuer is missing or cannot be used.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The certificate is revoked.
    #[error("server certificate revoked: it is {0}")]
    Revoked(Revocation),
    /// The responder does not know the certificate.
    #[error("the responder does not know the certificate of the server")]
    Unknown,
}
