//! The events of one attempt at an address of the next hop.
//!
//! As in Exim, the final results of recipients and of the host follow the end of the connection:
//! `tcp:close` comes before `msg:delivery`. A deferred recipient is reported at once.

use std::net::SocketAddr;

use dane_tlsa::ResultType;
use event_expand::{Effect, Event, EventName, packed_errno};
use mail_types::exim::Trust;
use mail_types::smtp::{Mailbox, Reply, Severity};

use super::origin::{Origin, addressed, dns_failure, text};
use super::outgoing_tls::OutgoingTls;
use super::raised_event::bounded;
use super::settings::REMOTE_SMTP;

/// An attempt; the drop ends it.
#[derive(Debug)]
pub(crate) struct DeliveryAttempt {
    origin: Origin,
    /// The variables of the connection, untrusted; none where no event has an action.
    ends: Vec<(&'static str, String)>,
    /// Whether there is a connection.
    connected: bool,
    /// The TLS of the connection, and the policy for it.
    tls: OutgoingTls,
    /// Whether this is the last address.
    last: bool,
    /// Whether the host's error was reported.
    deferred: bool,
    /// The events after the end of the connection.
    after: Vec<Event>,
}

/// An error, for the events of a deferral.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    pub(crate) text: String,
    /// `$event_defer_errno`: the system's, or one of Exim's below zero; 0 for none.
    pub(crate) errno: i32,
}

impl DeliveryAttempt {
    /// Begins an attempt; `host` is the next hop's name, and `last` says that no other address is left.
    pub(crate) fn new(origin: &Origin, host: &str, address: SocketAddr, last: bool) -> Self {
        let (origin, tls) = (origin.clone(), OutgoingTls::default());
        origin.events().open();
        let (ends, after) = (Vec::new(), Vec::new());
        let mut attempt =
            Self { origin, ends, connected: false, tls, last, deferred: false, after };
        attempt.note("host", host);
        attempt.note_end("host_address", "host_port", address);
        attempt
    }

    /// Asks whether to connect; a refusal is reported as an error of the host.
    pub(crate) async fn may_connect(&mut self) -> bool {
        let refused = match self.event(EventName::TcpConnect) {
            Some(event) => self.origin.ask(event).await == Effect::DoNotConnect,
            None => false,
        };
        if refused {
            let text = "refused by an action of tcp:connect".to_owned();
            self.deferred(&Failure { text, errno: ERRNO_EVENT });
        }
        !refused
    }

    /// The connection is open, with this local address.
    pub(crate) fn connected(&mut self, own: Option<SocketAddr>) {
        self.connected = true;
        if let Some(own) = own {
            self.note_end("sending_ip_address", "sending_port", own);
        }
    }

    /// The server takes mail: no other address is tried for the message.
    pub(crate) fn opened(&mut self) {
        self.last = true;
    }

    /// Reports the banner, and asks whether to continue; a refusal is reported as an error of the host.
    pub(crate) async fn may_greet(&mut self, banner: &Reply) -> bool {
        let refused = match self.event(EventName::SmtpConnect) {
            Some(event) => {
                let event = with_data(event, &text(banner));
                self.origin.ask(event).await == Effect::CloseConnection
            }
            None => false,
        };
        if refused {
            let text = "deferred by an action of smtp:connect".to_owned();
            self.deferred(&Failure { text, errno: 0 });
        }
        !refused
    }

    /// Takes note of the TLS of the connection, or of the policy for it; all later events have its variables.
    pub(crate) fn secured(&mut self, tls: OutgoingTls) {
        self.tls = tls;
    }

    /// Asks whether a certificate of the server may be trusted, by its depth in the chain that was sent; a refusal is
    /// reported as an error of the host.
    pub(crate) async fn may_trust(&mut self, depth: usize, certificate: &[u8]) -> bool {
        let Some(event) = self.event(EventName::TlsCert) else { return true };
        let event = event.with("tls_out_peercert", certificate, Trust::Untrusted);
        let event = with_data(event, &depth.to_string());
        let refused = self.origin.ask(event).await == Effect::RefuseVerification;
        if refused {
            let text = format!("certificate {depth} refused by an action of tls:cert");
            self.deferred(&Failure { text, errno: ERRNO_TLSFAILURE });
        }
        !refused
    }

    /// Returns the TLS of the connection.
    pub(crate) fn tls(&self) -> &OutgoingTls {
        &self.tls
    }

    /// Reports the reply to `EHLO`.
    pub(crate) fn greeted(&self, reply: &Reply) {
        self.tell(EventName::SmtpEhlo, &text(reply));
    }

    /// Reports an error of the host, only the first one.
    pub(crate) fn deferred(&mut self, failure: &Failure) {
        if std::mem::replace(&mut self.deferred, true) {
            return;
        }
        for (name, due) in [(EventName::MsgHostDefer, true), (EventName::MsgDefer, self.last)] {
            if due && let Some(event) = self.event(name) {
                self.after.push(with_failure(event, failure));
            }
        }
    }

    /// Reports that a recipient was refused or deferred by the reply to `stage`; an empty `stage` means
    /// this server's own reply.
    pub(crate) fn refused(&mut self, recipient: &Mailbox, reply: &Reply, stage: &str) {
        let error = error_after(stage, reply);
        match reply.code().severity() {
            Severity::Transient if stage.starts_with("MAIL") => {
                self.put_off(&Failure { text: error, errno: ERRNO_MAIL4XX });
            }
            Severity::Transient => self.recipient_deferred(recipient, reply, error),
            _ => self.failed(recipient, &error),
        }
    }

    /// Reports the results of these recipients, by their replies and the final one, to `stage`.
    pub(crate) fn passed(
        &mut self,
        recipients: &[&Mailbox],
        replies: &[Reply],
        last: &Reply,
        stage: &str,
        for_each: bool,
    ) {
        let accepted = last.code().severity() == Severity::Completed;
        let mut put_off = false;
        for (recipient, reply) in recipients.iter().zip(replies) {
            let own = for_each && reply != last;
            let error = || {
                let prdr = format!("PRDR error after DATA: {}", text(reply));
                if own { prdr } else { error_after(stage, reply) }
            };
            match reply.code().severity() {
                Severity::Completed if accepted && own => {
                    self.delivered(recipient, &format!("{}\n{}", text(reply), text(last)));
                }
                Severity::Completed if accepted => self.delivered(recipient, &text(reply)),
                Severity::Transient if own => self.recipient_deferred(recipient, reply, error()),
                Severity::Permanent => self.failed(recipient, &error()),
                // The error is the message's, for all recipients; no success is reported.
                _ => put_off = true,
            }
        }
        if put_off {
            self.put_off(&Failure { text: error_after(stage, last), errno: ERRNO_DATA4XX });
        }
        if accepted && let Some(event) = self.origin.completed() {
            self.after.push(event);
        }
    }

    fn delivered(&mut self, recipient: &Mailbox, confirmation: &str) {
        if let Some(event) = self.event(EventName::MsgDelivery) {
            self.after.push(with_data(addressed(event, recipient), confirmation));
        }
    }

    fn failed(&mut self, recipient: &Mailbox, error: &str) {
        // In 2014 this was an event of the main section; the transport's name is the same.
        if let Some(event) = self.event(EventName::MsgFailDelivery) {
            self.after.push(with_data(addressed(event, recipient), error));
        }
    }

    fn recipient_deferred(&self, recipient: &Mailbox, reply: &Reply, text: String) {
        let errno = packed_errno(reply.code().get(), false);
        let failure = Failure { text, errno };
        for name in [EventName::MsgRcptHostDefer, EventName::MsgRcptDefer] {
            if let Some(event) = self.event(name) {
                self.origin.raise(with_failure(addressed(event, recipient), &failure));
            }
        }
    }

    /// Reports an error of the message, not of the host.
    fn put_off(&mut self, failure: &Failure) {
        if let Some(event) = self.event(EventName::MsgDefer) {
            self.after.push(with_failure(event, failure));
        }
    }

    fn tell(&self, name: EventName, data: &str) {
        if let Some(event) = self.event(name) {
            self.origin.raise(with_data(event, data));
        }
    }

    fn event(&self, name: EventName) -> Option<Event> {
        let event = self.origin.event(name, Some(REMOTE_SMTP))?;
        let event = event.with("router_name", SMARTHOST, Trust::Trusted);
        let event = self
            .ends
            .iter()
            .fold(event, |event, (name, text)| event.with(name, text.as_bytes(), Trust::Untrusted));
        Some(self.tls.describe(event))
    }

    /// Adds a variable to all later events.
    fn note(&mut self, name: &'static str, text: &(impl ToString + ?Sized)) {
        if self.origin.events().is_on() {
            self.ends.push((name, text.to_string()));
        }
    }

    fn note_end(&mut self, address: &'static str, port: &'static str, end: SocketAddr) {
        self.note(address, &end.ip());
        self.note(port, &end.port());
    }
}

impl Drop for DeliveryAttempt {
    fn drop(&mut self) {
        if self.connected {
            self.tell(EventName::TcpClose, "");
        }
        for event in std::mem::take(&mut self.after) {
            self.origin.raise(event);
        }
        self.origin.events().shut();
    }
}

/// Reports that the next hop's name has no address.
pub(crate) fn no_address(origin: &Origin, host: &str, why: &str) {
    let failure = Failure { text: why.to_owned(), errno: 0 };
    if let Some(event) = origin.event(EventName::DnsFail, Some(REMOTE_SMTP)) {
        origin.raise(with_data(routed(event, host), &dns_failure("DNS_FAIL", host, "A")));
    }
    if let Some(event) = origin.event(EventName::MsgDefer, Some(REMOTE_SMTP)) {
        origin.raise(with_failure(routed(event, host), &failure));
    }
}

/// Reports that DANE does not allow a delivery to a host (`dane:fail`).
pub(crate) fn dane_failed(
    origin: &Origin,
    host: &str,
    address: Option<SocketAddr>,
    result: ResultType,
) {
    let Some(event) = origin.event(EventName::DaneFail, Some(REMOTE_SMTP)) else { return };
    let mut event = routed(event, host);
    if let Some(address) = address {
        event = event
            .with("host_address", address.ip().to_string().as_bytes(), Trust::Untrusted)
            .with("host_port", address.port().to_string().as_bytes(), Trust::Untrusted);
    }
    origin.raise(event.data(result.event_word().as_bytes(), Trust::Untrusted));
}

/// Reports that a host is not used; `last` says that no other one is left.
pub(crate) fn host_unused(origin: &Origin, host: &str, why: &str, last: bool) {
    let failure = Failure { text: why.to_owned(), errno: 0 };
    for (name, due) in [(EventName::MsgHostDefer, true), (EventName::MsgDefer, last)] {
        if let Some(event) = origin.event(name, Some(REMOTE_SMTP)).filter(|_| due) {
            origin.raise(with_failure(routed(event, host), &failure));
        }
    }
}

fn routed(event: Event, host: &str) -> Event {
    event.with("router_name", SMARTHOST, Trust::Trusted).with(
        "host",
        host.as_bytes(),
        Trust::Untrusted,
    )
}

fn with_data(event: Event, data: &str) -> Event {
    if data.is_empty() { event } else { event.data(bounded(data.as_bytes()), Trust::Untrusted) }
}

fn with_failure(event: Event, failure: &Failure) -> Event {
    with_data(event, &failure.text).defer_errno(failure.errno)
}

fn error_after(stage: &str, reply: &Reply) -> String {
    match stage {
        "" => text(reply),
        _ => format!("SMTP error from remote mail server after {stage}: {}", text(reply)),
    }
}

const SMARTHOST: &[u8] = b"smarthost";
/// Exim's values of `$event_defer_errno` without a number of the system.
pub(crate) const ERRNO_SMTPCLOSED: i32 = -18;
pub(crate) const ERRNO_SMTPFORMAT: i32 = -19;
pub(crate) const ERRNO_TLSFAILURE: i32 = -37;
pub(crate) const ERRNO_TLSREQUIRED: i32 = -38;
const ERRNO_MAIL4XX: i32 = -45;
const ERRNO_DATA4XX: i32 = -46;
const ERRNO_EVENT: i32 = -58;
