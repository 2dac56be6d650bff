//! The shared state of all connections.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use mail_types::dns::Resolve;
use mail_types::hickory::ResolverError;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::host_limit::HostLimit;
use super::host_name::HostNames;
use super::memory::Memory;
use super::settings::{LiveSettings, ServerSettings, StartupSettings};
use super::tls::{Tls, TlsError};
use super::wire::Deadlines;
use crate::cases::count::counted;
use crate::gateway::delivery::remote::{Remote, RemoteError};
use crate::gateway::dns::resolver::NameServers;
use crate::gateway::events::{Events, EventsStart};
use crate::gateway::lookups::asking::Answers;
use crate::gateway::lookups::engines::{Engines, EnginesError};
use crate::gateway::policy::client_lists::ClientList;
use crate::gateway::policy::event_lists::{ActionEngines, EventLists};
use crate::gateway::policy::list::Undecided;
use crate::gateway::policy::services::Services;
use crate::gateway::reports::{Failures, Reporter};
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::store::Store;
use crate::gateway::store::store_error::StoreError;
use crate::gateway::telemetry::log::Limiter;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::metrics::resolver::CountedResolver;
use crate::gateway::telemetry::repeats::LineKind;

/// The shared state of all connections: the permanent part, and the current configuration.
pub struct Gateway {
    pub(super) startup: StartupSettings,
    live: watch::Sender<Arc<Live>>,
    pub(super) store: Store,
    pub(crate) memory: Arc<Memory>,
    pub(super) host_limit: Arc<HostLimit>,
    /// The reports about messages.
    pub(super) reporter: Arc<Reporter>,
    pub(super) failures: Failures,
    pub(super) events: Events,
    /// The lists of rules that actions of events call.
    pub(super) event_lists: Arc<EventLists>,
    /// The limit of log lines.
    pub(super) limiter: Arc<Limiter>,
    pub(crate) deadlines: Deadlines,
    pub(crate) metrics: Arc<Metrics>,
    /// The time at which the server began to stop.
    pub(super) stop: watch::Sender<Option<Instant>>,
}

/// The configuration of a connection, from its start to its end.
pub(crate) struct Live {
    pub(super) settings: LiveSettings,
    pub(super) session: Arc<SessionSettings>,
    pub(super) tls: Arc<Tls>,
    pub(super) host_names: HostNames,
    /// The services of rules.
    pub(super) services: Services,
    /// The deliveries to other hosts.
    pub(super) remote: Remote,
    /// The time of its making.
    pub(super) since: SystemTime,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("startup", &self.startup).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Opens the store, and prepares all but the listeners.
    ///
    /// # Errors
    ///
    /// A part cannot be opened or started.
    pub fn new(settings: ServerSettings, servers: NameServers) -> Result<Self, StartError> {
        Ok(Self::open(settings, servers)?)
    }

    fn open(
        ServerSettings { startup, live }: ServerSettings,
        servers: NameServers,
    ) -> Result<Self, GatewayError> {
        let (store, recovery) = Store::open(&startup.store)?;
        let replayed = recovery.delivered + recovery.restored;
        if replayed > 0 {
            let told = counted(replayed, "message");
            info!("{told} delivered from the journal into the Maildir");
        }
        if recovery.missing > 0 {
            let told = counted(recovery.missing, "damaged message");
            warn!("{told} in the journal");
        }
        let metrics = Arc::<Metrics>::default();
        let engines = Arc::new(Engines::new(&live.lookups)?.counting(&metrics));
        let services = Services {
            rates: Arc::default(),
            lookups: Arc::<Engines>::clone(&engines),
            resolver: Arc::new(CountedResolver::new(servers.stub(), &metrics)),
            named: Arc::clone(live.rules.named()),
            message_body_visible: live.message_body_visible,
            metrics: Arc::clone(&metrics),
        };
        let names = CountedResolver::new(servers.resolver()?, &metrics);
        let names: Arc<dyn Resolve> = Arc::new(names);
        let (host, discovery) = (&startup.host, live.dmarc.discovery.clone());
        let reporter = Reporter::start(startup.reports.clone(), host.as_str());
        let reporter = reporter.map_err(GatewayError::Reporter)?;
        let directory = &startup.spool_directory;
        let database = &live.lookups.sqlite_dbfile;
        let limiter = Arc::<Limiter>::default();
        let lookups: Arc<dyn Answers> = Arc::new(ActionEngines(Arc::clone(&engines)));
        let for_events = Services { lookups, ..services.clone() };
        let event_lists = EventLists::new(host.as_str(), for_events, Arc::clone(&limiter));
        let event_lists = Arc::new(event_lists);
        let lists = Arc::<EventLists>::clone(&event_lists);
        Ok(Self {
            events: Events::start(&startup.events, directory, database, &engines, lists, &limiter)?,
            event_lists,
            host_limit: Arc::new(HostLimit::new(startup.smtp_accept_max_per_host)),
            failures: Failures::new(host.clone(), discovery, Arc::clone(&limiter)),
            reporter: Arc::new(reporter),
            memory: Arc::new(Memory::new(startup.message_memory_limit, startup.smtp_data_min_rate)),
            live: watch::Sender::new(Arc::new(Live::new(
                live, &startup, services, names, &limiter,
            )?)),
            limiter,
            deadlines: Deadlines::default(),
            metrics,
            stop: watch::Sender::new(None),
            store,
            startup,
        })
    }
}

impl Gateway {
    /// Returns the configuration of a new connection.
    pub(super) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.borrow())
    }

    /// Replaces the configuration of new connections; the others keep theirs.
    pub(super) fn set_live(&self, live: Arc<Live>) {
        self.live.send_replace(live);
    }
}

impl Live {
    /// Makes the state of a new configuration. The counted rates stay.
    pub(super) fn again(
        &self,
        settings: LiveSettings,
        startup: &StartupSettings,
        limiter: &Arc<Limiter>,
    ) -> Result<Self, GatewayError> {
        let metrics = &self.services.metrics;
        let services = Services {
            rates: Arc::clone(&self.services.rates),
            lookups: Arc::new(Engines::new(&settings.lookups)?.counting(metrics)),
            resolver: Arc::clone(&self.services.resolver),
            named: Arc::clone(settings.rules.named()),
            message_body_visible: settings.message_body_visible,
            metrics: Arc::clone(metrics),
        };
        Self::new(settings, startup, services, self.host_names.resolver(), limiter)
    }

    fn new(
        mut settings: LiveSettings,
        startup: &StartupSettings,
        services: Services,
        names: Arc<dyn Resolve>,
        limiter: &Arc<Limiter>,
    ) -> Result<Self, GatewayError> {
        let session = Arc::new(settings.session.clone());
        let (tls, directory) = (std::mem::take(&mut settings.tls), &startup.spool_directory);
        let Services { resolver, lookups, metrics, .. } = &services;
        let remote = settings.remote.clone();
        Ok(Self {
            remote: Remote::new(remote, Arc::clone(resolver), Arc::clone(lookups))?
                .counting(metrics)
                .limiting(limiter),
            tls: Arc::new(Tls::new(tls, directory, &session.primary_hostname, metrics)?),
            since: SystemTime::now(),
            host_names: HostNames::new(names, settings.host_lookup_timeout),
            services,
            session,
            settings,
        })
    }

    /// Tells whether a client matches a list of clients.
    pub(super) async fn is_in(
        &self,
        list: &ClientList,
        client: &Client,
        limiter: &Limiter,
    ) -> bool {
        self.decide(list, client, limiter).await.unwrap_or(list.otherwise)
    }

    /// The same, where it matters that the list is undecided.
    pub(super) async fn decide(
        &self,
        list: &ClientList,
        client: &Client,
        limiter: &Limiter,
    ) -> Result<bool, Undecided> {
        let mut log = Vec::new();
        let host = &self.session.primary_hostname;
        let found = list.decide(client, host, &self.services, &mut log).await;
        for line in log {
            if limiter.writes(client.address.ip(), LineKind::Rule) {
                info!("{line}");
            }
        }
        found
    }
}

/// The server cannot start.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StartError(Box<GatewayError>);

impl From<GatewayError> for StartError {
    fn from(error: GatewayError) -> Self {
        Self(Box::new(error))
    }
}

/// What cannot be opened or started.
#[derive(Debug, Error)]
pub(crate) enum GatewayError {
    #[error(transparent)]
    Lookups(#[from] EnginesError),
    #[error("store: {0}")]
    Store(#[from] StoreError),
    #[error("the thread for reports: {0}")]
    Reporter(io::Error),
    #[error("dns_resolver: {0}")]
    Resolver(#[from] ResolverError),
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("events: {0}")]
    Events(#[from] EventsStart),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
}
