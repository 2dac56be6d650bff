//! Times as RFC 3339 writes them.

use der::DateTime;
use ocsp_staple::rustls_pki_types::UnixTime;

pub(crate) fn time(text: &str) -> UnixTime {
    let time: DateTime = text.parse().unwrap();
    UnixTime::since_unix_epoch(time.unix_duration())
}
