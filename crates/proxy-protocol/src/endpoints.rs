//! Between whom a connection is: sections 2.1 and 2.2 of `proxy-protocol.txt`, 2026-04-27.

use std::fmt;
use std::net::SocketAddr;

/// Between whom a connection is, as its header says.
///
/// It is small, and borrows the long addresses of UNIX sockets from the header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Endpoints<'a> {
    /// The proxy itself and us, as for a health check: use the socket's addresses.
    Local,
    /// Parties that the proxy has no address for (`UNKNOWN`, or an unspecified family or
    /// transport): use the socket's addresses.
    Unknown,
    /// The client, and the address that it connected to.
    Inet {
        /// What they speak over.
        transport: Transport,
        /// The client.
        source: SocketAddr,
        /// Where it connected to.
        destination: SocketAddr,
    },
    /// The same, over sockets of the UNIX family.
    Unix {
        /// What they speak over.
        transport: Transport,
        /// The client.
        source: UnixAddress<'a>,
        /// Where it connected to.
        destination: UnixAddress<'a>,
    },
}

/// What the proxied connection is transported over.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Transport {
    /// `SOCK_STREAM`, such as TCP.
    Stream,
    /// `SOCK_DGRAM`, such as UDP.
    Datagram,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => "stream",
            Self::Datagram => "datagram",
        })
    }
}

/// The address of a UNIX socket: the 108 bytes of its `sun_path`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UnixAddress<'a>(&'a [u8; UNIX_LEN]);

impl<'a> UnixAddress<'a> {
    /// How many bytes the address has.
    pub const LEN: usize = UNIX_LEN;

    /// Takes the bytes of an address.
    #[must_use]
    pub fn new(bytes: &'a [u8; UNIX_LEN]) -> Self {
        Self(bytes)
    }

    /// Returns all bytes.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8; UNIX_LEN] {
        self.0
    }

    /// Returns the bytes of the name: up to the first NUL, or all, for a path; from the NUL that it
    /// begins with to the last byte that is none, for a name in Linux's abstract space; nothing for
    /// a socket without a name.
    #[must_use]
    pub fn name(self) -> &'a [u8] {
        let bytes = self.0.as_slice();
        let end = match bytes.first() {
            Some(0) => bytes.iter().rposition(|&c| c != 0).map_or(0, |last| last + 1),
            _ => bytes.iter().position(|&c| c == 0).unwrap_or(bytes.len()),
        };
        bytes.get(..end).unwrap_or(bytes)
    }
}

const UNIX_LEN: usize = 108;

/// One end of a connection, with bytes of its own.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Inet(SocketAddr),
    /// The name of a UNIX socket, as [`UnixAddress::name`] gives it.
    Unix(Box<[u8]>),
}

impl Address {
    /// Returns the IP address and port, if it has them.
    #[must_use]
    pub fn inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl From<UnixAddress<'_>> for Address {
    fn from(address: UnixAddress<'_>) -> Self {
        Self::Unix(address.name().into())
    }
}

impl fmt::Display for Address {
    /// Writes the address; what could break a line or a terminal in a socket's name is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(name) => name.escape_ascii().fmt(f),
        }
    }
}
