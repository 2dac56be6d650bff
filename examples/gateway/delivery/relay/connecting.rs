//! The search for a host that takes the message, and what the log says of it.

use std::time::Instant;

use mail_types::smtp::{Mailbox, ReversePath};

use super::Relay;
use super::delivery_log::DeliveryLog;
use crate::gateway::delivery::attempts::Attempts;
use crate::gateway::delivery::hosts::NoHosts;
use crate::gateway::delivery::next_hop::{RouteData, RouteTo};
use crate::gateway::delivery::open_failure::OpenFailure;
use crate::gateway::delivery::outcome::{LineDetails, RecipientOutcome};
use crate::gateway::delivery::remote::{Demands, Outbound, Remote};
use crate::gateway::events::origin::Origin;
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::client::Delivery;

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
        let log = DeliveryLog::new(remote, demands.client);
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
                let failure = no_hosts(&error, route);
                let outcome = RecipientOutcome { details, ..failure.outcome(recipient) };
                log.outcome(origin.message(), outcome);
                return Err(failure);
            }
        };
        let mut attempts = Attempts::new(remote, outbound, found);
        let opened = attempts.open(origin, until).await;
        for report in attempts.take_reports() {
            log.tls_report(&report);
        }
        match opened {
            Ok(opened) => {
                let (route, domain) = (route.clone(), recipient.host().clone());
                Ok(Self { route, domain, opened, details, log })
            }
            Err(failure) => {
                details.took = Some(begun.elapsed());
                let outcome = RecipientOutcome { details, ..failure.outcome(recipient) };
                log.outcome(origin.message(), outcome);
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
            self.log.outcome(Some(id), outcome);
        }
    }
}

/// The failure of a next hop that has no hosts.
fn no_hosts(error: &NoHosts, route: &RouteData) -> OpenFailure {
    // A configured host that is not there now is no fault of the recipient.
    let is_permanent = error.is_permanent() && matches!(route.to, RouteTo::Domain(_));
    OpenFailure::no_hosts(error, is_permanent)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
