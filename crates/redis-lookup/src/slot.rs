//! The slot of a key in a cluster: Redis cluster specification, "Key distribution model".

/// The number of slots.
pub(crate) const SLOTS: u16 = 16_384;

/// Returns the slot of a key, or of the text between its first `{` and the next `}` unless that is empty.
///
/// ```
/// // The check value of the specification is 0x31c3, modulo 16384.
/// assert_eq!(redis_lookup::slot(b"123456789"), 0x31c3);
/// assert_eq!(redis_lookup::slot(b"{user1000}.following"), redis_lookup::slot(b"user1000"));
/// ```
#[must_use]
pub fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|&b| b == b'{').and_then(|open| {
        let behind = key.get(open + 1..)?;
        behind.get(..behind.iter().position(|&b| b == b'}')?).filter(|tag| !tag.is_empty())
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM: polynomial 0x1021, from 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let [high, low] = crc.to_be_bytes();
        let of_high = TABLE.get(usize::from(high ^ byte)).copied().unwrap_or_default();
        u16::from_be_bytes([low, 0]) ^ of_high
    })
}

/// The checksum of each octet.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const TABLE: [u16; 256] = {
    let (mut table, mut at, mut octet) = ([0; 256], 0, 0_u16);
    while at < table.len() {
        let (mut crc, mut bit) = (octet << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[at] = crc;
        (at, octet) = (at + 1, octet + 1);
    }
    table
};
