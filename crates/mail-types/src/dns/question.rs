//! Questions to the DNS.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use thiserror::Error;

use crate::dns::Name;

/// One question to the DNS.
///
/// ```
/// use mail_types::dns::{RecordType, Question};
///
/// let question = Question::new("example.com".parse()?, RecordType::Mx);
/// assert_eq!(question.to_string(), "example.com MX");
/// # Ok::<(), mail_types::dns::NameError>(())
/// ```
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "the DNS has just these two, and a class")]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The type of the records.
    pub kind: RecordType,
}

impl Question {
    /// Makes a question.
    #[must_use]
    pub fn new(name: Name, kind: RecordType) -> Self {
        Self { name, kind }
    }
}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash_with(self.kind as u8, state);
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

/// A type of record that mail protocols ask for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The alias itself, not followed (RFC 7672 section 2.1.3 needs it).
    Cname,
    /// Mail exchangers.
    Mx,
    /// Host names of an address.
    Ptr,
    /// Certificate associations (RFC 6698).
    Tlsa,
    /// Texts.
    Txt,
}

impl RecordType {
    /// All types.
    pub const ALL: [Self; 7] =
        [Self::A, Self::Aaaa, Self::Cname, Self::Mx, Self::Ptr, Self::Tlsa, Self::Txt];

    /// Returns the mnemonic of the DNS, such as `AAAA`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RecordType {
    type Err = RecordTypeError;

    fn from_str(text: &str) -> Result<Self, RecordTypeError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        found.ok_or(RecordTypeError)
    }
}

/// A text is not the name of a [`RecordType`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("not a supported DNS record type (A, AAAA, CNAME, MX, PTR, TLSA, TXT)")]
#[non_exhaustive]
pub struct RecordTypeError;
