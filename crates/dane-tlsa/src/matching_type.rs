//! The matching type of a record: RFC 6698 section 2.1.3, RFC 7218 section 2.3.

use std::fmt;

use sha2::{Digest as _, Sha256, Sha512};

/// The matching type of a record: how the selected part stands in it.
///
/// They are ordered as by RFC 7671 section 9: a digest is stronger than those of lower numbers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize), serde(transparent))]
pub struct MatchingType(u8);

impl MatchingType {
    /// The selected part itself.
    pub const FULL: Self = Self(0);
    /// Its SHA-256 digest.
    pub const SHA2_256: Self = Self(1);
    /// Its SHA-512 digest.
    pub const SHA2_512: Self = Self(2);

    /// Makes a matching type of any number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Returns its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Returns the length of the digest in octets; `None` if it is not one of ours.
    ///
    /// ```
    /// use dane_tlsa::MatchingType;
    ///
    /// assert_eq!(MatchingType::SHA2_512.digest_octets(), Some(64));
    /// assert_eq!(MatchingType::FULL.digest_octets(), None);
    /// ```
    #[must_use]
    pub const fn digest_octets(self) -> Option<usize> {
        match self {
            Self::SHA2_256 => Some(32),
            Self::SHA2_512 => Some(64),
            _ => None,
        }
    }

    /// Returns what a record has for the selected part; `None` if the type is not assigned.
    pub(crate) fn data_of(self, selected: &[u8]) -> Option<Box<[u8]>> {
        match self {
            Self::FULL => Some(selected.into()),
            Self::SHA2_256 => Some(Sha256::digest(selected).as_slice().into()),
            Self::SHA2_512 => Some(Sha512::digest(selected).as_slice().into()),
            _ => None,
        }
    }
}

impl fmt::Display for MatchingType {
    /// Writes the acronym of RFC 7218 and the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FULL => f.write_str("Full(0)"),
            Self::SHA2_256 => f.write_str("SHA2-256(1)"),
            Self::SHA2_512 => f.write_str("SHA2-512(2)"),
            Self(number) => write!(f, "matching type {number}"),
        }
    }
}
