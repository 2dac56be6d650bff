//! A certificate of version 1, which no library makes any more.

use dane_tlsa::rustls_pki_types::CertificateDer;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

/// Issues a certificate of version 1 for a key, by itself.
pub(crate) fn certificate(key: &KeyPair) -> CertificateDer<'static> {
    let common_name =
        element(0x30, &[b"\x06\x03\x55\x04\x03", &element(0x0c, &[b"mx.example.com"])]);
    let name = element(0x30, &[&element(0x31, &[&common_name])]);
    let algorithm = element(0x30, &[b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"]);
    let validity = element(0x30, &[b"\x17\x0d260601000000Z", b"\x17\x0d270601000000Z"]);
    let key_info = key.subject_public_key_info();
    let tbs = element(0x30, &[b"\x02\x01\x01", &algorithm, &name, &validity, &name, &key_info]);
    let signature = key.sign(&tbs).unwrap();
    element(0x30, &[&tbs, &algorithm, &element(0x03, &[b"\0", &signature])]).into()
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let header = match u8::try_from(contents.len()) {
        Ok(length @ 0..0x80) => vec![tag, length],
        Ok(length) => vec![tag, 0x81, length],
        Err(_) => {
            let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
            vec![tag, 0x82, high, low]
        }
    };
    [header, contents].concat()
}
