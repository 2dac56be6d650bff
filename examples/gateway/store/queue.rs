//! The handle of the store, and its queue.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::checkpoint::Checkpoint;
use super::company::Company;
use super::delivery::Deliverer;
use super::directory::Directory;
use super::folder::{self, FolderMessage};
use super::journal::{Journal, JournalEntry, JournalRequest};
use super::level::Level;
use super::maildir::{Maildir, file_name_part};
use super::message::Message;
use super::progress::Progress;
use super::replay::{self, Recovery};
use super::segment::Segment;
use super::settings::{StoreLimits, StoreSettings};
use super::store_error::StoreError;
use super::trouble::Trouble;
use super::writers::{WriterJob, Writers};
use crate::gateway::telemetry::metrics::readings::JournalReading;

/// A handle of the store; its clones share the store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// `None` if messages are discarded.
    queue: Option<Queue>,
}

#[derive(Clone, Debug)]
struct Queue {
    work: Sender<JournalRequest>,
    company: Arc<Company>,
    room: Arc<Semaphore>,
    limits: StoreLimits,
    trouble: Trouble,
    level: Level,
    /// The host's name in the form for file names.
    host: Arc<str>,
    /// The threads that write into Maildirs beside the store's.
    writers: Writers,
    /// The directory of the journal.
    journal: Arc<Path>,
    /// Closed when the threads have ended.
    ended: Arc<Semaphore>,
}

impl Store {
    /// Opens the store, delivers the messages left in the journal, and starts the threads. It blocks until
    /// all of them are delivered.
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
        let host = file_name_part(host).into();
        let given = (*limits, host, journal.as_path().into());
        let queue = start(directory, maildir, progress, segments, sequence, given)?;
        Ok((Self { queue: Some(queue) }, recovery))
    }

    /// Stores a message; waits while the queue is full, and until the message is durable.
    ///
    /// If the future is dropped, the message may be stored or not.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLong`] for a message above the limit. After any other error, as [`StoreError::Slow`], the
    /// message may still be delivered later, and the client should send it again.
    pub(crate) async fn keep(&self, message: Message) -> Result<(), StoreError> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let limit = queue.limits.message_bytes;
        if message.len() > limit {
            return Err(StoreError::TooLong { bytes: message.len(), limit });
        }
        let time = queue.limits.time;
        let slow = |_| Err(StoreError::Slow { path: queue.journal.to_path_buf(), time });
        timeout(time, queue.keep(message)).await.unwrap_or_else(slow)
    }

    /// Stores a message in Maildirs beside the store's; waits until it is durable in each. If they belong
    /// `together`, none has it unless all could be written. `share` is dropped when no thread has the message any more.
    ///
    /// # Errors
    ///
    /// That of each Maildir. After [`StoreError::TooLong`] none has the message; after another error the
    /// client should send it again.
    pub(crate) async fn put(
        &self,
        messages: Vec<FolderMessage>,
        together: bool,
        share: impl Send + Sync + 'static,
    ) -> Vec<Result<(), StoreError>> {
        let count = messages.len();
        let Some(queue) = &self.queue else { return vec![Ok(()); count] };
        let limit = queue.limits.message_bytes;
        let longest = messages.iter().map(|file| file.message.len()).max().unwrap_or_default();
        if longest > limit {
            return vec![Err(StoreError::TooLong { bytes: longest, limit }); count];
        }
        if queue.trouble.is_stopping() {
            return vec![Err(StoreError::Stopped); count];
        }
        // A Maildir that does not answer holds up no other recipient with a result of its own.
        let parts: Vec<_> = if together {
            vec![messages]
        } else {
            messages.into_iter().map(|message| vec![message]).collect()
        };
        let (mut running, share) = (JoinSet::new(), Arc::new(share));
        for (number, part) in parts.into_iter().enumerate() {
            let (writers, host) = (queue.writers.clone(), Arc::clone(&queue.host));
            let maildirs = part.iter().map(|file| file.maildir.clone()).collect();
            let part = (part, Arc::clone(&share));
            running.spawn(async move {
                let work = move |job: &WriterJob| {
                    let (part, _share) = part;
                    folder::deliver(&part, together, &host, job)
                };
                (number, writers.run(maildirs, work).await)
            });
        }
        drop(share);
        // A panic has its own message.
        let mut results = vec![Err(StoreError::Stopped); count];
        while let Some(done) = running.join_next().await {
            let (first, part) = done.unwrap_or_default();
            for (result, of_part) in results.iter_mut().skip(first).zip(part) {
                *result = of_part;
            }
        }
        results
    }

    /// Returns the state of the store.
    pub(crate) fn reading(&self) -> JournalReading {
        let Some(queue) = &self.queue else {
            return JournalReading { accepts: true, ..JournalReading::default() };
        };
        let [segments, octets, undelivered] = queue.level.read();
        JournalReading { accepts: queue.trouble.check().is_ok(), segments, octets, undelivered }
    }

    /// Accepts no more messages, waits until all accepted ones are delivered and on the disk, and empties
    /// the journal.
    ///
    /// # Errors
    ///
    /// The Maildir cannot be written: the journal keeps the messages for the next start.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        let Some(queue) = self.queue else { return Ok(()) };
        let trouble = queue.trouble.check();
        queue.trouble.stop();
        let _ = queue.work.send(JournalRequest::Stop);
        // The semaphore never has permits: the wait ends when it closes.
        let _ = queue.ended.acquire().await;
        trouble.and(queue.trouble.check())
    }
}

impl Queue {
    async fn keep(&self, message: Message) -> Result<(), StoreError> {
        let room = self.enter(message.len()).await?;
        let (answer, answered) = oneshot::channel();
        let entry = JournalEntry { message, answer, room };
        let sent = self.company.send(|| self.work.send(JournalRequest::Keep(entry)));
        sent.map_err(|_| StoreError::Stopped)?;
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }

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

fn start(
    directory: Directory,
    maildir: Maildir,
    progress: Progress,
    segments: Vec<Segment>,
    sequence: u64,
    (limits, host, path): (StoreLimits, Arc<str>, Arc<Path>),
) -> Result<Queue, StoreError> {
    let (work, works) = mpsc::channel();
    let (delivery, inbox) = mpsc::channel();
    let (seal, sealed) = mpsc::channel();
    let (free, freed) = mpsc::channel();
    let (maildir, progress, trouble) = (Arc::new(maildir), Arc::new(progress), Trouble::none());
    let (level, company) = (Level::of(&segments), Arc::new(Company::new()));
    let journal = Journal {
        work: works,
        delivery,
        free: freed,
        trouble: trouble.clone(),
        level: level.clone(),
        directory,
        limits,
        sequence,
        segments: segments.len(),
        current: None,
        company: Arc::clone(&company),
        crowd: 0,
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
        level: level.clone(),
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
            // A panic has its own message.
            let _ = thread.join();
        }
        end.close();
    })?;
    let room = Arc::new(Semaphore::new(limits.queue_bytes as usize));
    let writers = Writers::new(limits.time);
    Ok(Queue { work, company, room, limits, trouble, level, host, writers, journal: path, ended })
}

fn spawn(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, StoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map_err(StoreError::io("start the thread", Path::new(name)))
}

/// The bytes that a message in the queue counts beside its own.
const ENTRY_BYTES: usize = 1024;
