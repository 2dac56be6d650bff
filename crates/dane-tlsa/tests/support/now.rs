//! The time at which certificates of tests are valid.

use std::time::Duration;

use dane_tlsa::rustls_pki_types::UnixTime;

/// 2026-12-01.
pub(crate) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_796_083_200))
}
