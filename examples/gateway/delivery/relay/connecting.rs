//! The search for a host that takes the message, and what the log says of it.

use std::sync::Arc;
use std::time::Instant;

use mail_types::smtp::{Mailbox, ReversePath};
use tracing::info;

use super::Relay;
use crate::gateway::delivery::attempts::Attempts;
use crate::gateway::delivery::hosts::NoHosts;
use crate::gateway::delivery::measure;
use crate::gateway::delivery::next_hop::{RouteData, RouteTo};
use crate::gateway::delivery::open_failure::OpenFailure;
use crate::gateway::delivery::outcome::{LineDetails, RecipientOutcome};
use crate::gateway::delivery::remote::{Demands, Outbound, Remote};
use crate::gateway::events::origin::Origin;
use crate::gateway::events::settings::REMOTE_SMTP;
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::client::Delivery;
use crate::gateway::telemetry::metrics::Metrics;

impl Relay {
    /// Connects to the first address of the next hop whose server can take the message.
    ///
    /// # Errors
    ///
    /// The failure for the client.
    pub(crate) async fn connect(
        remote: &Remote,
        route: &RouteData,
        demands: Demands,
        (sender, recipient): (&ReversePath, &Mailbox),
        origin: &Origin,
    ) -> Result<Self, OpenFailure> {
        let begun = Instant::now();
        let mut details = LineDetails::new(remote.settings.log_selector, sender);
        let limit = remote.settings.limits.open;
        let until = now() + limit;
        let domain = recipient.host().to_string();
        let mut demands = demands;
        demands.needs.utf8 |= recipient.needs_utf8();
        let outbound = Outbound { route, domain: &domain, demands };
        let found = match remote.find(outbound, limit / 2).await {
            Ok(found) => found,
            Err(error) => {
                error.report(&route.to.to_string(), remote, origin);
                details.took = Some(begun.elapsed());
                return Err(no_hosts(&error, (remote, route), (recipient, details), origin));
            }
        };
        let mut attempts = Attempts::new(remote, outbound, found);
        let opened = attempts.open(origin, until).await;
        for report in attempts.take_reports() {
            info!(event = "tls_report", "TLS report {report}");
        }
        match opened {
            Ok(opened) => {
                let (route, domain) = (route.clone(), recipient.host().clone());
                let metrics = Arc::clone(&remote.metrics);
                Ok(Self { route, domain, opened, details, metrics })
            }
            Err(failure) => {
                details.took = Some(begun.elapsed());
                let outcome = RecipientOutcome { details, ..failure.outcome(recipient) };
                log(&remote.metrics, origin.message(), outcome);
                Err(failure)
            }
        }
    }

    /// Logs what became of the recipients of a message.
    pub(super) fn log(&self, id: MessageId, takers: &[usize], delivery: &Delivery) {
        let recipients = self.opened.connection.recipients(takers);
        for (recipient, result) in recipients.into_iter().zip(&delivery.recipients) {
            let outcome = self.opened.outcome_of(recipient, result, delivery);
            let outcome = RecipientOutcome { details: self.details.clone(), ..outcome };
            log(&self.metrics, Some(id), outcome);
        }
    }
}

/// Logs and counts what became of a recipient.
fn log(metrics: &Metrics, id: Option<MessageId>, outcome: RecipientOutcome) {
    measure::delivered(metrics, &outcome);
    let line = id.map_or_else(|| outcome.to_string(), |id| format!("{id} {outcome}"));
    let RecipientOutcome { recipient, result, host, address, tls, reply, reason, details, .. } =
        outcome;
    let reply = reply.map(|reply| reply.to_string());
    info!(
        event = "delivery",
        id = id.map(display),
        %recipient,
        result = result.as_str(),
        transport = REMOTE_SMTP,
        host,
        address = address.map(display),
        cipher = tls.map(|tls| tls.cipher),
        reply = reply.as_deref().map(str::trim_end),
        size = details.size,
        seconds = details.took.map(|took| took.as_secs_f64()),
        reason,
        "{line}"
    );
}

/// Logs that a next hop has no hosts.
fn no_hosts(
    error: &NoHosts,
    (remote, route): (&Remote, &RouteData),
    (recipient, details): (&Mailbox, LineDetails),
    origin: &Origin,
) -> OpenFailure {
    // A configured host that is not there now is no fault of the recipient.
    let is_permanent = error.is_permanent() && matches!(route.to, RouteTo::Domain(_));
    let failure = OpenFailure::no_hosts(error, is_permanent);
    let outcome = RecipientOutcome { details, ..failure.outcome(recipient) };
    log(&remote.metrics, origin.message(), outcome);
    failure
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
