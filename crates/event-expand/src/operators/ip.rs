//! IP addresses as text, as Exim reads them.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use mail_types::exim::HostPatternError;

/// An address family.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// The family of an address, and the position of the `/` after it, if allowed.
///
/// A zone (`%eth0`) may follow an IPv6 address.
pub(crate) fn family(text: &[u8], masked: bool) -> Option<(Family, Option<usize>)> {
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let slash = text.len().checked_sub(digits + 1);
    let slash = slash.filter(|at| masked && text.get(*at) == Some(&b'/'));
    let address = text.get(..slash.unwrap_or(text.len()))?;
    let family = match parse(address)? {
        Bits::V4(_) => Family::V4,
        Bits::V6(_) => Family::V6,
    };
    Some((family, slash))
}

/// Tells whether an item of a host list is a name, or a pattern for names.
pub(crate) fn is_name(item: &[u8]) -> bool {
    let other = matches!(item, b"" | b"*" | [b'+' | b'@', ..]) || item.contains(&b';');
    !other && network(item).is_none()
}

/// Tells whether an address is in a network `address/length`, or equals it, or the network is `*`;
/// an IPv4-mapped address counts as the IPv4 address. As in Exim, a length beyond the address means
/// all of it, and an empty one 0.
///
/// # Errors
///
/// [`HostPatternError::Prefix`] for a length of more than eight digits.
pub(crate) fn holds(item: &[u8], address: &[u8]) -> Result<bool, HostPatternError> {
    if item == b"*" {
        return Ok(true);
    }
    if address.is_empty() || item.is_empty() {
        return Ok(address.is_empty() && item.is_empty());
    }
    let Some((network, length)) = network(item) else { return Ok(false) };
    let longest = if matches!(network, Bits::V4(_)) { 32 } else { 128 };
    let wrong = HostPatternError::Prefix { longest };
    let length = length.map_or(Some(longest), prefix_length).ok_or(wrong)?.min(longest);
    Ok(match (network, parse(address).map(Bits::canonical)) {
        (Bits::V4(a), Some(Bits::V4(b))) => mask_v4(a, length) == mask_v4(b, length),
        (Bits::V6(a), Some(Bits::V6(b))) => mask_v6(a, length) == mask_v6(b, length),
        _ => false,
    })
}

/// The address of a network, and the text of its prefix length, if it has one.
fn network(item: &[u8]) -> Option<(Bits, Option<&[u8]>)> {
    let Some(slash) = item.iter().position(|&b| b == b'/') else {
        return parse(item).map(|bits| (bits, None));
    };
    let (address, length) = item.split_at_checked(slash)?;
    let length = length.get(1..)?.trim_ascii_start();
    let signed = length.strip_prefix(b"+").filter(|digits| !digits.is_empty());
    let digits = signed.unwrap_or(length);
    let is_length = digits.iter().all(u8::is_ascii_digit) && !address.contains(&b'%');
    is_length.then(|| parse(address).map(|bits| (bits, Some(digits))))?
}

/// Reads a prefix length. Eight digits are more than any address needs, and cannot overflow.
fn prefix_length(digits: &[u8]) -> Option<u32> {
    let significant = digits.iter().position(|&b| b != b'0').unwrap_or(digits.len());
    let digits = digits.get(significant..).filter(|digits| digits.len() <= 8)?;
    Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// Writes a network's address without the bits after the mask, and the mask.
pub(crate) fn mask(text: &[u8], normal: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let expected = "an IP address with a mask";
    let (address, length) = network(text).ok_or(expected)?;
    let length = prefix_length(length.ok_or(expected)?);
    let written = match (address, length) {
        (Bits::V4(bits), Some(length @ 0..=32)) => {
            write!(out, "{}/{length}", Ipv4Addr::from_bits(mask_v4(bits, length)))
        }
        (Bits::V6(bits), Some(length @ 0..=128)) => {
            let bits = mask_v6(bits, length);
            let write = if normal { write_normal } else { write_with_dots };
            write(bits, out);
            write!(out, "/{length}")
        }
        _ => return Err("a mask no longer than the address"),
    };
    written.map_err(|_| "room")
}

/// Writes an IPv6 address, short or in full; an IPv4 address is mapped into IPv6.
pub(crate) fn ipv6(text: &[u8], normal: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let bits = match parse(text).ok_or("an IP address")? {
        Bits::V4(bits) => 0xffff_0000_0000 | u128::from(bits),
        Bits::V6(bits) => bits,
    };
    let write = if normal { write_normal } else { write_with_colons };
    write(bits, out);
    Ok(())
}

/// Writes an address in reverse for the DNS: its bytes, or nibbles, from the last to the first. One of IPv6 that
/// maps one of IPv4 is that. A mask after it is dropped.
pub(crate) fn reverse(text: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let (_, slash) = family(text, true).ok_or("an IP address")?;
    let address = text.get(..slash.unwrap_or(text.len())).unwrap_or_default();
    let written = match parse(address).ok_or("an IP address")?.canonical() {
        Bits::V4(bits) => write!(out, "{}", Ipv4Addr::from_bits(bits.swap_bytes())),
        Bits::V6(bits) => {
            let nibbles = (0..32).map(|place| (bits >> (4 * place)) & 15);
            for (place, nibble) in nibbles.enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                let digit = u32::try_from(nibble).ok().and_then(|n| char::from_digit(n, 16));
                out.extend(digit.and_then(|digit| u8::try_from(digit).ok()));
            }
            Ok(())
        }
    };
    written.map_err(|_| "room")
}

enum Bits {
    V4(u32),
    V6(u128),
}

impl Bits {
    fn canonical(self) -> Self {
        match self {
            Self::V6(bits) => match Ipv6Addr::from_bits(bits).to_ipv4_mapped() {
                Some(address) => Self::V4(address.to_bits()),
                None => Self::V6(bits),
            },
            v4 @ Self::V4(_) => v4,
        }
    }
}

fn parse(text: &[u8]) -> Option<Bits> {
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(':') {
        let address = text.split_once('%').map_or(text, |(address, _)| address);
        return address.parse::<Ipv6Addr>().ok().map(|address| Bits::V6(address.to_bits()));
    }
    text.parse::<Ipv4Addr>().ok().map(|address| Bits::V4(address.to_bits()))
}

fn mask_v4(bits: u32, length: u32) -> u32 {
    bits & u32::MAX.checked_shl(32 - length).unwrap_or(0)
}

fn mask_v6(bits: u128, length: u32) -> u128 {
    bits & u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

fn write_with_dots(bits: u128, out: &mut Vec<u8>) {
    write_long(bits, '.', out);
}

fn write_with_colons(bits: u128, out: &mut Vec<u8>) {
    write_long(bits, ':', out);
}

fn write_long(bits: u128, separator: char, out: &mut Vec<u8>) {
    for (place, segment) in Ipv6Addr::from_bits(bits).segments().into_iter().enumerate() {
        let separator = if place > 0 { separator.to_string() } else { String::new() };
        out.extend_from_slice(format!("{separator}{segment:04x}").as_bytes());
    }
}

/// Writes by RFC 5952 section 4, but never with dots, and a single zero group is shortened too.
fn write_normal(bits: u128, out: &mut Vec<u8>) {
    let segments = Ipv6Addr::from_bits(bits).segments();
    let (mut best, mut run) = (0..0, 0..0);
    for (place, segment) in segments.iter().enumerate() {
        run = if *segment == 0 { run.start..place + 1 } else { place + 1..place + 1 };
        if run.len() > best.len() {
            best = run.clone();
        }
    }
    for (place, segment) in segments.iter().enumerate() {
        if best.contains(&place) {
            if place == best.start {
                out.extend_from_slice(b"::");
            }
        } else {
            if place > 0 && (best.is_empty() || place != best.end) {
                out.push(b':');
            }
            out.extend_from_slice(format!("{segment:x}").as_bytes());
        }
    }
}
