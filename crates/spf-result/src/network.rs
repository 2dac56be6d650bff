//! Networks: an address and the length of a prefix. RFC 7208 section 5.6.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::record::RecordError;

/// Tells whether a network contains an address.
pub(crate) fn holds_v4(network: Ipv4Addr, prefix: u8, client: Ipv4Addr) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
    (network.to_bits() ^ client.to_bits()) & mask == 0
}

/// Tells whether a network contains an address.
pub(crate) fn holds_v6(network: Ipv6Addr, prefix: u8, client: Ipv6Addr) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
    (network.to_bits() ^ client.to_bits()) & mask == 0
}

/// Parses an address and the length of its prefix, at position `at` of the record.
pub(crate) fn ip4(value: &[u8], at: usize) -> Result<(Ipv4Addr, u8), RecordError> {
    let (address, rest) = dotted_quad(value).ok_or(RecordError::Address { at })?;
    let prefix = match rest {
        [_, length @ ..] => prefix(length, 32, at + value.len() - length.len())?,
        [] => 32,
    };
    Ok((address, prefix))
}

/// Four numbers up to 255 without leading zeros, and the text from the first slash on.
fn dotted_quad(text: &[u8]) -> Option<(Ipv4Addr, &[u8])> {
    let (a, [b'.', rest @ ..]) = number(text)? else { return None };
    let (b, [b'.', rest @ ..]) = number(rest)? else { return None };
    let (c, [b'.', rest @ ..]) = number(rest)? else { return None };
    let (d, rest) = number(rest)?;
    matches!(rest, [] | [b'/', ..]).then(|| (Ipv4Addr::new(a, b, c, d), rest))
}

/// A number up to 255 without a leading zero, of at most three digits, and the text after it.
fn number(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit =
        |text: &[u8]| text.first().map(|c| c.wrapping_sub(b'0')).filter(|digit| *digit < 10);
    let a = digit(text)?;
    let rest = text.get(1..)?;
    let Some(b) = digit(rest) else { return Some((a, rest)) };
    if a == 0 {
        return None;
    }
    let (two, rest) = (10 * a + b, rest.get(1..)?);
    let Some(c) = digit(rest) else { return Some((two, rest)) };
    Some((two.checked_mul(10)?.checked_add(c)?, rest.get(1..)?))
}

/// Parses an address and the length of its prefix, at position `at` of the record.
pub(crate) fn ip6(value: &[u8], at: usize) -> Result<(Ipv6Addr, u8), RecordError> {
    let found = groups(value).or_else(|| other(value));
    let (address, rest) = found.ok_or(RecordError::Address { at })?;
    let prefix = match rest {
        [_, length @ ..] => prefix(length, 128, at + value.len() - length.len())?,
        [] => 128,
    };
    Ok((address, prefix))
}

/// Any address, and the text from the first slash on.
fn other(text: &[u8]) -> Option<(Ipv6Addr, &[u8])> {
    let slash = text.iter().position(|c| *c == b'/').unwrap_or(text.len());
    let (address, rest) = text.split_at_checked(slash)?;
    Some((str::from_utf8(address).ok()?.parse().ok()?, rest))
}

/// An address without an IPv4 address at its end, as nearly all are written, and the text from the first
/// slash on: much faster than the general parser.
fn groups(text: &[u8]) -> Option<(Ipv6Addr, &[u8])> {
    let (mut bits, mut count, mut gap) = (0_u128, 0_u32, None);
    let mut rest = text;
    if let [b':', b':', behind @ ..] = rest {
        (rest, gap) = (behind, Some(0));
    }
    while let [digit, behind @ ..] = rest
        && *digit != b'/'
    {
        let mut group = hexadecimal(*digit)?;
        rest = behind;
        let mut digits = 1;
        while let [digit, behind @ ..] = rest
            && let Some(value) = hexadecimal(*digit)
        {
            (group, digits, rest) = (group << 4 | value, digits + 1, behind);
        }
        (bits, count) = (bits << 16 | u128::from(group), count + 1);
        rest = match rest {
            [] | [b'/', ..] => rest,
            [b':', b':', behind @ ..] if gap.is_none() => {
                gap = Some(count);
                behind
            }
            [b':', behind @ ..] if !matches!(behind, [] | [b'/', ..]) => behind,
            _ => return None,
        };
        if digits > 4 || count > 8 {
            return None;
        }
    }
    let bits = match gap {
        None => (count == 8).then_some(bits)?,
        Some(_) if count > 7 => return None,
        Some(before) => {
            let behind = 16 * (count - before);
            let low = bits & !u128::MAX.checked_shl(behind).unwrap_or(0);
            let high = (bits ^ low).checked_shl(16 * (8 - count)).unwrap_or(0);
            high | low
        }
    };
    Some((Ipv6Addr::from_bits(bits), rest))
}

fn hexadecimal(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

/// Parses the length of a prefix, `most` at most.
pub(crate) fn prefix(text: &[u8], most: u8, at: usize) -> Result<u8, RecordError> {
    let value = number(text).filter(|(value, rest)| rest.is_empty() && *value <= most);
    value.map(|(value, _)| value).ok_or(RecordError::Prefix { at })
}
