//! The settings of a sender, and their faults.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use mail_types::dns::Resolve;
use mail_types::hickory::ResolverError;
use mail_types::smtp::Domain;
use thiserror::Error;

use crate::gateway::delivery::next_hop::RouteError;
use crate::gateway::delivery::remote::RemoteError;
use crate::gateway::delivery::settings::RemoteSettings;
use crate::gateway::dns::options::DnsOptions;
use crate::gateway::dns::resolver::NameServers;
use crate::gateway::events::EventsStart;
use crate::gateway::events::settings::EventSettings;
use crate::gateway::lookups::engines::EnginesError;
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::policy::named_rules::NamedRules;

/// The settings of a [`Sender`](super::Sender).
pub struct SenderSettings {
    /// The table `[remote_smtp]` of a configuration, and what its lists look up.
    pub options: SenderOptions,
    /// The source of DNS answers.
    pub resolver: Arc<dyn Resolve>,
    /// The next hop as `route_data` has it; `None`: the domain of each recipient.
    pub route: Option<String>,
    /// The port of the servers, without a route.
    pub port: u16,
    /// The time limit of everything.
    pub timeout: Duration,
}

/// The options of a configuration for a [`Sender`](super::Sender).
#[derive(Debug)]
pub struct SenderOptions {
    pub(crate) remote: RemoteSettings,
    pub(crate) lookups: LookupSettings,
    /// The actions of events, if any is given.
    pub(crate) events: Option<EventSettings>,
    /// The lists of rules that they call.
    pub(crate) lists: NamedRules,
    /// The folder of events that could not be handled in time.
    pub(crate) spool_directory: PathBuf,
    pub(crate) dns: DnsOptions,
}

impl SenderOptions {
    /// Sets the name of this host in `EHLO`.
    #[must_use]
    pub fn with_helo(mut self, helo: Domain) -> Self {
        self.remote.helo = helo;
        self
    }

    /// Makes the resolver of the options, or that of the system by its settings in `file`. One on another host is
    /// believed about DNSSEC if the options or the argument say so.
    ///
    /// # Errors
    ///
    /// The system's settings cannot be read.
    pub fn resolver(&self, file: &Path, trust_ad: bool) -> Result<Arc<dyn Resolve>, ResolverError> {
        let dns = DnsOptions { trust_ad: trust_ad || self.dns.trust_ad, ..self.dns };
        Ok(Arc::new(NameServers::read(dns, file)?.stub()))
    }
}

impl fmt::Debug for SenderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderSettings").field("route", &self.route).finish_non_exhaustive()
    }
}

/// Why no message can be sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SenderError {
    /// The next hop.
    #[error("{0}")]
    RouteData(String),
    /// A file of an option.
    #[error("{0}")]
    Option(String),
}

impl From<RouteError> for SenderError {
    fn from(error: RouteError) -> Self {
        Self::RouteData(error.to_string())
    }
}

impl From<EnginesError> for SenderError {
    fn from(error: EnginesError) -> Self {
        Self::Option(error.to_string())
    }
}

impl From<io::Error> for SenderError {
    fn from(error: io::Error) -> Self {
        Self::Option(format!("spool_directory: {error}"))
    }
}

impl From<EventsStart> for SenderError {
    fn from(error: EventsStart) -> Self {
        Self::Option(format!("events: {error}"))
    }
}

impl From<RemoteError> for SenderError {
    fn from(error: RemoteError) -> Self {
        Self::Option(error.to_string())
    }
}
