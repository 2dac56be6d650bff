//! How a connection waits for its client: awake for one that answers at once, else asleep.
//!
//! Where client and server share a machine, or a rack, the next command comes sooner than a core that
//! has gone to sleep is awake again, and each of a message's four waits would cost more than its work.

use std::time::Duration;

/// What is known of a client's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How many waits to sleep through before the next one is awake.
    asleep: u32,
    /// How many to sleep through once one was in vain.
    penalty: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { asleep: 0, penalty: Self::FEWEST }
    }
}

impl Pace {
    /// The longest wait awake.
    pub(crate) const AWAKE: Duration = Duration::from_micros(100);
    /// How many waits are slept through after the first that was awake in vain,
    pub(crate) const FEWEST: u32 = 16;
    /// and at the most.
    pub(crate) const MOST: u32 = 1024;

    /// Whether to stay awake for the next wait; asked once for each.
    pub(crate) fn is_awake(&mut self) -> bool {
        let awake = self.asleep == 0;
        self.asleep = self.asleep.saturating_sub(1);
        awake
    }

    /// Takes note of whether the client answered while we were awake. If not, more and more waits are
    /// slept through: what is spent on a slow client stays far below what its commands cost.
    pub(crate) fn answered(&mut self, in_time: bool) {
        if in_time {
            self.penalty = Self::FEWEST;
        } else {
            self.asleep = self.penalty;
            self.penalty = (self.penalty * 2).min(Self::MOST);
        }
    }
}
