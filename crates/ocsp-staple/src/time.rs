//! Times, and how they are written.

use std::fmt;
use std::time::Duration;

use der::DateTime;
use rustls_pki_types::UnixTime;

/// Returns the time so much later.
pub(crate) fn later(time: UnixTime, by: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(time.as_secs().saturating_add(by.as_secs())))
}

/// Returns how long it is from one time to another; nothing if that is not later.
pub(crate) fn between(from: UnixTime, to: UnixTime) -> Duration {
    Duration::from_secs(to.as_secs().saturating_sub(from.as_secs()))
}

/// Writes a time as RFC 3339 has it: `2026-06-15T12:00:00Z`.
pub(crate) struct Written(pub(crate) UnixTime);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match DateTime::from_unix_duration(Duration::from_secs(seconds)) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{seconds} seconds after 1970"), // Behind the year 9999.
        }
    }
}
