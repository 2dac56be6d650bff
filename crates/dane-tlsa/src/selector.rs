//! The selector of a record: RFC 6698 section 2.1.2, RFC 7218 section 2.2.

use std::fmt;

/// The selector of a record: which part of the certificate it is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize), serde(transparent))]
pub struct Selector(u8);

impl Selector {
    /// The whole certificate.
    pub const CERT: Self = Self(0);
    /// The public key, as `SubjectPublicKeyInfo`.
    pub const SPKI: Self = Self(1);

    /// Makes a selector of any number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Returns its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Selector {
    /// Writes the acronym of RFC 7218 and the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CERT => f.write_str("Cert(0)"),
            Self::SPKI => f.write_str("SPKI(1)"),
            Self(number) => write!(f, "selector {number}"),
        }
    }
}
