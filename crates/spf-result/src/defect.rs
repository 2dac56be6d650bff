//! The defects of published records.

use std::fmt;

use mail_types::dns::DnsFailure;

use crate::RecordError;

/// A defect of a published record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Defect {
    /// The domain, or the target of a reference, publishes no record.
    NoRecord,
    /// The domain publishes several records, so that none counts (RFC 7208 section 4.5).
    SeveralRecords,
    /// A text was probably meant to be a record, but does not begin with `v=spf1` and a blank.
    Version,
    /// The record has a syntax error, and is invalid as a whole (RFC 7208 section 4.6).
    Syntax(RecordError),
    /// A DNS lookup failed.
    Dns(DnsFailure),
    /// The number of terms that cause DNS queries, more than 10 (RFC 7208 section 4.6.4).
    TooManyLookups(usize),
    /// The number of void lookups, more than two (RFC 7208 section 4.6.4).
    TooManyVoidLookups(usize),
    /// The number of mail exchangers, more than ten (RFC 7208 section 4.6.4).
    TooManyMxHosts(usize),
    /// The mechanism `ptr` (RFC 7208 section 5.5).
    Ptr,
    /// `+all`, or a network of all addresses.
    PassesAll,
    /// The domain of a term has no addresses, or no mail exchangers.
    Void,
    /// A term after `all`, or a `redirect` beside it (RFC 7208 sections 5.1 and 6.1).
    Unreachable,
    /// Neither `all` nor `redirect`: a client without a match is neutral (RFC 7208 section 4.7).
    NoEnd,
    /// A record refers to itself, directly or not.
    Loop,
    /// The record is longer than [`Review::MAX_PLAIN_OCTETS`](crate::Review::MAX_PLAIN_OCTETS).
    Long,
}

impl Defect {
    /// Returns the position of a syntax error in the record, in bytes.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        match self {
            Self::Syntax(error) => error.at(),
            _ => None,
        }
    }

    /// Returns the section of RFC 7208 that the defect offends, or that describes its effect.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::NoRecord | Self::SeveralRecords | Self::Version => "4.5",
            Self::Syntax(_) => "4.6",
            Self::Dns(_) => "4.4",
            Self::TooManyLookups(_)
            | Self::TooManyVoidLookups(_)
            | Self::TooManyMxHosts(_)
            | Self::Loop
            | Self::Void => "4.6.4",
            Self::Ptr => "5.5",
            Self::PassesAll => "2.6.3",
            Self::Unreachable => "5.1",
            Self::NoEnd => "4.7",
            Self::Long => "3.4",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("no SPF record"),
            Self::SeveralRecords => f.write_str("several SPF records, so none counts"),
            Self::Version => f.write_str(
                "the text does not begin with v=spf1 and a blank: receivers see no SPF record",
            ),
            Self::Syntax(error) => write!(f, "{error}"),
            Self::Dns(failure) => write!(f, "the DNS failed: {failure}"),
            Self::TooManyLookups(count) => write!(f, "{count} DNS lookups, more than 10"),
            Self::TooManyVoidLookups(count) => {
                write!(f, "{count} void DNS lookups, more than 2")
            }
            Self::TooManyMxHosts(count) => write!(f, "{count} MX hosts, more than 10"),
            Self::Ptr => f.write_str("slow and unreliable, do not publish"),
            Self::PassesAll => f.write_str("every host passes"),
            Self::Void => f.write_str("the domain has no such records"),
            Self::Unreachable => f.write_str("never evaluated, after all"),
            Self::NoEnd => f.write_str("ends without all or redirect"),
            Self::Loop => f.write_str("refers to itself"),
            Self::Long => f.write_str("longer than 450 octets"),
        }
    }
}
