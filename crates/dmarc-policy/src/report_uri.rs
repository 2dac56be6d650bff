//! A report destination: sections 4.6 and 4.8 of RFC 9989.

use std::fmt;
use std::str::FromStr;

use mail_types::smtp::{Domain, Mailbox};
use thiserror::Error;

/// A report destination, such as `mailto:dmarc@example.com`.
///
/// The size limit after the URI of an old record (`!10m`) is accepted and ignored.
///
/// ```
/// use dmarc_policy::{ReportUri, ReportUriError};
///
/// let uri: ReportUri = "mailto:d%2Cmarc@Example.com!10m".parse()?;
/// assert_eq!(uri.as_str(), "mailto:d%2Cmarc@Example.com");
/// assert_eq!(uri.mailbox().map(|mailbox| mailbox.to_string()).as_deref(), Some("\"d,marc\"@example.com"));
/// assert_eq!("dmarc@example.com".parse::<ReportUri>(), Err(ReportUriError::Scheme));
/// # Ok::<(), ReportUriError>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct ReportUri {
    text: UriText,
}

/// The text of a URI, in ASCII. Most are short, and take no allocation of their own.
#[derive(Clone, Eq, Hash, PartialEq)]
enum UriText {
    Short { length: u8, octets: [u8; SHORT] },
    Long(Box<[u8]>),
}

/// The most octets of a short URI, so that both forms take 48.
const SHORT: usize = 46;

impl UriText {
    fn new(text: &[u8]) -> Self {
        let mut octets = [0; SHORT];
        match (octets.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(text);
                Self::Short { length, octets }
            }
            _ => Self::Long(text.into()),
        }
    }

    fn octets(&self) -> &[u8] {
        match self {
            Self::Short { length, octets } => {
                octets.get(..usize::from(*length)).unwrap_or_default()
            }
            Self::Long(octets) => octets,
        }
    }
}

impl ReportUri {
    /// The longest URI, in octets.
    pub const MAX_OCTETS: usize = 1024;

    /// Returns the URI as written, without a size limit.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.text.octets()).unwrap_or_default()
    }

    /// Returns the address of a `mailto:` URI; `None` for another scheme, for several addresses,
    /// and for an invalid address. Header fields in the URI are ignored: the domain owner must not
    /// set them.
    #[must_use]
    pub fn mailbox(&self) -> Option<Mailbox> {
        let (scheme, rest) = self.as_str().split_once(':')?;
        let address = rest.split_once('?').map_or(rest, |(address, _)| address);
        if !scheme.eq_ignore_ascii_case("mailto") {
            return None;
        }
        let (local_part, host) = address.split_once('@').filter(|(_, host)| !host.contains('@'))?;
        Mailbox::new(&decoded(local_part)?, decoded(host)?.parse().ok()?).ok()
    }

    /// Returns the domain of [`mailbox`](Self::mailbox), for the check of destinations outside
    /// (RFC 9990 section 4).
    #[must_use]
    pub fn domain(&self) -> Option<Domain> {
        self.mailbox()?.domain().cloned()
    }
}

impl FromStr for ReportUri {
    type Err = ReportUriError;

    /// Parses one URI (RFC 3986 section 3), in which commas and exclamation points are
    /// percent-encoded.
    fn from_str(text: &str) -> Result<Self, ReportUriError> {
        Self::parse(text.as_bytes())
    }
}

impl ReportUri {
    pub(crate) fn parse(octets: &[u8]) -> Result<Self, ReportUriError> {
        if is_plain(octets) {
            return Ok(Self { text: UriText::new(octets) });
        }
        let octets = without_limit(octets);
        if octets.len() > Self::MAX_OCTETS {
            return Err(ReportUriError::TooLong { octets: octets.len() });
        }
        let colon = octets.iter().position(|&octet| octet == b':');
        let parts = colon.and_then(|at| octets.split_at_checked(at));
        let (scheme, rest) = parts.ok_or(ReportUriError::Scheme)?;
        let rest = rest.get(1..).unwrap_or_default();
        let begins = scheme.first().is_some_and(u8::is_ascii_alphabetic);
        let letter = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.');
        if !begins || !scheme.iter().all(letter) {
            return Err(ReportUriError::Scheme);
        }
        if rest.is_empty() {
            return Err(ReportUriError::Empty);
        }
        let wrong = |at: &usize| match rest.get(*at..) {
            Some([b'%', digits @ ..]) => {
                digits.iter().take(2).filter(|digit| digit.is_ascii_hexdigit()).count() < 2
            }
            Some([octet, ..]) => !is_uri_octet(*octet),
            _ => false,
        };
        match (0..rest.len()).find(wrong) {
            Some(at) => Err(ReportUriError::Character { at: scheme.len() + 1 + at }),
            None => Ok(Self { text: UriText::new(octets) }),
        }
    }
}

impl fmt::Debug for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReportUri").field(&self.as_str()).finish()
    }
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason why a text is not a [`ReportUri`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReportUriError {
    /// The scheme, such as `mailto:`, is missing.
    #[error("report URI without a scheme such as mailto:")]
    Scheme,
    /// Nothing follows the scheme.
    #[error("report URI with nothing after its scheme")]
    Empty,
    /// A character must be percent-encoded, also a percent sign without two digits after it.
    #[error("character in the report URI must be percent-encoded, at byte {at}")]
    Character {
        /// The position in bytes.
        at: usize,
    },
    /// The URI has more than [`ReportUri::MAX_OCTETS`].
    #[error("report URI has {octets} octets, more than 1024")]
    TooLong {
        /// The length in octets.
        octets: usize,
    },
}

/// Tells whether it has the usual form: `mailto:`, an address, and no character that needs further
/// checks.
fn is_plain(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"mailto:").unwrap_or_default();
    let taken = |octet: &u8| IS_PLAIN_OCTET.get(usize::from(*octet)).is_some_and(|taken| *taken);
    !rest.is_empty() && text.len() <= ReportUri::MAX_OCTETS && rest.iter().all(taken)
}

/// Removes `obs-dmarc-report-size`.
fn without_limit(text: &[u8]) -> &[u8] {
    let mark = text.iter().rposition(|octet| *octet == b'!');
    let Some((uri, [_, limit @ ..])) = mark.and_then(|at| text.split_at_checked(at)) else {
        return text;
    };
    let digits = match limit.split_last() {
        Some((unit, digits)) if b"kmgtKMGT".contains(unit) => digits,
        _ => limit,
    };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_number { uri } else { text }
}

#[expect(clippy::indexing_slicing, reason = "the compiler checks a constant")]
const IS_PLAIN_OCTET: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0_u8;
    while octet < u8::MAX {
        // A percent sign needs two digits after it.
        table[octet as usize] = is_uri_octet(octet) && octet != b'%';
        octet += 1;
    }
    table
};

const fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'!' | b',' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => return String::from_utf8(octets).ok(),
            [b'%', high, low, behind @ ..] => {
                let digit = |octet: &u8| char::from(*octet).to_digit(16);
                octets.push(u8::try_from(16 * digit(high)? + digit(low)?).ok()?);
                rest = behind;
            }
            [octet, behind @ ..] => {
                octets.push(*octet);
                rest = behind;
            }
        }
    }
}
