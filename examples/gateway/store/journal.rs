//! The thread that makes messages durable, several with one sync.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::{error, warn};

use super::company::Company;
use super::delivery::{Delivery, Parcel};
use super::directory::Directory;
use super::level::Level;
use super::message::Message;
use super::segment::{JournalPosition, Segment};
use super::settings::StoreLimits;
use super::store_error::StoreError;
use super::trouble::Trouble;

/// A request of a handle.
#[derive(Debug)]
pub(crate) enum JournalRequest {
    /// Store a message.
    Keep(JournalEntry),
    /// Accept no more messages, and finish.
    Stop,
}

/// A message whose sender waits for the result.
#[derive(Debug)]
pub(crate) struct JournalEntry {
    pub(crate) message: Message,
    pub(crate) answer: oneshot::Sender<Result<(), StoreError>>,
    pub(crate) room: OwnedSemaphorePermit,
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) work: Receiver<JournalRequest>,
    pub(crate) delivery: Sender<Parcel>,
    /// Free segments.
    pub(crate) free: Receiver<Segment>,
    pub(crate) trouble: Trouble,
    pub(crate) level: Level,
    pub(crate) directory: Directory,
    pub(crate) limits: StoreLimits,
    /// The number of the last use of a segment.
    pub(crate) sequence: u64,
    /// The number of all segments.
    pub(crate) segments: usize,
    /// The current segment, and the time to seal it.
    pub(crate) current: Option<(Segment, Instant)>,
    pub(crate) company: Arc<Company>,
    /// The number of messages of the last sync.
    pub(crate) crowd: usize,
    pub(crate) stopping: bool,
}

impl Journal {
    /// Stores messages until it is stopped, or until all handles are dropped.
    pub(crate) fn run(mut self) {
        while let Some(first) = self.wait() {
            let batch = self.gather(first);
            self.keep(batch);
        }
        self.seal();
    }

    fn wait(&mut self) -> Option<JournalEntry> {
        while !self.stopping {
            let work = match &self.current {
                None => self.work.recv().map_err(RecvTimeoutError::from),
                Some((_, until)) => {
                    self.work.recv_timeout(until.saturating_duration_since(Instant::now()))
                }
            };
            match work {
                Ok(JournalRequest::Keep(entry)) => {
                    self.company.take();
                    return Some(entry);
                }
                Err(RecvTimeoutError::Timeout) => self.seal(),
                Ok(JournalRequest::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.stopping = true;
                }
            }
        }
        None
    }

    /// Collects the messages that arrived during the last sync. If that sync had several messages, it
    /// waits a moment for as many: the replies to one batch trigger the next, whose first message would
    /// else have a sync for itself. A single client's messages never wait.
    fn gather(&mut self, first: JournalEntry) -> Vec<JournalEntry> {
        if self.crowd > 1 {
            self.company.wait(self.crowd - 1, COMPANY);
        }
        let mut bytes = first.message.len();
        let mut batch = vec![first];
        while bytes < self.limits.batch_bytes && !self.stopping {
            match self.work.try_recv() {
                Ok(JournalRequest::Keep(entry)) => {
                    self.company.take();
                    bytes += entry.message.len();
                    batch.push(entry);
                }
                Ok(JournalRequest::Stop) => self.stopping = true,
                Err(_) => break,
            }
        }
        self.crowd = batch.len();
        batch
    }

    fn keep(&mut self, mut batch: Vec<JournalEntry>) {
        // A client that was told to send its message again would have it delivered twice.
        batch.retain(|entry| !entry.answer.is_closed());
        if batch.is_empty() {
            return;
        }
        match self.append(&batch) {
            Ok(first) => {
                self.level.kept(batch.len() as u64);
                let messages = (first.record..).zip(batch).map(|(record, entry)| {
                    // The message stays.
                    if entry.answer.send(Ok(())).is_err() {
                        let id = entry.message.id;
                        warn!(%id, "message delivered without a reply in time: its client may send it again");
                    }
                    let position = JournalPosition { sequence: first.sequence, record };
                    Delivery { message: entry.message, position, room: entry.room }
                });
                self.hand_on(Parcel::Messages(messages.collect()));
            }
            Err(error) => {
                for entry in batch {
                    let _ = entry.answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn append(&mut self, batch: &[JournalEntry]) -> Result<JournalPosition, StoreError> {
        self.trouble.check()?;
        let bytes: usize = batch.iter().map(|entry| entry.message.len() + OVERHEAD).sum();
        let limit = self.limits.segment_bytes;
        let late = |until| Instant::now() >= until;
        if self
            .current
            .as_ref()
            .is_some_and(|(s, until)| s.is_full(bytes as u64, limit) || late(*until))
        {
            self.seal();
        }
        let (mut segment, until) = match self.current.take() {
            Some(current) => current,
            None => (self.begin()?, Instant::now() + self.limits.checkpoint_after),
        };
        let length = segment.length();
        match segment.append(batch.iter().map(|entry| &entry.message)) {
            Ok(position) => {
                self.level.grow(segment.length() - length);
                self.current = Some((segment, until));
                Ok(position)
            }
            Err(error) => {
                error!(
                    error = error.as_dyn(),
                    "journal file abandoned after an error; its last messages are refused"
                );
                self.retire(segment);
                Err(error)
            }
        }
    }

    /// Takes a free segment, makes one up to the limit, or waits for one.
    fn begin(&mut self) -> Result<Segment, StoreError> {
        let mut segment = match self.free.try_recv() {
            Ok(segment) => segment,
            Err(_) if self.segments < self.limits.segments => {
                let segment = self.directory.make_segment()?;
                self.segments += 1;
                self.level.add_segment(segment.length());
                segment
            }
            Err(_) => self
                .free
                .recv()
                .map_err(|_| self.trouble.check().err().unwrap_or(StoreError::Stopped))?,
        };
        self.sequence += 1;
        match segment.begin(self.sequence) {
            Ok(()) => Ok(segment),
            Err(error) => {
                self.retire(segment);
                Err(error)
            }
        }
    }

    fn retire(&mut self, segment: Segment) {
        self.segments -= 1;
        self.level.remove_segment(segment.length());
        self.hand_on(Parcel::Sealed(segment));
    }

    fn seal(&mut self) {
        if let Some((segment, _)) = self.current.take() {
            self.hand_on(Parcel::Sealed(segment));
        }
    }

    fn hand_on(&self, parcel: Parcel) {
        if self.delivery.send(parcel).is_err() {
            // The messages are in the journal, but are not delivered before the next start.
            self.trouble.begin_for_good(StoreError::Stopped);
        }
    }
}

/// The most time to wait for more messages: a few syncs.
const COMPANY: Duration = Duration::from_micros(600);

/// The most bytes that a record adds to a message, and a batch to its records.
const OVERHEAD: usize = 64;
