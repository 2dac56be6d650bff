//! Writes a line of version 1: section 2.1 of `proxy-protocol.txt`, 2026-04-27.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{Endpoints, Transport, WriteError, v1};

/// Writes the line at the start of `out`; returns its length.
#[inline]
pub(crate) fn write(endpoints: Endpoints<'_>, out: &mut [u8]) -> Result<usize, WriteError> {
    let mut line = Line { bytes: [0; v1::MAX_LINE], end: 0 };
    match endpoints {
        Endpoints::Inet { transport: Transport::Stream, source, destination } => {
            line.addresses(source, destination)?;
        }
        Endpoints::Local => return Err(WriteError::NotInVersion1),
        _ => line.text(b"PROXY UNKNOWN"),
    }
    line.text(b"\r\n");
    let line = line.bytes.get(..line.end).unwrap_or_default();
    let small = WriteError::BufferTooSmall { needed: line.len() };
    out.get_mut(..line.len()).ok_or(small)?.copy_from_slice(line);
    Ok(line.len())
}

struct Line {
    bytes: [u8; v1::MAX_LINE],
    end: usize,
}

impl Line {
    #[inline]
    fn addresses(&mut self, from: SocketAddr, to: SocketAddr) -> Result<(), WriteError> {
        match (from, to) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                self.text(b"PROXY TCP4 ");
                self.ipv4(*from.ip());
                self.byte(b' ');
                self.ipv4(*to.ip());
            }
            (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                self.text(b"PROXY TCP6 ");
                self.ipv6(*from.ip());
                self.byte(b' ');
                self.ipv6(*to.ip());
            }
            _ => return Err(WriteError::MixedFamilies),
        }
        self.byte(b' ');
        self.number(from.port());
        self.byte(b' ');
        self.number(to.port());
        Ok(())
    }

    #[inline]
    fn ipv4(&mut self, address: Ipv4Addr) {
        let [a, b, c, d] = address.octets();
        self.octet(a);
        for octet in [b, c, d] {
            self.byte(b'.');
            self.octet(octet);
        }
    }

    /// Writes an address by RFC 5952 section 4: `::` replaces the longest run of at least two zero
    /// groups, the first of equal ones. By section 2.1 of the specification all groups are
    /// hexadecimal.
    #[inline]
    fn ipv6(&mut self, address: Ipv6Addr) {
        let groups = address.segments();
        let (start, length) = longest_zeros(groups);
        for (at, group) in groups.into_iter().enumerate() {
            if at == start && length > 0 {
                self.text(if at == 0 { b"::" } else { b":" });
            } else if !(start..start + length).contains(&at) {
                self.hex(group);
                if at < 7 {
                    self.byte(b':');
                }
            }
        }
    }

    #[inline]
    fn octet(&mut self, octet: u8) {
        if octet >= 100 {
            self.byte(b'0' + octet / 100);
        }
        if octet >= 10 {
            self.byte(b'0' + octet / 10 % 10);
        }
        self.byte(b'0' + octet % 10);
    }

    #[inline]
    fn number(&mut self, number: u16) {
        let mut power = 10_000;
        while power > number && power > 1 {
            power /= 10;
        }
        while power > 0 {
            self.byte(b'0' + (number / power % 10).to_be_bytes()[1]);
            power /= 10;
        }
    }

    #[inline]
    fn hex(&mut self, group: u16) {
        let digits = 4_u32.saturating_sub(group.leading_zeros() / 4).max(1);
        for digit in (0..digits).rev() {
            let [_, digit] = (group >> (4 * digit) & 0xf).to_be_bytes();
            self.byte(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }

    #[inline]
    fn text(&mut self, text: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.end..self.end + text.len()) {
            place.copy_from_slice(text);
            self.end += text.len();
        }
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.end) {
            *place = byte;
            self.end += 1;
        }
    }
}

/// The first group and the length of the longest run of two or more zeros; a length of 0 without
/// such a run.
#[inline]
fn longest_zeros(groups: [u16; 8]) -> (usize, usize) {
    let (mut best, mut run) = ((0, 1), (0, 0));
    for (at, group) in groups.into_iter().enumerate() {
        run = match (group, run) {
            (0, (start, length)) if length > 0 => (start, length + 1),
            (0, _) => (at, 1),
            _ => (0, 0),
        };
        if run.1 > best.1 {
            best = run;
        }
    }
    if best.1 > 1 { best } else { (0, 0) }
}
