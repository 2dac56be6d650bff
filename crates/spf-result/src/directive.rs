//! A directive: a qualifier and a mechanism. RFC 7208 sections 4.6 and 5.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::record::{RecordError, Word};
use crate::{DomainSpec, SpfResult};

/// A mechanism, and the result for matching clients.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 7208 section 4.6.1: these two")]
pub struct Directive {
    /// The result for matching clients.
    pub qualifier: Qualifier,
    /// The condition on the client.
    pub mechanism: Mechanism,
}

impl Directive {
    /// Parses a directive and passes it to `put`, which stores it: a directive is large, and faster
    /// to make in place than to move.
    pub(crate) fn parse(word: Word<'_>, put: impl FnOnce(Self)) -> Result<(), RecordError> {
        let qualifier = word.text.first().and_then(|octet| Qualifier::from_octet(*octet));
        let start = usize::from(qualifier.is_some());
        let qualifier = qualifier.unwrap_or(Qualifier::Pass);
        Mechanism::parse(word, start, |mechanism| put(Self { qualifier, mechanism }))
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.qualifier, self.mechanism)
    }
}

/// The result of a directive whose mechanism matches.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 section 4.6.2 has just these four")]
pub enum Qualifier {
    /// `+`, the default.
    Pass,
    /// `-`.
    Fail,
    /// `~`.
    SoftFail,
    /// `?`.
    Neutral,
}

impl Qualifier {
    fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            b'+' => Some(Self::Pass),
            b'-' => Some(Self::Fail),
            b'~' => Some(Self::SoftFail),
            b'?' => Some(Self::Neutral),
            _ => None,
        }
    }
}

impl From<Qualifier> for SpfResult {
    fn from(qualifier: Qualifier) -> Self {
        match qualifier {
            Qualifier::Pass => Self::Pass,
            Qualifier::Fail => Self::Fail,
            Qualifier::SoftFail => Self::SoftFail,
            Qualifier::Neutral => Self::Neutral,
        }
    }
}

/// Writes the sign; for [`Qualifier::Pass`] nothing.
impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        })
    }
}

/// A condition on the client.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 section 5 has just these; others are errors")]
pub enum Mechanism {
    /// Matches every client.
    All,
    /// Matches a client that passes the check of another domain.
    Include(DomainSpec),
    /// Matches the addresses of a domain.
    A {
        /// The domain; the default is the checked one.
        domain: Option<DomainSpec>,
        /// The lengths of the compared prefixes.
        prefixes: Prefixes,
    },
    /// Matches the addresses of a domain's mail exchangers.
    Mx {
        /// The domain; the default is the checked one.
        domain: Option<DomainSpec>,
        /// The lengths of the compared prefixes.
        prefixes: Prefixes,
    },
    /// Matches a client whose validated name is this domain or below it; do not publish it (RFC
    /// 7208 section 5.5).
    Ptr(Option<DomainSpec>),
    /// Matches an IPv4 network.
    Ip4 {
        /// An address in it.
        address: Ipv4Addr,
        /// The prefix length, 0 to 32.
        prefix: u8,
    },
    /// Matches an IPv6 network.
    Ip6 {
        /// An address in it.
        address: Ipv6Addr,
        /// The prefix length, 0 to 128.
        prefix: u8,
    },
    /// Matches if a name has an IPv4 address.
    Exists(DomainSpec),
}

impl Mechanism {
    /// Tells whether it counts as a term that causes DNS queries (RFC 7208 section 4.6.4).
    #[must_use]
    pub fn is_lookup(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4 { .. } | Self::Ip6 { .. })
    }

    /// Parses the mechanism that begins at `start` in a word.
    fn parse(word: Word<'_>, start: usize, put: impl FnOnce(Self)) -> Result<(), RecordError> {
        let (name, rest) = word.split(start);
        let at = word.at + start;
        let after = at + name.len();
        let value = match rest {
            [b':', value @ ..] => Ok(value),
            _ => Err(RecordError::Argument { at: after }),
        };
        let domain = |value| DomainSpec::parse(value, after + 1);
        match keyword(name) {
            IP4 => {
                let (address, prefix) = ip4(value?, after + 1)?;
                put(Self::Ip4 { address, prefix });
            }
            INCLUDE => put(Self::Include(domain(value?)?)),
            A => {
                let (domain, prefixes) = domain_and_prefixes(rest, after)?;
                put(Self::A { domain, prefixes });
            }
            MX => {
                let (domain, prefixes) = domain_and_prefixes(rest, after)?;
                put(Self::Mx { domain, prefixes });
            }
            IP6 => {
                let (address, prefix) = ip6(value?, after + 1)?;
                put(Self::Ip6 { address, prefix });
            }
            ALL if rest.is_empty() => put(Self::All),
            ALL => return Err(RecordError::Argument { at: after }),
            EXISTS => put(Self::Exists(domain(value?)?)),
            PTR if rest.is_empty() => put(Self::Ptr(None)),
            PTR => put(Self::Ptr(Some(domain(value?)?))),
            _ => return Err(RecordError::Mechanism { at }),
        }
        Ok(())
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, domain, prefixes) = match self {
            Self::All => return f.write_str("all"),
            Self::Include(domain) => return write!(f, "include:{domain}"),
            Self::Exists(domain) => return write!(f, "exists:{domain}"),
            Self::Ip4 { address, prefix: 32 } => return write!(f, "ip4:{address}"),
            Self::Ip4 { address, prefix } => return write!(f, "ip4:{address}/{prefix}"),
            Self::Ip6 { address, prefix: 128 } => return write!(f, "ip6:{address}"),
            Self::Ip6 { address, prefix } => return write!(f, "ip6:{address}/{prefix}"),
            Self::A { domain, prefixes } => ("a", domain, *prefixes),
            Self::Mx { domain, prefixes } => ("mx", domain, *prefixes),
            Self::Ptr(domain) => ("ptr", domain, Prefixes::default()),
        };
        f.write_str(name)?;
        if let Some(domain) = domain {
            write!(f, ":{domain}")?;
        }
        write!(f, "{prefixes}")
    }
}

/// Prefix lengths of both families: `dual-cidr-length`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "there are two families")]
pub struct Prefixes {
    /// The prefix length of an IPv4 address, 0 to 32.
    pub v4: u8,
    /// The prefix length of an IPv6 address, 0 to 128.
    pub v6: u8,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { v4: 32, v6: 128 }
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.v4 != 32 {
            write!(f, "/{}", self.v4)?;
        }
        if self.v6 != 128 {
            write!(f, "//{}", self.v6)?;
        }
        Ok(())
    }
}

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

/// A name in lower case as a number, so that one comparison decides; 0 if it is too long for a
/// known name.
const fn keyword(name: &[u8]) -> u64 {
    let (mut word, mut rest) = (0, name);
    if name.len() > 8 {
        return 0;
    }
    while let [octet, behind @ ..] = rest {
        word = word << 8 | (*octet | 0x20) as u64; // Only capitals become letters by it.
        rest = behind;
    }
    word
}

const A: u64 = keyword(b"a");
const ALL: u64 = keyword(b"all");
const EXISTS: u64 = keyword(b"exists");
const INCLUDE: u64 = keyword(b"include");
const IP4: u64 = keyword(b"ip4");
const IP6: u64 = keyword(b"ip6");
const MX: u64 = keyword(b"mx");
const PTR: u64 = keyword(b"ptr");

fn ip4(value: &[u8], at: usize) -> Result<(Ipv4Addr, u8), RecordError> {
    let slash = value.iter().position(|c| *c == b'/').unwrap_or(value.len());
    let (text, rest) = value.split_at_checked(slash).unwrap_or_default();
    let address = dotted_quad(text).ok_or(RecordError::Address { at })?;
    let prefix = match rest {
        [_, length @ ..] => prefix(length, 32, at + slash + 1)?,
        [] => 32,
    };
    Ok((address, prefix))
}

/// Four numbers up to 255 without leading zeros.
fn dotted_quad(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut bits, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for c in text {
        if *c == b'.' {
            if digits == 0 || octet > 255 {
                return None;
            }
            (bits, octet, digits, dots) = (bits << 8 | octet, 0, 0, dots + 1);
        } else {
            if !c.is_ascii_digit() || digits == 3 || (digits == 1 && octet == 0) {
                return None;
            }
            (octet, digits) = (octet * 10 + u32::from(c - b'0'), digits + 1);
        }
    }
    (digits > 0 && octet <= 255 && dots == 3).then(|| Ipv4Addr::from_bits(bits << 8 | octet))
}

fn ip6(value: &[u8], at: usize) -> Result<(Ipv6Addr, u8), RecordError> {
    let slash = value.iter().position(|c| *c == b'/').unwrap_or(value.len());
    let (text, rest) = value.split_at_checked(slash).unwrap_or_default();
    let other = || str::from_utf8(text).ok()?.parse().ok();
    let address = groups(text).or_else(other).ok_or(RecordError::Address { at })?;
    let prefix = match rest {
        [_, length @ ..] => prefix(length, 128, at + slash + 1)?,
        [] => 128,
    };
    Ok((address, prefix))
}

/// An address without an IPv4 address at its end, as nearly all are written: much faster than the
/// general parser.
fn groups(text: &[u8]) -> Option<Ipv6Addr> {
    let (mut bits, mut count, mut gap) = (0_u128, 0_u32, None);
    let mut rest = text;
    if let [b':', b':', behind @ ..] = rest {
        (rest, gap) = (behind, Some(0));
    }
    while let [digit, ..] = rest {
        let mut group = hexadecimal(*digit)?;
        rest = rest.get(1..)?;
        let mut digits = 1;
        while let [digit, behind @ ..] = rest
            && let Some(value) = hexadecimal(*digit)
        {
            (group, digits, rest) = (group << 4 | value, digits + 1, behind);
        }
        (bits, count) = (bits << 16 | u128::from(group), count + 1);
        rest = match rest {
            [] => rest,
            [b':', b':', behind @ ..] if gap.is_none() => {
                gap = Some(count);
                behind
            }
            [b':', behind @ ..] if !behind.is_empty() => behind,
            _ => return None,
        };
        if digits > 4 || count > 8 {
            return None;
        }
    }
    match gap {
        None => (count == 8).then(|| Ipv6Addr::from_bits(bits)),
        Some(_) if count > 7 => None,
        Some(before) => {
            let behind = 16 * (count - before);
            let low = bits & !u128::MAX.checked_shl(behind).unwrap_or(0);
            let high = (bits ^ low).checked_shl(16 * (8 - count)).unwrap_or(0);
            Some(Ipv6Addr::from_bits(high | low))
        }
    }
}

fn hexadecimal(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

fn prefix(text: &[u8], most: u8, at: usize) -> Result<u8, RecordError> {
    decimal(text).filter(|value| *value <= most).ok_or(RecordError::Prefix { at })
}

/// A number up to 255 without a leading zero.
fn decimal(text: &[u8]) -> Option<u8> {
    if matches!(text, [] | [b'0', _, ..] | [_, _, _, _, ..]) {
        return None;
    }
    text.iter().try_fold(0_u8, |value, c| {
        let digit = if c.is_ascii_digit() { c - b'0' } else { return None };
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`. A domain may contain slashes, so the lengths are
/// searched from the end.
fn domain_and_prefixes(
    rest: &[u8],
    at: usize,
) -> Result<(Option<DomainSpec>, Prefixes), RecordError> {
    let mut prefixes = Prefixes::default();
    if rest.is_empty() {
        return Ok((None, prefixes));
    }
    let mut rest = rest;
    if let Some((before, length)) = split_length(rest, b"//") {
        prefixes.v6 = prefix(length, 128, at + before.len() + 2)?;
        rest = before;
    }
    if let Some((before, length)) = split_length(rest, b"/") {
        prefixes.v4 = prefix(length, 32, at + before.len() + 1)?;
        rest = before;
    }
    let domain = match rest {
        [b':', domain @ ..] => Some(DomainSpec::parse(domain, at + 1)?),
        [] => None,
        _ => return Err(RecordError::Prefix { at: at + 1 }),
    };
    Ok((domain, prefixes))
}

/// Splits the slashes and digits at the end off a text.
fn split_length<'a>(text: &'a [u8], slashes: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let digits = text.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let (before, digits) = text.split_at_checked(text.len() - digits)?;
    before.strip_suffix(slashes).map(|before| (before, digits))
}
