//! The listeners: new connections, and the end of the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::connection::Connection;
use super::gateway::{Gateway, GatewayError, StartError};
use super::monitor::{Monitor, PATH};
use super::reload::Reload;
use super::wire::Wire;
use crate::gateway::events::origin::Origin;
use crate::gateway::store::settings::StoreSettings;
use crate::gateway::telemetry::log::{self, Limiter};
use crate::gateway::telemetry::metrics::words::ConnectionResult;
use crate::gateway::telemetry::service;

/// The open listeners.
#[derive(Debug)]
pub struct Listeners {
    /// Those of clients, in the order of the interfaces.
    pub(crate) smtp: Vec<TcpListener>,
    /// That of metrics.
    pub(crate) metrics: Option<TcpListener>,
}

impl Listeners {
    /// Returns the addresses of clients.
    ///
    /// # Errors
    ///
    /// The system does not tell one of them.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.smtp.iter().map(TcpListener::local_addr).collect()
    }
}

impl Gateway {
    /// Opens the listeners.
    ///
    /// # Errors
    ///
    /// An address cannot be bound.
    pub async fn listen(&self) -> Result<Listeners, StartError> {
        let metrics = match self.startup.metrics {
            Some(address) => {
                let (bound, listener) = bind(address).await?;
                info!("metrics at http://{bound}{PATH}");
                Some(listener)
            }
            None => None,
        };
        let mut smtp = Vec::new();
        for interface in &self.startup.listen {
            let (bound, listener) = bind(interface.address).await?;
            self.tell(bound, interface.tls_on_connect).await;
            smtp.push(listener);
        }
        Ok(Listeners { smtp, metrics })
    }

    /// Logs the address, and a command to try it.
    async fn tell(&self, address: SocketAddr, tls_on_connect: bool) {
        let tls = if tls_on_connect { " with TLS on connect" } else { "" };
        match &self.startup.store {
            StoreSettings::Maildir { .. } => {
                let place = self.startup.mailboxes.shown();
                info!("listening on {address}{tls}, storing mail in {place}");
            }
            StoreSettings::Discard => info!("listening on {address}{tls}, discarding mail"),
        }
        if let Some(command) = self.trial(address, tls_on_connect).await {
            info!("try: {command}");
        }
    }

    /// Serves until `stop`. Then clients get 421, those within a transaction after ten seconds. A new configuration
    /// of `reload` is for new connections.
    pub async fn serve(self, listeners: Listeners, reload: Reload, stop: impl Future<Output = ()>) {
        let most = self.startup.smtp_accept_max.min(Semaphore::MAX_PERMITS);
        let (gateway, slots) = (Arc::new(self), Arc::new(Semaphore::new(most)));
        let interfaces = gateway.startup.listen.clone();
        for (listener, interface) in listeners.smtp.into_iter().zip(interfaces) {
            let (gateway, slots) = (Arc::clone(&gateway), Arc::clone(&slots));
            tokio::spawn(accept(gateway, slots, listener, interface.tls_on_connect));
        }
        if let Some(listener) = listeners.metrics {
            let (gateway, slots) = (Arc::clone(&gateway), Arc::clone(&slots));
            tokio::spawn(Monitor { gateway, slots, most }.serve(listener));
        }
        service::ready();
        tokio::select! {
            () = stop => {}
            () = sum_up(&gateway.limiter) => {}
            () = reload.run(&gateway) => {}
        }
        info!("stopping");
        service::stopping();
        gateway.stop.send_replace(Some(Instant::now()));
        let all = u32::try_from(most).unwrap_or(u32::MAX);
        let wait = gateway.deadlines.message + STOPPING;
        if tokio::time::timeout(wait, slots.acquire_many(all)).await.is_err() {
            warn!("stopped while clients were still sending");
        }
        gateway.limiter.end();
        gateway.events.close(EVENTS).await;
        if let Err(error) = gateway.store.clone().close().await {
            warn!("messages remain in the journal for the next start: {}", log::chain(&error));
        }
    }
}

/// Binds an address; returns the one that the system has chosen, and the listener.
async fn bind(address: SocketAddr) -> Result<(SocketAddr, TcpListener), GatewayError> {
    let bound = TcpListener::bind(address).await;
    let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
    bound.map_err(|source| GatewayError::Listen { address, source })
}

/// Writes the numbers of omitted log lines at intervals.
async fn sum_up(limiter: &Limiter) {
    loop {
        tokio::time::sleep(SUMS).await;
        limiter.sum_up();
    }
}

async fn accept(
    gateway: Arc<Gateway>,
    slots: Arc<Semaphore>,
    listener: TcpListener,
    tls_on_connect: bool,
) {
    let mut stop = gateway.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(Option::is_some) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let slot = Arc::clone(&slots).try_acquire_owned();
                let gateway = Arc::clone(&gateway);
                tokio::spawn(async move {
                    if let Ok(_slot) = slot {
                        return connect(gateway, stream, peer, tls_on_connect).await;
                    }
                    gateway.metrics.connections.count(ConnectionResult::TooMany);
                    // In clear such a client would understand nothing.
                    if !tls_on_connect {
                        turn_away(&gateway, stream, "too many connections").await;
                    }
                });
            }
            Err(error) => {
                gateway.metrics.connections.count(ConnectionResult::Error);
                warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await; // The probable cause is the limit of open files.
            }
        }
    }
}

/// Identifies the client, and serves it.
async fn connect(gateway: Arc<Gateway>, stream: TcpStream, peer: SocketAddr, tls_on_connect: bool) {
    // An error here will recur at the first use of the socket.
    let _ = stream.set_nodelay(true);
    let live = gateway.live();
    // Its room is given back before the session begins.
    let accepted = Box::pin(super::proxy::accept(&gateway, &live, stream, peer)).await;
    let (stream, mut client) = match accepted {
        Ok(Some(accepted)) => accepted,
        Ok(None) => return gateway.metrics.connections.count(ConnectionResult::NoProxyHeader),
        Err(error) => {
            gateway.metrics.connections.count(ConnectionResult::Lost);
            return debug!("{peer} disconnected: {error}");
        }
    };
    let address = client.address.ip();
    let visit = if client.is_ours() { None } else { gateway.host_limit.enter(address) };
    if visit.is_none() && !client.is_ours() {
        gateway.metrics.connections.count(ConnectionResult::TooManyOfHost);
        log::too_many_connections(&gateway.limiter, address);
        if !tls_on_connect {
            turn_away(&gateway, stream, "your host has too many connections").await;
        }
        return;
    }
    gateway.metrics.connections.count(ConnectionResult::Accepted);
    if live.is_in(&live.settings.clients.host_lookup, &client, &gateway.limiter).await {
        let host = &live.session.primary_hostname;
        let origin = Origin::connecting(&gateway.events, host, &client);
        let failed = |why: &str, name: &str, kind: &str| origin.not_found(why, name, kind);
        client.host_name = Box::pin(live.host_names.of(address, failed)).await;
    }
    let connection = Box::pin(Connection::new(gateway, live, Wire::Clear(stream), client)).await;
    let mut connection = Box::new(connection);
    Box::pin(connection.serve(tls_on_connect)).await;
}

async fn turn_away(gateway: &Gateway, mut stream: TcpStream, why: &str) {
    let live = gateway.live();
    let host = &live.session.primary_hostname;
    let reply = format!("421 4.3.2 {host}: {why}, try again later\r\n");
    let mut stop = gateway.stop.subscribe();
    // The client may have disconnected.
    let _ = gateway.deadlines.closing(&mut stop, stream.write_all(reply.as_bytes())).await;
}

/// The time for the last replies when the server stops.
const STOPPING: Duration = Duration::from_secs(2);
/// The time limit of waiting events after that.
const EVENTS: Duration = Duration::from_secs(5);
/// The interval of the numbers of omitted log lines.
const SUMS: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
