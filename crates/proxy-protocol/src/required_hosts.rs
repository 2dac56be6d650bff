//! The hosts that must send a header: Exim's `proxy_required_hosts`, now `hosts_proxy`.

use std::net::IpAddr;
use std::str::FromStr;

use mail_types::dns::Name;
use mail_types::exim::{HostSet, HostSetError, List};

/// The peers whose connections begin with a header; connections of all other peers do not.
///
/// The server never guesses from the bytes of a peer whether there is a header: that would let any
/// peer claim any address (section 2). A listed peer must send a header; the bytes of other peers
/// are not searched for one. An empty list matches no peer; an IPv4-mapped IPv6 address counts as
/// the IPv4 address in it.
///
/// ```
/// use proxy_protocol::RequiredHosts;
///
/// let proxies: RequiredHosts = "<; 192.0.2.0/28 ; 2001:db8::25".parse()?;
/// assert!(proxies.requires("::ffff:192.0.2.7".parse()?, None));
/// assert!(!proxies.requires("198.51.100.1".parse()?, None));
/// assert!(!proxies.hosts().is_nobody());
/// assert!(!RequiredHosts::default().requires("192.0.2.7".parse()?, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct RequiredHosts(HostSet);

impl RequiredHosts {
    /// Takes the hosts of the list.
    #[must_use]
    pub fn new(hosts: HostSet) -> Self {
        Self(hosts)
    }

    /// Tells whether the connection of a peer must begin with a header, given its address and its
    /// name, if known.
    ///
    /// The address is the socket's, never one from a header. Names in the list match only if the
    /// caller has looked up the peer's name before it reads the first byte; [`HostSet::contains`]
    /// describes the match without a name.
    #[must_use]
    pub fn requires(&self, peer: IpAddr, name: Option<&Name>) -> bool {
        self.0.contains(peer, name)
    }

    /// Returns the hosts.
    #[must_use]
    pub fn hosts(&self) -> &HostSet {
        &self.0
    }
}

impl From<HostSet> for RequiredHosts {
    fn from(hosts: HostSet) -> Self {
        Self::new(hosts)
    }
}

impl FromStr for RequiredHosts {
    type Err = HostSetError;

    /// Takes the text of the list. Its items are separated by colons, or by the separator after a
    /// leading `<`.
    fn from_str(list: &str) -> Result<Self, HostSetError> {
        HostSet::new(List::new(list)).map(Self)
    }
}
