//! A private key of an authority in PKCS #8: RFC 8410 section 7.

use crate::authority::tlv;

pub(crate) fn private_key(seed: u8) -> Vec<u8> {
    let private = tlv(0x04, &[&tlv(0x04, &[&[seed; 32]])]);
    tlv(0x30, &[b"\x02\x01\x00", b"\x30\x05\x06\x03\x2b\x65\x70", &private])
}
