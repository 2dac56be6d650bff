//! A directive: a qualifier and a mechanism. RFC 7208 sections 4.6 and 5.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::network::{ip4, ip6, prefix};
use crate::record::RecordError;
use crate::word::{Word, keyword};
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
    ///
    /// ```
    /// use spf_result::Record;
    ///
    /// let record: Record = "v=spf1 ip4:192.0.2.0/24 mx -all".parse()?;
    /// let lookups: Vec<_> = record.directives().map(|directive| directive.mechanism.is_lookup()).collect();
    /// assert_eq!(lookups, [false, true, false]);
    /// # Ok::<(), spf_result::RecordError>(())
    /// ```
    #[must_use]
    pub fn is_lookup(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4 { .. } | Self::Ip6 { .. })
    }

    /// Parses the mechanism that begins at `start` in a word.
    fn parse(word: Word<'_>, start: usize, put: impl FnOnce(Self)) -> Result<(), RecordError> {
        let (rest, after) = (word.rest(), word.behind_name());
        let value = match rest {
            [b':', value @ ..] => Ok(value),
            _ => Err(RecordError::Argument { at: after }),
        };
        let domain = |value| DomainSpec::parse(value, after + 1, word.percent);
        match word.keyword(start) {
            IP4 => {
                let (address, prefix) = ip4(value?, after + 1)?;
                put(Self::Ip4 { address, prefix });
            }
            INCLUDE => put(Self::Include(domain(value?)?)),
            A => {
                let (domain, prefixes) = domain_and_prefixes(rest, after, word.percent)?;
                put(Self::A { domain, prefixes });
            }
            MX => {
                let (domain, prefixes) = domain_and_prefixes(rest, after, word.percent)?;
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
            _ => return Err(RecordError::Mechanism { at: word.at + start }),
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

const A: u64 = keyword(b"a");
const ALL: u64 = keyword(b"all");
const EXISTS: u64 = keyword(b"exists");
const INCLUDE: u64 = keyword(b"include");
const IP4: u64 = keyword(b"ip4");
const IP6: u64 = keyword(b"ip6");
const MX: u64 = keyword(b"mx");
const PTR: u64 = keyword(b"ptr");

/// `[ ":" domain-spec ] [ dual-cidr-length ]`. A domain may contain slashes, so the lengths are
/// searched from the end.
fn domain_and_prefixes(
    rest: &[u8],
    at: usize,
    percent: bool,
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
        [b':', domain @ ..] => Some(DomainSpec::parse(domain, at + 1, percent)?),
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
