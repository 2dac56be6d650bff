//! The company of a message: others that are about to come, and can share its sync.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The messages on their way to the journal's thread, which can wait until there are enough.
#[derive(Debug)]
pub(crate) struct Company {
    /// The messages that the thread has not taken yet.
    waiting: AtomicUsize,
    /// The number that ends its wait.
    wanted: AtomicUsize,
    journal: OnceLock<Thread>,
}

impl Company {
    pub(crate) fn new() -> Self {
        let (waiting, wanted) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        Self { waiting, wanted, journal: OnceLock::new() }
    }

    /// Counts a message, has it sent, and ends the wait if it is the last of those wanted.
    pub(crate) fn send<T>(&self, send: impl FnOnce() -> T) -> T {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = send();
        if waiting >= self.wanted.load(Ordering::SeqCst)
            && let Some(journal) = self.journal.get()
        {
            journal.unpark();
        }
        answer
    }

    /// Takes note that the calling thread has taken a message.
    pub(crate) fn take(&self) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits in the journal's thread until so many messages are on their way, at most so long.
    pub(crate) fn wait(&self, wanted: usize, time: Duration) {
        let begun = Instant::now();
        self.journal.get_or_init(thread::current);
        self.wanted.store(wanted, Ordering::SeqCst);
        while self.waiting.load(Ordering::SeqCst) < wanted {
            match time.checked_sub(begun.elapsed()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => break,
            }
        }
        self.wanted.store(usize::MAX, Ordering::SeqCst);
    }
}
