//! What the DNS says.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use crate::dns::{Name, RecordType, Texts};

/// What a resolver said to a [`Question`](crate::dns::Question). Absence is an answer, and cannot be
/// mistaken for a failure.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever asks must treat all three")]
pub enum Answer {
    /// At least one record of the kind, aliases followed.
    Records {
        /// The records at the end of the aliases.
        records: Records,
        /// Their owner: the name asked for, or the end of its aliases.
        canonical: Name,
        /// The worst of all links.
        security: DnssecStatus,
        /// How long the answer may be kept, in seconds: the least of all links.
        ttl: u32,
    },
    /// There is none.
    Absent {
        /// Whether the name, at the end of its aliases, exists: NODATA if so, else NXDOMAIN.
        exists: bool,
        /// Whether the denial is proven, for the final owner and each alias on the way.
        security: DnssecStatus,
        /// How long the answer may be kept, in seconds.
        ttl: u32,
    },
    /// There is no telling; never to be taken for absence.
    Failed(DnsFailure),
}

impl Answer {
    /// Returns the texts, if these are the records.
    #[must_use]
    pub fn texts(&self) -> Option<&Texts> {
        match self {
            Self::Records { records: Records::Txt(texts), .. } => Some(texts),
            _ => None,
        }
    }
}

/// At least one record, all of one kind.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Records {
    /// IPv4 addresses.
    A(Vec<Ipv4Addr>),
    /// IPv6 addresses.
    Aaaa(Vec<Ipv6Addr>),
    /// What an alias stands for.
    Cname(Name),
    /// Mail exchangers, in the order of the answer.
    Mx(Vec<Mx>),
    /// Names of an address.
    Ptr(Vec<Name>),
    /// The data of each TLSA record as it is on the wire, not looked into.
    Tlsa(Vec<Box<[u8]>>),
    /// Texts.
    Txt(Texts),
}

impl Records {
    /// Returns their kind.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Cname(_) => RecordType::Cname,
            Self::Mx(_) => RecordType::Mx,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Tlsa(_) => RecordType::Tlsa,
            Self::Txt(_) => RecordType::Txt,
        }
    }

    /// Returns the data of each record in presentation form, as `Zone::add` of the feature `zone`
    /// takes it.
    #[must_use]
    pub fn presentation(&self) -> Vec<String> {
        match self {
            Self::A(addresses) => addresses.iter().map(ToString::to_string).collect(),
            Self::Aaaa(addresses) => addresses.iter().map(ToString::to_string).collect(),
            Self::Cname(name) => vec![name.to_string()],
            Self::Mx(hosts) => hosts.iter().map(ToString::to_string).collect(),
            Self::Ptr(names) => names.iter().map(ToString::to_string).collect(),
            Self::Tlsa(records) => records.iter().map(|data| tlsa(data)).collect(),
            Self::Txt(texts) => texts.iter().map(escaped).collect(),
        }
    }

    /// Adds more of the same kind; an alias stays the only one, and another kind is left out.
    #[cfg(any(feature = "hickory", feature = "zone"))]
    pub(crate) fn append(&mut self, more: Self) {
        match (self, more) {
            (Self::A(held), Self::A(more)) => held.extend(more),
            (Self::Aaaa(held), Self::Aaaa(more)) => held.extend(more),
            (Self::Mx(held), Self::Mx(more)) => held.extend(more),
            (Self::Ptr(held), Self::Ptr(more)) => held.extend(more),
            (Self::Tlsa(held), Self::Tlsa(more)) => held.extend(more),
            (Self::Txt(held), Self::Txt(more)) => held.append(more),
            _ => {}
        }
    }
}

/// A mail exchanger (RFC 5321 section 5.1).
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 1035 section 3.3.9 has just these two")]
pub struct Mx {
    /// The lowest is tried first.
    pub preference: u16,
    /// The host; the root says that the domain takes no mail (RFC 7505).
    pub exchange: Name,
}

impl fmt::Display for Mx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.preference, self.exchange)
    }
}

/// What DNSSEC says of an answer (RFC 4035 section 4.3), the worst first; a bogus one has
/// [failed](DnsFailure::Bogus).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4035 section 4.3 has no more")]
pub enum DnssecStatus {
    /// Nothing is known: the resolver does not validate, or is not trusted to.
    #[default]
    Indeterminate,
    /// Proven to be unsigned.
    Insecure,
    /// Signed, and validated.
    Secure,
}

impl DnssecStatus {
    /// Returns the word of RFC 4035 in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Indeterminate => "indeterminate",
            Self::Insecure => "insecure",
            Self::Secure => "secure",
        }
    }
}

impl fmt::Display for DnssecStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DnssecStatus {
    type Err = DnsWordError;

    fn from_str(text: &str) -> Result<Self, DnsWordError> {
        let all = [Self::Indeterminate, Self::Insecure, Self::Secure];
        all.into_iter().find(|security| security.as_str() == text).ok_or(DnsWordError)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DnsFailure {
    /// SERVFAIL, or another failure without a closer reason.
    ServFail,
    /// No answer in the time that the program allows.
    Timeout,
    /// The server refuses to answer.
    Refused,
    /// Signed, and wrong.
    Bogus,
    /// Not asked: the session has asked as many questions as it may.
    OverLimit,
}

impl DnsFailure {
    /// Returns a word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServFail => "servfail",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Bogus => "bogus",
            Self::OverLimit => "overlimit",
        }
    }
}

impl fmt::Display for DnsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DnsFailure {
    type Err = DnsWordError;

    fn from_str(text: &str) -> Result<Self, DnsWordError> {
        let all = [Self::ServFail, Self::Timeout, Self::Refused, Self::Bogus, Self::OverLimit];
        all.into_iter().find(|failure| failure.as_str() == text).ok_or(DnsWordError)
    }
}

/// A word is no [`DnssecStatus`], or no [`DnsFailure`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a word for an answer of the DNS")]
#[non_exhaustive]
pub struct DnsWordError;

/// Usage, selector and matching type in decimal, the rest in hexadecimal (RFC 6698 section 2.2).
fn tlsa(data: &[u8]) -> String {
    let (numbers, rest) = data.split_at_checked(3).unwrap_or((data, &[]));
    let mut text = String::new();
    for number in numbers {
        let _ = write!(text, "{number} ");
    }
    for octet in rest {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// As one string: what is not printable ASCII as `\DDD`, a backslash doubled.
fn escaped(text: &[u8]) -> String {
    let octet = |&octet: &u8| match octet {
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(octet).to_string(),
        _ => format!("\\{octet:03}"),
    };
    text.iter().map(octet).collect()
}
