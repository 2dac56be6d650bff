//! The waiting of a connection for its client: without sleeping for a client that answers at once.
//!
//! On the same machine or in the same rack the next command arrives sooner than a sleeping core wakes up,
//! so that each of the four waits of a message would cost more than its work.

use std::time::Duration;

/// The history of a client's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The number of sleeping waits before the next one without sleep.
    asleep: u32,
    /// The number of sleeping waits after the next failure.
    penalty: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { asleep: 0, penalty: Self::FEWEST }
    }
}

impl Pace {
    /// The longest wait without sleep.
    pub(crate) const AWAKE: Duration = Duration::from_micros(100);
    /// The sleeping waits after the first failure.
    pub(crate) const FEWEST: u32 = 16;
    /// The most sleeping waits after a failure.
    pub(crate) const MOST: u32 = 1024;

    /// Tells whether the next wait is without sleep; to be called once for each.
    pub(crate) fn is_awake(&mut self) -> bool {
        let awake = self.asleep == 0;
        self.asleep = self.asleep.saturating_sub(1);
        awake
    }

    /// Records whether the client answered in time. If not, more and more waits sleep, so that a slow
    /// client costs little.
    pub(crate) fn answered(&mut self, in_time: bool) {
        if in_time {
            self.penalty = Self::FEWEST;
        } else {
            self.asleep = self.penalty;
            self.penalty = (self.penalty * 2).min(Self::MOST);
        }
    }
}
