//! The origin of events: a client and its message.

use std::sync::Arc;

use event_expand::{Effect, Event, EventName};
use mail_types::exim::Trust;
use mail_types::smtp::{Mailbox, Reply, ReversePath};

use super::dispatcher::Events;
use super::raised_event::{Facts, MAX_CERTIFICATE, RaisedEvent, bounded};
use super::settings::LOCAL_DELIVERY;
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::peer::{Client, protocol};
use crate::gateway::smtp::session::{Fault, Session};

/// A client's session and message, for their events. The default ignores all events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    events: Events,
    facts: Facts,
    message: Option<MessageId>,
    /// Whether a delivery is one of several of the message.
    is_partial: bool,
    /// The certificate of the client.
    certificate: Option<Arc<[u8]>>,
    /// The certificate that this host has shown to it, if an action may ask for it.
    own_certificate: Option<Arc<[u8]>>,
}

impl Origin {
    /// The origin at the start of a connection.
    pub(crate) fn connecting(events: &Events, host: &str, client: &Client) -> Self {
        if !events.is_on() {
            return Self::default();
        }
        let address = client.address;
        let name = client.host_name.as_ref().map(ToString::to_string).unwrap_or_default();
        let facts = Facts::default()
            .with("primary_hostname", host.as_bytes(), Trust::Trusted)
            .with("sender_host_address", address.ip().to_string().as_bytes(), Trust::Untrusted)
            .with("sender_host_port", address.port().to_string().as_bytes(), Trust::Untrusted)
            .with("sender_host_name", name.as_bytes(), Trust::Untrusted)
            .with("tls_in_ocsp", client.tls_in_ocsp().as_bytes(), Trust::Trusted);
        let sni = client.sni().unwrap_or_default().as_bytes();
        let facts = ["tls_in_sni", "tls_sni"]
            .iter()
            .fold(facts, |facts, name| facts.with(name, sni, Trust::Untrusted));
        let facts = match &client.tls {
            Some(tls) => {
                let cipher = tls.cipher.as_deref().unwrap_or_default();
                facts.with("tls_in_cipher", cipher.as_bytes(), Trust::Untrusted)
            }
            None => facts,
        };
        let verified = client.certificate_verified().as_bytes();
        let facts = facts.with("tls_in_certificate_verified", verified, Trust::Trusted);
        let certificate = client.certificate().filter(|own| own.der.len() <= MAX_CERTIFICATE);
        let own_certificate = client.own_certificate().filter(|own| own.len() <= MAX_CERTIFICATE);
        let own_certificate = own_certificate.filter(|_| events.reads_own_certificate());
        let subject = certificate.map(|own| own.subject.as_bytes()).unwrap_or_default();
        Self {
            events: events.clone(),
            facts: facts.with("tls_in_peerdn", subject, Trust::Untrusted),
            message: None,
            is_partial: false,
            certificate: certificate.map(|own| Arc::clone(&own.der)),
            own_certificate: own_certificate.cloned(),
        }
    }

    /// The origin of a message that this host sends to several next hops, without a client.
    pub(crate) fn sending(
        events: &Events,
        host: &str,
        sender: &ReversePath,
        message: MessageId,
    ) -> Self {
        let facts = Facts::default().with("primary_hostname", host.as_bytes(), Trust::Trusted);
        let (facts, message) = (of_sender(facts, sender), Some(message));
        let events = events.clone();
        let (certificate, own_certificate) = (None, None);
        Self { events, facts, message, is_partial: true, certificate, own_certificate }
    }

    /// The origin with the current state of the session.
    pub(crate) fn new(
        events: &Events,
        host: &str,
        client: &Client,
        session: &Session,
        message: Option<MessageId>,
    ) -> Self {
        let Self { events, mut facts, certificate, own_certificate, .. } =
            Self::connecting(events, host, client);
        if !events.is_on() {
            return Self { message, ..Self::default() };
        }
        let (greeting, transaction) = (session.greeting(), session.transaction());
        let utf8 = transaction.is_some_and(|transaction| transaction.utf8);
        let protocol = protocol(greeting, utf8).to_lowercase();
        facts = facts.with("received_protocol", protocol.as_bytes(), Trust::Trusted);
        facts = facts.with("sender_helo_name", greeting.name.as_bytes(), Trust::Untrusted);
        if let Some(transaction) = transaction {
            facts = of_sender(facts, &transaction.sender);
        }
        Self { events, facts, message, is_partial: false, certificate, own_certificate }
    }

    /// Returns the identifier of the message.
    pub(crate) fn message(&self) -> Option<MessageId> {
        self.message
    }

    /// Makes an event, if it has an action.
    pub(super) fn event(&self, name: EventName, transport: Option<&str>) -> Option<Event> {
        if !self.events.hears(name, transport) {
            return None;
        }
        let mut event = Event::new(name);
        if let Some(id) = self.message {
            event = event.with("message_exim_id", id.to_string().as_bytes(), Trust::Trusted);
        }
        if let Some(certificate) = &self.certificate {
            event = event.with("tls_in_peercert", certificate, Trust::Untrusted);
        }
        if let Some(certificate) = &self.own_certificate {
            event = event.with("tls_in_ourcert", certificate, Trust::Untrusted);
        }
        if let Some(transport) = transport {
            event = event.with("transport_name", transport.as_bytes(), Trust::Trusted);
        }
        Some(event)
    }

    pub(super) fn raised(&self, event: Event) -> RaisedEvent {
        RaisedEvent::new(event, self.facts.clone())
    }

    pub(super) fn raise(&self, event: Event) {
        self.events.raise(self.raised(event));
    }

    pub(super) async fn ask(&self, event: Event) -> Effect {
        self.events.ask(self.raised(event)).await
    }

    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// Raises the events of a delivery into the Maildir.
    pub(crate) fn kept(&self, recipients: &[Mailbox]) {
        for recipient in recipients {
            if let Some(event) = self.event(EventName::MsgDelivery, Some(LOCAL_DELIVERY)) {
                let event = event.with("router_name", LOCALUSER, Trust::Trusted);
                self.raise(addressed(event, recipient));
            }
        }
        self.complete();
    }

    /// Raises the event of a message of which no recipient is left.
    pub(crate) fn complete(&self) {
        if let Some(event) = self.event(EventName::MsgComplete, None) {
            self.raise(event);
        }
    }

    /// Makes the event of a message whose delivery to a host is the end of it.
    pub(super) fn completed(&self) -> Option<Event> {
        self.event(EventName::MsgComplete, None).filter(|_| !self.is_partial)
    }

    /// Raises the event of a client's mistake, with its reply.
    pub(crate) fn mistake(&self, fault: Fault, reply: &Reply) {
        let name = match fault {
            Fault::Protocol => EventName::SmtpFailProtocol,
            Fault::Syntax => EventName::SmtpFailSyntax,
        };
        self.tell(name, &text(reply));
    }

    /// Has the action of `tls:cert` judge a certificate of the client, at this depth of its chain; one that
    /// is too long for an event is refused.
    pub(crate) async fn refuses(&self, depth: usize, certificate: &[u8]) -> bool {
        let Some(event) = self.event(EventName::TlsCert, None) else { return false };
        let event = event.data(depth.to_string().as_bytes(), Trust::Untrusted);
        let event = event.with("tls_in_peercert", certificate, Trust::Untrusted);
        certificate.len() > MAX_CERTIFICATE || self.ask(event).await == Effect::RefuseVerification
    }

    /// Raises the event of a failed TLS handshake.
    pub(crate) fn handshake_failed(&self, why: &str) {
        self.tell(EventName::TlsFailConnect, why);
    }

    /// Raises the event of a failed DNS question outside a transport.
    pub(crate) fn not_found(&self, outcome: &str, name: &str, kind: &str) {
        self.tell(EventName::DnsFail, &dns_failure(outcome, name, kind));
    }

    /// The data is untrusted, as of each event: a reply to a mistake quotes the client.
    fn tell(&self, name: EventName, data: &str) {
        if let Some(event) = self.event(name, None) {
            self.raise(event.data(bounded(data.as_bytes()), Trust::Untrusted));
        }
    }
}

fn of_sender(facts: Facts, sender: &ReversePath) -> Facts {
    let Some(sender) = sender.mailbox() else { return facts };
    let domain = sender.host().to_string();
    facts
        .with("sender_address", sender.to_string().as_bytes(), Trust::Untrusted)
        .with("sender_address_local_part", sender.local_part().as_bytes(), Trust::Untrusted)
        .with("sender_address_domain", domain.as_bytes(), Trust::Untrusted)
}

/// Sets the recipient of an event.
pub(super) fn addressed(event: Event, recipient: &Mailbox) -> Event {
    event.with("local_part", recipient.local_part().as_bytes(), Trust::Untrusted).with(
        "domain",
        recipient.host().to_string().as_bytes(),
        Trust::Untrusted,
    )
}

/// A reply as `$event_data`: its lines, separated by line feeds.
pub(super) fn text(reply: &Reply) -> String {
    reply.to_string().replace('\r', "")
}

/// The data of `dns:fail`: colon-separated fields, in which colons are doubled.
pub(super) fn dns_failure(outcome: &str, name: &str, kind: &str) -> String {
    format!("{outcome}:{}:{kind}", name.replace(':', "::"))
}

const LOCALUSER: &[u8] = b"localuser";
