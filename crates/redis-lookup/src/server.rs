//! A server, a cluster or a group with sentinels, and its login.

use std::fmt;
use std::path::PathBuf;

use mail_types::exim::{Trust, Value};

use crate::Secret;

/// An item of the option `redis_servers`.
///
/// [`Display`](fmt::Display) writes the address and the database, for log lines; never a user or a
/// password.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Server {
    /// The kind of server, with its addresses.
    pub kind: ServerKind,
    /// The user of the access control list; `None` means `default`.
    pub user: Option<String>,
    /// The password; `None` means no `AUTH`.
    pub password: Option<Secret>,
    /// The database; 0 needs no `SELECT`.
    pub database: u32,
    /// TLS, for the server, the nodes and the sentinels alike.
    pub tls: Option<Tls>,
    /// Whether to use version 3 of the protocol instead of version 2.
    pub resp3: bool,
    pub(crate) name: String,
}

impl Server {
    /// Tells whether `servers=name` of a lookup means this server. As in Exim the name is the text of the item
    /// before its database; for a URL it is the part between `//` or the `@` and the next slash.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    /// Returns the configured addresses: of the server, of nodes, or of sentinels.
    ///
    /// ```
    /// use redis_lookup::{Address, Servers};
    ///
    /// let servers = Servers::parse("192.0.2.1::7000/2/secret")?;
    /// let server = &servers.as_slice()[0];
    /// assert_eq!(server.addresses(), [Address::tcp("192.0.2.1", 7000)]);
    /// assert!(server.is_named("192.0.2.1:7000") && !server.is_named("192.0.2.1"));
    /// assert_eq!(server.password.as_ref().map(|password| password.expose()), Some("secret"));
    /// assert!(!format!("{server:?}").contains("secret"));
    /// # Ok::<(), redis_lookup::ServersError>(())
    /// ```
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        match &self.kind {
            ServerKind::Single(address) => std::slice::from_ref(address),
            ServerKind::Cluster(addresses) => addresses,
            ServerKind::Sentinel(group) => &group.sentinels,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ServerKind::Single(_) => {}
            ServerKind::Cluster(_) => f.write_str("cluster ")?,
            ServerKind::Sentinel(group) => write!(f, "master {} of ", shown(&group.master))?,
        }
        for (at, address) in self.addresses().iter().enumerate() {
            write!(f, "{}{address}", if at == 0 { "" } else { "," })?;
        }
        write!(f, "/{}", self.database)
    }
}

/// A kind of server.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ServerKind {
    /// One server.
    Single(Address),
    /// A cluster, by at least one of its nodes.
    Cluster(Vec<Address>),
    /// A group whose master the sentinels name.
    Sentinel(SentinelGroup),
}

/// Sentinels, and the name of their master.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SentinelGroup {
    /// The name of the master, as in `sentinel monitor`.
    pub master: String,
    /// The sentinels; at least one.
    pub sentinels: Vec<Address>,
    /// The user at the sentinels.
    pub user: Option<String>,
    /// The password at the sentinels.
    pub password: Option<Secret>,
}

/// The address of a server.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Address {
    /// A port of a host.
    Tcp {
        /// A name or an address; an IPv6 address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Address {
    /// Makes the address of a port.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{}]:{port}", shown(host)),
            Self::Tcp { host, port } => write!(f, "{}:{port}", shown(host)),
            Self::Unix(path) => write!(f, "({})", shown(&path.to_string_lossy())),
        }
    }
}

/// Escapes a text for a log line: a program may set control characters.
fn shown(text: &str) -> Value<'_> {
    Value::new(text.as_bytes(), Trust::Untrusted)
}

/// The TLS settings of a server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tls {
    /// A PEM file with the trusted authorities; `None` means those of the system.
    pub ca_file: Option<PathBuf>,
}
