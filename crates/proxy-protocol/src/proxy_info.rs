//! A connection with the outcome of its header, for the rest of the program.

use std::net::SocketAddr;

#[cfg(feature = "mail")]
use mail_types::exim::{Trust, Value, Variable};

use crate::{Address, HeaderOutcome};

/// A connection: the address of the socket's other end, and the outcome of its header.
///
/// ```
/// use proxy_protocol::{Header, HeaderOutcome, ProxyInfo};
///
/// let (_, header) = Header::parse(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n")?;
/// let info = ProxyInfo::proxied("127.0.0.1:4000".parse()?, HeaderOutcome::from(&header));
/// assert_eq!(info.client(), "192.0.2.1:56324".parse()?);
/// assert_eq!(info.peer(), "127.0.0.1:4000".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ProxyInfo {
    peer: SocketAddr,
    outcome: Option<HeaderOutcome>,
}

impl ProxyInfo {
    /// Takes a connection that required no header.
    #[must_use]
    pub fn direct(peer: SocketAddr) -> Self {
        Self { peer, outcome: None }
    }

    /// Takes a connection that had to begin with a header, and the address of the socket's other
    /// end.
    #[must_use]
    pub fn proxied(peer: SocketAddr, outcome: HeaderOutcome) -> Self {
        Self { peer, outcome: Some(outcome) }
    }

    /// Returns the address of the socket's other end.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the outcome of the header, or `None` if none was required.
    #[must_use]
    pub fn outcome(&self) -> Option<&HeaderOutcome> {
        self.outcome.as_ref()
    }

    /// Returns the address of the client: the source in the header of a proxied connection, else
    /// the address of the socket's other end. For a proxied client on a UNIX socket it is the
    /// address of the socket's other end too.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        match &self.outcome {
            Some(HeaderOutcome::Proxied { source: Address::Inet(source), .. }) => *source,
            _ => self.peer,
        }
    }

    /// The names of all variables.
    #[cfg(feature = "mail")]
    pub const VARIABLES: [&'static str; 10] = [
        "proxy_session",
        "proxy_outcome",
        "proxy_local_address",
        "proxy_host_address",
        "proxy_local_port",
        "proxy_host_port",
        "proxy_external_address",
        "proxy_target_address",
        "proxy_external_port",
        "proxy_target_port",
    ];

    /// Returns the variable of a name, today's or that of 2014:
    ///
    /// ```
    /// use mail_types::exim::{Trust, Value, Variable};
    /// use proxy_protocol::{Header, HeaderOutcome, ProxyInfo};
    ///
    /// let (_, header) = Header::parse(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n")?;
    /// let info = ProxyInfo::proxied("127.0.0.1:4000".parse()?, HeaderOutcome::from(&header));
    /// let target = Value::new(&b"198.51.100.2"[..], Trust::Untrusted);
    /// assert_eq!(info.variable("proxy_external_address"), Variable::Value(target));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// | name                                           | value                                  |
    /// |------------------------------------------------|----------------------------------------|
    /// | `proxy_session`                                | `yes` if a header was required, even if it failed, else `no` |
    /// | `proxy_local_address`, `proxy_host_address`    | the proxy's address, if proxied        |
    /// | `proxy_local_port`, `proxy_host_port`          | its port                               |
    /// | `proxy_external_address`, `proxy_target_address` | the address that the client connected to, if proxied |
    /// | `proxy_external_port`, `proxy_target_port`     | its port, except for a UNIX socket     |
    /// | `proxy_outcome`                                | [`HeaderOutcome::as_str`], if a header was required |
    ///
    /// A variable without a value is unset; Exim has 0 for such a port. Words are trusted.
    /// Addresses and ports are not: a header is not authenticated, and the name of a UNIX socket
    /// can hold any byte.
    #[cfg(feature = "mail")]
    #[must_use]
    pub fn variable(&self, name: &str) -> Variable<'_> {
        let proxied = match &self.outcome {
            Some(HeaderOutcome::Proxied { destination, .. }) => Some(destination),
            _ => None,
        };
        let value = match name {
            "proxy_session" => {
                Some(Value::trusted(if self.outcome.is_some() { "yes" } else { "no" }))
            }
            "proxy_outcome" => self.outcome.as_ref().map(|o| Value::trusted(o.as_str())),
            "proxy_local_address" | "proxy_host_address" => {
                proxied.map(|_| from_peer(&self.peer.ip().to_canonical()))
            }
            "proxy_local_port" | "proxy_host_port" => proxied.map(|_| from_peer(&self.peer.port())),
            "proxy_external_address" | "proxy_target_address" => proxied.map(|to| match to {
                Address::Inet(to) => from_peer(&to.ip()),
                Address::Unix(name) => Value::new(&**name, Trust::Untrusted),
            }),
            "proxy_external_port" | "proxy_target_port" => {
                proxied.and_then(Address::inet).map(|to| from_peer(&to.port()))
            }
            _ => return Variable::Unknown,
        };
        value.map_or(Variable::Unset, Variable::Value)
    }
}

#[cfg(feature = "mail")]
fn from_peer(value: &impl ToString) -> Value<'static> {
    Value::new(value.to_string().into_bytes(), Trust::Untrusted)
}
