//! What a response says of a certificate that is revoked.

use ocsp_staple::rustls_pki_types::UnixTime;

use crate::authority::{generalized, tlv};

pub(crate) fn revoked(since: UnixTime) -> Vec<u8> {
    tlv(0xa1, &[&generalized(since)])
}
