//! The memory limit of all incoming messages.
//!
//! [`Holders`] decides, without a clock; connections share a [`Memory`], and each has a [`Share`] of it.

mod holders;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

pub(crate) use self::holders::{Holders, Room};

/// The memory of all connections.
pub(crate) struct Memory {
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    holders: Mutex<Holders<Arc<Notify>>>,
}

impl Memory {
    /// Limits the memory to `limit` octets; messages slower than `min_rate`, in octets a second, are
    /// evicted.
    pub(crate) fn new(limit: usize, min_rate: u64) -> Self {
        let start = Instant::now();
        Self::with_clock(limit, min_rate, move || start.elapsed())
    }

    /// The same with another clock, which returns the time since the start.
    pub(crate) fn with_clock(
        limit: usize,
        min_rate: u64,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { clock: Box::new(clock), holders: Mutex::new(Holders::new(limit, min_rate)) }
    }

    /// Tells whether there is memory for a message of this size now.
    pub(crate) fn admits(&self, size: u64) -> bool {
        let now = (self.clock)();
        let (admits, evicted) = {
            let mut holders = self.holders();
            (holders.admits(size, now), holders.take_evicted())
        };
        tell(&evicted);
        admits
    }

    /// Returns the memory in use, and the limit, in octets.
    pub(crate) fn level(&self) -> (usize, usize) {
        self.holders().level()
    }

    fn holders(&self) -> MutexGuard<'_, Holders<Arc<Notify>>> {
        // A panic cannot leave inconsistent data here.
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

/// The share of a connection, returned by the drop.
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

    /// Reports the memory of this connection, and the octets received of its current message, if any;
    /// returns the decision.
    pub(crate) fn set(&mut self, octets: usize, received: Option<u64>) -> Room {
        if octets == self.octets && received.is_none() && self.number.is_none() {
            return Room::Granted; // No message is being received.
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
                // The memory of a holder is counted with it; else the share counts its own.
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

    /// Takes the part of a whole message, which is handed over; it counts until its own drop.
    pub(crate) fn split(&mut self, octets: usize) -> MessageMemory {
        debug_assert!(self.number.is_none(), "the message is being received");
        let octets = if self.number.is_none() { octets.min(self.octets) } else { 0 };
        self.octets -= octets;
        MessageMemory { memory: Arc::clone(&self.memory), octets }
    }

    /// Waits for the eviction.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Whether a message is being received.
    pub(crate) fn is_held(&self) -> bool {
        self.number.is_some()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0, None);
    }
}

/// The memory of a message that was handed over, returned by the drop.
#[derive(Debug)]
pub(crate) struct MessageMemory {
    memory: Arc<Memory>,
    octets: usize,
}

impl Drop for MessageMemory {
    fn drop(&mut self) {
        self.memory.holders().change(self.octets, 0);
    }
}
