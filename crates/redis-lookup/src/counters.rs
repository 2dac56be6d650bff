//! Counts of lookups, for metrics.

use std::time::Duration;

use crate::LookupOutcome;

/// Counts lookups by outcome, with their latency.
pub trait Counters: Send + Sync {
    /// A lookup has ended. The outcome is `None` if the caller has dropped it.
    fn lookup(&self, outcome: Option<&LookupOutcome>, latency: Duration);
}
