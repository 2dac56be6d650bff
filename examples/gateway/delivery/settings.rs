//! The settings of the relay to the next hop.

use std::time::Duration;

use mail_types::exim::HostSet;
use mail_types::smtp::MailHost;

use crate::gateway::smtp::client::ClientLimits;

/// The next hop, and its time limits.
#[derive(Clone, Debug)]
pub(crate) struct RelaySettings {
    /// The next hop: `host:port`.
    pub(crate) route: String,
    /// The name of this host in `EHLO`.
    pub(crate) helo: MailHost,
    /// The next hops of which PRDR is requested, by address or by the name in `route`.
    pub(crate) hosts_try_prdr: HostSet,
    /// The time limits.
    pub(crate) limits: RelayLimits,
}

/// The time limits of the next hop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelayLimits {
    /// For a connection. Default 30 s, which RFC 5321 does not specify.
    pub(crate) connect: Duration,
    /// For the steps of its session.
    pub(crate) session: ClientLimits,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), session: ClientLimits::default() }
    }
}
