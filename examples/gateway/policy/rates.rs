//! How often things happen, by the keys that rules count them by.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The rates of all connections.
///
/// A rate is in events a period, each with its size. It is smoothed: what happened a period ago weighs
/// about a third of what happens now, so that a burst is forgotten slowly. A single event counts whole,
/// however long ago the last was.
///
/// No more than twice [`Rates::MAX_KEYS`] keys are remembered; those that were not used for longest
/// are forgotten first. A key remembers [`Rates::MAX_UNIQUE`] different events; with more, each counts.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    generations: Mutex<Generations>,
    hasher: RandomState,
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

/// An event that may count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateEvent<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) period: Duration,
    pub(crate) limit: f64,
    pub(crate) count: Count,
    /// How much it counts: 1, or a number of octets or recipients.
    pub(crate) size: f64,
    /// The key that tells events apart: the same key counts once in a period.
    pub(crate) unique: Option<&'a [u8]>,
    pub(crate) now: Instant,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Vec<u8>, Rate>,
    old: HashMap<Vec<u8>, Rate>,
}

#[derive(Clone, Debug)]
struct Rate {
    value: f64,
    at: Instant,
    /// The events that counted since `since`, by their hashes.
    seen: HashSet<u64>,
    since: Instant,
}

impl Rates {
    /// How many keys are remembered at least.
    pub(crate) const MAX_KEYS: usize = 50_000;
    /// How many different events of a key are told apart in a period.
    pub(crate) const MAX_UNIQUE: usize = 10_000;

    /// Returns the rate of a key with an event.
    pub(crate) fn rate(&self, event: RateEvent<'_>) -> f64 {
        // Nothing in there can be half done.
        let mut rates = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = event.unique.map(|unique| self.hasher.hash_one(unique));
        let last = rates.find(event.key);
        let is_known = last.zip(hash).is_some_and(|(last, hash)| last.knows(hash, event));
        let rate = match last {
            None => event.size,
            Some(last) => last.with_event(event, if is_known { 0.0 } else { event.size }),
        };
        let counts = match event.count {
            Count::Leaky => rate < event.limit,
            Count::Strict => true,
            Count::Not => false,
        };
        if counts && !is_known {
            rates.keep(event, rate, hash);
        }
        rate
    }
}

impl Generations {
    fn find(&self, key: &[u8]) -> Option<&Rate> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn keep(&mut self, event: RateEvent<'_>, rate: f64, hash: Option<u64>) {
        let (key, now) = (event.key, event.now);
        if !self.young.contains_key(key) {
            if self.young.len() >= Rates::MAX_KEYS {
                self.old = mem::take(&mut self.young);
            }
            let fresh = || Rate { value: rate, at: now, seen: HashSet::new(), since: now };
            let kept = self.old.remove(key).unwrap_or_else(fresh);
            self.young.insert(key.to_vec(), kept);
        }
        let Some(kept) = self.young.get_mut(key) else { return };
        (kept.value, kept.at) = (rate, now);
        if now.saturating_duration_since(kept.since) >= event.period {
            kept.seen.clear();
            kept.since = now;
        }
        if let Some(hash) = hash.filter(|_| kept.seen.len() < Rates::MAX_UNIQUE) {
            kept.seen.insert(hash);
        }
    }
}

impl Rate {
    /// Whether an event was counted in this period.
    fn knows(&self, hash: u64, event: RateEvent<'_>) -> bool {
        event.now.saturating_duration_since(self.since) < event.period && self.seen.contains(&hash)
    }

    /// An exponentially weighted moving average, as Exim's: see the chapter on access control lists
    /// of its specification, on how rates are measured.
    fn with_event(&self, event: RateEvent<'_>, size: f64) -> f64 {
        let interval = event.now.saturating_duration_since(self.at).as_secs_f64();
        let periods = interval / event.period.as_secs_f64().max(f64::MIN_POSITIVE);
        let weight = (-periods).exp();
        // The limit of (1 - e^-x) / x is 1, where the quotient of two small numbers is not.
        let own = if periods < 1e-9 { 1.0 } else { (1.0 - weight) / periods };
        (own * size + weight * self.value).max(size)
    }
}
