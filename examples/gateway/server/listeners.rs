//! The listeners: new connections, and the end of the server.

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
use super::reload::Reload;
use super::wire::Wire;
use crate::gateway::events::origin::Origin;
use crate::gateway::store::settings::StoreSettings;
use crate::gateway::telemetry::log::{self, Limiter};
use crate::gateway::telemetry::service;

impl Gateway {
    /// Opens the listeners.
    ///
    /// # Errors
    ///
    /// An address cannot be bound.
    pub async fn listen(&self) -> Result<Vec<TcpListener>, StartError> {
        let mut listeners = Vec::new();
        for interface in &self.startup.listen {
            let address = interface.address;
            let bound = TcpListener::bind(address).await;
            let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
            let (bound, listener) =
                bound.map_err(|source| GatewayError::Listen { address, source })?;
            self.tell(bound, interface.tls_on_connect).await;
            listeners.push(listener);
        }
        Ok(listeners)
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
    pub async fn serve(
        self,
        listeners: Vec<TcpListener>,
        reload: Reload,
        stop: impl Future<Output = ()>,
    ) {
        let most = self.startup.smtp_accept_max.min(Semaphore::MAX_PERMITS);
        let (gateway, slots) = (Arc::new(self), Arc::new(Semaphore::new(most)));
        let interfaces = gateway.startup.listen.clone();
        for (listener, interface) in listeners.into_iter().zip(interfaces) {
            let (gateway, slots) = (Arc::clone(&gateway), Arc::clone(&slots));
            tokio::spawn(accept(gateway, slots, listener, interface.tls_on_connect));
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
                    match slot {
                        Ok(_slot) => connect(gateway, stream, peer, tls_on_connect).await,
                        // In clear such a client would understand nothing.
                        Err(_) if tls_on_connect => {}
                        Err(_) => turn_away(&gateway, stream, "too many connections").await,
                    }
                });
            }
            Err(error) => {
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
        Ok(None) => return,
        Err(error) => return debug!("{peer} disconnected: {error}"),
    };
    let address = client.address.ip();
    let visit = if client.is_ours() { None } else { gateway.host_limit.enter(address) };
    if visit.is_none() && !client.is_ours() {
        log::too_many_connections(&gateway.limiter, address);
        if !tls_on_connect {
            turn_away(&gateway, stream, "your host has too many connections").await;
        }
        return;
    }
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
