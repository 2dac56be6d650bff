//! Failure reports: RFC 9991.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dmarc_policy::{
    AuthFailure, DeliveryResult, Destination, Destinations, Discovery, FailureCause,
    FailureEnvelope, FailureRate, FailureRateLimits, FailureReport, FailureReportLimits, Pace,
    ReportUri,
};
use mail_types::dns::{Resolve, run_cached};
use mail_types::smtp::{Domain, ReversePath};
use tokio::sync::Semaphore;

use super::account::Account;
use super::reporter::{ReportEntry, Reporter};
use crate::gateway::authentication::dmarc::Examined;
use crate::gateway::message::id::MessageId;
use crate::gateway::telemetry::log::{self, Limiter};

/// A failure for which the domain owner requests a report, with the header section of the message.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    failure: AuthFailure,
    header: Vec<u8>,
}

impl Incident {
    /// Returns the incident of a message. An automatic message has none, so that two programs cannot
    /// send reports to each other for ever.
    pub(crate) fn of(examined: &Examined, sender: &ReversePath, header: &[u8]) -> Option<Self> {
        let Examined { verdict, spf, dkim, .. } = examined;
        let null = sender.mailbox().is_none();
        match FailureCause::of(verdict, spf.as_ref(), dkim, null, header) {
            FailureCause::Report(failure) => {
                // The report writer cuts the header section at the limit, after a whole field.
                let header = header.get(..=HEADER).unwrap_or(header).to_vec();
                Some(Self { failure, header })
            }
            FailureCause::Withheld(_) => None,
        }
    }
}

/// The writer of failure reports. It puts them into the outbox, a Maildir, from which another program
/// must send them, with the null reverse-path.
#[derive(Clone, Debug)]
pub(crate) struct Failures {
    host: Domain,
    discovery: Discovery,
    rate: Arc<Mutex<FailureRate>>,
    /// The permits of reports that check their destinations in the DNS.
    asking: Arc<Semaphore>,
    start: Instant,
    limiter: Arc<Limiter>,
}

impl Failures {
    /// Allows each destination ten reports an hour, and remembers a thousand destinations.
    pub(crate) fn new(host: Domain, discovery: Discovery, limiter: Arc<Limiter>) -> Self {
        let mut limits = FailureRateLimits::default();
        limits.destinations = 1000;
        let rate = Arc::new(Mutex::new(FailureRate::new(limits)));
        let asking = Arc::new(Semaphore::new(ASKING));
        Self { host, discovery, rate, asking, start: Instant::now(), limiter }
    }

    /// Writes the reports of an incident, one for each allowed destination, in the background.
    pub(crate) fn report(
        &self,
        reporter: &Arc<Reporter>,
        resolver: &Arc<dyn Resolve>,
        account: Account,
        incident: Incident,
    ) {
        let Ok(permit) = Arc::clone(&self.asking).try_acquire_owned() else {
            return log::unasked_report(&self.limiter, account.client.ip(), ASKING);
        };
        let (failures, reporter) = (self.clone(), Arc::clone(reporter));
        let resolver = Arc::clone(resolver);
        tokio::spawn(async move {
            let uris = failures.destinations(&account, &*resolver).await;
            for uri in uris.into_iter().take(DESTINATIONS) {
                if let Some(mail) = failures.write(&reporter, &account, &incident, &uri) {
                    reporter.put(ReportEntry::Mail(mail));
                }
            }
            drop(permit);
        });
    }

    /// Checks the destinations of reports: RFC 9991 section 5.
    async fn destinations(&self, account: &Account, resolver: &dyn Resolve) -> Vec<ReportUri> {
        let verdict = &account.examined.verdict;
        let domain = verdict.policy_domain.as_ref().and_then(|name| Domain::try_from(name).ok());
        let Some((domain, record)) = domain.zip(verdict.record()) else { return Vec::new() };
        let asked = Destinations::failure(domain, record).with_discovery(self.discovery.clone());
        let mut session = asked.session();
        let found = run_cached(&mut session, resolver, TIME, &|_| None).await;
        found.iter().flat_map(Destination::targets).cloned().collect()
    }

    fn write(
        &self,
        reporter: &Reporter,
        account: &Account,
        incident: &Incident,
        uri: &ReportUri,
    ) -> Option<Vec<u8>> {
        let to = uri.mailbox()?;
        let pace = {
            let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
            rate.handle_report(&to.to_string(), self.start.elapsed())
        };
        let Pace::Send { incidents } = pace else {
            log::held_report(&self.limiter, account.client.ip(), &to);
            return None;
        };
        let message_id = format!("{}@{}", MessageId::next(account.received), self.host);
        let envelope = FailureEnvelope {
            reporter: self.host.clone(),
            from: reporter.settings().forensic_sender.clone(),
            to,
            message_id: message_id.parse().ok()?,
            date: account.second(),
        };
        let Examined { verdict, spf, dkim, .. } = &account.examined;
        let delivery = if account.rejected {
            DeliveryResult::Reject
        } else if account.quarantined {
            DeliveryResult::Policy
        } else {
            DeliveryResult::Delivered
        };
        let mut limits = FailureReportLimits::default();
        limits.header = HEADER;
        let mut report = FailureReport::new(envelope, incident.failure, verdict)
            .with_dkim(dkim)
            .with_incidents(incidents)
            .with_source(account.client.ip(), Some(account.client.port()))
            .with_mail_from(&account.sender)
            .with_arrival(account.second())
            .with_delivery(delivery)
            .with_header(&incident.header, limits);
        if let Some(spf) = spf {
            report = report.with_spf(spf, "");
        }
        Some(report.write())
    }
}

/// The most reports for one message, and the most octets of the header section in each.
const DESTINATIONS: usize = 2;
const HEADER: usize = 16_384;
/// The most reports that check destinations at a time; further ones are omitted.
const ASKING: usize = 20;
/// The time limit of the DNS.
const TIME: Duration = Duration::from_secs(20);
