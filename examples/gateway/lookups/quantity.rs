//! Sizes and times in Exim's form: `50M`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// A number of octets: an integer, or text such as `100K`, `50M`, `1G` (powers of 1,024).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (digits, shift) = match text.as_bytes() {
            [.., b'K' | b'k'] => (text.get(..text.len() - 1), 10),
            [.., b'M' | b'm'] => (text.get(..text.len() - 1), 20),
            [.., b'G' | b'g'] => (text.get(..text.len() - 1), 30),
            _ => (Some(text), 0),
        };
        let number = number(digits.unwrap_or_default())?;
        number.checked_mul(1 << shift).map(Self).ok_or(QuantityError)
    }
}

/// A span of time, of a century at most: an integer of seconds, or text such as `30s`, `5m`, `1h30m`, `2d`, `1w`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Interval(pub(crate) Duration);

impl FromStr for Interval {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (mut seconds, mut rest) = (0_u64, text);
        while !rest.is_empty() {
            let unit = rest.find(|c: char| !c.is_ascii_digit());
            let (digits, behind) = rest.split_at(unit.unwrap_or(rest.len()));
            let mut units = behind.chars();
            let factor = match units.next() {
                None | Some('s') => 1,
                Some('m') => 60,
                Some('h') => 3600,
                Some('d') => 86_400,
                Some('w') => 604_800,
                Some(_) => return Err(QuantityError),
            };
            let span = number(digits)?.checked_mul(factor).ok_or(QuantityError)?;
            seconds = seconds.checked_add(span).ok_or(QuantityError)?;
            rest = units.as_str();
        }
        if text.is_empty() { Err(QuantityError) } else { Self::of(seconds).ok_or(QuantityError) }
    }
}

impl Interval {
    /// Limits the time, so that its end can be computed.
    fn of(seconds: u64) -> Option<Self> {
        (seconds <= A_CENTURY).then_some(Self(Duration::from_secs(seconds)))
    }
}

const A_CENTURY: u64 = 100 * 366 * 86_400;

/// A text is neither a size nor a time.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a number with a unit")]
pub(crate) struct QuantityError;

fn number(digits: &str) -> Result<u64, QuantityError> {
    let good = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|_| good).ok_or(QuantityError)
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text("a size such as \"50M\"", |n| Some(Self(n)), |t| t.parse().ok()))
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text("a time such as \"5m\"", Self::of, |t| t.parse().ok()))
    }
}

/// Deserializes an integer or a text; the first member describes it for errors.
struct Text<T>(&'static str, fn(u64) -> Option<T>, fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        let value = u64::try_from(number).ok().and_then(self.1);
        value.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.2)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
