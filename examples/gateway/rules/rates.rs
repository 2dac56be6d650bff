//! How often things happen, by the keys that rules count them by.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The rates of all connections.
///
/// A rate is in events a period. It is smoothed: what happened a period ago weighs about a third of
/// what happens now, so that a burst is forgotten slowly. A single event counts as one, however long
/// ago the last was.
///
/// No more than twice [`Rates::MAX_KEYS`] keys are remembered; those that were not used for longest
/// are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    generations: Mutex<Generations>,
}

/// What an event that is looked at adds to its rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Count {
    /// It counts, unless the rate reaches the limit.
    Leaky,
    /// It counts.
    Strict,
    /// It does not count.
    Not,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Vec<u8>, Rate>,
    old: HashMap<Vec<u8>, Rate>,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    rate: f64,
    at: Instant,
}

impl Rates {
    /// How many keys are remembered at least.
    pub(crate) const MAX_KEYS: usize = 50_000;

    /// Returns the rate of a key with an event that happens `now`.
    pub(crate) fn rate(
        &self,
        key: &[u8],
        period: Duration,
        limit: f64,
        count: Count,
        now: Instant,
    ) -> f64 {
        // Nothing in there can be half done.
        let mut rates = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let last = rates.find(key);
        let rate = last.map_or(1.0, |last| last.with_event(period, now));
        let counts = match count {
            Count::Leaky => rate < limit,
            Count::Strict => true,
            Count::Not => false,
        };
        if counts {
            rates.keep(key, Rate { rate, at: now });
        }
        rate
    }
}

impl Generations {
    fn find(&self, key: &[u8]) -> Option<Rate> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn keep(&mut self, key: &[u8], rate: Rate) {
        if let Some(known) = self.young.get_mut(key) {
            *known = rate;
            return;
        }
        if self.young.len() >= Rates::MAX_KEYS {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key.to_vec(), rate);
    }
}

impl Rate {
    /// An exponentially weighted moving average, as Exim's: see the chapter on access control lists
    /// of its specification, on how rates are measured.
    fn with_event(self, period: Duration, now: Instant) -> f64 {
        let interval = now.saturating_duration_since(self.at).as_secs_f64();
        let periods = interval / period.as_secs_f64().max(f64::MIN_POSITIVE);
        let weight = (-periods).exp();
        // The limit of (1 - e^-x) / x is 1, where the quotient of two small numbers is not.
        let own = if periods < 1e-9 { 1.0 } else { (1.0 - weight) / periods };
        (own + weight * self.rate).max(1.0)
    }
}
