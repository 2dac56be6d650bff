//! How much memory all messages on their way in may have together, and who goes when it is used up.
//!
//! [`Holders`] decides, without a clock; [`Memory`] is what connections share of it, and [`Share`] what
//! each of them has.

mod holders;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

pub(crate) use self::holders::{Holders, Room};

/// What all connections share.
pub(crate) struct Memory {
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    holders: Mutex<Holders<Arc<Notify>>>,
}

impl Memory {
    /// Lets all have `limit` octets, and slower ones than `min_rate`, in octets a second, go first.
    pub(crate) fn new(limit: usize, min_rate: u64) -> Self {
        let start = Instant::now();
        Self::with_clock(limit, min_rate, move || start.elapsed())
    }

    /// The same, by a clock that says how much time has gone by.
    pub(crate) fn with_clock(
        limit: usize,
        min_rate: u64,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { clock: Box::new(clock), holders: Mutex::new(Holders::new(limit, min_rate)) }
    }

    /// Tells whether a message of this size has room now.
    pub(crate) fn admits(&self, size: u64) -> bool {
        let now = (self.clock)();
        let (admits, evicted) = {
            let mut holders = self.holders();
            (holders.admits(size, now), holders.take_evicted())
        };
        tell(&evicted);
        admits
    }

    fn holders(&self) -> MutexGuard<'_, Holders<Arc<Notify>>> {
        // Nothing in there can be half done.
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("holders", &self.holders).finish_non_exhaustive()
    }
}

fn tell(evicted: &[Arc<Notify>]) {
    for evicted in evicted {
        evicted.notify_one();
    }
}

/// What one connection has of it; it goes back when this goes.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<Memory>,
    number: Option<u64>,
    octets: usize,
    evicted: Arc<Notify>,
}

impl Share {
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        Self { memory, number: None, octets: 0, evicted: Arc::new(Notify::new()) }
    }

    /// Says how much this connection has now, and how many octets of its message have come, if one is
    /// on its way in; tells what follows.
    pub(crate) fn set(&mut self, octets: usize, received: Option<u64>) -> Room {
        if octets == self.octets && received.is_none() && self.number.is_none() {
            return Room::Granted; // Between two messages.
        }
        let Self { memory, number, evicted, .. } = self;
        let now = (memory.clock)();
        let (room, others) = {
            let mut holders = memory.holders();
            let room = if let Some(received) = received {
                let number =
                    *number.get_or_insert_with(|| holders.enter(self.octets, evicted, now));
                holders.set(number, octets, received, now)
            } else {
                // What a holder has goes with it; else it has been counted by itself.
                let before = if number.is_some() { 0 } else { self.octets };
                if let Some(number) = number.take() {
                    holders.leave(number);
                }
                holders.change(before, octets);
                Room::Granted
            };
            (room, holders.take_evicted())
        };
        self.octets = octets;
        tell(&others);
        room
    }

    /// Waits until the memory is wanted by others.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Whether a message is on its way in.
    pub(crate) fn is_held(&self) -> bool {
        self.number.is_some()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0, None);
    }
}
