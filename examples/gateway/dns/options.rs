//! The options of the DNS.

use std::net::SocketAddr;

/// `dns_resolver` and `dns_trust_ad`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DnsOptions {
    /// The name server that is asked; without one, those of the system.
    pub(crate) server: Option<SocketAddr>,
    /// Whether a name server on another host is believed about DNSSEC.
    pub(crate) trust_ad: bool,
}

impl DnsOptions {
    /// Returns the name server that is asked in place of those of the system.
    #[must_use]
    pub fn server(&self) -> Option<SocketAddr> {
        self.server
    }

    /// Tells whether a name server on another host is believed about DNSSEC.
    #[must_use]
    pub fn trusts_ad(&self) -> bool {
        self.trust_ad
    }
}
