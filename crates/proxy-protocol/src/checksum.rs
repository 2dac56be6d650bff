//! The checksum of a header: section 2.2.3 of `proxy-protocol.txt`, 2026-04-27, and [RFC
//! 4960 appendix B](https://www.rfc-editor.org/rfc/rfc4960#appendix-B).
//!
//! The document does not name the byte order of the checksum. It is in network byte order here, as
//! all other numbers of the header and as HAProxy writes it.
//!
//! The field itself counts as zeros. Summing the bytes before it, zeros, and the bytes after it
//! takes three short sums, and most of the time of a whole header. But a CRC is linear: another
//! initial value has the same effect as other bytes in the field. The initial value depends on the
//! position of the field; the usual positions have tables.

/// Tells whether `sum`, at byte `at` of the header, is the checksum of this header.
#[inline]
pub(crate) fn fits(header: &[u8], at: usize, sum: [u8; 4]) -> bool {
    of(header, at, sum) == sum
}

/// Writes the checksum of a header at byte `at`.
pub(crate) fn put(header: &mut [u8], at: usize) {
    let Some(&field) = header.get(at..).and_then(<[u8]>::first_chunk) else { return };
    let sum = of(header, at, field);
    if let Some(field) = header.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *field = sum;
    }
}

/// The checksum of a header whose checksum belongs at byte `at`, which now holds `field`.
#[inline]
fn of(header: &[u8], at: usize, field: [u8; 4]) -> [u8; 4] {
    let sum = match at {
        BEHIND_NOTHING => crc32c::crc32c_append(NOTHING.start(field), header),
        BEHIND_IPV4 => crc32c::crc32c_append(IPV4.start(field), header),
        BEHIND_IPV6 => crc32c::crc32c_append(IPV6.start(field), header),
        _ => {
            let before = header.get(..at).unwrap_or_default();
            let behind = header.get(at + 4..).unwrap_or_default();
            let sum = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
            crc32c::crc32c_append(sum, behind)
        }
    };
    sum.to_be_bytes()
}

/// The position of the checksum if its vector is the first after the addresses.
const BEHIND_NOTHING: usize = 16 + 3;
const BEHIND_IPV4: usize = BEHIND_NOTHING + 12;
const BEHIND_IPV6: usize = BEHIND_NOTHING + 36;

static NOTHING: Start = Start::new(BEHIND_NOTHING);
static IPV4: Start = Start::new(BEHIND_IPV4);
static IPV6: Start = Start::new(BEHIND_IPV6);

/// The initial value of a sum that makes the field at a certain byte count as zeros: for each four
/// bits of the field, by their value.
struct Start([[u32; 16]; 8]);

impl Start {
    const fn new(at: usize) -> Self {
        Self([
            row(0, at),
            row(4, at),
            row(8, at),
            row(12, at),
            row(16, at),
            row(20, at),
            row(24, at),
            row(28, at),
        ])
    }

    #[inline]
    fn start(&self, field: [u8; 4]) -> u32 {
        let [a, b, c, d] = field;
        let nibbles = [a & 15, a >> 4, b & 15, b >> 4, c & 15, c >> 4, d & 15, d >> 4];
        let bits = |(row, nibble): (&[u32; 16], u8)| row.get(usize::from(nibble)).copied();
        self.0.iter().zip(nibbles).filter_map(bits).fold(0, |start, bits| start ^ bits)
    }
}

#[rustfmt::skip]
const fn row(shift: u32, at: usize) -> [u32; 16] {
    [
        back(0, at), back(1 << shift, at), back(2 << shift, at), back(3 << shift, at),
        back(4 << shift, at), back(5 << shift, at), back(6 << shift, at), back(7 << shift, at),
        back(8 << shift, at), back(9 << shift, at), back(10 << shift, at), back(11 << shift, at),
        back(12 << shift, at), back(13 << shift, at), back(14 << shift, at), back(15 << shift, at),
    ]
}

/// The bits that become `bits` after this many bytes of zeros.
const fn back(mut bits: u32, bytes: usize) -> u32 {
    let mut left = 8 * bytes;
    while left > 0 {
        let odd = bits >> 31; // Only the polynomial sets the highest bit.
        bits = ((bits ^ (POLYNOMIAL * odd)) << 1) | odd;
        left -= 1;
    }
    bits
}

/// The polynomial of the sum, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;
