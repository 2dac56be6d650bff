//! The threads that write into Maildirs beside the store's.
//!
//! A file system may not answer, as that of a lost network server, and a thread that waits for it cannot be
//! ended. So each write has a deadline. After it the message counts as not stored, and the thread, once it goes
//! on, takes back what it has written. Until then its Maildir gets no further message. Such threads count apart
//! from those at work, so that Maildirs which do not answer leave room for the others.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::info;

use super::store_error::StoreError;

/// The threads at work, and those that are stuck.
#[derive(Clone, Debug)]
pub(crate) struct Writers {
    active: Arc<Semaphore>,
    stuck: Arc<Semaphore>,
    places: Arc<Mutex<HashMap<PathBuf, Arc<Place>>>>,
    /// The time for a place at work, and then for the write.
    time: Duration,
}

/// A Maildir with threads.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    share: Arc<Semaphore>,
    /// The number of threads that wait for it behind their deadline.
    stuck: AtomicUsize,
}

impl Writers {
    /// Makes it for writes that may take this time.
    pub(crate) fn new(time: Duration) -> Self {
        Self {
            active: Arc::new(Semaphore::new(ACTIVE)),
            stuck: Arc::new(Semaphore::new(STUCK)),
            places: Arc::default(),
            time,
        }
    }

    /// Has a thread write into these Maildirs; returns a result for each.
    pub(crate) async fn run(
        &self,
        maildirs: Vec<PathBuf>,
        work: impl FnOnce(&WriterJob) -> Vec<Result<(), StoreError>> + Send + 'static,
    ) -> Vec<Result<(), StoreError>> {
        let count = maildirs.len();
        match self.write(&maildirs, work).await {
            Ok(results) => results,
            Err(error) => vec![Err(error); count],
        }
    }

    async fn write(
        &self,
        maildirs: &[PathBuf],
        work: impl FnOnce(&WriterJob) -> Vec<Result<(), StoreError>> + Send + 'static,
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let places: Vec<_> = maildirs.iter().map(|path| self.place(path)).collect();
        let permits = self.enter(&places).await?;
        let hold = Mutex::new(Hold { permits, stuck: None });
        let job = Arc::new(WriterJob { places, hold, ..WriterJob::default() });
        let (answer, mut answered) = oneshot::channel();
        let own = Arc::clone(&job);
        let run = move || {
            // The receiver may have gone.
            let _ = answer.send(work(&own));
        };
        let spawned = thread::Builder::new().name("maildir".to_owned()).spawn(run);
        spawned.map_err(StoreError::io("start the thread", Path::new("maildir")))?;
        let results = timeout_at(Instant::now() + self.time, &mut answered).await;
        match results {
            Ok(results) => results.map_err(|_| StoreError::Stopped),
            Err(_) if job.abandon() => Err(self.leave(&job)),
            // The thread was the first to settle it, and answers at once.
            Err(_) => answered.await.map_err(|_| StoreError::Stopped),
        }
    }

    /// Waits for a place at work; refuses one behind a thread that is stuck.
    async fn enter(&self, places: &[Arc<Place>]) -> Result<Vec<OwnedSemaphorePermit>, StoreError> {
        let deadline = Instant::now() + self.time;
        let mut permits = Vec::new();
        // In one order, so that two jobs never wait for each other.
        let mut sorted: Vec<_> = places.iter().collect();
        sorted.sort_by(|one, other| one.path.cmp(&other.path));
        sorted.dedup_by(|one, other| one.path == other.path);
        for place in sorted {
            place.check()?;
            let share = timeout_at(deadline, Arc::clone(&place.share).acquire_owned());
            permits.push(self.permit(share.await, place)?);
            place.check()?;
        }
        let Some(first) = places.first() else { return Ok(permits) };
        let active = timeout_at(deadline, Arc::clone(&self.active).acquire_owned());
        permits.push(self.permit(active.await, first)?);
        Ok(permits)
    }

    fn permit<A, T>(
        &self,
        permit: Result<Result<OwnedSemaphorePermit, A>, T>,
        place: &Place,
    ) -> Result<OwnedSemaphorePermit, StoreError> {
        let (path, time) = (&place.path, self.time);
        let permit = permit.map_err(|_| StoreError::Slow { path: path.clone(), time })?;
        permit.map_err(|_| StoreError::Stopped)
    }

    /// Gives up a job whose thread is stuck; returns the error.
    fn leave(&self, job: &WriterJob) -> StoreError {
        let at = job.at.load(Ordering::Relaxed);
        let Some(place) = job.places.get(at) else { return StoreError::Stopped };
        let mut hold = job.hold.lock().unwrap_or_else(PoisonError::into_inner);
        // First of all, so that the next writer for this place finds it.
        hold.stuck = Some(StuckThread::at(Arc::clone(place)));
        // Without room among the stuck it stays among those at work, whose number is limited too.
        if let Ok(stuck) = Arc::clone(&self.stuck).try_acquire_owned() {
            hold.permits = vec![stuck];
        }
        StoreError::Slow { path: place.path.clone(), time: self.time }
    }

    fn place(&self, path: &Path) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MANY {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let place = places.entry(path.to_owned()).or_insert_with(|| {
            let (path, share) = (path.to_owned(), Arc::new(Semaphore::new(SHARE)));
            Arc::new(Place { path, share, stuck: AtomicUsize::new(0) })
        });
        Arc::clone(place)
    }
}

impl Place {
    fn check(&self) -> Result<(), StoreError> {
        match self.stuck.load(Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(StoreError::Stuck { path: self.path.clone() }),
        }
    }
}

/// A write, as its thread and its message see it.
#[derive(Debug, Default)]
pub(crate) struct WriterJob {
    places: Vec<Arc<Place>>,
    hold: Mutex<Hold>,
    /// The number of the Maildir that is being written.
    at: AtomicUsize,
    state: AtomicUsize,
}

impl WriterJob {
    /// Takes note of the Maildir that is about to be written, by its number.
    pub(crate) fn begin(&self, number: usize) {
        self.at.store(number, Ordering::Relaxed);
    }

    /// Tells whether the deadline has passed.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state.load(Ordering::Acquire) == ABANDONED
    }

    /// Settles that the message is written; `false` if the deadline has passed before.
    pub(crate) fn complete(&self) -> bool {
        self.settle(COMPLETE)
    }

    /// Settles that the message is not stored; `false` if it is complete.
    pub(crate) fn abandon(&self) -> bool {
        self.settle(ABANDONED)
    }

    fn settle(&self, state: usize) -> bool {
        let settled = self.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Acquire);
        settled.is_ok()
    }
}

/// The claims of a thread, until it ends.
#[derive(Debug, Default)]
struct Hold {
    permits: Vec<OwnedSemaphorePermit>,
    stuck: Option<StuckThread>,
}

/// A thread that waits for a Maildir behind its deadline.
#[derive(Debug)]
struct StuckThread(Arc<Place>);

impl StuckThread {
    fn at(place: Arc<Place>) -> Self {
        place.stuck.fetch_add(1, Ordering::Relaxed);
        Self(place)
    }
}

impl Drop for StuckThread {
    fn drop(&mut self) {
        self.0.stuck.fetch_sub(1, Ordering::Relaxed);
        info!("the Maildir {} answers again", self.0.path.display());
    }
}

const OPEN: usize = 0;
const COMPLETE: usize = 1;
const ABANDONED: usize = 2;
/// The most threads at work.
const ACTIVE: usize = 16;
/// The most of them for one Maildir.
const SHARE: usize = 8;
/// The most threads that are stuck beside those at work; each keeps its message in memory, with the share of that.
const STUCK: usize = 32;
/// The number of Maildirs from which those without a thread are forgotten.
const MANY: usize = 256;
