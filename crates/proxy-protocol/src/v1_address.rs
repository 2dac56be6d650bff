//! Parses addresses and ports in a line of text: section 2.1 of `proxy-protocol.txt`, 2026-04-27.
//!
//! Each function reads as far as its grammar allows, and leaves the next byte to the caller, which
//! expects a certain byte there and stops at any other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::v1::{LineFault, Parsed, byte};

#[inline]
pub(crate) fn ipv4(text: &[u8]) -> Parsed<'_, Ipv4Addr> {
    let (text, a) = octet(text)?;
    let (text, b) = octet(byte(text, b'.')?)?;
    let (text, c) = octet(byte(text, b'.')?)?;
    let (text, d) = octet(byte(text, b'.')?)?;
    Ok((text, Ipv4Addr::new(a, b, c, d)))
}

/// A number up to 255 without a leading zero, so that `01` ends after its `0`, and `256` after its
/// `5`.
#[inline]
pub(crate) fn octet(text: &[u8]) -> Parsed<'_, u8> {
    let (text, first) = digit(text).ok_or(LineFault(text.len()))?;
    let (text, two) = match digit(text) {
        Some((text, second)) if first != 0 => (text, first * 10 + second),
        _ => return Ok((text, first)),
    };
    let three = digit(text)
        .and_then(|(text, third)| Some((text, two.checked_mul(10)?.checked_add(third)?)));
    Ok(three.unwrap_or((text, two)))
}

/// A number up to 65535 without a leading zero.
#[inline]
pub(crate) fn port(text: &[u8]) -> Parsed<'_, u16> {
    let (mut text, first) = digit(text).ok_or(LineFault(text.len()))?;
    let mut port = u16::from(first);
    while let (1.., Some((behind, digit))) = (port, digit(text)) {
        let longer = port.checked_mul(10).and_then(|n| n.checked_add(u16::from(digit)));
        let Some(longer) = longer else { break };
        (text, port) = (behind, longer);
    }
    Ok((text, port))
}

#[inline]
fn digit(text: &[u8]) -> Option<(&[u8], u8)> {
    match text {
        [c @ b'0'..=b'9', text @ ..] => Some((text, c - b'0')),
        _ => None,
    }
}

/// Eight groups, or fewer and one `::` for at least one; the last two may be an IPv4 address, as
/// `inet_ntop` writes it for the addresses that contain one (RFC 4291 section 2.2).
#[inline]
pub(crate) fn ipv6(text: &[u8]) -> Parsed<'_, Ipv6Addr> {
    let mut address = Groups { bits: 0, count: 0, gap: None };
    let mut text = text;
    if let [b':', behind @ ..] = text {
        text = byte(behind, b':')?;
        address.gap = Some(0);
    }
    loop {
        let (behind, group, digits) = hex(text);
        if digits == 0 {
            // Only `::` may end an address.
            return match address.gap {
                Some(gap) if gap == address.count => Ok((text, address.finish())),
                _ => Err(LineFault(text.len())),
            };
        }
        if address.is_full() {
            return Ok((text, address.finish()));
        }
        if let [b'.', ..] = behind {
            return dotted(text, behind.len(), address);
        }
        address.push(group);
        text = match behind {
            [b':', b':', behind @ ..] if address.gap.is_none() && address.count < 8 => {
                address.gap = Some(address.count);
                behind
            }
            [b':', behind @ ..] if !address.is_full() => behind,
            _ if address.gap.is_some() || address.count == 8 => {
                return Ok((behind, address.finish()));
            }
            _ => return Err(LineFault(behind.len())),
        };
    }
}

/// The groups of an address so far.
struct Groups {
    bits: u128,
    count: u32,
    /// The number of groups before the `::`.
    gap: Option<u32>,
}

impl Groups {
    #[inline]
    fn push(&mut self, group: u16) {
        self.bits = (self.bits << 16) | u128::from(group);
        self.count += 1;
    }

    /// Tells whether another group is too many.
    #[inline]
    fn is_full(&self) -> bool {
        self.count >= if self.gap.is_some() { 7 } else { 8 }
    }

    #[inline]
    fn finish(self) -> Ipv6Addr {
        let Some(gap) = self.gap else { return Ipv6Addr::from_bits(self.bits) };
        let mask = u128::MAX.checked_shl(16 * (self.count - gap)).unwrap_or(0);
        let head = (self.bits & mask).checked_shl(128 - 16 * self.count).unwrap_or(0);
        Ipv6Addr::from_bits(head | (self.bits & !mask))
    }
}

/// Up to four hexadecimal digits, and their number.
#[inline]
fn hex(text: &[u8]) -> (&[u8], u16, u32) {
    let (mut text, mut group, mut digits) = (text, 0, 0);
    while let [c, behind @ ..] = text {
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            b'A'..=b'F' => c - b'A' + 10,
            _ => break,
        };
        if digits == 4 {
            break;
        }
        group = (group << 4) | u16::from(digit);
        digits += 1;
        text = behind;
    }
    (text, group, digits)
}

/// The IPv4 address at the end; its first dot is this many bytes before the end of the text.
fn dotted(text: &[u8], dot: usize, mut address: Groups) -> Parsed<'_, Ipv6Addr> {
    let fits = if address.gap.is_some() { address.count <= 5 } else { address.count == 6 };
    if !fits {
        return Err(LineFault(dot));
    }
    // A number above 255 is still a group of the address, up to the dot.
    let (text, ipv4) = ipv4(text).map_err(|stop| LineFault(stop.0.min(dot)))?;
    let [a, b, c, d] = ipv4.octets();
    address.push(u16::from_be_bytes([a, b]));
    address.push(u16::from_be_bytes([c, d]));
    Ok((text, address.finish()))
}

/// An address of either family; if the text is neither, the longer reading counts.
pub(crate) fn either(text: &[u8]) -> Parsed<'_, IpAddr> {
    // The next byte decides: `1` alone is the start of either.
    let ends = |behind: &[u8]| matches!(behind, [] | [b' ', ..]);
    match (ipv6(text), ipv4(text)) {
        (Ok((behind, ip)), _) if ends(behind) => Ok((behind, ip.into())),
        (_, Ok((behind, ip))) if ends(behind) => Ok((behind, ip.into())),
        (v6, v4) => {
            let stop =
                |parsed: Result<&[u8], LineFault>| parsed.map_or_else(|stop| stop.0, <[u8]>::len);
            let v6 = stop(v6.map(|(behind, _)| behind));
            Err(LineFault(v6.min(stop(v4.map(|(behind, _)| behind)))))
        }
    }
}

/// The least number of bytes that complete the text to an IPv4 address.
pub(crate) fn least_ipv4(text: &[u8]) -> usize {
    let (dots, last) = text.split(|&c| c == b'.').enumerate().last().unwrap_or_default();
    2 * 3_usize.saturating_sub(dots) + usize::from(last.is_empty())
}

/// The least number of bytes that complete the text to an IPv6 address.
pub(crate) fn least_ipv6(text: &[u8]) -> usize {
    let last = text.rsplit(|&c| c == b':').next().unwrap_or_default();
    if last.contains(&b'.') {
        return least_ipv4(last);
    }
    let groups = text.split(|&c| c == b':').filter(|group| !group.is_empty()).count();
    let gap = text.windows(2).any(|pair| pair == b"::");
    match (gap, text) {
        (true, _) => usize::from(last.is_empty() && !text.ends_with(b"::")),
        (false, []) => 2,
        (false, _) if last.is_empty() => 1,
        (false, _) => {
            if groups == 8 {
                0
            } else {
                2
            }
        }
    }
}
