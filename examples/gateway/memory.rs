//! How much memory all messages on their way in may have together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicUsize,
    /// In octets.
    limit: usize,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit }
    }
}

/// What one connection has of it; it goes back when this goes.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<Memory>,
    octets: usize,
}

impl Share {
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        Self { memory, octets: 0 }
    }

    /// Says how much this connection has now; tells whether all together still keep to the limit.
    ///
    /// A small message always fits: the limit is for those who send many large ones at once.
    pub(crate) fn set(&mut self, octets: usize) -> bool {
        let before = std::mem::replace(&mut self.octets, octets);
        let used = if octets >= before {
            let more = octets - before;
            self.memory.used.fetch_add(more, Ordering::Relaxed).saturating_add(more)
        } else {
            self.memory.used.fetch_sub(before - octets, Ordering::Relaxed)
        };
        octets <= SMALL || used <= self.memory.limit
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// The size that a message may always have, in octets.
const SMALL: usize = 65_536;
