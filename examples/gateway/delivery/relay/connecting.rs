//! The search for a host that takes the message, and what the log says of it.

use std::time::Instant;

use mail_types::smtp::Mailbox;
use tracing::info;

use super::Relay;
use crate::gateway::delivery::attempts::Attempts;
use crate::gateway::delivery::hosts::NoHosts;
use crate::gateway::delivery::next_hop::{RouteData, RouteTo};
use crate::gateway::delivery::open_failure::OpenFailure;
use crate::gateway::delivery::outcome::RecipientOutcome;
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
        recipient: &Mailbox,
        origin: &Origin,
    ) -> Result<Self, OpenFailure> {
        let limit = remote.settings.limits.open;
        let until = now() + limit;
        let domain = recipient.host().to_string();
        let mut demands = demands;
        demands.needs.utf8 |= recipient.needs_utf8();
        let outbound = Outbound { route, domain: &domain, demands };
        let found = match remote.find(outbound, limit / 2).await {
            Ok(found) => found,
            Err(error) => {
                let uses_dane = remote.settings.lists.use_dane();
                error.report(&route.to.to_string(), uses_dane, origin);
                return Err(no_hosts(&error, route, recipient, origin));
            }
        };
        let mut attempts = Attempts::new(remote, outbound, found);
        let opened = attempts.open(origin, until).await;
        for report in attempts.take_reports() {
            info!(event = "tls_report", "TLS report {report}");
        }
        match opened {
            Ok(opened) => {
                Ok(Self { route: route.clone(), domain: recipient.host().clone(), opened })
            }
            Err(failure) => {
                log(origin.message(), &failure.outcome(recipient));
                Err(failure)
            }
        }
    }

    /// Logs what became of the recipients of a message.
    pub(super) fn log(&self, id: MessageId, takers: &[usize], delivery: &Delivery) {
        let recipients = self.opened.connection.recipients(takers);
        for (recipient, result) in recipients.into_iter().zip(&delivery.recipients) {
            log(Some(id), &self.opened.outcome_of(recipient, result, delivery));
        }
    }
}

fn log(id: Option<MessageId>, outcome: &RecipientOutcome) {
    if let Some(id) = id {
        info!(event = "delivery", id = %id, "{id} {outcome}");
    } else {
        info!(event = "delivery", "{outcome}");
    }
}

/// Logs that a next hop has no hosts.
fn no_hosts(
    error: &NoHosts,
    route: &RouteData,
    recipient: &Mailbox,
    origin: &Origin,
) -> OpenFailure {
    // A configured host that is not there now is no fault of the recipient.
    let is_permanent = error.is_permanent() && matches!(route.to, RouteTo::Domain(_));
    let failure = OpenFailure::no_hosts(error, is_permanent);
    log(origin.message(), &failure.outcome(recipient));
    failure
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
