//! The state of the parts of the gateway, read for a page of metrics.

use std::time::SystemTime;

/// The state of the gateway at one time.
#[derive(Clone, Debug)]
pub(crate) struct Readings {
    pub(crate) now: SystemTime,
    pub(crate) open_connections: usize,
    /// The memory of incoming messages, and its limit, in octets.
    pub(crate) message_memory: (usize, usize),
    pub(crate) journal: JournalReading,
    pub(crate) events: EventsReading,
    pub(crate) certificates: Vec<CertificateReading>,
    /// When the configuration of new connections was read.
    pub(crate) configured: SystemTime,
}

/// The state of the store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct JournalReading {
    /// Whether messages are accepted.
    pub(crate) accepts: bool,
    pub(crate) segments: u64,
    /// The size of their files, in octets.
    pub(crate) octets: u64,
    /// Messages that are durable in the journal, and not in the Maildir yet.
    pub(crate) undelivered: u64,
}

/// The state of the queue of events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct EventsReading {
    /// Events in memory.
    pub(crate) waiting: usize,
    /// The octets of events in the overflow file.
    pub(crate) in_file: u64,
    /// Events that have ever been written there.
    pub(crate) overflowed: u64,
    pub(crate) lost: u64,
}

/// A certificate for clients; times are in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct CertificateReading {
    pub(crate) until: Option<u64>,
    /// The end of its staple, if there is one.
    pub(crate) staple_until: Option<u64>,
}
