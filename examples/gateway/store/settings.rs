//! What is done with messages, and how much of everything.

use std::path::PathBuf;
use std::time::Duration;

/// What to do with messages.
#[derive(Clone, Debug)]
pub(crate) enum StoreSettings {
    /// To forget them, for load tests and for programs that only decide.
    Discard,
    /// To keep them.
    Maildir {
        /// The Maildir, made if it is missing.
        maildir: PathBuf,
        /// The directory of the journal, made if it is missing; best on the same disk.
        journal: PathBuf,
        /// This machine's name, for the names of files.
        host: String,
        /// How much of everything.
        limits: StoreLimits,
    },
}

/// What bounds the memory and the disk space of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreLimits {
    /// The longest message, in bytes; at most 4 GiB. Default 64 MiB.
    pub(crate) message_bytes: usize,
    /// How many bytes of messages may be in memory until they are delivered, where each message
    /// counts as 1 KiB more than it has, which bounds their number too; at most 2 GiB. When they are
    /// used up, `Store::keep` waits. A message longer than all of it comes alone. Default 64 MiB.
    pub(crate) queue_bytes: u32,
    /// After how many bytes a sync begins even if more messages wait. Default 1 MiB.
    pub(crate) batch_bytes: usize,
    /// The length of a journal file, in bytes; more only if one batch is longer. Default 32 MiB.
    pub(crate) segment_bytes: u64,
    /// How many journal files there may be; two are made at once. Default 4.
    pub(crate) segments: usize,
    /// How long after its first message a segment is sealed, and then freed. Default 5 s.
    pub(crate) checkpoint_after: Duration,
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
        }
    }
}
