//! Where accepted messages are kept.
//!
//! A message is kept when a crash, of the program or of the machine, can no longer lose it: only
//! then may the client be told so. A sync of its own for each message costs more than all else that
//! the gateway does with it, so messages share syncs. Three ways were weighed: to sync each file and
//! its directory, to write many files and call `syncfs`, and a journal. The last won. Its sync
//! writes only the bytes just appended, into blocks that the file has already, while a `syncfs`
//! writes all that any program has left unwritten, and makes the file system commit its metadata.
//!
//! - [`journal`] appends all messages that have come while its last sync ran, and a moment after it,
//!   to the current [`segment`], as one [`batch`] with one write and one `fdatasync`, and answers
//!   their senders.
//! - [`delivery`] then writes them into the Maildir, without a sync, and marks its [`progress`].
//! - [`checkpoint`] calls `syncfs` in the background for each segment that is full or some seconds
//!   old, and only then lets it be used again.
//! - [`replay`], at the start, delivers what the last process left in the journal.
//!
//! # What is promised
//!
//! A message for which [`Store::keep`] returned success is delivered, whole. After a crash of the
//! program it is delivered once, even if a reader took it away before the next start. After a power
//! loss, what a reader had taken away since the last checkpoint may come a second time. A message
//! that was refused, or never answered, may be delivered nevertheless: SMTP knows no better.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::checkpoint::Checkpoint;
use self::delivery::Deliverer;
use self::directory::Directory;
use self::journal::{Entry, Journal, Work};
use self::maildir::Maildir;
use self::progress::Progress;
use self::segment::Segment;
use self::trouble::Trouble;
use crate::gateway::message::id::MessageId;

pub mod batch;
mod checkpoint;
mod delivery;
mod directory;
mod journal;
pub(crate) mod maildir;
pub(crate) mod progress;
mod replay;
pub(crate) mod segment;
mod trouble;

/// A message to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its name, which no other message has.
    pub id: MessageId,
    /// Its bytes, written in order: the header fields that we add, then what was received.
    pub parts: Vec<Bytes>,
}

impl Message {
    /// Returns the length of all parts, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }
}

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
    /// used up, [`Store::keep`] waits. A message longer than all of it comes alone. Default 64 MiB.
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

/// What was found in the journal at the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recovery {
    /// How many messages were not in the Maildir and are now.
    pub(crate) delivered: u64,
    /// How many were there damaged, or under suspicion, and were written again.
    pub(crate) restored: u64,
    /// How many are damaged in the journal itself. They are lost if the Maildir has them not.
    pub(crate) missing: u64,
}

/// A handle of the store; all its clones are of the same store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// None if messages are discarded.
    queue: Option<Queue>,
}

#[derive(Clone, Debug)]
struct Queue {
    work: Sender<Work>,
    room: Arc<Semaphore>,
    limits: StoreLimits,
    trouble: Trouble,
    /// Closed when the threads have ended.
    ended: Arc<Semaphore>,
}

impl Store {
    /// Opens the store, delivers what the journal has left, and starts the store's threads. It
    /// blocks while it does, for longer the more was left.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another gateway uses the Maildir or the journal, and
    /// [`StoreError::Io`] if one of them cannot be made, read or written.
    pub(crate) fn open(settings: &StoreSettings) -> Result<(Self, Recovery), StoreError> {
        let StoreSettings::Maildir { maildir, journal, host, limits } = settings else {
            return Ok((Self { queue: None }, Recovery::default()));
        };
        let mut directory = Directory::open(journal, limits.segment_bytes)?;
        let maildir = Maildir::open(maildir, host)?;
        let progress = Progress::open(journal)?;
        let mut segments = directory.segments()?;
        let used = segments.iter().map(Segment::sequence).max().unwrap_or_default();
        let recovery = replay::replay(&mut segments, &maildir, &progress)?;
        while segments.len() < 2.min(limits.segments) {
            segments.push(directory.make_segment()?);
        }
        let sequence = used.max(progress.last_sequence());
        let queue = start(directory, maildir, progress, segments, sequence, *limits)?;
        Ok((Self { queue: Some(queue) }, recovery))
    }

    /// Keeps a message; waits while the queue is full, and until the message is durable.
    ///
    /// If the future is dropped, the message may be kept or not.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLong`] for a message above the limit. With any other error the message is
    /// not kept, though it can come later if the disk failed; the client should try again.
    pub(crate) async fn keep(&self, message: Message) -> Result<(), StoreError> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let limit = queue.limits.message_bytes;
        if message.len() > limit {
            return Err(StoreError::TooLong { bytes: message.len(), limit });
        }
        let room = queue.enter(message.len()).await?;
        let (answer, answered) = oneshot::channel();
        let entry = Entry { message, answer, room };
        queue.work.send(Work::Keep(entry)).map_err(|_| StoreError::Stopped)?;
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Takes no more messages, waits until all that were taken are delivered and on the disk, and
    /// empties the journal.
    ///
    /// # Errors
    ///
    /// Why the Maildir takes no messages, if it takes none: the journal keeps them for the next
    /// start.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        let Some(queue) = self.queue else { return Ok(()) };
        let trouble = queue.trouble.check();
        queue.trouble.stop();
        let _ = queue.work.send(Work::Stop);
        // Nothing is ever added: this ends when the semaphore is closed.
        let _ = queue.ended.acquire().await;
        trouble.and(queue.trouble.check())
    }
}

impl Queue {
    async fn enter(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        self.trouble.check()?;
        let share = u32::try_from(bytes + ENTRY_BYTES).unwrap_or(u32::MAX);
        let share = share.min(self.limits.queue_bytes);
        if let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(share) {
            return Ok(room);
        }
        tokio::select! {
            room = Arc::clone(&self.room).acquire_many_owned(share) => {
                room.map_err(|_| StoreError::Stopped)
            }
            trouble = self.trouble.begun() => Err(trouble),
        }
    }
}

/// Why a store cannot be opened, or a message not be kept.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// The system refused something.
    #[error("cannot {doing} {path}", path = .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// Another gateway uses the directory.
    #[error("{path} is in use by another gateway", path = .path.display())]
    Locked {
        /// The Maildir or the journal.
        path: PathBuf,
    },
    /// The message is longer than the limit.
    #[error("the message has {bytes} bytes, more than the {limit} that are allowed")]
    TooLong {
        /// The message's length.
        bytes: usize,
        /// [`StoreLimits::message_bytes`].
        limit: usize,
    },
    /// The store was closed.
    #[error("the store takes no more messages")]
    Stopped,
}

impl StoreError {
    /// Says what failed, on what, for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { doing, path: path.to_owned(), source: Arc::new(error) }
    }

    /// Lends the error to the log, which writes its source as well.
    pub(crate) fn as_dyn(&self) -> &(dyn Error + 'static) {
        self
    }
}

fn start(
    directory: Directory,
    maildir: Maildir,
    progress: Progress,
    segments: Vec<Segment>,
    sequence: u64,
    limits: StoreLimits,
) -> Result<Queue, StoreError> {
    let (work, works) = mpsc::channel();
    let (delivery, inbox) = mpsc::channel();
    let (seal, sealed) = mpsc::channel();
    let (free, freed) = mpsc::channel();
    let (maildir, progress, trouble) = (Arc::new(maildir), Arc::new(progress), Trouble::none());
    let journal = Journal {
        work: works,
        delivery,
        free: freed,
        trouble: trouble.clone(),
        directory,
        limits,
        sequence,
        segments: segments.len(),
        current: None,
        crowded: false,
        stopping: false,
    };
    for segment in segments {
        // The receiver is in `journal`.
        let _ = free.send(segment);
    }
    let deliverer = Deliverer {
        inbox,
        sealed: seal,
        maildir: Arc::clone(&maildir),
        progress: Arc::clone(&progress),
        trouble: trouble.clone(),
    };
    let checkpoint = Checkpoint { sealed, free, maildir, progress, trouble: trouble.clone() };
    let ended = Arc::new(Semaphore::new(0));
    let end = Arc::clone(&ended);
    let threads = [
        spawn("delivery", move || deliverer.run())?,
        spawn("checkpoint", move || checkpoint.run())?,
    ];
    spawn("journal", move || {
        journal.run();
        for thread in threads {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
        end.close();
    })?;
    let room = Arc::new(Semaphore::new(limits.queue_bytes as usize));
    Ok(Queue { work, room, limits, trouble, ended })
}

fn spawn(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, StoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map_err(StoreError::io("start the thread", Path::new(name)))
}

/// What a message in the queue counts beside its own bytes.
const ENTRY_BYTES: usize = 1024;
