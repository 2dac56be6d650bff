//! When to publish which records while a key is replaced: RFC 7671 section 8, RFC 7672 section 4.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::UnixTime;
use thiserror::Error;

use crate::numbers::Numbers;
use crate::record::TlsaRecord;
use crate::time::{Written, later};
use crate::usable::Unusable;

/// The replacement of a server's key, or of its trust anchor, by the next.
///
/// ```
/// use std::time::Duration;
///
/// use dane_tlsa::rustls_pki_types::UnixTime;
/// use dane_tlsa::{Rollover, TlsaRecord};
///
/// let current: TlsaRecord = format!("3 1 1 {}", "aa".repeat(32)).parse()?;
/// let next: TlsaRecord = format!("3 1 1 {}", "bb".repeat(32)).parse()?;
/// let rollover = Rollover::new(vec![current], vec![next], Duration::from_secs(3600))?;
/// assert_eq!(rollover.lead(), Duration::from_secs(7200));
/// let steps = rollover.starting_at(UnixTime::since_unix_epoch(Duration::from_secs(1_796_083_200)));
/// let text: Vec<_> = steps.iter().map(ToString::to_string).collect();
/// assert_eq!(text, [
///     "2026-12-01T00:00:00Z: publish the records of both keys",
///     "2026-12-01T02:00:00Z: use the next key",
///     "2026-12-01T03:00:00Z: publish the records of the next key only",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rollover {
    current: Vec<TlsaRecord>,
    next: Vec<TlsaRecord>,
    ttl: Duration,
    spread: Duration,
}

/// A step of a [`Rollover`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct RolloverStep {
    /// When: not earlier.
    pub at: UnixTime,
    /// The action.
    pub action: RolloverAction,
    /// The records that are published from then on.
    pub records: Vec<TlsaRecord>,
}

/// The action in a step of a [`Rollover`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the standard has no other steps")]
pub enum RolloverAction {
    /// The records of both keys are published.
    PublishBoth,
    /// The server uses the next key.
    UseNext,
    /// The records of the old key are withdrawn.
    PublishNext,
}

impl Rollover {
    /// Makes a plan from the records of the current key, those of the next, and the time to live of the
    /// published records.
    ///
    /// # Errors
    ///
    /// [`RolloverError`] if a record cannot be used, or if the two have not the same combinations of
    /// usage, selector and matching type: a client may know one of them only (RFC 7671 section 8).
    pub fn new(
        current: Vec<TlsaRecord>,
        next: Vec<TlsaRecord>,
        ttl: Duration,
    ) -> Result<Self, RolloverError> {
        let (current, next) = (distinct(current), distinct(next));
        for (records, which) in [(&current, "current"), (&next, "next")] {
            if records.is_empty() {
                return Err(RolloverError::NoRecord { which });
            }
            for record in records {
                let numbers = record.numbers();
                record
                    .check_usable()
                    .map_err(|unusable| RolloverError::Unusable { numbers, unusable })?;
            }
        }
        let alone = |these: &[TlsaRecord], those: &[TlsaRecord]| {
            let mut numbers = these.iter().map(TlsaRecord::numbers);
            numbers.find(|numbers| those.iter().all(|other| other.numbers() != *numbers))
        };
        if let Some(numbers) = alone(&next, &current) {
            return Err(RolloverError::NextOnly { numbers });
        }
        if let Some(numbers) = alone(&current, &next) {
            return Err(RolloverError::CurrentOnly { numbers });
        }
        Ok(Self { current, next, ttl, spread: Duration::ZERO })
    }

    /// Sets how long it takes until all servers of the zone have what is published (default: no time).
    #[must_use]
    pub fn with_spread(self, spread: Duration) -> Self {
        Self { spread, ..self }
    }

    /// Returns how long the next key's records are published before it is used: twice their time to live
    /// (RFC 7671 section 8.1), behind the time that the zone's servers need.
    #[must_use]
    pub fn lead(&self) -> Duration {
        self.spread.saturating_add(self.ttl.saturating_mul(2))
    }

    /// Returns the steps, if the first is taken now. The list is empty if the records stay the same, as for a
    /// renewed certificate with its old key.
    #[must_use]
    pub fn starting_at(&self, now: UnixTime) -> Vec<RolloverStep> {
        self.steps(now, later(now, self.lead()))
    }

    /// Returns the steps, if the next key is used from this time on: the first must be taken before.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use dane_tlsa::rustls_pki_types::UnixTime;
    /// use dane_tlsa::{Rollover, RolloverAction, TlsaRecord};
    ///
    /// let current: TlsaRecord = format!("3 1 1 {}", "aa".repeat(32)).parse()?;
    /// let next: TlsaRecord = format!("3 1 1 {}", "bb".repeat(32)).parse()?;
    /// let rollover = Rollover::new(vec![current], vec![next], Duration::from_secs(3600))?;
    /// let rollover = rollover.with_spread(Duration::from_secs(600));
    /// let renewal = UnixTime::since_unix_epoch(Duration::from_secs(1_796_083_200));
    /// let steps = rollover.using_at(renewal);
    /// assert_eq!((steps[1].at, steps[1].action), (renewal, RolloverAction::UseNext));
    /// assert_eq!(renewal.as_secs() - steps[0].at.as_secs(), rollover.lead().as_secs());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn using_at(&self, at: UnixTime) -> Vec<RolloverStep> {
        let first = at.as_secs().saturating_sub(self.lead().as_secs());
        self.steps(UnixTime::since_unix_epoch(Duration::from_secs(first)), at)
    }

    fn steps(&self, first: UnixTime, used: UnixTime) -> Vec<RolloverStep> {
        let is_new = |record: &&TlsaRecord| !self.current.contains(record);
        let mut both = self.current.clone();
        both.extend(self.next.iter().filter(is_new).cloned());
        if both.len() == self.current.len() && both.len() == self.next.len() {
            return Vec::new();
        }
        // The old key can be taken back until its record is gone, so that stays for its time to live.
        let last = later(later(used, self.spread), self.ttl);
        let step = |at, action, records: &[TlsaRecord]| RolloverStep {
            at,
            action,
            records: records.to_vec(),
        };
        vec![
            step(first, RolloverAction::PublishBoth, &both),
            step(used, RolloverAction::UseNext, &both),
            step(last, RolloverAction::PublishNext, &self.next),
        ]
    }
}

/// Each record once: a record set has no duplicates (RFC 2181 section 5).
fn distinct(records: Vec<TlsaRecord>) -> Vec<TlsaRecord> {
    let mut found: Vec<TlsaRecord> = Vec::new();
    for record in records {
        if !found.contains(&record) {
            found.push(record);
        }
    }
    found
}

impl fmt::Display for RolloverStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            RolloverAction::PublishBoth => "publish the records of both keys",
            RolloverAction::UseNext => "use the next key",
            RolloverAction::PublishNext => "publish the records of the next key only",
        };
        write!(f, "{}: {action}", Written(self.at))
    }
}

/// Why a key cannot be replaced in one go.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum RolloverError {
    /// One of the keys has no record.
    #[error("the {which} key has no record")]
    NoRecord {
        /// `current` or `next`.
        which: &'static str,
    },
    /// A record cannot be used.
    #[error("the record {} cannot be used: {unusable}", Numbers(*.numbers))]
    Unusable {
        /// Its usage, selector and matching type.
        numbers: [u8; 3],
        /// Why.
        unusable: Unusable,
    },
    /// Only the next key has a record of this combination.
    #[error("publish {} for the current key first: it would match the next key only", Numbers(*.numbers))]
    NextOnly {
        /// Usage, selector and matching type.
        numbers: [u8; 3],
    },
    /// Only the current key has a record of this combination.
    #[error("withdraw {} first, or publish it for the next key too: it would match the old key only", Numbers(*.numbers))]
    CurrentOnly {
        /// Usage, selector and matching type.
        numbers: [u8; 3],
    },
}
