//! The listeners, and what all connections share.

pub(crate) mod connection;
pub(crate) mod host_limit;
pub(crate) mod host_name;
pub(crate) mod memory;
mod proxy;
pub(crate) mod tls;
pub mod wire;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mail_types::hickory::{Resolver, ResolverError, ResolverSettings};
use thiserror::Error;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use self::connection::Connection;
use self::host_limit::HostLimit;
use self::host_name::HostNames;
use self::memory::Memory;
use self::tls::{TlsError, acceptor};
use self::wire::{Deadlines, Wire};
use crate::gateway::config::{Config, StoreKind};
use crate::gateway::delivery::relay::RelaySettings;
use crate::gateway::delivery::relay_settings;
use crate::gateway::events::origin::Origin;
use crate::gateway::events::{Events, EventsStart};
use crate::gateway::lookups::asking::Asked;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::policy::client_lists::ClientList;
use crate::gateway::policy::facts::Facts;
use crate::gateway::policy::rates::Rates;
use crate::gateway::reports::{Failures, Reporter};
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::session::SessionSettings;
use crate::gateway::store::{Store, StoreError, StoreLimits, StoreSettings};
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::log::Limiter;
use crate::gateway::telemetry::repeats::Kind;

/// What all connections share.
pub struct Gateway {
    pub(crate) config: Config,
    pub(crate) session_settings: Arc<SessionSettings>,
    pub(crate) store: Store,
    pub(crate) relay: RelaySettings,
    pub(crate) tls: TlsAcceptor,
    pub(crate) memory: Arc<Memory>,
    pub(crate) host_names: HostNames,
    pub(crate) host_limit: Arc<HostLimit>,
    /// What the conditions of rules work with.
    pub(crate) services: Facts,
    /// What is told of messages afterwards.
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) failures: Failures,
    pub(crate) events: Events,
    /// Which lines are left out of the log.
    pub(crate) limiter: Limiter,
    pub(crate) deadlines: Deadlines,
    /// True once the server stops.
    pub(crate) stop: watch::Sender<bool>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Opens the store and makes everything ready but the listeners.
    ///
    /// # Errors
    ///
    /// What cannot be opened or started.
    pub fn new(config: Config, resolver: ResolverSettings) -> Result<Self, StartError> {
        Ok(Self::open(config, resolver)?)
    }

    fn open(config: Config, resolver: ResolverSettings) -> Result<Self, GatewayError> {
        let limits = StoreLimits {
            message_bytes: usize::try_from(config.session.message_size_limit)
                .unwrap_or(usize::MAX)
                .saturating_add(HEAD),
            ..StoreLimits::default()
        };
        let settings = match config.store {
            StoreKind::Discard => StoreSettings::Discard,
            StoreKind::Maildir => StoreSettings::Maildir {
                maildir: config.maildir.clone(),
                journal: config.spool_directory.join("journal"),
                host: config.session.primary_hostname.clone(),
                limits,
            },
        };
        let (store, recovery) = Store::open(&settings)?;
        let replayed = recovery.delivered + recovery.restored;
        if replayed > 0 {
            info!("{replayed} messages were in the journal and are in the Maildir now");
        }
        if recovery.missing > 0 {
            warn!("{} messages in the journal are damaged", recovery.missing);
        }
        let mut services = Facts::default();
        services.insert(Rates::default());
        let engines = Arc::new(Engines::new(&config.lookups));
        services.insert(Asked(Arc::<Engines>::clone(&engines)));
        services.insert(Arc::clone(&engines));
        let resolver = Resolver::new(resolver)?;
        services.insert(resolver.clone());
        let (host, discovery) = (&config.host, config.dmarc.discovery.clone());
        let failures = Failures::new(host.clone(), discovery);
        let reporter = Reporter::start(config.reports.clone(), host.as_str());
        let reporter = Arc::new(reporter.map_err(GatewayError::Reporter)?);
        let host_names = HostNames::new(resolver, config.host_lookup_timeout);
        let directory = &config.spool_directory;
        let events =
            Events::start(&config.events, directory, &config.lookups.sqlite_dbfile, &engines)?;
        Ok(Self {
            events,
            host_limit: Arc::new(HostLimit::new(config.smtp_accept_max_per_host)),
            services,
            reporter,
            failures,
            session_settings: Arc::new(config.session.clone()),
            tls: acceptor(&config)?,
            memory: Arc::new(Memory::new(config.message_memory_limit, config.smtp_data_min_rate)),
            host_names,
            limiter: Limiter::default(),
            deadlines: Deadlines::default(),
            stop: watch::Sender::new(false),
            relay: relay_settings(&config),
            store,
            config,
        })
    }

    /// Tells whether a client is in one of the lists of clients.
    pub(crate) async fn is_in(&self, list: &ClientList, client: &Client) -> bool {
        let mut log = Vec::new();
        let host = self.config.host.as_str();
        let found = list.contains(client, host, &self.services, &mut log).await;
        for line in log {
            if self.limiter.writes(client.address.ip(), Kind::Rule) {
                info!("{line}");
            }
        }
        found
    }

    /// Listens; the addresses are those really bound.
    ///
    /// # Errors
    ///
    /// The address where nobody can listen.
    pub async fn listen(&self) -> Result<Vec<TcpListener>, StartError> {
        let mut listeners = Vec::new();
        for &address in &self.config.listen {
            let bound = TcpListener::bind(address).await;
            let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
            let (bound, listener) =
                bound.map_err(|source| GatewayError::Listen { address, source })?;
            self.tell(bound);
            listeners.push(listener);
        }
        Ok(listeners)
    }

    /// Tells where mail is taken, and how to try that.
    fn tell(&self, address: SocketAddr) {
        let Config { maildir, proxy_required_hosts, .. } = &self.config;
        info!("listening on {address}, keeping mail in {}", maildir.display());
        if proxy_required_hosts.hosts().is_empty() {
            info!(
                "try: printf 'Subject: hello\\n\\nIt works.\\n' | curl --crlf -sv smtp://{address} \
                 --mail-from ann@example.com --mail-rcpt bob@example.com -T -"
            );
        }
    }

    /// Serves until `stop` comes, then lets transactions under way end, for at most ten seconds.
    pub async fn serve(self, listeners: Vec<TcpListener>, stop: impl Future<Output = ()>) {
        let most = self.config.smtp_accept_max.min(Semaphore::MAX_PERMITS);
        let (gateway, slots) = (Arc::new(self), Arc::new(Semaphore::new(most)));
        for listener in listeners {
            tokio::spawn(accept(Arc::clone(&gateway), Arc::clone(&slots), listener));
        }
        tokio::select! {
            () = stop => {}
            () = sum_up(&gateway.limiter) => {}
        }
        info!("stopping");
        gateway.stop.send_replace(true);
        let all = u32::try_from(most).unwrap_or(u32::MAX);
        if tokio::time::timeout(STOPPING, slots.acquire_many(all)).await.is_err() {
            warn!("some clients were still sending");
        }
        gateway.limiter.end();
        gateway.events.close(EVENTS).await;
        if let Err(error) = gateway.store.clone().close().await {
            warn!("the journal stays for the next start: {}", log::chain(&error));
        }
    }
}

/// Why the server cannot start, for people to read.
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
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    #[error("the thread for reports: {0}")]
    Reporter(io::Error),
    #[error("dns_resolver: {0}")]
    Resolver(#[from] ResolverError),
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    #[error("events: {0}")]
    Events(#[from] EventsStart),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// Writes from time to time which lines were left out of the log.
async fn sum_up(limiter: &Limiter) {
    loop {
        tokio::time::sleep(SUMS).await;
        limiter.sum_up();
    }
}

async fn accept(gateway: Arc<Gateway>, slots: Arc<Semaphore>, listener: TcpListener) {
    let mut stop = gateway.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|&stop| stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let slot = Arc::clone(&slots).try_acquire_owned();
                let gateway = Arc::clone(&gateway);
                tokio::spawn(async move {
                    match slot {
                        Ok(_slot) => connect(gateway, stream, peer).await,
                        Err(_) => turn_away(&gateway, stream, "too many connections").await,
                    }
                });
            }
            Err(error) => {
                warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await; // Too many open files, most likely.
            }
        }
    }
}

/// Finds out who the client is, and serves it.
async fn connect(gateway: Arc<Gateway>, stream: TcpStream, peer: SocketAddr) {
    // A socket that is gone already shows that soon enough.
    let _ = stream.set_nodelay(true);
    let (stream, session) = match proxy::accept(&gateway, stream, peer).await {
        Ok(Some(accepted)) => accepted,
        Ok(None) => return,
        Err(error) => return debug!("{peer} is gone: {error}"),
    };
    let Ok(server) = stream.local_addr() else { return debug!("{peer} is gone") };
    let mut client = Client::new(session, server, &gateway.config.proxy_required_hosts);
    let address = client.address.ip();
    let visit = if client.is_ours() { None } else { gateway.host_limit.enter(address) };
    if visit.is_none() && !client.is_ours() {
        log::too_many_connections(&gateway.limiter, address);
        return turn_away(&gateway, stream, "your host has too many connections").await;
    }
    if gateway.is_in(&gateway.config.clients.host_lookup, &client).await {
        let host = &gateway.config.session.primary_hostname;
        let origin = Origin::connecting(&gateway.events, host, &client);
        let failed = |why: &str, name: &str, kind: &str| origin.not_found(why, name, kind);
        client.host_name = gateway.host_names.of(address, failed).await;
    }
    let connection = Box::pin(Connection::new(gateway, Wire::Clear(stream), client)).await;
    let mut connection = Box::new(connection);
    Box::pin(connection.serve()).await;
}

async fn turn_away(gateway: &Gateway, mut stream: TcpStream, why: &str) {
    let host = &gateway.config.session.primary_hostname;
    let reply = format!("421 4.3.2 {host}: {why}, try again later\r\n");
    let mut stop = gateway.stop.subscribe();
    // The client may be gone already.
    let _ = gateway.deadlines.closing(&mut stop, stream.write_all(reply.as_bytes())).await;
}

/// How much longer than its limit a message gets by our header fields, in octets.
const HEAD: usize = 1 << 20;
/// How long transactions under way may take when the server stops.
const STOPPING: Duration = Duration::from_secs(10);
/// How long events that wait may then take.
const EVENTS: Duration = Duration::from_secs(5);
/// How long a sum may wait to be written.
const SUMS: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
