//! Messages that are sent at once, without a queue.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dane_tlsa::{HostPolicy, NextHop};
use mail_types::dns::{Name, Note, Resolve};
use mail_types::smtp::{Header, MailHost, Mailbox, Reply, ReversePath, Severity};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::attempts::{Attempts, Opened};
use super::hosts::NoHosts;
use super::next_hop::{Route, RouteError};
use super::open_failure::OpenFailure;
use super::outcome::{DeliveryResult, RecipientOutcome};
use super::remote::{Remote, RemoteError, TlsDemand};
use super::settings::RemoteSettings;
use crate::gateway::events::origin::Origin;
use crate::gateway::lookups::engines::{Engines, EnginesError};
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::smtp::client::{Declared, RecipientResult};

/// The settings of a [`Sender`].
pub struct SenderSettings {
    /// The table `[remote_smtp]` of a configuration, and what its lists look up.
    pub options: RemoteOptionsOfSender,
    /// The source of DNS answers.
    pub resolver: Arc<dyn Resolve>,
    /// The next hop as `route_data` has it; `None`: the domain of each recipient.
    pub route: Option<String>,
    /// The port of the servers, without a route.
    pub port: u16,
    /// The time limit of everything.
    pub timeout: Duration,
}

/// The options of a configuration that a [`Sender`] has.
#[derive(Debug)]
pub struct RemoteOptionsOfSender {
    pub(crate) remote: RemoteSettings,
    pub(crate) lookups: LookupSettings,
}

/// A message's envelope.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The reverse-path.
    pub sender: ReversePath,
    /// The recipients.
    pub recipients: Vec<Mailbox>,
    /// Whether authenticated TLS is required on the whole way (RFC 8689).
    pub require_tls: bool,
}

/// The hosts of one next hop, and how mail to them would be secured.
#[derive(Debug)]
pub struct Plan {
    /// The next hop.
    pub next_hop: String,
    /// The hosts, in the order of attempts.
    pub hosts: Vec<PlannedHost>,
    /// Why there are no hosts.
    pub reason: Option<String>,
    /// The questions and answers.
    pub trace: Vec<Note>,
}

/// A host of a [`Plan`].
#[derive(Debug)]
pub struct PlannedHost {
    /// How mail to it is secured.
    pub policy: HostPolicy,
    /// Why it is not used, if so.
    pub unused: Option<String>,
}

/// Sends messages, with one attempt at each host.
pub struct Sender {
    shared: Arc<Shared>,
}

struct Shared {
    remote: Remote,
    route: Option<Route>,
    port: u16,
    timeout: Duration,
}

/// The recipients of one next hop.
struct Group {
    route: Route,
    recipients: Vec<Mailbox>,
}

impl Sender {
    /// Reads the files of the settings.
    ///
    /// # Errors
    ///
    /// A setting, and why it cannot be used.
    pub fn new(settings: SenderSettings) -> Result<Self, SenderError> {
        let RemoteOptionsOfSender { remote, lookups } = settings.options;
        let lookups = Arc::new(Engines::new(&lookups)?);
        let route = settings.route.map(|route| route.parse()).transpose()?;
        let remote = Remote::new(remote, settings.resolver, lookups)?;
        let (port, timeout) = (settings.port, settings.timeout);
        Ok(Self { shared: Arc::new(Shared { remote, route, port, timeout }) })
    }

    /// Finds the hosts for the recipients, and sends nothing.
    pub async fn plan(&self, envelope: &Envelope) -> Vec<Plan> {
        let (shared, mut plans) = (&*self.shared, Vec::new());
        for group in shared.groups(&envelope.recipients) {
            let found = shared.remote.find(&group.route, envelope.demand(&[]), shared.timeout).await;
            let next_hop = group.route.next_hop.to_string();
            plans.push(match found {
                Ok(found) => {
                    let hosts = found.hosts.hosts.into_iter().map(|host| PlannedHost {
                        policy: host.policy,
                        unused: host.unused.map(|unused| unused.to_string()),
                    });
                    let (hosts, trace) = (hosts.collect(), found.hosts.trace);
                    Plan { next_hop, hosts, reason: None, trace }
                }
                Err(error) => {
                    let reason = Some(error.to_string());
                    Plan { next_hop, hosts: Vec::new(), reason, trace: Vec::new() }
                }
            });
        }
        plans
    }

    /// Sends a message, whose line ends are CRLF; returns an outcome for each recipient, in order.
    pub async fn send(&self, envelope: &Envelope, message: Vec<u8>) -> Vec<RecipientOutcome> {
        let until = now() + self.shared.timeout;
        let (message, limit) = (Bytes::from(message), Arc::new(Semaphore::new(DOMAINS_AT_ONCE)));
        let mut tasks = Vec::new();
        for group in self.shared.groups(&envelope.recipients) {
            let (shared, limit) = (Arc::clone(&self.shared), Arc::clone(&limit));
            let (envelope, message) = (envelope.clone(), message.clone());
            tasks.push(tokio::spawn(async move {
                // The semaphore is never closed.
                let _turn = limit.acquire().await;
                shared.deliver(group, &envelope, &message, until).await
            }));
        }
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.extend(task.await.unwrap_or_default());
        }
        let place = |outcome: &RecipientOutcome| {
            envelope.recipients.iter().position(|recipient| *recipient == outcome.recipient)
        };
        outcomes.sort_by_key(place);
        outcomes
    }
}

impl Envelope {
    fn demand(&self, message: &[u8]) -> TlsDemand {
        match self.require_tls {
            true => TlsDemand::Required,
            false if waives_tls(message) => TlsDemand::Waived,
            false => TlsDemand::None,
        }
    }
}

/// Tells whether a message has `TLS-Required: No` (RFC 8689 section 3).
pub(crate) fn waives_tls(message: &[u8]) -> bool {
    let header = Header::of(message);
    let mut bodies = header.bodies("TLS-Required");
    let is_no = bodies.next().is_some_and(|body| body.trim_ascii().eq_ignore_ascii_case(b"No"));
    is_no && bodies.next().is_none()
}

impl Shared {
    /// Groups the recipients by their next hop.
    fn groups(&self, recipients: &[Mailbox]) -> Vec<Group> {
        let mut groups = BTreeMap::<String, Group>::new();
        for recipient in recipients {
            let route = self.route.clone().unwrap_or_else(|| self.route_of(recipient));
            let key = route.next_hop.to_string();
            let group = groups.entry(key).or_insert_with(|| Group { route, recipients: Vec::new() });
            group.recipients.push(recipient.clone());
        }
        groups.into_values().collect()
    }

    fn route_of(&self, recipient: &Mailbox) -> Route {
        match recipient.host() {
            MailHost::Domain(domain) => Route::of_domain(Name::from(domain), self.port),
            MailHost::Address(address) => {
                Route { next_hop: NextHop::Literal(*address), port: self.port }
            }
        }
    }

    async fn deliver(
        &self,
        group: Group,
        envelope: &Envelope,
        message: &Bytes,
        until: Instant,
    ) -> Vec<RecipientOutcome> {
        let Group { route, recipients } = group;
        let demand = envelope.demand(message);
        let time = until.saturating_duration_since(now()) / 2;
        let found = match self.remote.find(&route, demand, time).await {
            Ok(found) => found,
            Err(error) => return recipients.iter().map(|to| without_hosts(to, &error)).collect(),
        };
        let mut delivery = Delivery {
            attempts: Attempts::new(&self.remote, &route, found, demand),
            left: recipients,
            outcomes: Vec::new(),
            until,
        };
        delivery.run(envelope, message).await;
        delivery.outcomes
    }
}

/// The delivery to the hosts of one next hop.
struct Delivery<'a> {
    attempts: Attempts<'a>,
    /// The recipients without an outcome.
    left: Vec<Mailbox>,
    outcomes: Vec<RecipientOutcome>,
    until: Instant,
}

impl Delivery<'_> {
    async fn run(&mut self, envelope: &Envelope, message: &Bytes) {
        while !self.left.is_empty() {
            match self.attempts.open(&Origin::default(), self.until).await {
                Ok(opened) => self.transact(opened, envelope, message).await,
                Err(failure) => self.end(&failure),
            }
        }
        let reports = self.attempts.take_reports();
        for outcome in &mut self.outcomes {
            outcome.tls_reports.clone_from(&reports);
        }
    }

    /// Sends the message over one connection. The recipients that it did not come to are left.
    async fn transact(&mut self, mut opened: Opened, envelope: &Envelope, message: &Bytes) {
        let recipients = std::mem::take(&mut self.left);
        let declared = Declared {
            size: message.len() as u64,
            eight_bit: !message.is_ascii(),
            utf8: false,
            prdr: true,
            require_tls: envelope.require_tls,
        };
        let to = (&envelope.sender, recipients.clone());
        let sent = opened.connection.transact(to, declared, std::slice::from_ref(message)).await;
        let delivery = match sent {
            Ok(delivery) => delivery,
            Err(reason) => {
                let reply = reason.reply();
                let failed = |to| opened.outcome(to, DeliveryResult::Failed, Some(reply.clone()));
                self.outcomes.extend(recipients.iter().map(failed));
                return opened.connection.quit().await;
            }
        };
        for (recipient, result) in recipients.into_iter().zip(&delivery.recipients) {
            match (result.reply(), &delivery.lost) {
                (Some(reply), _) => {
                    let outcome = match reply.code().severity() {
                        Severity::Completed if result.is_delivered() => DeliveryResult::Delivered,
                        Severity::Permanent => DeliveryResult::Failed,
                        _ => DeliveryResult::Deferred,
                    };
                    let mut outcome = opened.outcome(&recipient, outcome, Some(reply.clone()));
                    outcome.prdr = delivery.prdr;
                    self.outcomes.push(outcome);
                }
                // The server may have the message: another one must not get it now.
                (None, Some(lost)) if delivery.is_in_doubt() => {
                    let outcome = opened.outcome(&recipient, DeliveryResult::Deferred, None);
                    self.outcomes.push(outcome.because(lost));
                }
                (None, _) => self.left.push(recipient),
            }
        }
        if delivery.lost.is_none() {
            opened.connection.quit().await;
        }
    }

    /// No host is left.
    fn end(&mut self, failure: &OpenFailure) {
        let result =
            if failure.is_temporary() { DeliveryResult::Deferred } else { DeliveryResult::Failed };
        for recipient in std::mem::take(&mut self.left) {
            let outcome = RecipientOutcome {
                host: failure.host.clone(),
                address: failure.address,
                ..RecipientOutcome::new(&recipient, result)
            };
            self.outcomes.push(outcome.because(&failure.reason));
        }
    }
}

impl Opened {
    /// The outcome of a recipient over this connection.
    pub(super) fn outcome(
        &self,
        recipient: &Mailbox,
        result: DeliveryResult,
        reply: Option<Reply>,
    ) -> RecipientOutcome {
        let reason = reply.as_ref().filter(|_| result != DeliveryResult::Delivered);
        RecipientOutcome {
            host: Some(self.host.clone()),
            address: Some(self.address),
            tls: self.connection.secured().map(|secured| secured.outcome.clone()),
            chunking: self.connection.uses_chunking(),
            reason: reason.map(ToString::to_string),
            reply,
            ..RecipientOutcome::new(recipient, result)
        }
    }
}

/// The outcome of a recipient whose next hop has no hosts.
pub(super) fn without_hosts(recipient: &Mailbox, error: &NoHosts) -> RecipientOutcome {
    let result = if error.is_permanent() { DeliveryResult::Failed } else { DeliveryResult::Deferred };
    RecipientOutcome::new(recipient, result).because(error)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Why no message can be sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SenderError {
    /// The next hop.
    #[error("the next hop: {0}")]
    Route(String),
    /// A file of an option.
    #[error("{0}")]
    Option(String),
}

impl From<RouteError> for SenderError {
    fn from(error: RouteError) -> Self {
        Self::Route(error.to_string())
    }
}

impl From<EnginesError> for SenderError {
    fn from(error: EnginesError) -> Self {
        Self::Option(error.to_string())
    }
}

impl From<RemoteError> for SenderError {
    fn from(error: RemoteError) -> Self {
        Self::Option(error.to_string())
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl fmt::Debug for SenderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderSettings").field("route", &self.route).finish_non_exhaustive()
    }
}

/// The domains that get mail at the same time.
const DOMAINS_AT_ONCE: usize = 10;
