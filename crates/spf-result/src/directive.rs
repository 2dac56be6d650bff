//! A directive: a qualifier and a mechanism. RFC 7208 sections 4.6 and 5.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::record::RecordError;
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
    pub(crate) fn parse(word: &str, at: usize) -> Result<Self, RecordError> {
        let qualifier = word.bytes().next().and_then(Qualifier::from_octet);
        let start = usize::from(qualifier.is_some());
        let mechanism = Mechanism::parse(word.get(start..).unwrap_or_default(), at + start)?;
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

    fn parse(word: &str, at: usize) -> Result<Self, RecordError> {
        let length = word.bytes().position(|c| matches!(c, b':' | b'/')).unwrap_or(word.len());
        let (name, rest) = word.split_at_checked(length).unwrap_or_default();
        let after = at + length;
        let value = rest.strip_prefix(':');
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let domain = || match value {
            Some(value) => DomainSpec::parse(value, after + 1),
            None => Err(RecordError::Argument { at: after }),
        };
        if is("ip4") {
            return ip4(value.ok_or(RecordError::Argument { at: after })?, after + 1);
        }
        if is("include") {
            return domain().map(Self::Include);
        }
        if is("a") || is("mx") {
            let (domain, prefixes) = domain_and_prefixes(rest, after)?;
            let host = is("a");
            let mechanism =
                if host { Self::A { domain, prefixes } } else { Self::Mx { domain, prefixes } };
            return Ok(mechanism);
        }
        if is("ip6") {
            return ip6(value.ok_or(RecordError::Argument { at: after })?, after + 1);
        }
        if is("all") {
            return if rest.is_empty() {
                Ok(Self::All)
            } else {
                Err(RecordError::Argument { at: after })
            };
        }
        if is("exists") {
            return domain().map(Self::Exists);
        }
        if is("ptr") {
            return if rest.is_empty() {
                Ok(Self::Ptr(None))
            } else {
                Ok(Self::Ptr(Some(domain()?)))
            };
        }
        Err(RecordError::Mechanism { at })
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

/// Whether a network holds the client. One of the other family never does, not even with `/0`.
pub(crate) fn holds_v4(network: Ipv4Addr, prefix: u8, client: IpAddr) -> bool {
    let IpAddr::V4(client) = client else { return false };
    let differ = network.to_bits() ^ client.to_bits();
    differ.checked_shr(32 - u32::from(prefix.min(32))).unwrap_or(0) == 0
}

/// As for IPv4.
pub(crate) fn holds_v6(network: Ipv6Addr, prefix: u8, client: IpAddr) -> bool {
    let IpAddr::V6(client) = client else { return false };
    let differ = network.to_bits() ^ client.to_bits();
    differ.checked_shr(128 - u32::from(prefix.min(128))).unwrap_or(0) == 0
}

fn ip4(value: &str, at: usize) -> Result<Mechanism, RecordError> {
    let (address, length) = value.split_once('/').map_or((value, None), |(a, l)| (a, Some(l)));
    let behind = at + address.len() + 1;
    let address = address.parse().map_err(|_| RecordError::Address { at })?;
    let prefix = length.map_or(Ok(32), |text| prefix(text, 32, behind))?;
    Ok(Mechanism::Ip4 { address, prefix })
}

fn ip6(value: &str, at: usize) -> Result<Mechanism, RecordError> {
    let (address, length) = value.split_once('/').map_or((value, None), |(a, l)| (a, Some(l)));
    let behind = at + address.len() + 1;
    let address = address.parse().map_err(|_| RecordError::Address { at })?;
    let prefix = length.map_or(Ok(128), |text| prefix(text, 128, behind))?;
    Ok(Mechanism::Ip6 { address, prefix })
}

/// `"0" / %x31-39 0*2DIGIT`: no zero in front.
fn prefix(text: &str, most: u8, at: usize) -> Result<u8, RecordError> {
    let good = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let value = text.parse().ok().filter(|value| good && *value <= most);
    value.ok_or(RecordError::Prefix { at })
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`. A domain may hold slashes, so the lengths are looked
/// for at the end.
fn domain_and_prefixes(
    rest: &str,
    at: usize,
) -> Result<(Option<DomainSpec>, Prefixes), RecordError> {
    let mut prefixes = Prefixes::default();
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let mut rest = rest;
    if let Some((before, length)) = rest.rsplit_once("//").filter(|(_, length)| digits(length)) {
        prefixes.v6 = prefix(length, 128, at + before.len() + 2)?;
        rest = before;
    }
    if let Some((before, length)) = rest.rsplit_once('/').filter(|(_, length)| digits(length)) {
        prefixes.v4 = prefix(length, 32, at + before.len() + 1)?;
        rest = before;
    }
    let domain = match rest.strip_prefix(':') {
        Some(domain) => Some(DomainSpec::parse(domain, at + 1)?),
        None if rest.is_empty() => None,
        None => return Err(RecordError::Prefix { at: at + 1 }),
    };
    Ok((domain, prefixes))
}
