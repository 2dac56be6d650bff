//! What became of a header.

use thiserror::Error;

use crate::{Address, Endpoints, Header, HeaderError, Transport};

/// What became of the header that a connection had to begin with.
///
/// There is one only when all of a header was received and accepted, or it failed: nothing of a
/// header is to be seen before, or after a failure.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The proxy says for whom the connection is.
    Proxied {
        /// The client.
        source: Address,
        /// Where it connected to.
        destination: Address,
        /// What it speaks over.
        transport: Transport,
    },
    /// The connection is the proxy's own, as for a health check: the socket's addresses count.
    Local,
    /// The proxy does not know for whom the connection is: the socket's addresses count.
    Unknown,
    /// There was no header that could be accepted: close the connection, or refuse it as `Refusal` does.
    Failed(Failure),
}

impl Outcome {
    /// Returns the word for it: `proxied`, `local`, `unknown` or `failed`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Proxied { .. } => "proxied",
            Self::Local => "local",
            Self::Unknown => "unknown",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns why it failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(*failure),
            _ => None,
        }
    }
}

impl From<&Header<'_>> for Outcome {
    fn from(header: &Header<'_>) -> Self {
        match header.endpoints {
            Endpoints::Local => Self::Local,
            Endpoints::Unknown => Self::Unknown,
            Endpoints::Inet { transport, source, destination } => Self::Proxied {
                source: Address::Inet(source),
                destination: Address::Inet(destination),
                transport,
            },
            Endpoints::Unix { transport, source, destination } => {
                Self::Proxied { source: source.into(), destination: destination.into(), transport }
            }
        }
    }
}

/// Why there is no header that could be accepted.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// What came is no header, or a malformed one.
    #[error("{0}")]
    Header(HeaderError),
    /// The header was not complete in time.
    #[error("no complete header in time, but {received} bytes")]
    TimedOut {
        /// How many bytes had come.
        received: usize,
    },
    /// The peer closed the connection before the header was complete.
    #[error("the connection ended after {received} bytes, without a complete header")]
    EndOfInput {
        /// How many bytes had come.
        received: usize,
    },
}
