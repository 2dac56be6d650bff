//! The two ends of a connection: sections 2.1 and 2.2 of `proxy-protocol.txt`, 2026-04-27.

use std::fmt;
use std::net::SocketAddr;

/// The two ends of a connection, as its header names them.
///
/// It is small, and borrows the long addresses of UNIX sockets from the header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Endpoints<'a> {
    /// The proxy itself and this server, as for a health check: use the socket's addresses.
    Local,
    /// The proxy gives no addresses (`UNKNOWN`, or an unspecified family or transport): use the
    /// socket's addresses.
    Unknown,
    /// IP addresses and ports of the client and of its destination.
    Inet {
        /// The transport of the connection.
        transport: Transport,
        /// The client.
        source: SocketAddr,
        /// The address that the client connected to.
        destination: SocketAddr,
    },
    /// Addresses of UNIX sockets.
    Unix {
        /// The transport of the connection.
        transport: Transport,
        /// The client.
        source: UnixAddress<'a>,
        /// The address that the client connected to.
        destination: UnixAddress<'a>,
    },
}

/// The transport of a proxied connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
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
    /// The length of an address in bytes.
    pub const LEN: usize = UNIX_LEN;

    /// Takes the bytes of an address.
    #[must_use]
    pub fn new(bytes: &'a [u8; UNIX_LEN]) -> Self {
        Self(bytes)
    }

    /// Returns all 108 bytes.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8; UNIX_LEN] {
        self.0
    }

    /// Returns the bytes of the name. A path ends before the first NUL, or fills the address. A
    /// name in Linux's abstract space begins with a NUL and ends with its last byte other than NUL.
    /// A socket without a name has an empty one.
    ///
    /// ```
    /// use proxy_protocol::{Address, UnixAddress};
    ///
    /// let mut bytes = [0; UnixAddress::LEN];
    /// bytes[..9].copy_from_slice(b"/run/smtp");
    /// let address = UnixAddress::new(&bytes);
    /// assert_eq!((address.name(), address.as_bytes().len()), (&b"/run/smtp"[..], 108));
    /// assert_eq!(Address::from(address).inet(), None);
    /// ```
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
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Inet(SocketAddr),
    /// The name of a UNIX socket, as [`UnixAddress::name`] gives it.
    Unix(
        #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::serde::unix_name"))]
        Box<[u8]>,
    ),
}

impl Address {
    /// Returns the IP address and port, or `None` for a UNIX socket.
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
    /// Writes the address. Bytes of a socket name that could break a line or a terminal are
    /// escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(name) => name.escape_ascii().fmt(f),
        }
    }
}
