//! The certificate usage of a record: RFC 6698 section 2.1.1, RFC 7218 section 2.1.

use std::fmt;

/// The certificate usage of a record: which certificate it is about, and what is verified besides.
///
/// ```
/// use dane_tlsa::Usage;
///
/// assert_eq!(Usage::DANE_EE.to_string(), "DANE-EE(3)");
/// assert_eq!(Usage::new(9).to_string(), "usage 9");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize), serde(transparent))]
pub struct Usage(u8);

impl Usage {
    /// A certificate on the path to a public authority. SMTP does not use it (RFC 7672 section 3.1.3).
    pub const PKIX_TA: Self = Self(0);
    /// The server's certificate, verified by public authorities too. SMTP does not use it.
    pub const PKIX_EE: Self = Self(1);
    /// The trust anchor, which has issued the server's certificate.
    pub const DANE_TA: Self = Self(2);
    /// The server's certificate or key.
    pub const DANE_EE: Self = Self(3);

    /// Makes a usage of any number.
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

impl fmt::Display for Usage {
    /// Writes the acronym of RFC 7218 and the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PKIX_TA => f.write_str("PKIX-TA(0)"),
            Self::PKIX_EE => f.write_str("PKIX-EE(1)"),
            Self::DANE_TA => f.write_str("DANE-TA(2)"),
            Self::DANE_EE => f.write_str("DANE-EE(3)"),
            Self(number) => write!(f, "usage {number}"),
        }
    }
}
