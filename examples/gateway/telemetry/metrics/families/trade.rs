//! The families of questions to other hosts, and of deliveries to them.

use super::{Family, counter, histogram};
use crate::gateway::telemetry::metrics::Metrics;

pub(super) fn families(metrics: &Metrics) -> Vec<Family> {
    vec![
        counter("dns_questions", &metrics.dns_questions, "Questions to the DNS, by their outcome."),
        histogram("dns_duration", &metrics.dns_times, "Times of questions to the DNS.")
            .in_seconds(),
        counter("lookups", &metrics.lookups, "Lookups of texts, by their engine and result."),
        histogram("lookup_duration", &metrics.lookup_times, "Times of lookups.").in_seconds(),
        counter(
            "deliveries",
            &metrics.deliveries,
            "Deliveries to recipients, by their transport and result.",
        ),
        histogram("delivery_duration", &metrics.delivery_times, "Times of deliveries.")
            .in_seconds(),
        counter(
            "outgoing_connections",
            &metrics.outgoing,
            "Connections to other hosts that can take mail, by their security.",
        ),
        counter(
            "outgoing_failures",
            &metrics.outgoing_failures,
            "Attempts at other hosts that failed before mail could be sent, by their cause.",
        ),
        counter("dane_failures", &metrics.dane_failures, "Deliveries that DANE did not allow."),
        counter(
            "outgoing_staples",
            &metrics.staples,
            "OCSP staples of other hosts, by their outcome.",
        ),
        counter(
            "staple_fetches",
            &metrics.staple_fetches,
            "Requests for OCSP responses for the certificates of this host.",
        ),
        counter("event_actions", &metrics.events, "Actions of events, by their result."),
        counter("reloads", &metrics.reloads, "Reloads of the configuration, by their result."),
    ]
}
