//! The metrics of a connection's session.

use std::io;

use mail_types::smtp::{Mailbox, Reply, Severity};

use super::Connection;
use crate::gateway::authentication::dmarc::{DmarcSettings, Examined, Treatment};
use crate::gateway::policy::stage::Stage;
use crate::gateway::smtp::session::{Fault, MessageEnd, Unasked};
use crate::gateway::telemetry::local_delivery::LocalDelivery;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::metrics::words::{
    AuthWord, DeliveryWord, HandshakeResult, MessageResult, ProtocolError, RecipientResult,
    RuleRefusal, RuleStage, Transport, TreatmentWord,
};

impl Connection {
    pub(super) fn metrics(&self) -> &Metrics {
        &self.gateway.metrics
    }

    /// Counts the decisions of the session that it asked nobody about.
    pub(super) fn count_unasked(&mut self) {
        let unasked = self.session.take_unasked();
        if unasked == Unasked::default() {
            return;
        }
        let (Unasked { deferred, refused, message }, metrics) = (unasked, self.metrics());
        metrics.recipients.add(RecipientResult::Deferred, deferred.into());
        metrics.recipients.add(RecipientResult::Refused, refused.into());
        match message {
            None => {}
            Some(MessageEnd::Refused(severity)) => {
                metrics.messages.count(MessageResult::refused(severity));
            }
            Some(MessageEnd::BrokenOff) => metrics.messages.count(MessageResult::BrokenOff),
        }
    }

    /// Counts the result of a message, by its last reply.
    pub(super) fn count_message(&self, reply: &Reply) {
        let severity = reply.code().severity();
        let result = match severity {
            Severity::Completed => self.progress.taken_as.unwrap_or(MessageResult::Accepted),
            _ => self.refused_as(severity),
        };
        self.metrics().messages.count(result);
    }

    /// Returns the result of a message that is not taken.
    pub(super) fn refused_as(&self, severity: Severity) -> MessageResult {
        let broken_off = self.progress.taken_as.filter(|word| *word == MessageResult::BrokenOff);
        broken_off.unwrap_or_else(|| MessageResult::refused(severity))
    }

    /// Counts the refusal by a rule.
    pub(super) fn count_refusal(&self, stage: Stage, refusal: &Reply) {
        let stage = match stage {
            Stage::Connect => RuleStage::Connect,
            Stage::Helo => RuleStage::Helo,
            Stage::Mail => RuleStage::Mail,
            Stage::Rcpt => RuleStage::Rcpt,
            Stage::Prdr => RuleStage::Prdr,
            Stage::Data => RuleStage::Data,
            Stage::Accept | Stage::Client | Stage::Tls | Stage::Event => return,
        };
        self.metrics().rule_refusals.count((stage, RuleRefusal::of(refusal)));
    }

    /// Logs and counts a delivery here.
    pub(super) fn tell_file(&self, delivery: &LocalDelivery<'_>, recipients: &[Mailbox]) {
        delivery.log(recipients, self.live.settings.log_selector);
        let metrics = self.metrics();
        let failed = delivery.failure.is_some();
        let result = if failed { DeliveryWord::Deferred } else { DeliveryWord::Delivered };
        metrics.deliveries.add((Transport::Local, result), recipients.len() as u64);
        for _ in recipients {
            metrics.delivery_times.time(Transport::Local, delivery.took);
        }
    }
}

/// Counts a mistake of the client.
pub(super) fn mistake(metrics: &Metrics, fault: Fault) {
    metrics.protocol_errors.count(match fault {
        Fault::Protocol => ProtocolError::Protocol,
        Fault::Syntax => ProtocolError::Syntax,
    });
}

/// The result of a handshake.
pub(super) fn handshake(result: &io::Result<()>) -> HandshakeResult {
    match result {
        Ok(()) => HandshakeResult::Done,
        Err(error) => match error.kind() {
            io::ErrorKind::TimedOut => HandshakeResult::TimedOut,
            io::ErrorKind::Interrupted => HandshakeResult::Stopped,
            _ => HandshakeResult::Failed,
        },
    }
}

/// Counts the results of DKIM and DMARC.
pub(super) fn examined(metrics: &Metrics, examined: &Examined, settings: &DmarcSettings) {
    for result in &examined.dkim_results {
        metrics.dkim.count_named(result.as_str());
    }
    if examined.dkim_results.is_empty() {
        metrics.dkim.count(AuthWord::None);
    }
    metrics.dmarc.count_named(examined.verdict.result.as_str());
    metrics.dmarc_treatments.count(match examined.treatment(settings) {
        Treatment::Accept => TreatmentWord::Accept,
        Treatment::Quarantine => TreatmentWord::Quarantine,
        Treatment::Defer => TreatmentWord::Defer,
        Treatment::Reject => TreatmentWord::Reject,
    });
}
