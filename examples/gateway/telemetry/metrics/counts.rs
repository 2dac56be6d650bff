//! Counters with labels whose words are fixed: each is a number of its own, added to without a lock.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words of a label; there are no others.
pub(crate) trait Word: Copy + 'static {
    /// The name of the label.
    const LABEL: &'static str;
    const ALL: &'static [Self];

    fn as_str(self) -> &'static str;

    /// Returns its place in [`ALL`](Self::ALL).
    fn index(self) -> usize;

    /// Returns the word with this text.
    fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

/// The names of labels, with their words.
pub(crate) type Labels = Vec<(&'static str, &'static str)>;

/// The labels of a number: none, a word, or two.
pub(crate) trait Key: Copy {
    /// The number of keys.
    const COUNT: usize;

    /// Returns its place among all.
    fn place(self) -> usize;

    /// Returns the labels of the key at this place.
    fn labels(place: usize) -> Labels;
}

impl Key for () {
    const COUNT: usize = 1;

    fn place(self) -> usize {
        0
    }

    fn labels(_: usize) -> Labels {
        Vec::new()
    }
}

impl<W: Word> Key for W {
    const COUNT: usize = W::ALL.len();

    fn place(self) -> usize {
        self.index()
    }

    fn labels(place: usize) -> Labels {
        W::ALL.get(place).map(|word| (W::LABEL, word.as_str())).into_iter().collect()
    }
}

impl<A: Word, B: Word> Key for (A, B) {
    const COUNT: usize = A::ALL.len() * B::ALL.len();

    fn place(self) -> usize {
        self.0.index() * B::ALL.len() + self.1.index()
    }

    fn labels(place: usize) -> Labels {
        let (first, second) = (place / B::ALL.len(), place % B::ALL.len());
        [<A as Key>::labels(first), <B as Key>::labels(second)].concat()
    }
}

/// Numbers that only rise, one for each key.
pub(crate) struct Counts<K> {
    values: Box<[AtomicU64]>,
    key: PhantomData<fn(K)>,
}

impl<K: Key> Counts<K> {
    /// Adds one.
    pub(crate) fn count(&self, key: K) {
        self.add(key, 1);
    }

    pub(crate) fn add(&self, key: K, count: u64) {
        let value = self.values.get(key.place());
        debug_assert!(value.is_some(), "each key has its number");
        if let Some(value) = value {
            value.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Returns all numbers, with their labels.
    pub(crate) fn read(&self) -> Vec<(Labels, u64)> {
        let values = self.values.iter().enumerate();
        values.map(|(place, value)| (K::labels(place), value.load(Ordering::Relaxed))).collect()
    }
}

impl<W: Word> Counts<W> {
    /// Adds one to the word with this text, which is another type's word for the same.
    pub(crate) fn count_named(&self, text: &str) {
        let word = W::named(text);
        debug_assert!(word.is_some(), "{} has no word {text:?}", W::LABEL);
        if let Some(word) = word {
            self.count(word);
        }
    }
}

impl<K: Key> Default for Counts<K> {
    fn default() -> Self {
        Self { values: (0..K::COUNT).map(|_| AtomicU64::new(0)).collect(), key: PhantomData }
    }
}

impl<K: Key> fmt::Debug for Counts<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.read()).finish()
    }
}
