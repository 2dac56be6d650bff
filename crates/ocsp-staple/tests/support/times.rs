//! Times as RFC 3339 writes them.

use der::DateTime;
use ocsp_staple::rustls_pki_types::UnixTime;

pub(crate) fn time(text: &str) -> UnixTime {
    let time: DateTime = text.parse().unwrap();
    UnixTime::since_unix_epoch(time.unix_duration())
}

/// When the vectors are to be verified.
pub(crate) fn now() -> UnixTime {
    time("2026-06-15T12:00:00Z")
}
