//! The attempts at the hosts of a message, one address after the other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use dane_tlsa::{Action, Host, HostPolicy};
use mail_types::smtp::{Mailbox, Reply, Severity};

use super::address_plan::AddressPlan;
use super::connection::{Connection, OpenError, Target, TlsPlan};
use super::hosts::{RemoteHost, Unused};
use super::measure;
use super::open_failure::OpenFailure;
use super::outcome::{DeliveryResult, RecipientOutcome};
use super::proxied_client::header;
use super::remote::{Found, Outbound, Remote, TlsDemand};
use super::server_check::Authentication;
use super::tls_report::{TlsFault, TlsReportLine, failure};
use crate::gateway::events::delivery_attempt::{DeliveryAttempt, dane_failed, host_unused};
use crate::gateway::events::origin::Origin;
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
                measure::dane_failed(&self.remote.metrics, failure.result);
                dane_failed(origin, &name, None, failure.result);
            }
            self.reports.push(TlsReportLine::failed(failure, None));
        }
        if reason == Some(&Unused::NotInMtaSts) {
            let (sts, domain) = (self.found.sts.as_ref(), self.outbound.route.to.to_string());
            let fault = Some(&TlsFault::NotNamed);
            self.reports.push(TlsReportLine::of(&host.policy, &domain, sts, None, fault));
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
        let sts = self.found.sts.as_ref();
        let plan = self.remote.address_plan(self.outbound, (host, address), sts).await;
        let mut plan = plan.map_err(&failed)?;
        let mut connected = self.connect(&name, address, &plan, (origin, until)).await;
        self.report((host, &name), address, &plan.security, connected.as_deref(), origin);
        if plan.security.may_clear() && matches!(connected, Err(OpenError::Handshake(_))) {
            plan.security = TlsPlan::Clear;
            connected = self.connect(&name, address, &plan, (origin, until)).await;
        }
        let connection = connected.map_err(|error| match error {
            OpenError::TlsNotOffered | OpenError::TlsRefused(_) | OpenError::Handshake(_)
                if self.outbound.demands.tls == TlsDemand::Required =>
            {
                OpenFailure::encryption_needed(&name, address)
            }
            error => OpenFailure::of(&name, address, &error),
        })?;
        let opened = Opened { connection, host: name, address };
        if self.outbound.demands.tls == TlsDemand::Required {
            self.require_tls(opened, host).await
        } else {
            Ok(opened)
        }
    }

    async fn connect(
        &self,
        name: &str,
        address: SocketAddr,
        plan: &AddressPlan,
        (origin, until): (&Origin, Instant),
    ) -> Result<Box<Connection>, OpenError> {
        let mut attempt = DeliveryAttempt::new(origin, name, address, self.left.is_empty());
        attempt.secured(plan.tls.clone());
        let target = Target {
            address,
            try_prdr: plan.choices.try_prdr,
            try_chunking: plan.choices.try_chunking,
            // The last host says itself that it cannot take the message.
            needs: self.may_go_on().then_some(self.outbound.demands.needs),
            proxy: plan.choices.send_proxy.then(|| header(self.outbound.demands.client)),
            open_by: Some(self.share(until)),
            until: self.ends.then_some(until),
        };
        // The state of an opening is large, and short-lived.
        let Remote { settings, metrics, .. } = self.remote;
        let opened = Box::pin(Connection::open(&target, &plan.security, settings, attempt)).await;
        measure::connected(metrics, &plan.security, opened.as_deref());
        opened
    }

    /// Tells whether another host may take the message, now or later.
    fn may_go_on(&self) -> bool {
        !self.left.is_empty() || self.failures.iter().any(OpenFailure::is_temporary)
    }

    /// Half of the time that is left, so that a silent server leaves time for the next one.
    fn share(&self, until: Instant) -> Instant {
        let now = tokio::time::Instant::now().into_std();
        let left = until.saturating_duration_since(now);
        now + if self.left.is_empty() { left } else { left / 2 }
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
        result: Result<&Connection, &OpenError>,
        origin: &Origin,
    ) {
        // Where TLS is not tried there is nothing to report.
        let Some(client) = plan.client() else { return };
        let authentication = client.check.authentication();
        let verdict = authentication.verdict();
        let fault = match (result, &verdict) {
            (Err(OpenError::Handshake(_)), Some(verdict)) if !verdict.is_match() => {
                Some(TlsFault::Verdict(verdict))
            }
            (Err(OpenError::Handshake(error)), _) => Some(TlsFault::Handshake(error)),
            (Err(OpenError::CertificateRefused(depth)), _) => Some(TlsFault::Refused(*depth)),
            // The session was secured, whatever came after.
            _ if !authentication.sent().is_empty() => self.tested(&host.policy, authentication),
            (
                Ok(_)
                | Err(OpenError::TlsNotOffered | OpenError::TlsRefused(_) | OpenError::CannotTake(_)),
                _,
            ) => Some(TlsFault::NoStarttls),
            (Err(_), _) => return,
        };
        if let Some(failure) = fault.as_ref().and_then(|fault| failure(&host.policy, fault)) {
            measure::dane_failed(&self.remote.metrics, failure.result);
            dane_failed(origin, name, Some(address), failure.result);
        }
        let (sts, domain) = (self.found.sts.as_ref(), self.outbound.route.to.to_string());
        let (ip, fault) = (Some(address.ip()), fault.as_ref());
        self.reports.push(TlsReportLine::of(&host.policy, &domain, sts, ip, fault));
        if let Some(policy) = &host.reported {
            self.reports.extend(self.report_only((policy, address), authentication, fault));
        }
    }

    /// The fault of a secured session by an MTA-STS policy in the mode `testing`, without effect on the delivery.
    fn tested<'f>(
        &self,
        host: &HostPolicy,
        authentication: &Authentication,
    ) -> Option<TlsFault<'f>> {
        let sts = self.found.sts.as_ref().filter(|sts| sts.is_testing())?;
        match &host.host {
            _ if matches!(host.action, Action::Dane(_)) => None,
            Host::Name(name) if !sts.names(name) => Some(TlsFault::NotNamed),
            _ => authentication.reported_error().map(TlsFault::Unverified),
        }
    }

    /// The line of a host for which DANE is reported only; `own` is the fault of the session.
    fn report_only(
        &self,
        (policy, address): (&HostPolicy, SocketAddr),
        authentication: &Authentication,
        own: Option<&TlsFault<'_>>,
    ) -> Option<TlsReportLine> {
        let ip = Some(address.ip());
        if let Some(failure) = policy.failure() {
            return Some(TlsReportLine::failed(&failure, ip));
        }
        let disagreement;
        let verdict = authentication.reported_verdict();
        let fault = match &verdict {
            Some(verdict) if verdict.is_match() => None,
            Some(verdict) => {
                disagreement = TlsFault::Verdict(verdict);
                Some(&disagreement)
            }
            None => own,
        };
        let domain = self.outbound.route.to.to_string();
        let is_dane = matches!(policy.action, Action::Dane(_));
        is_dane.then(|| TlsReportLine::of(policy, &domain, None, ip, fault))
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

/// The most addresses of one host, and of all, that are tried.
pub(super) const MAX_ADDRESSES: usize = 5;
const MAX_ATTEMPTS: usize = 20;
