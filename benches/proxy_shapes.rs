//! The measured headers: four named shapes, and all valid vectors.

use proxy_protocol::{Endpoints, Header, Ssl, TlvKind, Version, Writer};

pub(crate) const TCP4_LINE: &[u8] = b"PROXY TCP4 192.168.201.102 203.0.113.25 56324 465\r\n";
pub(crate) const TCP6_LINE: &[u8] =
    b"PROXY TCP6 2001:db8:85a3::8a2e:370:7334 2001:db8:0:1:1:1:1:25 56324 465\r\n";

/// What a proxy tells of TLS, beside the addresses.
pub(crate) const SSL: [(TlvKind, &str); 5] = [
    (TlvKind::SSL_VERSION, "TLSv1.3"),
    (TlvKind::SSL_CN, "client.example.com"),
    (TlvKind::SSL_CIPHER, "TLS_AES_256_GCM_SHA384"),
    (TlvKind::SSL_SIG_ALG, "RSA-SHA256"),
    (TlvKind::SSL_KEY_ALG, "RSA2048"),
];
pub(crate) const AUTHORITY: &str = "mail.example.org";
pub(crate) const UNIQUE_ID: &[u8] = b"7f3c9a12-55de-4c0b-9d6e-0a1b2c3d4e5f";

/// Returns the endpoints of a line.
#[must_use]
pub(crate) fn endpoints(line: &[u8]) -> Endpoints<'_> {
    Header::parse(line).map_or(Endpoints::Unknown, |(_, header)| header.endpoints)
}

/// Returns the addresses of a line as a block of version 2.
#[must_use]
pub(crate) fn block(line: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    let written = Header::new(Version::V2, endpoints(line)).write_to(&mut block);
    assert!(written.is_ok());
    block
}

/// Returns a block of version 2 with five vectors, one of them with five within, and a checksum.
#[must_use]
pub(crate) fn block_with_vectors() -> Vec<u8> {
    let mut buffer = [0; 512];
    write_vectors(&mut buffer).unwrap_or_default().to_vec()
}

/// Writes that block.
#[must_use]
pub(crate) fn write_vectors(buffer: &mut [u8]) -> Option<&[u8]> {
    let mut writer = Writer::new(buffer, endpoints(TCP6_LINE)).ok()?;
    writer.checksum().ok()?.tlv(TlvKind::ALPN, b"h2").ok()?;
    writer.tlv(TlvKind::AUTHORITY, AUTHORITY.as_bytes()).ok()?;
    writer.tlv(TlvKind::UNIQUE_ID, UNIQUE_ID).ok()?;
    let flags = Ssl::CLIENT_SSL | Ssl::CLIENT_CERT_CONN | Ssl::CLIENT_CERT_SESS;
    let mut ssl = writer.ssl(flags, 0).ok()?;
    for (kind, value) in SSL {
        ssl.tlv(kind, value.as_bytes()).ok()?;
    }
    Some(writer.finish())
}

/// Returns all sound headers of the vectors that are within the limits, in an order without rhyme.
///
/// # Panics
///
/// If the vectors cannot be read.
#[must_use]
pub(crate) fn shuffled() -> Vec<Vec<u8>> {
    let vectors = include_str!("../crates/proxy-protocol/tests/data/vectors.json");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap_or_default();
    let mut sound: Vec<Vec<u8>> = vectors
        .iter()
        .filter(|vector| vector["expect"] == "ok")
        .map(|vector| bytes(vector["hex"].as_str().unwrap_or_default()))
        .filter(|bytes| Header::parse(bytes).is_ok())
        .collect();
    assert!(sound.len() > 80);
    // A linear congruential generator is random enough for a branch predictor.
    let mut state = 1_u64;
    for last in (1..sound.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let other = usize::try_from(state >> 33).unwrap_or(0) % (last + 1);
        sound.swap(last, other);
    }
    sound
}

fn bytes(hex: &str) -> Vec<u8> {
    let nibble = |c: u8| (c as char).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
    hex.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => nibble(*high) << 4 | nibble(*low),
            _ => 0,
        })
        .collect()
}
