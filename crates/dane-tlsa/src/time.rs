//! Times of certificates, and how they are written: RFC 5280 section 4.1.2.5, RFC 3339.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::UnixTime;

use crate::certificate::Certificate;
use crate::der::{DerError, Element};

impl Certificate<'_> {
    /// Returns the last second in which it is valid.
    ///
    /// # Errors
    ///
    /// [`DerError`] if its times are malformed: a certificate can be matched all the same.
    pub fn not_after(&self) -> Result<UnixTime, DerError> {
        self.times().map(|(_, not_after)| not_after)
    }

    /// Returns the first and the last second in which it is valid.
    pub(crate) fn times(&self) -> Result<(UnixTime, UnixTime), DerError> {
        let mut reader = self.validity().reader();
        let mut next = |field| {
            let element = reader.any(field)?;
            read(&element).ok_or(DerError { at: element.at, field })
        };
        Ok((next("notBefore")?, next("notAfter")?))
    }
}

/// Returns the time so much later.
pub(crate) fn later(time: UnixTime, by: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(time.as_secs().saturating_add(by.as_secs())))
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

fn read(element: &Element<'_>) -> Option<UnixTime> {
    let digits = element.contents.strip_suffix(b"Z")?;
    let number = |from: usize, to: usize| {
        let digits = std::str::from_utf8(digits.get(from..to)?).ok()?;
        digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?
    };
    let (year, rest) = match (element.tag, digits.len()) {
        (UTC_TIME, 12) => {
            let year = number(0, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, 2)
        }
        (GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |index: usize| number(rest + 2 * index, rest + 2 * index + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(1)?, part(2)?, part(3)?, part(4)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    // Before 1970 is long past, whenever it was.
    let days = days_before(year, month).saturating_add(day - 1).saturating_sub(EPOCH);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second.min(59);
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// Days from the first of March of the year 0 to 1970.
const EPOCH: u64 = 719_468;

/// Returns the days from the first of March of the year 0 to the first of a month: years begin in March,
/// so that the day that leap years have more is the last.
fn days_before(year: u64, month: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.max(1) - 1, month + 9) };
    let months = (153 * month + 2) / 5;
    365 * year + year / 4 - year / 100 + year / 400 + months
}

/// Writes a time as RFC 3339 has it: `2026-06-15T12:00:00Z`.
pub(crate) struct Written(pub(crate) UnixTime);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let days = seconds / 86_400 + EPOCH;
        let era_day = days % 146_097;
        let year_of_era = (era_day - era_day / 1460 + era_day / 36_524 - era_day / 146_096) / 365;
        let day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = days / 146_097 * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> String {
        Written(UnixTime::since_unix_epoch(Duration::from_secs(seconds))).to_string()
    }

    /// Seconds as `date -u -d @…` writes them.
    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_796_083_200, "2026-12-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(at(seconds), text);
            let bare: String = text.chars().filter(char::is_ascii_digit).collect();
            let contents = [bare.as_bytes(), b"Z"].concat();
            let element =
                Element { tag: GENERALIZED_TIME, encoded: &[], contents: &contents, at: 0 };
            assert_eq!(read(&element).map(|time| time.as_secs()), Some(seconds));
        }
    }
}
