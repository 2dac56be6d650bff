//! The identifier of a message in the log, in replies, in its `Received` field and in the store.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::process;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

/// The identifier of a message: 13 characters for its time, a hyphen, and 10 for the process, as in
/// `1kz8e5v3r0004-m2v7q0xd1c`.
///
/// The identifiers of a process are unique and sort by their creation, as values and as texts, even if
/// the clock stops or is set back. Those of two processes differ by a random number of 50 bits, even
/// within one millisecond.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageId {
    /// Milliseconds since 1970, then [`COUNT_BITS`] of a counter within the millisecond.
    stamp: u64,
    /// At most [`ORIGIN_DIGITS`] digits.
    origin: u64,
}

impl MessageId {
    /// Makes an identifier for a message received at `now`.
    pub fn next(now: SystemTime) -> Self {
        let elapsed = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let clock = u64::try_from(elapsed).unwrap_or(u64::MAX >> COUNT_BITS) << COUNT_BITS;
        // If the clock does not advance, or the counter is full, use a later millisecond.
        let later = |last: u64| clock.max(last.saturating_add(1));
        let last =
            LAST_STAMP.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
        Self { stamp: later(last.unwrap_or_else(|last| last)), origin: *ORIGIN }
    }

    /// Returns the time of the reception, in seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> u64 {
        (self.stamp >> COUNT_BITS) / 1000
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; Self::LENGTH];
        let (stamp, origin) = text.split_at_mut(STAMP_DIGITS);
        write_digits(self.stamp, stamp);
        write_digits(self.origin, origin.get_mut(1..).unwrap_or_default());
        f.pad(str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let bytes = text.as_bytes();
        if bytes.len() != Self::LENGTH {
            return Err(MessageIdError::Length { found: bytes.len() });
        }
        let (stamp, origin) = bytes.split_at(STAMP_DIGITS);
        let Some((b'-', origin)) = origin.split_first() else {
            return Err(MessageIdError::Character { at: STAMP_DIGITS });
        };
        Ok(Self { stamp: read_digits(stamp, 0)?, origin: read_digits(origin, STAMP_DIGITS + 1)? })
    }
}

impl MessageId {
    /// The length of the text, in ASCII bytes.
    pub(crate) const LENGTH: usize = STAMP_DIGITS + 1 + ORIGIN_DIGITS;
}

/// A text is not a [`MessageId`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MessageIdError {
    /// The text has another length.
    #[error("message id has {found} characters instead of {expected}", expected = MessageId::LENGTH)]
    Length {
        /// The text's length in bytes.
        found: usize,
    },
    /// A character is invalid at its position.
    #[error("invalid character {at} in the message id")]
    Character {
        /// The position, in bytes from the start.
        at: usize,
    },
}

fn write_digits(mut number: u64, text: &mut [u8]) {
    for place in text.iter_mut().rev() {
        *place = usize::try_from(number & 31).ok().and_then(|d| DIGITS.get(d)).map_or(b'0', |&d| d);
        number >>= DIGIT_BITS;
    }
}

fn read_digits(text: &[u8], start: usize) -> Result<u64, MessageIdError> {
    text.iter().zip(start..).try_fold(0_u64, |number, (byte, at)| {
        let digit = DIGITS.iter().position(|digit| digit == byte);
        let digit = digit.and_then(|digit| u64::try_from(digit).ok());
        // Thirteen digits exceed 64 bits only by the first one.
        let fits = number >> (u64::BITS - DIGIT_BITS) == 0;
        let digit = digit.filter(|_| fits).ok_or(MessageIdError::Character { at });
        digit.map(|digit| number << DIGIT_BITS | digit)
    })
}

/// Twenty bits: a million messages in one millisecond.
const COUNT_BITS: u32 = 20;
const DIGIT_BITS: u32 = 5;
const STAMP_DIGITS: usize = 13;
const ORIGIN_DIGITS: usize = 10;
/// The digits, in ASCII order, so that texts sort like numbers, without letters that resemble digits.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

static LAST_STAMP: AtomicU64 = AtomicU64::new(0);
/// `RandomState` is keyed by the system's random numbers.
static ORIGIN: LazyLock<u64> =
    LazyLock::new(|| RandomState::new().hash_one((process::id(), SystemTime::now())) >> 14);
