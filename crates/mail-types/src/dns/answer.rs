//! Answers of the DNS.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use crate::dns::{Name, RecordType, Texts};

/// A resolver's answer to a [`Question`](crate::dns::Question). Absence is an answer, distinct from a
/// failure.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum Answer {
    /// At least one record of the type, aliases followed.
    Records {
        /// The records at the end of the aliases.
        records: Records,
        /// Their owner: the name of the question, or the end of its aliases.
        canonical: Name,
        /// The worst status of all links.
        security: DnssecStatus,
        /// The time to live in seconds: the least of all links.
        ttl: u32,
    },
    /// The name has no record of the type.
    Absent {
        /// Whether the name, at the end of its aliases, exists: NODATA if so, else NXDOMAIN.
        exists: bool,
        /// The status of the denial, for the final owner and each alias on the way.
        security: DnssecStatus,
        /// The time to live in seconds.
        ttl: u32,
    },
    /// A failure; it says nothing about the records and must not be read as absence.
    Failed(DnsFailure),
}

impl Answer {
    /// Returns the texts of TXT records.
    #[must_use]
    pub fn texts(&self) -> Option<&Texts> {
        match self {
            Self::Records { records: Records::Txt(texts), .. } => Some(texts),
            _ => None,
        }
    }

    /// Returns the answer at the end of an alias that has this status and time to live: the worse status and the
    /// lesser time count.
    ///
    /// ```
    /// use mail_types::dns::{Answer, DnssecStatus};
    ///
    /// let end = Answer::Absent { exists: false, security: DnssecStatus::Secure, ttl: 300 };
    /// let whole = end.behind_alias(DnssecStatus::Insecure, 60);
    /// assert_eq!(whole, Answer::Absent { exists: false, security: DnssecStatus::Insecure, ttl: 60 });
    /// ```
    #[must_use]
    pub fn behind_alias(mut self, status: DnssecStatus, time: u32) -> Self {
        if let Self::Records { security, ttl, .. } | Self::Absent { security, ttl, .. } = &mut self
        {
            (*security, *ttl) = (status.min(*security), time.min(*ttl));
        }
        self
    }
}

/// At least one record, all of one type.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Records {
    /// IPv4 addresses.
    A(Vec<Ipv4Addr>),
    /// IPv6 addresses.
    Aaaa(Vec<Ipv6Addr>),
    /// The target of an alias.
    Cname(Name),
    /// Mail exchangers, in the order of the answer.
    Mx(Vec<Mx>),
    /// Host names of an address.
    Ptr(Vec<Name>),
    /// The data of each TLSA record in wire format, not interpreted.
    Tlsa(Vec<Box<[u8]>>),
    /// Texts.
    Txt(Texts),
}

impl Records {
    /// Returns their type.
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

    /// Returns the data of each record in presentation form, which `Zone::add` of the feature
    /// `zone` accepts.
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

    /// Adds records of the same type; an alias stays single, and records of another type are left
    /// out.
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
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "RFC 1035 section 3.3.9 has just these two")]
pub struct Mx {
    /// The preference: the lowest is tried first.
    pub preference: u16,
    /// The host; the root says that the domain accepts no mail (RFC 7505).
    pub exchange: Name,
}

impl fmt::Display for Mx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.preference, self.exchange)
    }
}

/// The DNSSEC status of an answer (RFC 4035 section 4.3), the worst first; a bogus answer has
/// [failed](DnsFailure::Bogus).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4035 section 4.3 has just these, and bogus")]
pub enum DnssecStatus {
    /// Unknown: the resolver does not validate, or is not trusted.
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
        all.into_iter().find(|security| security.as_str() == text).ok_or(DnsWordError::Status)
    }
}

/// The reason why a question has no answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DnsFailure {
    /// SERVFAIL, or another failure without a more exact reason.
    ServFail,
    /// No answer in the time that the program allows.
    Timeout,
    /// The server refuses to answer.
    Refused,
    /// The answer is signed, and its DNSSEC validation failed.
    Bogus,
    /// Not asked: the session has reached its limit of questions.
    OverLimit,
}

impl DnsFailure {
    /// Returns a word for the failure, such as `timeout`.
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
        all.into_iter().find(|failure| failure.as_str() == text).ok_or(DnsWordError::Failure)
    }
}

/// A text is not the word of a [`DnssecStatus`] or a [`DnsFailure`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum DnsWordError {
    /// It is no status.
    #[error("not a DNSSEC status: expected secure, insecure or indeterminate")]
    Status,
    /// It is no failure.
    #[error("not a DNS failure: expected servfail, timeout, refused, bogus or overlimit")]
    Failure,
}

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

/// Writes a text as one string: octets other than printable ASCII as `\DDD`, a backslash doubled.
fn escaped(text: &[u8]) -> String {
    let octet = |&octet: &u8| match octet {
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(octet).to_string(),
        _ => format!("\\{octet:03}"),
    };
    text.iter().map(octet).collect()
}
