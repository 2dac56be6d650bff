//! A directive: a qualifier and a mechanism. RFC 7208 sections 4.6 and 5.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::record::{RecordError, Word};
use crate::{DomainSpec, SpfResult};

/// A mechanism, and the result for those who match it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 7208 section 4.6.1: these two")]
pub struct Directive {
    /// What it says of those who match.
    pub qualifier: Qualifier,
    /// Who matches.
    pub mechanism: Mechanism,
}

impl Directive {
    pub(crate) fn parse(word: Word<'_>) -> Result<Self, RecordError> {
        let qualifier = word.text.first().and_then(|octet| Qualifier::from_octet(*octet));
        let mechanism = Mechanism::parse(word, usize::from(qualifier.is_some()))?;
        Ok(Self { qualifier: qualifier.unwrap_or(Qualifier::Pass), mechanism })
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.qualifier, self.mechanism)
    }
}

/// What a directive says of those who match its mechanism.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 section 4.6.2 has no more")]
pub enum Qualifier {
    /// `+`, and none at all.
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

/// Who matches.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "RFC 7208 section 5 has no more, and others are errors"
)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whoever passes the check of another domain.
    Include(DomainSpec),
    /// The addresses of a domain.
    A {
        /// Which; without, the one that is checked.
        domain: Option<DomainSpec>,
        /// How many bits of them count.
        prefixes: Prefixes,
    },
    /// The addresses of a domain's mail exchangers.
    Mx {
        /// Which; without, the one that is checked.
        domain: Option<DomainSpec>,
        /// How many bits of them count.
        prefixes: Prefixes,
    },
    /// Whose own name is this domain or below it; not to be published (RFC 7208 section 5.5).
    Ptr(Option<DomainSpec>),
    /// A network of IPv4.
    Ip4 {
        /// An address in it.
        address: Ipv4Addr,
        /// How many bits of it count, 0 to 32.
        prefix: u8,
    },
    /// A network of IPv6.
    Ip6 {
        /// An address in it.
        address: Ipv6Addr,
        /// How many bits of it count, 0 to 128.
        prefix: u8,
    },
    /// For whom a name has an IPv4 address.
    Exists(DomainSpec),
}

impl Mechanism {
    /// Tells whether it counts among the terms that ask the DNS (RFC 7208 section 4.6.4).
    #[must_use]
    pub fn is_lookup(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4 { .. } | Self::Ip6 { .. })
    }

    /// Parses the mechanism that begins at `start` in a word.
    fn parse(word: Word<'_>, start: usize) -> Result<Self, RecordError> {
        let (name, rest) = word.split(start);
        let at = word.at + start;
        let after = at + name.len();
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        let value = match rest {
            [b':', value @ ..] => Ok(value),
            _ => Err(RecordError::Argument { at: after }),
        };
        let domain = |value| DomainSpec::parse(value, after + 1);
        if is(b"ip4") {
            ip4(value?, after + 1)
        } else if is(b"include") {
            domain(value?).map(Self::Include)
        } else if is(b"a") {
            let (domain, prefixes) = domain_and_prefixes(rest, after)?;
            Ok(Self::A { domain, prefixes })
        } else if is(b"mx") {
            let (domain, prefixes) = domain_and_prefixes(rest, after)?;
            Ok(Self::Mx { domain, prefixes })
        } else if is(b"ip6") {
            ip6(value?, after + 1)
        } else if is(b"all") && rest.is_empty() {
            Ok(Self::All)
        } else if is(b"all") {
            Err(RecordError::Argument { at: after })
        } else if is(b"exists") {
            domain(value?).map(Self::Exists)
        } else if is(b"ptr") && rest.is_empty() {
            Ok(Self::Ptr(None))
        } else if is(b"ptr") {
            Ok(Self::Ptr(Some(domain(value?)?)))
        } else {
            Err(RecordError::Mechanism { at })
        }
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

/// How many bits of an address count: `dual-cidr-length`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "there are two families")]
pub struct Prefixes {
    /// Of an IPv4 address, 0 to 32.
    pub v4: u8,
    /// Of an IPv6 address, 0 to 128.
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

/// Whether a network holds an address.
pub(crate) fn holds_v4(network: Ipv4Addr, prefix: u8, client: Ipv4Addr) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
    (network.to_bits() ^ client.to_bits()) & mask == 0
}

/// Whether a network holds an address.
pub(crate) fn holds_v6(network: Ipv6Addr, prefix: u8, client: Ipv6Addr) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
    (network.to_bits() ^ client.to_bits()) & mask == 0
}

fn ip4(value: &[u8], at: usize) -> Result<Mechanism, RecordError> {
    let mut octets = [0; 4];
    let mut rest = value;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(b".").ok_or(RecordError::Address { at })?;
        }
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let (number, behind) = rest.split_at_checked(digits).unwrap_or_default();
        *octet = decimal(number).ok_or(RecordError::Address { at })?;
        rest = behind;
    }
    let prefix = match rest {
        [] => 32,
        [b'/', length @ ..] => prefix(length, 32, at + value.len() - length.len())?,
        _ => return Err(RecordError::Address { at }),
    };
    Ok(Mechanism::Ip4 { address: octets.into(), prefix })
}

fn ip6(value: &[u8], at: usize) -> Result<Mechanism, RecordError> {
    let slash = value.iter().position(|c| *c == b'/').unwrap_or(value.len());
    let (address, rest) = value.split_at_checked(slash).unwrap_or_default();
    let address = str::from_utf8(address).ok().and_then(|address| address.parse().ok());
    let address = address.ok_or(RecordError::Address { at })?;
    let prefix = match rest {
        [_, length @ ..] => prefix(length, 128, at + slash + 1)?,
        [] => 128,
    };
    Ok(Mechanism::Ip6 { address, prefix })
}

fn prefix(text: &[u8], most: u8, at: usize) -> Result<u8, RecordError> {
    decimal(text).filter(|value| *value <= most).ok_or(RecordError::Prefix { at })
}

/// A number up to 255 without a zero in front.
fn decimal(text: &[u8]) -> Option<u8> {
    if matches!(text, [] | [b'0', _, ..] | [_, _, _, _, ..]) {
        return None;
    }
    text.iter().try_fold(0_u8, |value, c| {
        let digit = if c.is_ascii_digit() { c - b'0' } else { return None };
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`. A domain may hold slashes, so the lengths are looked
/// for at the end.
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

/// What is before the slashes and the digits at the end of a text, and these.
fn split_length<'a>(text: &'a [u8], slashes: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let digits = text.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    let (before, digits) = text.split_at_checked(text.len() - digits)?;
    before.strip_suffix(slashes).map(|before| (before, digits))
}
