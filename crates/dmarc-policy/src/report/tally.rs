//! Rows counted together: section 3.1.1.7 of RFC 9990.

use std::collections::HashMap;

use thiserror::Error;

use crate::FeedbackRow;

/// The rows of a report as they come in: those that are alike but for their count become one.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The rows without their counts, and where they stand.
    places: HashMap<FeedbackRow, usize>,
    counts: Vec<u64>,
    limit: usize,
}

impl Tally {
    /// Begins without rows, of which it will hold as many different ones as `limit` says.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { places: HashMap::new(), counts: Vec::new(), limit }
    }

    /// Adds messages.
    ///
    /// # Errors
    ///
    /// [`TallyFull`] if they are unlike all others, and there is no place for one more row. They
    /// are not counted then; a report can be made of what there is, and a new tally begun.
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

    /// Returns the rows in the order in which the first of each came.
    #[must_use]
    pub fn into_rows(self) -> Vec<FeedbackRow> {
        let mut rows: Vec<_> = self.places.into_iter().collect();
        rows.sort_unstable_by_key(|(_, at)| *at);
        let rows = rows.into_iter().zip(self.counts);
        rows.map(|((row, _), count)| FeedbackRow { count, ..row }).collect()
    }
}

/// A [`Tally`] has no place for one more row.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("there are {limit} different rows already")]
#[non_exhaustive]
pub struct TallyFull {
    /// How many rows it holds.
    pub limit: usize,
}
