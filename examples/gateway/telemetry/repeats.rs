//! Which refusals of a connection are logged: the first as they are, of more only how many.

use std::time::{Duration, Instant};

/// The refusals of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Repeats {
    /// Since when they are counted.
    since: Option<Instant>,
    logged: u32,
    left_out: u64,
}

impl Repeats {
    /// So many in each interval are logged as they are.
    pub(crate) const FIRST: u32 = 10;
    /// How long an interval is.
    pub(crate) const INTERVAL: Duration = Duration::from_mins(1);

    /// Counts one; tells whether it is to be logged as it is, and how many were left out in an interval
    /// that is over, if any were.
    pub(crate) fn count(&mut self, now: Instant) -> (bool, Option<u64>) {
        let over = |since: &Instant| now.saturating_duration_since(*since) >= Self::INTERVAL;
        let before = if self.since.as_ref().is_none_or(over) {
            let before = self.end();
            *self = Self { since: Some(now), ..Self::default() };
            before
        } else {
            None
        };
        let logged = self.logged < Self::FIRST;
        if logged {
            self.logged += 1;
        } else {
            self.left_out += 1;
        }
        (logged, before)
    }

    /// Tells at the end how many were left out, if any were.
    pub(crate) fn end(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.left_out)).filter(|&count| count > 0)
    }
}
