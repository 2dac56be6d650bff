//! Opens inputs in several threads, and hands out the results in the order of the inputs.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use super::limits::OpenLimits;
use super::mailbox::Unit;
use super::opening::{Found, open};

/// An opened input.
pub(crate) struct Opened {
    pub(crate) place: String,
    pub(crate) is_named: bool,
    /// The reports; an error if the input cannot be read.
    pub(crate) found: std::io::Result<Vec<Found>>,
}

/// The threads. Each takes every n-th input, so that the order is kept and few results wait.
pub(crate) struct Workers<T> {
    threads: Vec<(SyncSender<Unit>, Receiver<Opened>)>,
    /// The threads of the inputs that are under way.
    waiting: VecDeque<usize>,
    next: usize,
    take: T,
}

/// Inputs that wait for a thread.
const QUEUE: usize = 2;
/// More threads would only hold more results.
const MOST: usize = 8;

impl<T: FnMut(Opened)> Workers<T> {
    /// Starts a thread for each processor.
    pub(crate) fn start<'s>(scope: &'s Scope<'s, '_>, limits: &'s OpenLimits, take: T) -> Self {
        let count = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
        let start = |_| {
            let (units, work) = sync_channel::<Unit>(QUEUE);
            let (done, results) = sync_channel(QUEUE);
            scope.spawn(move || {
                for Unit { place, is_named, octets } in work {
                    let found = octets.map(|octets| open(&octets, is_named, limits));
                    if done.send(Opened { place, is_named, found }).is_err() {
                        return;
                    }
                }
            });
            (units, results)
        };
        let threads = (0..count).map(start).collect();
        Self { threads, waiting: VecDeque::new(), next: 0, take }
    }

    /// Gives an input to the next thread, after it has handed over an earlier result if it is busy.
    pub(crate) fn give(&mut self, unit: Unit) {
        while self.waiting.len() >= self.threads.len() * QUEUE {
            self.take_one();
        }
        if let Some((units, _)) = self.threads.get(self.next) {
            // A thread ends only with the channel.
            let _ = units.send(unit);
            self.waiting.push_back(self.next);
            self.next = (self.next + 1) % self.threads.len();
        }
    }

    /// Waits for the last results.
    pub(crate) fn finish(mut self) {
        while !self.waiting.is_empty() {
            self.take_one();
        }
    }

    fn take_one(&mut self) {
        let thread = self.waiting.pop_front().and_then(|thread| self.threads.get(thread));
        if let Some(opened) = thread.and_then(|(_, results)| results.recv().ok()) {
            (self.take)(opened);
        }
    }
}
