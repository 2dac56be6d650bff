//! The result of verifying a server: RFC 7672 section 3.2.

use std::fmt;

use thiserror::Error;

use crate::der::DerError;
use crate::matching_type::MatchingType;
use crate::numbers::Numbers;
use crate::path_fault::PathFault;
use crate::usable::Unusable;

/// Whether the records of a host authenticate a server.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize),
    serde(rename_all = "snake_case", tag = "verdict")
)]
#[expect(clippy::exhaustive_enums, reason = "a record matches, or none does, or none can")]
pub enum Verdict {
    /// The server is authenticated.
    Match(Match),
    /// It is not, and must not be used.
    NoMatch(Mismatches),
    /// No record can be used: TLS is needed, and not authenticated (RFC 7672 section 2.2).
    Unusable(Mismatches),
}

/// Which record matches what.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize))]
#[non_exhaustive]
pub struct Match {
    /// The record's place in the set, from 0.
    pub record: usize,
    /// Its usage, selector and matching type.
    pub numbers: [u8; 3],
    /// How many steps the matching certificate is from the server's own, on the path that was verified.
    /// For a key without a certificate (SPKI(1) Full(0)) it is the certificate that the key has signed,
    /// as with OpenSSL.
    pub depth: usize,
}

/// Why none of the records matches: for each record, in order.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize))]
#[non_exhaustive]
pub struct Mismatches {
    /// The records. There may be none.
    pub records: Vec<Mismatch>,
}

/// Why a record does not match.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize))]
#[non_exhaustive]
pub struct Mismatch {
    /// Its usage, selector and matching type.
    pub numbers: [u8; 3],
    /// Why it does not match.
    pub reason: MismatchReason,
}

/// Why a record does not match.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum MismatchReason {
    /// The record cannot be used.
    #[error("unusable: {0}")]
    Unusable(Unusable),
    /// Other records have a stronger digest, and only those count.
    #[error("not used beside {0}, which is stronger")]
    Weaker(MatchingType),
    /// The server has sent no certificate.
    #[error("the server sent no certificate")]
    NoCertificate,
    /// The server's certificate is malformed before the end of its key.
    #[error("the server's certificate has no readable key: {0}")]
    NoKey(DerError),
    /// The server's certificate is another.
    #[error("the server's certificate is another")]
    OtherCertificate,
    /// The server's key is another.
    #[error("the server's key is another")]
    OtherKey,
    /// The record needs a certificate, and the server has a raw key.
    #[error("the server sent a raw key, which only DANE-EE(3) SPKI(1) can match")]
    RawKey,
    /// The server has sent no authority's certificate that the record matches.
    #[error("the server sent no trust anchor that matches")]
    AnchorNotSent,
    /// The record matches the server's own certificate, which cannot be its own trust anchor.
    #[error("it matches the server's own certificate: that is usage DANE-EE(3)")]
    OwnAnchor,
    /// The server has sent more certificates than are looked at.
    #[error("the server sent more than {limit} certificates")]
    TooManyCertificates {
        /// The limit.
        limit: usize,
    },
    /// The record matches, but no path leads to the trust anchor.
    #[error("no path to this trust anchor: {0}")]
    Path(PathFault),
    /// A path leads to the trust anchor, but the server's certificate has none of the names.
    #[error("the server's certificate has none of the server's names")]
    Name,
}

impl Verdict {
    /// Tells whether the server is authenticated.
    #[must_use]
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Match(_))
    }
}

impl fmt::Display for Verdict {
    /// Writes a line for a log, without CR and LF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match(found) => found.fmt(f),
            Self::NoMatch(why) => why.fmt(f),
            Self::Unusable(why) => {
                f.write_str("none of the TLSA records can be used")?;
                why.write_records(f)
            }
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLSA {} matches at depth {}", Numbers(self.numbers), self.depth)
    }
}

impl fmt::Display for Mismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of the TLSA records matches")?;
        self.write_records(f)
    }
}

impl Mismatches {
    fn write_records(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = ": ";
        // A set may have a hundred; a line is for people.
        for mismatch in self.records.iter().take(SHOWN) {
            write!(f, "{before}{mismatch}")?;
            before = "; ";
        }
        match self.records.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The most records that a line has.
const SHOWN: usize = 8;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Numbers(self.numbers), self.reason)
    }
}
