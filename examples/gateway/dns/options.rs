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
