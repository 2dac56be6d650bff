//! Where mail goes next: RFC 7672 section 2.2.

use std::fmt;
use std::net::IpAddr;

use mail_types::dns::Name;

/// The next hop of a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NextHop {
    /// A domain: its MX hosts, or the domain itself if it has no MX records (RFC 5321 section 5.1).
    Domain(Name),
    /// A host that the administrator has configured, without a search for MX records. Its choice is as
    /// good as a secure answer of the DNS.
    Relay(Name),
    /// Hosts that the administrator has configured for a domain, in order, as if they were its MX
    /// records in a secure answer.
    Hosts {
        /// The domain.
        domain: Name,
        /// Its hosts, the first to be tried first.
        hosts: Vec<Name>,
    },
    /// An address, which has no TLSA records.
    Literal(IpAddr),
}

impl NextHop {
    /// Returns its name; an address has none.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Domain(name) | Self::Relay(name) | Self::Hosts { domain: name, .. } => Some(name),
            Self::Literal(_) => None,
        }
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) | Self::Hosts { domain: name, .. } => write!(f, "domain {name}"),
            Self::Relay(name) => write!(f, "relay {name}"),
            Self::Literal(address) => write!(f, "address {address}"),
        }
    }
}
