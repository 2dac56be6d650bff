//! Events on their way to their actions: a bounded queue, and behind it a file.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::overflow::{Overflow, Read};
use super::raised_event::RaisedEvent;

/// The queue. Whoever puts an event in never waits: it takes a moment's lock and touches no file.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    file: Mutex<Overflow>,
    limit: usize,
    /// There is something to work off, or the end has come.
    work: Condvar,
    /// There is something to be put aside, or the end has come.
    overflow: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: VecDeque<RaisedEvent>,
    /// On their way into the file.
    overflow: Vec<RaisedEvent>,
    /// Whether the file has some.
    in_file: bool,
    counts: Counts,
    /// Whether the worker sleeps until it is woken.
    idle: bool,
    /// Connections whose last events are still to come.
    open: usize,
    /// By when to end, once that is known.
    end: Option<Instant>,
    ended: bool,
}

/// What became of events so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    /// Those that were put aside.
    pub(crate) overflow: u64,
    /// Those for which there was no room anywhere.
    pub(crate) lost: u64,
}

/// What the worker does next.
#[derive(Debug)]
pub(crate) enum QueuedWork {
    Events(Vec<RaisedEvent>),
    Overflow(Read),
    /// Nothing more comes.
    End,
}

impl Queue {
    /// Makes one for `limit` events in memory, and as many on their way into the file.
    pub(crate) fn new(limit: usize, file: Overflow) -> Self {
        let state = QueueState { in_file: !file.is_empty(), ..QueueState::default() };
        Self {
            state: Mutex::new(state),
            file: Mutex::new(file),
            limit,
            work: Condvar::new(),
            overflow: Condvar::new(),
        }
    }

    /// Puts an event in, or on its way into the file if there is no room, or counts it as lost.
    pub(crate) fn put(&self, raised: RaisedEvent) {
        let mut state = self.state();
        if state.ended {
            state.counts.lost += 1;
        } else if state.waiting.len() < self.limit {
            state.waiting.push_back(raised);
            let crowded = state.waiting.len() == BATCH;
            if mem::take(&mut state.idle) || crowded {
                self.work.notify_one();
            }
        } else if state.overflow.len() < self.limit {
            state.overflow.push(raised);
            self.overflow.notify_one();
        } else {
            state.counts.lost += 1;
        }
    }

    /// Takes note of a connection that will have events at its end.
    pub(crate) fn open(&self) {
        self.state().open += 1;
    }

    /// Takes note that it has had them.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        if state.end.is_some() {
            self.work.notify_one();
        }
    }

    /// Lets the worker end when all is worked off, or at this time.
    pub(crate) fn end(&self, at: Instant) {
        self.state().end = Some(at);
        self.work.notify_one();
    }

    /// Tells whether the end has come.
    pub(crate) fn is_late(&self) -> bool {
        self.state().end.is_some_and(|end| end <= Instant::now())
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Waits for work, and a moment longer, so that what belongs together is worked off together.
    pub(crate) fn next(&self) -> QueuedWork {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let late = state.end.is_some_and(|end| end <= now);
            if late {
                return QueuedWork::End;
            }
            if !state.waiting.is_empty() {
                if state.waiting.len() < BATCH && state.end.is_none() {
                    state = self.pause(state, GATHER);
                }
                let count = state.waiting.len().min(BATCH);
                return QueuedWork::Events(state.waiting.drain(..count).collect());
            }
            if state.in_file {
                drop(state);
                if let Some(read) = self.read_file() {
                    return QueuedWork::Overflow(read);
                }
                state = self.state();
                continue;
            }
            state = match state.end {
                Some(_) if state.open == 0 && state.overflow.is_empty() => return QueuedWork::End,
                Some(end) => self.pause(state, end.duration_since(now).min(GATHER)),
                None => {
                    state.idle = true;
                    self.work.wait(state).unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Forgets what was read from the file and worked off; tells whether that could be done.
    pub(crate) fn forget(&self, read: &Read) -> bool {
        let mut file = self.file();
        let done = file.forget(read).is_ok();
        let waits = done && !file.is_empty();
        drop(file);
        self.state().in_file = waits;
        done
    }

    /// Puts what comes into the file, until the end; `report` hears of what there was no room for.
    pub(crate) fn put_aside(&self, mut report: impl FnMut(Counts)) {
        let mut reported = 0;
        loop {
            let mut state = self.state();
            while state.overflow.is_empty() && !state.ended {
                state = self.overflow.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let (events, ended) = (mem::take(&mut state.overflow), state.ended);
            drop(state);
            if ended && events.is_empty() {
                return;
            }
            let counts = self.append(&events);
            if counts.lost > reported {
                reported = counts.lost;
                report(counts);
            }
        }
    }

    /// Puts what is left into the file, since the worker has ended.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        state.ended = true;
        let left: Vec<_> = mem::take(&mut state.waiting).into();
        drop(state);
        self.overflow.notify_one();
        self.append(&left);
    }

    /// Puts events into the file, or counts them as lost.
    pub(crate) fn append(&self, events: &[RaisedEvent]) -> Counts {
        let mut file = self.file();
        let left = file.append(events).unwrap_or(events.len());
        let waits = !file.is_empty();
        drop(file);
        let mut state = self.state();
        state.in_file |= waits;
        state.counts.lost += left as u64;
        state.counts.overflow += (events.len() - left) as u64;
        if mem::take(&mut state.idle) {
            self.work.notify_one();
        }
        state.counts
    }

    fn read_file(&self) -> Option<Read> {
        let file = self.file();
        let read = if file.is_empty() { None } else { file.read().ok() };
        drop(file);
        if read.is_none() {
            self.state().in_file = false; // A file that cannot be read stays for the next start.
        }
        read
    }

    fn pause<'a>(
        &self,
        state: MutexGuard<'a, QueueState>,
        at_most: Duration,
    ) -> MutexGuard<'a, QueueState> {
        let paused = self.work.wait_timeout(state, at_most);
        paused.unwrap_or_else(PoisonError::into_inner).0
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Overflow> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many events are worked off at once, and share a transaction.
const BATCH: usize = 500;
/// How long the first of them waits for others.
const GATHER: Duration = Duration::from_millis(50);
