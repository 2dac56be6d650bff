//! The checksum of a header: section 2.2.3 of `proxy-protocol.txt`, 2026-04-27, and [RFC 4960
//! appendix B](https://www.rfc-editor.org/rfc/rfc4960#appendix-B).
//!
//! The document does not say in which order its bytes are; they go in network byte order, as all
//! else in the header does and as HAProxy writes them.

/// Whether `sum`, which the header has at byte `at`, is that of the header.
#[inline]
pub(crate) fn fits(header: &[u8], at: usize, sum: [u8; 4]) -> bool {
    of(header, at) == sum
}

/// The checksum of a header whose checksum is at byte `at`.
pub(crate) fn of(header: &[u8], at: usize) -> [u8; 4] {
    let before = header.get(..at).unwrap_or_default();
    let behind = header.get(at + 4..).unwrap_or_default();
    let sum = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
    crc32c::crc32c_append(sum, behind).to_be_bytes()
}

/// Puts the checksum of a header at byte `at`.
pub(crate) fn put(header: &mut [u8], at: usize) {
    let sum = of(header, at);
    if let Some(place) = header.get_mut(at..at + sum.len()) {
        place.copy_from_slice(&sum);
    }
}
