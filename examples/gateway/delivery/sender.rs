//! Messages that are sent at once, without a queue.

mod next_hop_delivery;
mod plan;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use std::{fmt, fs};

use bytes::Bytes;
use mail_types::smtp::{MailHost, Mailbox, ReversePath};
use tokio::sync::Semaphore;

use self::next_hop_delivery::NextHopDelivery;
use self::plan::result_without_hosts;
pub use self::plan::{Plan, PlannedAddress, PlannedHost, PlannedSecurity};
pub use self::settings::{SenderError, SenderOptions, SenderSettings};
use super::attempts::Attempts;
use super::hosts::NoHosts;
use super::next_hop::{RouteData, RouteTo};
use super::outcome::{DeliveryResult, RecipientOutcome};
use super::remote::{Demands, Outbound, Remote, TlsDemand};
use crate::gateway::events::Events;
use crate::gateway::events::origin::Origin;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::message::id::MessageId;
use crate::gateway::message::tls_required::waives_tls;
use crate::gateway::policy::event_lists::{ActionEngines, EventLists};
use crate::gateway::policy::services::Services;
use crate::gateway::smtp::client::Needs;

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

/// Sends messages, with one attempt at each host.
pub struct Sender {
    shared: Arc<Shared>,
}

struct Shared {
    remote: Remote,
    events: Events,
    route: Option<RouteData>,
    port: u16,
    timeout: Duration,
}

/// The recipients of one next hop.
struct Group {
    route: RouteData,
    recipients: Vec<Mailbox>,
}

impl Group {
    /// The domain of the first recipient.
    fn domain(&self) -> String {
        self.recipients.first().map(|to| to.host().to_string()).unwrap_or_default()
    }
}

impl Sender {
    /// Reads the files of the settings.
    ///
    /// # Errors
    ///
    /// A setting, and why it cannot be used.
    pub fn new(settings: SenderSettings) -> Result<Self, SenderError> {
        let SenderOptions { remote, lookups, events, lists, spool_directory, .. } =
            settings.options;
        let database = lookups.sqlite_dbfile.clone();
        let lookups = Arc::new(Engines::new(&lookups)?);
        let services = Services {
            rates: Arc::default(),
            lookups: Arc::new(ActionEngines(Arc::clone(&lookups))),
            resolver: Arc::clone(&settings.resolver),
            named: Arc::new(lists),
            message_body_visible: Services::MESSAGE_BODY_VISIBLE,
            metrics: Arc::default(),
        };
        let events = match events {
            None => Events::default(),
            Some(events) => {
                fs::create_dir_all(&spool_directory)?;
                let limiter = Arc::default();
                let host = remote.helo.as_str();
                let lists = Arc::new(EventLists::new(host, services, Arc::clone(&limiter)));
                Events::start(&events, &spool_directory, &database, &lookups, lists, &limiter)?
            }
        };
        let route = settings.route.map(|route| route.parse()).transpose()?;
        let remote = Remote::new(remote, settings.resolver, lookups)?;
        let (port, timeout) = (settings.port, settings.timeout);
        Ok(Self { shared: Arc::new(Shared { remote, events, route, port, timeout }) })
    }

    /// Finds the hosts for the recipients, and sends nothing.
    pub async fn plan(&self, envelope: &Envelope, message: &[u8]) -> Vec<Plan> {
        let mut plans = Vec::new();
        for group in self.shared.groups(envelope) {
            plans.push(self.shared.plan(&group, envelope, message).await);
        }
        plans
    }

    /// Sends a message, whose line ends are CRLF; returns an outcome for each recipient, in order.
    pub async fn send(&self, envelope: &Envelope, message: Vec<u8>) -> Vec<RecipientOutcome> {
        let start = now();
        let until = start.checked_add(self.shared.timeout).unwrap_or(start + LONGEST);
        let id = MessageId::next(SystemTime::now());
        let host = self.shared.remote.settings.helo.as_str();
        let origin = Origin::sending(&self.shared.events, host, &envelope.sender, id);
        let (message, limit) = (Bytes::from(message), Arc::new(Semaphore::new(DOMAINS_AT_ONCE)));
        let mut tasks = Vec::new();
        for group in self.shared.groups(envelope) {
            let (shared, limit) = (Arc::clone(&self.shared), Arc::clone(&limit));
            let (envelope, message, origin) = (envelope.clone(), message.clone(), origin.clone());
            tasks.push(tokio::spawn(async move {
                // The semaphore is never closed.
                let _turn = limit.acquire().await;
                shared.deliver(group, &envelope, (origin, &message), until).await
            }));
        }
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.extend(task.await.unwrap_or_default());
        }
        // A delivery that ended without its outcomes may have delivered: it is neither tried again nor told delivered.
        for recipient in &envelope.recipients {
            if !outcomes.iter().any(|outcome| outcome.recipient == *recipient) {
                let outcome = RecipientOutcome::new(recipient, DeliveryResult::Deferred);
                outcomes.push(outcome.because("the delivery was broken off"));
            }
        }
        let place = |outcome: &RecipientOutcome| {
            envelope.recipients.iter().position(|recipient| *recipient == outcome.recipient)
        };
        outcomes.sort_by_key(place);
        // The calling program sends the message again to deferred recipients.
        if outcomes.iter().all(|outcome| outcome.result != DeliveryResult::Deferred) {
            origin.complete();
        }
        self.shared.events.close(EVENTS_AT_END).await;
        outcomes
    }
}

impl Envelope {
    fn demands(&self, recipients: &[Mailbox], message: &[u8]) -> Demands {
        let (tls, needs) = (self.tls_demand(message), self.needs(recipients, message));
        Demands { tls, needs, client: None }
    }

    fn tls_demand(&self, message: &[u8]) -> TlsDemand {
        // RFC 8689 section 4.1: `REQUIRETLS` goes before the field, in a bounce too.
        if !self.require_tls && waives_tls(message) {
            return TlsDemand::Waived;
        }
        TlsDemand::of(self.require_tls, &self.sender)
    }

    /// The needs of the message for these recipients.
    fn needs(&self, recipients: &[Mailbox], message: &[u8]) -> Needs {
        let mut addresses = self.sender.mailbox().into_iter().chain(recipients);
        Needs {
            size: message.len() as u64,
            eight_bit: !message.is_ascii(),
            utf8: addresses.any(Mailbox::needs_utf8),
        }
    }
}

impl Shared {
    /// Groups the recipients by their next hop, and those that need SMTPUTF8 by themselves: a host without it takes
    /// the others.
    fn groups(&self, envelope: &Envelope) -> Vec<Group> {
        let mut groups = BTreeMap::<(String, String, bool), Group>::new();
        for recipient in &envelope.recipients {
            let route = self.route.clone().unwrap_or_else(|| self.route_of(recipient));
            let domain = recipient.host().to_string();
            let domain = if self.remote.shares_domains() { String::new() } else { domain };
            let group = groups
                .entry((route.to.to_string(), domain, recipient.needs_utf8()))
                .or_insert_with(|| Group { route, recipients: Vec::new() });
            group.recipients.push(recipient.clone());
        }
        groups.into_values().collect()
    }

    fn route_of(&self, recipient: &Mailbox) -> RouteData {
        match recipient.host() {
            MailHost::Domain(domain) => {
                RouteData { to: RouteTo::Domain(domain.clone()), port: self.port }
            }
            MailHost::Address(address) => {
                RouteData { to: RouteTo::Address(*address), port: self.port }
            }
        }
    }

    async fn deliver(
        &self,
        group: Group,
        envelope: &Envelope,
        (origin, message): (Origin, &Bytes),
        until: Instant,
    ) -> Vec<RecipientOutcome> {
        let domain = group.domain();
        let Group { route, recipients } = group;
        let demands = envelope.demands(&recipients, message);
        let outbound = Outbound { route: &route, domain: &domain, demands };
        let time = until.saturating_duration_since(now()) / 2;
        let found = match self.remote.find(outbound, time).await {
            Ok(found) => found,
            Err(error) => {
                error.report(&route.to.to_string(), &self.remote, &origin);
                return recipients.iter().map(|to| without_hosts(to, &error)).collect();
            }
        };
        let delivery = NextHopDelivery {
            origin,
            attempts: Attempts::new(&self.remote, outbound, found).ending(),
            left: recipients,
            outcomes: Vec::new(),
            until,
        };
        delivery.run(envelope, message).await
    }
}

/// The outcome of a recipient whose next hop has no hosts.
fn without_hosts(recipient: &Mailbox, error: &NoHosts) -> RecipientOutcome {
    RecipientOutcome::new(recipient, result_without_hosts(error)).because(error)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// The time of a delivery whose own is more than the clock can count: a century.
const LONGEST: Duration = Duration::from_hours(24 * 36_525);
/// The time for waiting events at the end.
const EVENTS_AT_END: Duration = Duration::from_secs(5);
/// The domains that get mail at the same time.
const DOMAINS_AT_ONCE: usize = 10;
