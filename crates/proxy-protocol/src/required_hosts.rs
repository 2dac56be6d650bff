//! Who must send a header: Exim's `proxy_required_hosts`, now `hosts_proxy`.

use std::net::IpAddr;
use std::str::FromStr;

use mail_types::dns::Name;
use mail_types::exim::{HostSet, HostSetError, List};

/// The peers whose connections begin with a header, and nobody else's do.
///
/// Whether there is a header is never guessed from what a peer sends: that would let anybody claim
/// any address (section 2). From these peers it must come, and from all others it is not looked
/// for. An empty list holds nobody; an IPv4-mapped IPv6 address counts as the IPv4 address in it.
///
/// ```
/// use proxy_protocol::RequiredHosts;
///
/// let proxies: RequiredHosts = "<; 192.0.2.0/28 ; 2001:db8::25".parse()?;
/// assert!(proxies.requires("::ffff:192.0.2.7".parse()?, None));
/// assert!(!proxies.requires("198.51.100.1".parse()?, None));
/// assert!(!RequiredHosts::default().requires("192.0.2.7".parse()?, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequiredHosts(HostSet);

impl RequiredHosts {
    /// Takes the hosts of the list.
    #[must_use]
    pub fn new(hosts: HostSet) -> Self {
        Self(hosts)
    }

    /// Tells whether the connection of the peer with this address and, if it is known, this name
    /// must begin with a header.
    ///
    /// The address is the socket's, never one that a header gave. Names in the list fit only if
    /// the caller has found out the peer's, before the first byte is read; [`HostSet::contains`]
    /// says what is done without one.
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

    /// Takes the text of the list, its items separated by colons, or by what a leading `<` names.
    fn from_str(list: &str) -> Result<Self, HostSetError> {
        HostSet::new(List::new(list)).map(Self)
    }
}
