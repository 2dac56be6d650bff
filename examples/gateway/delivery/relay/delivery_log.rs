//! The lines of the log about deliveries to a next hop.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::info;

use crate::gateway::delivery::measure;
use crate::gateway::delivery::outcome::{DeliveryResult, RecipientOutcome};
use crate::gateway::delivery::proxied_client::ProxiedClient;
use crate::gateway::delivery::remote::Remote;
use crate::gateway::delivery::tls_report::TlsReportLine;
use crate::gateway::events::settings::REMOTE_SMTP;
use crate::gateway::message::id::MessageId;
use crate::gateway::telemetry::log::Limiter;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::repeats::LineKind;

/// The log of the deliveries of a client's mail.
#[derive(Clone, Debug)]
pub(super) struct DeliveryLog {
    metrics: Arc<Metrics>,
    limiter: Arc<Limiter>,
    client: Option<IpAddr>,
}

impl DeliveryLog {
    pub(super) fn new(remote: &Remote, client: Option<ProxiedClient>) -> Self {
        Self {
            metrics: Arc::clone(&remote.metrics),
            limiter: Arc::clone(&remote.limiter),
            client: client.map(ProxiedClient::address),
        }
    }

    /// Logs and counts what became of a recipient. A client may cause many failures without a message.
    pub(super) fn outcome(&self, id: Option<MessageId>, outcome: RecipientOutcome) {
        measure::delivered(&self.metrics, &outcome);
        if outcome.result != DeliveryResult::Delivered && !self.writes() {
            return;
        }
        let line = id.map_or_else(|| outcome.to_string(), |id| format!("{id} {outcome}"));
        let RecipientOutcome {
            recipient, result, host, address, tls, reply, reason, details, ..
        } = outcome;
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

    /// Logs a line for reports about TLS.
    pub(super) fn tls_report(&self, report: &TlsReportLine) {
        if self.writes() {
            info!(event = "tls_report", "TLS report {report}");
        }
    }

    fn writes(&self) -> bool {
        self.limiter.writes_for(self.client, LineKind::Delivery)
    }
}
