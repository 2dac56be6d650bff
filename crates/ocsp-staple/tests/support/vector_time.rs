//! When the vectors are to be verified.

use ocsp_staple::rustls_pki_types::UnixTime;

use crate::times::time;

pub(crate) fn now() -> UnixTime {
    time("2026-06-15T12:00:00Z")
}
