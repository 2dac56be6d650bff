//! The delivery of a message to the hosts of one next hop.

use std::time::Instant;

use bytes::Bytes;
use mail_types::smtp::Mailbox;

use super::Envelope;
use crate::gateway::delivery::attempts::{Attempts, Opened};
use crate::gateway::delivery::open_failure::OpenFailure;
use crate::gateway::delivery::outcome::{DeliveryResult, RecipientOutcome};
use crate::gateway::events::origin::Origin;
use crate::gateway::smtp::client::{Declared, RecipientResult};

/// The delivery to the hosts of one next hop.
pub(super) struct NextHopDelivery<'a> {
    pub(super) origin: Origin,
    pub(super) attempts: Attempts<'a>,
    /// The recipients without an outcome.
    pub(super) left: Vec<Mailbox>,
    pub(super) outcomes: Vec<RecipientOutcome>,
    /// The end of the delivery.
    pub(super) until: Instant,
}

impl NextHopDelivery<'_> {
    /// Delivers to all recipients that a host takes; returns an outcome for each.
    pub(super) async fn run(
        mut self,
        envelope: &Envelope,
        message: &Bytes,
    ) -> Vec<RecipientOutcome> {
        while !self.left.is_empty() {
            match self.attempts.open(&self.origin, self.until).await {
                Ok(opened) => self.transact(opened, envelope, message).await,
                Err(failure) => self.end(&failure),
            }
        }
        let reports = self.attempts.take_reports();
        for outcome in &mut self.outcomes {
            outcome.tls_reports.clone_from(&reports);
        }
        self.outcomes
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
            // If the server may have the message, another one must not get it now.
            if *result == RecipientResult::Untried {
                self.left.push(recipient);
            } else {
                self.outcomes.push(opened.outcome_of(&recipient, result, &delivery));
            }
        }
        match &delivery.lost {
            Some(lost) if !self.left.is_empty() => {
                self.attempts.lost(&opened.host, opened.address, lost);
            }
            Some(_) => {}
            None => opened.connection.quit().await,
        }
    }

    /// No host is left.
    fn end(&mut self, failure: &OpenFailure) {
        let left = std::mem::take(&mut self.left);
        self.outcomes.extend(left.iter().map(|recipient| failure.outcome(recipient)));
    }
}
