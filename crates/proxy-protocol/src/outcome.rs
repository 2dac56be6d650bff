//! The outcome of a required header.

use thiserror::Error;

use crate::{Address, Endpoints, Header, HeaderError, Transport};

/// The outcome of the header that a connection had to begin with.
///
/// It exists only after the whole header was received and accepted, or has failed: no part of a
/// header is visible before that, or after a failure.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HeaderOutcome {
    /// The proxy gives the addresses of the connection.
    Proxied {
        /// The client.
        source: Address,
        /// The address that the client connected to.
        destination: Address,
        /// The transport of the connection.
        transport: Transport,
    },
    /// The connection is the proxy's own, as for a health check: use the socket's addresses.
    Local,
    /// The proxy does not know the client: use the socket's addresses.
    Unknown,
    /// No acceptable header came: close the connection, or refuse it with a `Refusal`.
    Failed(Failure),
}

impl HeaderOutcome {
    /// Returns the outcome as a word: `proxied`, `local`, `unknown` or `failed`.
    ///
    /// ```
    /// use proxy_protocol::{Header, HeaderError, HeaderOutcome, ProxyInfo};
    ///
    /// let (_, header) = Header::parse(b"PROXY TCP4 192.0.2.1 192.0.2.9 5555 25\r\n")?;
    /// assert_eq!(HeaderOutcome::from(&header).as_str(), "proxied");
    /// // A connection without a proxy has no outcome.
    /// let direct = ProxyInfo::direct(([192, 0, 2, 1], 5555).into());
    /// assert_eq!((direct.outcome(), direct.client()), (None, direct.peer()));
    /// # Ok::<(), HeaderError>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Proxied { .. } => "proxied",
            Self::Local => "local",
            Self::Unknown => "unknown",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns the reason of a failure.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(*failure),
            _ => None,
        }
    }
}

impl From<&Header<'_>> for HeaderOutcome {
    fn from(header: &Header<'_>) -> Self {
        header.endpoints.into()
    }
}

impl From<Endpoints<'_>> for HeaderOutcome {
    fn from(endpoints: Endpoints<'_>) -> Self {
        match endpoints {
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

/// The reason why a connection has no acceptable header.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// The bytes are not a header, or a malformed one.
    #[error("{0}")]
    Header(HeaderError),
    /// The header was not complete in time.
    #[error("timeout: PROXY header incomplete after {received} bytes")]
    TimedOut {
        /// The number of bytes received.
        received: usize,
    },
    /// The peer closed the connection before the header was complete.
    #[error("connection closed: PROXY header incomplete after {received} bytes")]
    EndOfInput {
        /// The number of bytes received.
        received: usize,
    },
}
