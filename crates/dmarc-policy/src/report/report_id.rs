//! The identifier of a report: section 3.5.1 of RFC 9990.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The identifier of a report, or of a mail without its angle brackets: words with dots between
/// them, with at most one `@` between two groups of words.
///
/// ```
/// use dmarc_policy::{ReportId, ReportIdError};
///
/// let id: ReportId = "1795219200-example.com@mx.example.net".parse()?;
/// assert_eq!(id.as_str(), "1795219200-example.com@mx.example.net");
/// assert_eq!("a b".parse::<ReportId>(), Err(ReportIdError::Character { at: 1 }));
/// # Ok::<(), ReportIdError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ReportId {
    text: Box<str>,
}

impl ReportId {
    /// The longest identifier in octets, so that a header line can hold it.
    pub const MAX_OCTETS: usize = 250;

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ReportId {
    type Err = ReportIdError;

    fn from_str(text: &str) -> Result<Self, ReportIdError> {
        if text.len() > Self::MAX_OCTETS {
            return Err(ReportIdError::TooLong { octets: text.len() });
        }
        let (mut before, mut signs) = (b'.', 0);
        for (at, &octet) in text.as_bytes().iter().enumerate() {
            let between = matches!(octet, b'.' | b'@');
            signs += usize::from(octet == b'@');
            if !(between || is_atext(octet)) || between && is_between(before) || signs > 1 {
                return Err(ReportIdError::Character { at });
            }
            before = octet;
        }
        if is_between(before) {
            return Err(ReportIdError::Character { at: text.len() });
        }
        Ok(Self { text: text.into() })
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The reason why a text is not a [`ReportId`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReportIdError {
    /// A character is not allowed, or the text ends too early.
    #[error("invalid character or end of the report identifier, at byte {at}")]
    Character {
        /// The position in bytes.
        at: usize,
    },
    /// The text has more than [`ReportId::MAX_OCTETS`].
    #[error("report identifier has {octets} octets, more than 250")]
    TooLong {
        /// The length in octets.
        octets: usize,
    },
}

fn is_between(octet: u8) -> bool {
    matches!(octet, b'.' | b'@')
}

/// `atext` of RFC 5322 section 3.2.3.
fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}
