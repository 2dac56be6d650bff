//! The metrics of connections to other hosts, and of deliveries to them.

use dane_tlsa::ResultType;

use super::connection::{Connection, OpenError, TlsPlan};
use super::outcome::{DeliveryResult, RecipientOutcome, Verified};
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::metrics::counts::Word as _;
use crate::gateway::telemetry::metrics::words::{
    DeliveryWord, OpenCause, Security, StapleOutcome, Transport,
};

/// Counts the result of an attempt to connect.
pub(super) fn connected(
    metrics: &Metrics,
    plan: &TlsPlan,
    result: Result<&Connection, &OpenError>,
) {
    match result {
        Ok(connection) => metrics.outgoing.count(security(connection)),
        Err(error) => metrics.outgoing_failures.count(cause(error)),
    }
    // A server that has sent a certificate was looked at for a staple.
    let client = plan.client().filter(|client| !client.check.authentication().sent().is_empty());
    let staple = client.map(|client| usize::from(client.check.tls_out_ocsp()));
    if let Some(outcome) = staple.and_then(|number| StapleOutcome::ALL.get(number)) {
        metrics.staples.count(*outcome);
    }
}

/// Counts a delivery that DANE did not allow.
pub(super) fn dane_failed(metrics: &Metrics, result: ResultType) {
    metrics.dane_failures.count_named(result.event_word());
}

/// Counts what became of a recipient.
pub(super) fn delivered(metrics: &Metrics, outcome: &RecipientOutcome) {
    let word = match outcome.result {
        DeliveryResult::Delivered => DeliveryWord::Delivered,
        DeliveryResult::Deferred => DeliveryWord::Deferred,
        DeliveryResult::Failed => DeliveryWord::Failed,
    };
    metrics.deliveries.count((Transport::Remote, word));
    if let Some(took) = outcome.details.took {
        metrics.delivery_times.time(Transport::Remote, took);
    }
}

fn security(connection: &Connection) -> Security {
    match connection.secured().map(|secured| secured.outcome.verified) {
        None => Security::Clear,
        Some(Verified::No) => Security::Unverified,
        Some(Verified::Yes) => Security::Verified,
        Some(Verified::Dane) => Security::Dane,
    }
}

fn cause(error: &OpenError) -> OpenCause {
    match error {
        OpenError::ConnectRefused | OpenError::GreetingRefused => OpenCause::RefusedByAction,
        OpenError::Unreachable(_) => OpenCause::Unreachable,
        OpenError::Lost { .. } => OpenCause::Lost,
        OpenError::TlsNotOffered => OpenCause::TlsNotOffered,
        OpenError::TlsRefused(_) => OpenCause::TlsRefused,
        OpenError::CertificateRefused(_) => OpenCause::CertificateRefused,
        OpenError::Handshake(_) => OpenCause::Handshake,
        OpenError::CannotTake(_) => OpenCause::CannotTake,
    }
}
