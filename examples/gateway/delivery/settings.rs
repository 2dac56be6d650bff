//! The settings of the relay to the next hop.

use std::sync::Arc;
use std::time::Duration;

use mail_types::smtp::MailHost;

use crate::gateway::policy::host_list::HostList;

/// The next hop, and its time limits.
#[derive(Clone, Debug)]
pub(crate) struct RelaySettings {
    /// The next hop: `host:port`.
    pub(crate) route: String,
    /// The name of this host in `EHLO`.
    pub(crate) helo: MailHost,
    /// The next hops of which PRDR is requested, by address or by the name in `route`.
    pub(crate) hosts_try_prdr: Arc<HostList>,
    /// The time limits.
    pub(crate) limits: RelayLimits,
}

/// The time limits of the next hop; the defaults are those of RFC 5321 section 4.5.3.2, if any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelayLimits {
    /// For a connection. Default 30 s, which the RFC does not specify.
    pub(crate) connect: Duration,
    /// For the first reply. Default 5 minutes.
    pub(crate) greeting: Duration,
    /// For the reply to `EHLO`, `HELO`, `MAIL` and `RCPT`. Default 5 minutes.
    pub(crate) command: Duration,
    /// For the reply to `DATA`. Default 2 minutes.
    pub(crate) data: Duration,
    /// For the next hop to take a block of the message. Default 3 minutes.
    pub(crate) block: Duration,
    /// For each reply to the end of the message (draft-hall-prdr-00 sections 4.5.1 to 4.5.3 too).
    /// Default 10 minutes.
    pub(crate) end: Duration,
    /// For the reply to `QUIT`, which has no effect. Default 2 s, which the RFC does not specify.
    pub(crate) quit: Duration,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_mins(5),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            block: Duration::from_mins(3),
            end: Duration::from_mins(10),
            quit: Duration::from_secs(2),
        }
    }
}
