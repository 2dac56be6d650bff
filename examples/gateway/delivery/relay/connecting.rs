//! The start of a session: address, connection, greeting and `EHLO`.

use std::net::SocketAddr;

use mail_types::dns::Name;
use mail_types::smtp::{MailHost, Reply, ReplyCode, Severity};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

use super::Relay;
use super::addresses::addresses;
use super::lost::{Lost, connect_failure};
use super::offers::Offers;
use crate::gateway::delivery::settings::RelaySettings;
use crate::gateway::events::delivery_attempt::{DeliveryAttempt, no_address};
use crate::gateway::events::origin::Origin;
use crate::gateway::events::outgoing_tls::OutgoingTls;
use crate::gateway::policy::outgoing::{Outgoing, OutgoingHost};
use crate::gateway::policy::services::Services;

impl Relay {
    /// Connects, waits for the greeting and sends `EHLO`, or `HELO` as a fallback. The addresses of the
    /// next hop are tried in turn until one accepts the connection.
    ///
    /// # Errors
    ///
    /// The temporary failure for the client: even a permanent refusal of the connection is not about the
    /// recipient.
    pub(crate) async fn connect(
        settings: &RelaySettings,
        services: &Services,
        domain: &str,
        origin: &Origin,
    ) -> Result<Self, Reply> {
        let end = Instant::now() + settings.limits.connect;
        let addresses =
            addresses(&settings.route, &*services.resolver, settings.limits.connect).await;
        let addresses = addresses.map_err(|error| {
            no_address(origin, host(&settings.route), &error.to_string());
            Lost::Unreachable.reply()
        })?;
        let count = addresses.len();
        for (number, address) in addresses.into_iter().enumerate() {
            let host = host(&settings.route);
            let mut attempt = DeliveryAttempt::new(origin, host, address, number + 1 == count);
            if !attempt.may_connect().await {
                continue;
            }
            let error = match timeout_at(end, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let mut relay =
                        Self::greet(settings, stream, attempt).await.map_err(Lost::reply)?;
                    relay.offers.prdr &= tries_prdr(settings, services, domain, address).await;
                    return Ok(relay);
                }
                Ok(Err(error)) => connect_failure(Some(&error)),
                Err(_) => connect_failure(None),
            };
            attempt.deferred(&error);
        }
        Err(Lost::Unreachable.reply())
    }

    async fn greet(
        settings: &RelaySettings,
        stream: TcpStream,
        attempt: DeliveryAttempt,
    ) -> Result<Self, Lost> {
        // Each command is one write, followed by a wait for its reply.
        let _ = stream.set_nodelay(true);
        let mut relay = Self {
            attempt,
            stream,
            received: Vec::new(),
            offers: Offers::default(),
            limits: settings.limits,
            mail: String::new(),
            recipients: Vec::new(),
            prdr: false,
            lost: None,
            stage: "initial connection".to_owned(),
            unwilling: None,
        };
        relay.attempt.connected(relay.stream.local_addr().ok());
        match relay.try_greet(settings).await {
            Ok(()) => Ok(relay),
            Err(lost) => Err(relay.lose(lost)),
        }
    }

    async fn try_greet(&mut self, settings: &RelaySettings) -> Result<(), Lost> {
        let greeting = self.reply(self.limits.greeting).await?;
        if greeting.code() != ReplyCode::READY {
            return Err(self.unwilling(greeting));
        }
        if !self.attempt.may_greet(&greeting).await {
            // Its reply has no effect.
            let wait = self.limits.quit;
            let _ = timeout(wait, self.command("QUIT", wait)).await;
            return Err(Lost::Unwanted);
        }
        let reply = self.command(&format!("EHLO {}", settings.helo), self.limits.command).await?;
        self.attempt.greeted(&reply);
        match reply.code().severity() {
            Severity::Completed => self.offers = Offers::read(&reply),
            _ => self.hello(&settings.helo).await?,
        }
        Ok(())
    }

    async fn hello(&mut self, helo: &MailHost) -> Result<(), Lost> {
        let reply = self.command(&format!("HELO {helo}"), self.limits.command).await?;
        let done = reply.code().severity() == Severity::Completed;
        if done { Ok(()) } else { Err(self.unwilling(reply)) }
    }
}

/// Tells whether a next hop is asked for PRDR; it is not where that cannot be told.
async fn tries_prdr(
    settings: &RelaySettings,
    services: &Services,
    domain: &str,
    address: SocketAddr,
) -> bool {
    let (host, tls) = (host(&settings.route), OutgoingTls::default());
    let primary_hostname = settings.helo.to_string();
    let host = OutgoingHost {
        primary_hostname: &primary_hostname,
        domain,
        host,
        address: Some(address),
        tls: &tls,
    };
    let mut outgoing = Outgoing::new(host, &*services.lookups);
    let name = host.host.parse::<Name>().ok();
    let found = settings.hosts_try_prdr.contains(&mut outgoing, name.as_ref(), address.ip()).await;
    for line in outgoing.take_log() {
        warn!("hosts_try_prdr: H={} [{}] {line}", host.host, address.ip());
    }
    found == Ok(true)
}

/// The host of `host:port`.
fn host(route: &str) -> &str {
    route.rsplit_once(':').map_or(route, |(host, _)| host)
}
