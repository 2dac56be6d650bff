//! The settings and limits of the store.

use std::path::PathBuf;
use std::time::Duration;

/// The destination of messages.
#[derive(Clone, Debug)]
pub(crate) enum StoreSettings {
    /// Discard them, for load tests and for programs that only decide.
    Discard,
    /// Store them.
    Maildir {
        /// The Maildir, made if it is missing.
        maildir: PathBuf,
        /// The directory of the journal, made if it is missing; best on the same disk.
        journal: PathBuf,
        /// The name of this host, for file names.
        host: String,
        /// The limits.
        limits: StoreLimits,
    },
}

impl StoreSettings {
    /// Returns the longest message that is stored, in bytes; 0 where none is.
    pub(crate) fn message_bytes(&self) -> usize {
        match self {
            Self::Discard => 0,
            Self::Maildir { limits, .. } => limits.message_bytes,
        }
    }
}

/// The limits of the memory and the disk space of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreLimits {
    /// The longest message, in bytes; at most 4 GiB. Default 64 MiB.
    pub(crate) message_bytes: usize,
    /// The bytes of messages in memory until they are delivered; at most 2 GiB. Each message counts 1
    /// KiB more than its size, which limits their number too. At the limit, `Store::keep` waits. A
    /// longer message is stored alone. Default 64 MiB.
    pub(crate) queue_bytes: u32,
    /// The bytes after which a sync begins even if more messages wait. Default 1 MiB.
    pub(crate) batch_bytes: usize,
    /// The length of a segment, in bytes, unless a single batch is longer. Default 32 MiB.
    pub(crate) segment_bytes: u64,
    /// The most segments; two are made at the start. Default 4.
    pub(crate) segments: usize,
    /// The time after its first message when a segment is sealed, to be freed. Default 5 s.
    pub(crate) checkpoint_after: Duration,
    /// The time that a message waits for room, for a thread, or for a disk. A client waits ten minutes for the
    /// reply (RFC 5321 section 4.5.3.2.6). Default 60 s.
    pub(crate) time: Duration,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            message_bytes: 64 << 20,
            queue_bytes: 64 << 20,
            batch_bytes: 1 << 20,
            segment_bytes: 32 << 20,
            segments: 4,
            checkpoint_after: Duration::from_secs(5),
            time: Duration::from_mins(1),
        }
    }
}
