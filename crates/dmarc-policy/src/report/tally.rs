//! Counts equal rows together: section 3.1.1.7 of RFC 9990.

use std::collections::HashMap;

use thiserror::Error;

use crate::FeedbackRow;

/// The rows of a report in progress: rows that differ only in their count become one.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The rows without their counts, and their index.
    places: HashMap<FeedbackRow, usize>,
    counts: Vec<u64>,
    limit: usize,
}

impl Tally {
    /// Starts without rows; `limit` is the most different rows.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { places: HashMap::new(), counts: Vec::new(), limit }
    }

    /// Adds messages.
    ///
    /// # Errors
    ///
    /// [`TallyFull`] if the row is new, and there is no room for it. Its messages are not counted;
    /// make a report of the rows so far, and start a new tally.
    pub fn add(&mut self, mut row: FeedbackRow) -> Result<(), TallyFull> {
        let count = std::mem::take(&mut row.count);
        if let Some(slot) = self.places.get(&row).and_then(|&at| self.counts.get_mut(at)) {
            *slot = slot.saturating_add(count);
            return Ok(());
        }
        if self.counts.len() >= self.limit {
            return Err(TallyFull { limit: self.limit });
        }
        self.places.insert(row, self.counts.len());
        self.counts.push(count);
        Ok(())
    }

    /// Returns the rows in the order of their first messages.
    #[must_use]
    pub fn into_rows(self) -> Vec<FeedbackRow> {
        let mut rows: Vec<_> = self.places.into_iter().collect();
        rows.sort_unstable_by_key(|(_, at)| *at);
        let rows = rows.into_iter().zip(self.counts);
        rows.map(|((row, _), count)| FeedbackRow { count, ..row }).collect()
    }
}

/// A [`Tally`] has no room for one more row.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("DMARC report already has {limit} different rows")]
#[non_exhaustive]
pub struct TallyFull {
    /// The limit of rows.
    pub limit: usize,
}
