//! Metrics: what this process has counted and timed since its start, in the form of Prometheus.
//!
//! Each part of the gateway adds to the [`Metrics`] that all of them share, without a lock; what a part
//! knows anyway, such as the length of its queue, it tells when somebody asks, in [`Readings`]. The words
//! of labels are fixed: nothing from a client, a message or the DNS becomes one.

pub(crate) mod counts;
#[cfg(feature = "gateway")]
pub(crate) mod families;
pub(crate) mod histogram;
#[cfg(feature = "gateway")]
pub(crate) mod page;
pub(crate) mod readings;
#[cfg(feature = "gateway")]
pub(crate) mod resolver;
pub(crate) mod words;

#[cfg(feature = "gateway")]
pub(crate) use self::readings::Readings;

use self::counts::Counts;
use self::histogram::{Bytes, Histogram, Seconds};
use self::words::{
    AuthWord, ConnectionResult, DaneFailure, DeliveryWord, DnsOutcome, EventResult, FetchResult,
    HandshakeResult, LookupEngine, LookupWord, MessageResult, OpenCause, ProtocolError,
    ProxyHeader, RecipientResult, ReloadResult, RuleRefusal, RuleStage, Security, SpfWord,
    StapleOutcome, TlsStart, Transport, TreatmentWord,
};

/// The numbers that the parts of the gateway share.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections: Counts<ConnectionResult>,
    pub(crate) proxy_headers: Counts<ProxyHeader>,
    /// Handshakes of clients.
    pub(crate) handshakes: Counts<(TlsStart, HandshakeResult)>,
    pub(crate) protocol_errors: Counts<ProtocolError>,
    pub(crate) recipients: Counts<RecipientResult>,
    pub(crate) rule_refusals: Counts<(RuleStage, RuleRefusal)>,
    pub(crate) messages: Counts<MessageResult>,
    /// The sizes of messages that were taken.
    pub(crate) message_sizes: Histogram<(), Bytes>,
    /// The times from MAIL to the acceptance.
    pub(crate) message_times: Histogram<(), Seconds>,
    /// Messages that gave way when memory was short.
    pub(crate) evictions: Counts<()>,
    pub(crate) dns_questions: Counts<DnsOutcome>,
    pub(crate) dns_times: Histogram<(), Seconds>,
    pub(crate) lookups: Counts<(LookupEngine, LookupWord)>,
    pub(crate) lookup_times: Histogram<LookupEngine, Seconds>,
    pub(crate) spf: Counts<SpfWord>,
    /// The results of signatures, and `none` for each message without one.
    pub(crate) dkim: Counts<AuthWord>,
    pub(crate) dmarc: Counts<AuthWord>,
    pub(crate) dmarc_treatments: Counts<TreatmentWord>,
    pub(crate) deliveries: Counts<(Transport, DeliveryWord)>,
    pub(crate) delivery_times: Histogram<Transport, Seconds>,
    /// Connections to other hosts that can take mail.
    pub(crate) outgoing: Counts<Security>,
    /// Attempts to make one that failed.
    pub(crate) outgoing_failures: Counts<OpenCause>,
    pub(crate) dane_failures: Counts<DaneFailure>,
    /// The staples of other hosts.
    pub(crate) staples: Counts<StapleOutcome>,
    /// Requests for our own staples.
    pub(crate) staple_fetches: Counts<FetchResult>,
    pub(crate) events: Counts<EventResult>,
    pub(crate) reloads: Counts<ReloadResult>,
}
