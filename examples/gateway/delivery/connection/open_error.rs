//! The failures to open a connection.

use std::io;

use mail_types::smtp::Reply;
use ocsp_staple::{StapleError, Stapled};
use rustls::{CertificateError, OtherError};
use thiserror::Error;

use super::failure::{failure, said};
use crate::gateway::delivery::server_check::ServerCheck;
use crate::gateway::events::delivery_attempt::{ERRNO_TLSFAILURE, ERRNO_TLSREQUIRED, Failure};
use crate::gateway::smtp::client::{CannotTake, Lost};

/// The reason why no mail can be sent to an address now.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum OpenError {
    /// An action of `tcp:connect` has refused the connection.
    #[error("refused by an action of tcp:connect")]
    ConnectRefused,
    /// An action of `smtp:connect` has refused to continue after the greeting.
    #[error("refused by an action of smtp:connect")]
    GreetingRefused,
    /// There is no connection.
    #[error("{}", .0.text)]
    Unreachable(Failure),
    /// The session is lost, after this command.
    #[error("{reason}, after {stage}")]
    Lost { reason: Lost, stage: String },
    /// TLS is required, and `STARTTLS` is not offered.
    #[error("a TLS session is required, but the server did not offer TLS support")]
    TlsNotOffered,
    /// TLS is required, and the server has refused `STARTTLS` with this reply.
    #[error("a TLS session is required, but the server refused STARTTLS: {0}")]
    TlsRefused(Reply),
    /// An action of `tls:cert` has refused the certificate of this depth.
    #[error("certificate {0} refused by an action of tls:cert")]
    CertificateRefused(usize),
    /// The handshake has failed.
    #[error("TLS session: {0}")]
    Handshake(HandshakeError),
    /// The server lacks an extension or room for the message.
    #[error(transparent)]
    CannotTake(#[from] CannotTake),
}

/// The reason of a failed handshake.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum HandshakeError {
    #[error("{text}")]
    Tls { error: rustls::Error, text: String },
    #[error("the server closed the connection in the handshake")]
    Closed,
    #[error("the server did not complete the handshake in time")]
    Slow,
}

impl HandshakeError {
    /// Reads the error of a handshake with this check of the server.
    pub(crate) fn of(error: &io::Error, check: &ServerCheck) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(error) = tls.cloned() else { return Self::Closed };
        let text = match &error {
            rustls::Error::InvalidCertificate(CertificateError::InvalidOcspResponse) => {
                check.staple_refusal()
            }
            // Its certificate cannot be read as far as a staple needs it.
            rustls::Error::InvalidCertificate(CertificateError::BadEncoding)
                if matches!(check.stapled(), Stapled::Failed(StapleError::Certificate(_))) =>
            {
                check.staple_refusal()
            }
            // rustls shows what a verifier says for programmers only.
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
                format!("invalid peer certificate: {cause}")
            }
            error => error.to_string(),
        };
        Self::Tls { error, text }
    }
}

impl OpenError {
    /// Returns the error for events, if it was not reported yet.
    pub(super) fn failure(&self) -> Option<Failure> {
        let (text, errno) = match self {
            Self::ConnectRefused | Self::GreetingRefused | Self::CertificateRefused(_) => {
                return None;
            }
            Self::Unreachable(failure) => return Some(failure.clone()),
            Self::Lost { reason, stage } => return failure(reason, stage),
            Self::TlsRefused(reply) => (said(reply, "STARTTLS"), ERRNO_TLSREQUIRED),
            Self::TlsNotOffered => (self.to_string(), ERRNO_TLSREQUIRED),
            Self::CannotTake(_) => (self.to_string(), 0),
            Self::Handshake(_) => (self.to_string(), ERRNO_TLSFAILURE),
        };
        Some(Failure { text, errno })
    }
}
