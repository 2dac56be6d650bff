//! Histograms: how many values there were up to each bound, added to without a lock.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::counts::{Key, Labels};

/// The unit of a measurement: whole numbers of a small unit, shown in a base unit.
pub(crate) trait Scale {
    /// The upper bounds of buckets, in the small unit.
    const BOUNDS: &'static [u64];
    /// How many small units the base unit has.
    const PER_UNIT: u32;
}

/// Microseconds, shown in seconds.
#[derive(Debug)]
pub(crate) enum Seconds {}

impl Scale for Seconds {
    const BOUNDS: &'static [u64] = &[
        1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ];
    const PER_UNIT: u32 = 1_000_000;
}

/// Octets.
#[derive(Debug)]
pub(crate) enum Bytes {}

impl Scale for Bytes {
    const BOUNDS: &'static [u64] =
        &[1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26];
    const PER_UNIT: u32 = 1;
}

/// The distributions of values, one for each key.
pub(crate) struct Histogram<K, S> {
    series: Box<[Buckets]>,
    kind: PhantomData<fn(K, S)>,
}

/// The distribution of one key. The number of all values is that of its buckets together, so that both
/// always agree.
struct Buckets {
    /// One for each bound, and one for values above all.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A distribution, in the base unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    /// Upper bounds, and how many values are between each and the one before.
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl<K: Key, S: Scale> Histogram<K, S> {
    /// Adds a value in the small unit.
    pub(crate) fn observe(&self, key: K, value: u64) {
        let Some(Buckets { counts, sum }) = self.series.get(key.place()) else {
            return debug_assert!(false, "each key has its buckets");
        };
        let at = S::BOUNDS.partition_point(|bound| *bound < value);
        if let Some(count) = counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Returns all distributions, with their labels.
    pub(crate) fn read(&self) -> Vec<(Labels, Distribution)> {
        let series = self.series.iter().enumerate();
        series.map(|(place, buckets)| (K::labels(place), buckets.read::<S>())).collect()
    }
}

impl<K: Key> Histogram<K, Seconds> {
    pub(crate) fn time(&self, key: K, time: Duration) {
        self.observe(key, u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }
}

impl Buckets {
    fn read<S: Scale>(&self) -> Distribution {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let bounds = S::BOUNDS.iter().map(|bound| base::<S>(*bound)).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Distribution { sum: base::<S>(self.sum.load(Ordering::Relaxed)), count, buckets }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of 2^53 microseconds takes centuries")]
fn base<S: Scale>(value: u64) -> f64 {
    value as f64 / f64::from(S::PER_UNIT)
}

impl<K: Key, S: Scale> Default for Histogram<K, S> {
    fn default() -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        let buckets = || Buckets { counts: zeros(S::BOUNDS.len() + 1), sum: AtomicU64::new(0) };
        Self { series: (0..K::COUNT).map(|_| buckets()).collect(), kind: PhantomData }
    }
}

impl<K: Key, S: Scale> fmt::Debug for Histogram<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.read()).finish()
    }
}
