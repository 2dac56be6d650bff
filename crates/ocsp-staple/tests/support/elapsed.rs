//! How long it is from one time to another.

use std::time::Duration;

use ocsp_staple::rustls_pki_types::UnixTime;

pub(crate) fn since(from: UnixTime, to: UnixTime) -> Duration {
    Duration::from_secs(to.as_secs().checked_sub(from.as_secs()).unwrap())
}
