//! The attempts at the hosts of a message, one address after the other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use dane_tlsa::{Action, Host, HostPolicy};
use mail_types::smtp::{Mailbox, Reply, Severity};

use super::connection::{Connection, OpenError, Target, TlsPlan};
use super::hosts::{RemoteHost, Unused};
use super::open_failure::OpenFailure;
use super::outcome::{DeliveryResult, RecipientOutcome};
use super::remote::{Found, Outbound, Remote, TlsDemand, log};
use super::security::HostChoices;
use super::tls_report::{TlsFault, TlsReportLine, failure};
use crate::gateway::events::delivery_attempt::{DeliveryAttempt, dane_failed, host_unused};
use crate::gateway::events::origin::Origin;
use crate::gateway::events::outgoing_tls::OutgoingTls;
use crate::gateway::smtp::client::{Delivery, Lost, RecipientResult};

/// The hosts that are left.
pub(crate) struct Attempts<'a> {
    remote: &'a Remote,
    found: Found,
    outbound: Outbound<'a>,
    /// Whether the time for opening is also that of the session.
    ends: bool,
    left: VecDeque<Attempt>,
    /// The failures so far.
    failures: Vec<OpenFailure>,
    /// A line for each attempt, for reports about TLS.
    reports: Vec<TlsReportLine>,
}

/// An attempt: the number of the host, and its address; without one the host is not used.
type Attempt = (usize, Option<SocketAddr>);

/// A connection that can take the message.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Box<Connection>,
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
}

impl<'a> Attempts<'a> {
    /// Prepares the attempts at the hosts of a next hop.
    pub(crate) fn new(remote: &'a Remote, outbound: Outbound<'a>, found: Found) -> Self {
        let mut left = VecDeque::new();
        for (number, host) in found.hosts.list.iter().enumerate() {
            if host.unused.is_some() {
                left.push_back((number, None));
                continue;
            }
            let addresses = host.policy.addresses.iter().take(MAX_ADDRESSES);
            let port = found.hosts.port;
            left.extend(addresses.map(|ip| (number, Some(SocketAddr::new(*ip, port)))));
        }
        left.truncate(MAX_ATTEMPTS);
        let (failures, reports) = (Vec::new(), Vec::new());
        Self { remote, found, outbound, ends: false, left, failures, reports }
    }

    /// Ends the sessions, too, at the time until which they must be open.
    pub(crate) fn ending(self) -> Self {
        Self { ends: true, ..self }
    }

    /// Opens a connection to the next address whose server can take the message.
    ///
    /// # Errors
    ///
    /// The failure that decides, if no address is left.
    pub(crate) async fn open(
        &mut self,
        origin: &Origin,
        until: Instant,
    ) -> Result<Opened, OpenFailure> {
        while let Some((number, address)) = self.left.pop_front() {
            let Some(host) = self.found.hosts.list.get(number).cloned() else { continue };
            let tried = match address {
                Some(address) => self.attempt(&host, address, origin, until).await,
                None => Err(self.skip(&host, origin)),
            };
            match tried {
                Ok(opened) => return Ok(opened),
                Err(failure) => self.failures.push(failure),
            }
        }
        Err(OpenFailure::worst(std::mem::take(&mut self.failures)))
    }

    /// Notes that a connection was lost before it took the message for all.
    pub(crate) fn lost(&mut self, host: &str, address: SocketAddr, lost: &Lost) {
        self.failures.push(OpenFailure::lost(host, address, lost));
    }

    /// Takes the lines for reports about TLS.
    pub(crate) fn take_reports(&mut self) -> Vec<TlsReportLine> {
        std::mem::take(&mut self.reports)
    }

    /// A host that is not used.
    fn skip(&mut self, host: &RemoteHost, origin: &Origin) -> OpenFailure {
        let (name, reason) = (host.policy.host.to_string(), host.unused.as_ref());
        let text = reason.map(ToString::to_string).unwrap_or_default();
        let is_skipped = matches!(host.policy.action, Action::Skip(_));
        let failure = host.policy.failure().filter(|_| is_skipped);
        if let Some(failure) = &failure {
            if self.remote.settings.lists.use_dane() {
                dane_failed(origin, &name, None, failure.result);
            }
            self.reports.push(TlsReportLine::failed(failure, None));
        }
        host_unused(origin, &name, &text, self.left.is_empty());
        let has_no_address = matches!(
            reason,
            Some(Unused::Skip(dane_tlsa::Skip::NoAddress | dane_tlsa::Skip::AddressInMx))
        );
        let unused = OpenFailure::unused(name, text, has_no_address);
        if failure.is_some() || reason == Some(&Unused::NotInMtaSts) {
            unused.by_policy()
        } else {
            unused
        }
    }

    async fn attempt(
        &mut self,
        host: &RemoteHost,
        address: SocketAddr,
        origin: &Origin,
        until: Instant,
    ) -> Result<Opened, OpenFailure> {
        let name = host.policy.host.to_string();
        let failed = |text: String| OpenFailure::unused(name.clone(), text, false);
        let tls = tls_before(host);
        let choices = self.choices((host, &name), address, &tls).await.map_err(&failed)?;
        let verifier = self.remote.authorities.verifier();
        let plan = self.remote.tls.security(host, choices, &verifier);
        let plan = plan.map_err(|error| failed(error.to_string()))?;
        let mut connected =
            self.connect(&name, address, &plan, (choices, &tls), (origin, until)).await;
        self.report((host, &name), address, &plan, connected.as_ref().err(), origin);
        let may_clear = plan.client().is_some_and(|client| client.may_clear);
        if may_clear && matches!(connected, Err(OpenError::Handshake(_))) {
            let clear = TlsPlan::Clear;
            connected =
                self.connect(&name, address, &clear, (choices, &tls), (origin, until)).await;
        }
        let connection = connected.map_err(|error| match error {
            OpenError::TlsNotOffered | OpenError::TlsRefused(_) | OpenError::Handshake(_)
                if self.outbound.demand == TlsDemand::Required =>
            {
                OpenFailure::encryption_needed(&name, address)
            }
            error => OpenFailure::of(&name, address, &error),
        })?;
        let opened = Opened { connection, host: name, address };
        if self.outbound.demand == TlsDemand::Required {
            self.require_tls(opened, host).await
        } else {
            Ok(opened)
        }
    }

    async fn connect(
        &self,
        name: &str,
        address: SocketAddr,
        plan: &TlsPlan,
        (choices, tls): (HostChoices, &OutgoingTls),
        (origin, until): (&Origin, Instant),
    ) -> Result<Box<Connection>, OpenError> {
        let mut attempt = DeliveryAttempt::new(origin, name, address, self.left.is_empty());
        attempt.secured(tls.clone());
        let target = Target {
            address,
            try_prdr: choices.try_prdr,
            try_chunking: choices.try_chunking,
            open_by: Some(self.share(until)),
            until: self.ends.then_some(until),
        };
        // The state of an opening is large, and short-lived.
        Box::pin(Connection::open(&target, plan, &self.remote.settings, attempt)).await
    }

    /// Half of the time that is left, so that a silent server leaves time for the next one.
    fn share(&self, until: Instant) -> Instant {
        let now = tokio::time::Instant::now().into_std();
        let left = until.saturating_duration_since(now);
        now + if self.left.is_empty() { left } else { left / 2 }
    }

    /// Decides by the options, and by what the message demands.
    async fn choices(
        &self,
        (host, text): (&RemoteHost, &str),
        address: SocketAddr,
        tls: &OutgoingTls,
    ) -> Result<HostChoices, String> {
        let mut outgoing = self.remote.outgoing((self.outbound.domain, text), Some(address), tls);
        let name = match &host.policy.host {
            Host::Name(name) => Some(name),
            Host::Address(_) => None,
        };
        let choices = self.remote.settings.choices(&mut outgoing, name, address).await;
        log(&mut outgoing);
        let cause = "an option of [remote_smtp] cannot be expanded now";
        let choices = choices.map_err(|_| cause.to_owned())?;
        Ok(match self.outbound.demand {
            TlsDemand::None => choices,
            TlsDemand::Required => {
                HostChoices { require_tls: true, verify: true, verify_name: true, ..choices }
            }
            TlsDemand::Waived => HostChoices {
                require_tls: false,
                verify: false,
                require_ocsp: false,
                try_clear: true,
                ..choices
            },
        })
    }

    /// REQUIRETLS: only a host that is known to be one of the next hop, authenticated, and that passes the demand
    /// on (RFC 8689 section 4.2.1).
    async fn require_tls(&self, opened: Opened, host: &RemoteHost) -> Result<Opened, OpenFailure> {
        let secured = opened.connection.secured();
        let is_verified =
            secured.is_some_and(|secured| secured.check.authentication().is_verified());
        let is_known = self.found.hosts.is_secure || host.policy.action.authenticates_next_hop();
        let failure = if !is_verified || !is_known {
            OpenFailure::encryption_needed(&opened.host, opened.address)
        } else if !opened.connection.offers_require_tls() {
            OpenFailure::require_tls_needed(&opened.host, opened.address)
        } else {
            return Ok(opened);
        };
        opened.connection.quit().await;
        Err(failure)
    }

    /// Notes an attempt for reports, and raises `dane:fail`.
    fn report(
        &mut self,
        (host, name): (&RemoteHost, &str),
        address: SocketAddr,
        plan: &TlsPlan,
        error: Option<&OpenError>,
        origin: &Origin,
    ) {
        let verdict = plan.client().and_then(|client| client.check.authentication().verdict());
        let fault = match (error, &verdict) {
            (Some(OpenError::TlsNotOffered | OpenError::TlsRefused(_)), _) => {
                Some(TlsFault::NoStarttls)
            }
            (Some(OpenError::Handshake(_)), Some(verdict)) if !verdict.is_match() => {
                Some(TlsFault::Verdict(verdict))
            }
            (Some(OpenError::Handshake(error)), _) => Some(TlsFault::Handshake(error)),
            (Some(_), _) => return,
            (None, _) => None,
        };
        if let Some(failure) = fault.as_ref().and_then(|fault| failure(&host.policy, fault)) {
            dane_failed(origin, name, Some(address), failure.result);
        }
        let (sts, domain) = (self.found.sts.as_ref(), self.outbound.route.to.to_string());
        let line = TlsReportLine::of(&host.policy, &domain, sts, address.ip(), fault.as_ref());
        self.reports.push(line);
        self.report_only(host, address, plan);
    }

    /// Notes what DANE says of a host for which it is reported only.
    fn report_only(&mut self, host: &RemoteHost, address: SocketAddr, plan: &TlsPlan) {
        let Some(policy) = &host.reported else { return };
        let domain = self.outbound.route.to.to_string();
        if let Some(failure) = policy.failure() {
            self.reports.push(TlsReportLine::failed(&failure, Some(address.ip())));
            return;
        }
        let client = plan.client();
        let verdict = client.and_then(|client| client.check.authentication().reported_verdict());
        let fault = match &verdict {
            None => Some(TlsFault::NoStarttls),
            Some(verdict) if verdict.is_match() => None,
            Some(verdict) => Some(TlsFault::Verdict(verdict)),
        };
        let line = TlsReportLine::of(policy, &domain, None, address.ip(), fault.as_ref());
        self.reports.push(line);
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

    /// The outcome of a recipient by its result.
    pub(super) fn outcome_of(
        &self,
        recipient: &Mailbox,
        result: &RecipientResult,
        delivery: &Delivery,
    ) -> RecipientOutcome {
        let outcome = if let Some(reply) = result.reply() {
            let word = match reply.code().severity() {
                Severity::Completed if result.is_delivered() => DeliveryResult::Delivered,
                Severity::Permanent => DeliveryResult::Failed,
                _ => DeliveryResult::Deferred,
            };
            self.outcome(recipient, word, Some(reply.clone()))
        } else {
            let outcome = self.outcome(recipient, DeliveryResult::Deferred, None);
            let unknown = "no reply to the message".to_owned();
            outcome.because(delivery.lost.as_ref().map_or(unknown, ToString::to_string))
        };
        RecipientOutcome { prdr: delivery.prdr, ..outcome }
    }
}

/// The certificate usages of the records, a bit for each; 0 without DANE.
pub(super) fn usage_bits(policy: &HostPolicy) -> u8 {
    match &policy.action {
        Action::Dane(dane) => dane.records.usage_bits(),
        _ => 0,
    }
}

/// The variables before the handshake.
fn tls_before(host: &RemoteHost) -> OutgoingTls {
    OutgoingTls {
        dnssec: host.found_securely,
        tlsa_usage: usage_bits(&host.policy),
        ..OutgoingTls::default()
    }
}

/// The most addresses of one host, and of all, that are tried.
pub(super) const MAX_ADDRESSES: usize = 5;
const MAX_ATTEMPTS: usize = 20;
