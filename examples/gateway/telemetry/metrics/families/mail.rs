//! The families of clients and their messages.

use super::{Family, counter, histogram};
use crate::gateway::telemetry::metrics::Metrics;

pub(super) fn families(metrics: &Metrics) -> Vec<Family> {
    vec![
        counter(
            "connections",
            &metrics.connections,
            "Connections of clients, by their result before the session.",
        ),
        counter(
            "proxy_headers",
            &metrics.proxy_headers,
            "PROXY headers of hosts that must send one, by their outcome.",
        ),
        counter("tls_handshakes", &metrics.handshakes, "TLS handshakes with clients."),
        counter("protocol_errors", &metrics.protocol_errors, "Mistakes of clients in SMTP."),
        counter("recipients", &metrics.recipients, "RCPT commands, by their reply."),
        counter(
            "rule_refusals",
            &metrics.rule_refusals,
            "Refusals and deferrals by rules, by the stage of the rule.",
        ),
        counter("messages", &metrics.messages, "Messages of clients, by their result."),
        histogram("message_size", &metrics.message_sizes, "Sizes of messages that were taken.")
            .in_bytes(),
        histogram(
            "message_duration",
            &metrics.message_times,
            "Times from MAIL to the acceptance of a message.",
        )
        .in_seconds(),
        counter(
            "message_evictions",
            &metrics.evictions,
            "Messages that ended as too slow while memory was short.",
        ),
        counter("spf_results", &metrics.spf, "Results of SPF."),
        counter(
            "dkim_results",
            &metrics.dkim,
            "Results of DKIM signatures, and none for each message without one.",
        ),
        counter("dmarc_results", &metrics.dmarc, "Results of DMARC."),
        counter(
            "dmarc_dispositions",
            &metrics.dmarc_treatments,
            "Messages tested by DMARC, by the treatment that their result asks for here.",
        ),
    ]
}
