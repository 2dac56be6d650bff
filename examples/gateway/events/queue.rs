//! The queue of events: bounded, with an overflow file.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::overflow::{Overflow, Read};
use super::raised_event::RaisedEvent;
use crate::gateway::telemetry::metrics::readings::EventsReading;

/// The queue. Adding an event takes a short lock, and no file access.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    file: Mutex<Overflow>,
    limit: usize,
    /// Signals events to handle, or the end.
    work: Condvar,
    /// Signals events for the overflow file, or the end.
    overflow: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: VecDeque<RaisedEvent>,
    /// Events for the overflow file.
    overflow: Vec<RaisedEvent>,
    /// Whether the file has events that can be read.
    in_file: bool,
    /// The octets of events in the file.
    file_octets: u64,
    counts: Counts,
    /// Whether the worker waits for a signal.
    idle: bool,
    /// Connections that may still raise events.
    open: usize,
    /// The deadline, once set.
    end: Option<Instant>,
    ended: bool,
}

/// The numbers of events that overflowed or were lost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    /// Events written to the overflow file.
    pub(crate) overflow: u64,
    /// Lost events: queue and file were full.
    pub(crate) lost: u64,
}

/// The next work of the worker.
#[derive(Debug)]
pub(crate) enum QueuedWork {
    Events(Vec<RaisedEvent>),
    Overflow(Read),
    /// The end.
    End,
}

impl Queue {
    /// Makes a queue for `limit` events in memory, and as many for the file.
    pub(crate) fn new(limit: usize, file: Overflow) -> Self {
        let (in_file, file_octets) = (!file.is_empty(), file.octets());
        let state = QueueState { in_file, file_octets, ..QueueState::default() };
        Self {
            state: Mutex::new(state),
            file: Mutex::new(file),
            limit,
            work: Condvar::new(),
            overflow: Condvar::new(),
        }
    }

    /// Adds an event to the queue, if it is full to the overflow, or counts it as lost.
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

    /// A connection has begun, whose events must be awaited at the end.
    pub(crate) fn open(&self) {
        self.state().open += 1;
    }

    /// A connection has raised its last events.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        if state.end.is_some() {
            self.work.notify_one();
        }
    }

    /// Ends the worker when all events are handled, or at this time.
    pub(crate) fn end(&self, at: Instant) {
        self.state().end = Some(at);
        self.work.notify_one();
    }

    /// Tells whether the deadline has passed.
    pub(crate) fn is_late(&self) -> bool {
        self.state().end.is_some_and(|end| end <= Instant::now())
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Returns the state of the queue, without a wait for the file.
    pub(crate) fn reading(&self) -> EventsReading {
        let state = self.state();
        EventsReading {
            waiting: state.waiting.len() + state.overflow.len(),
            in_file: state.file_octets,
            overflowed: state.counts.overflow,
            lost: state.counts.lost,
        }
    }

    /// Waits for work, and a moment longer to collect a batch.
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

    /// Removes handled events from the file; tells whether it succeeded.
    pub(crate) fn forget(&self, read: &Read) -> bool {
        let mut file = self.file();
        let done = file.forget(read).is_ok();
        let (waits, octets) = (done && !file.is_empty(), file.octets());
        drop(file);
        let mut state = self.state();
        (state.in_file, state.file_octets) = (waits, octets);
        done
    }

    /// Writes overflow events to the file, until the end; `report` gets the counts.
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

    /// Writes the remaining events to the file, after the worker has ended.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        state.ended = true;
        let left: Vec<_> = mem::take(&mut state.waiting).into();
        drop(state);
        self.overflow.notify_one();
        self.append(&left);
    }

    /// Writes events to the file, or counts them as lost.
    pub(crate) fn append(&self, events: &[RaisedEvent]) -> Counts {
        let mut file = self.file();
        let left = file.append(events).unwrap_or(events.len());
        let (waits, octets) = (!file.is_empty(), file.octets());
        drop(file);
        let mut state = self.state();
        state.in_file |= waits;
        state.file_octets = octets;
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

/// The most events of a batch, which share a transaction.
const BATCH: usize = 500;
/// The time to collect a batch.
const GATHER: Duration = Duration::from_millis(50);
