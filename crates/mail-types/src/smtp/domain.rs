//! The name of a domain as mail uses it: RFC 5321 sections 2.3.5 and 4.1.2.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::dns::Name;

/// A domain in ASCII: letters, digits and hyphens, in lower case; U-labels as A-labels.
///
/// It has no dot at its end. The DNS allows more names than mail does: see [`Name`](crate::dns::Name).
/// `Domain::from_unicode` (feature `idna`) makes a domain from Unicode.
///
/// ```
/// use mail_types::smtp::{Domain, DomainError};
///
/// assert_eq!("MX.Example.com".parse::<Domain>()?.as_str(), "mx.example.com");
/// assert_eq!("a_b.example".parse::<Domain>(), Err(DomainError::Character { at: 1 }));
/// # Ok::<(), DomainError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain {
    text: Arc<str>,
}

impl Domain {
    /// The longest domain in octets; as a [`Name`](crate::dns::Name) it has 255 octets on the wire.
    pub const MAX_OCTETS: usize = 253;

    /// Returns the domain in lower case, without a dot at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the labels, the leftmost first.
    #[must_use]
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.text.split('.')
    }

    /// Returns the domain without its leftmost label, or `None` if that is its only one.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.text.split_once('.').map(|(_, parent)| Self { text: parent.into() })
    }

    /// Returns the domain that begins at this octet of the text, or `None` if no label begins
    /// there.
    ///
    /// ```
    /// use mail_types::smtp::Domain;
    ///
    /// let domain: Domain = "mx.example.com".parse()?;
    /// assert_eq!(domain.suffix(3), Some("example.com".parse()?));
    /// assert_eq!(domain.suffix(4), None);
    /// # Ok::<(), mail_types::smtp::DomainError>(())
    /// ```
    #[must_use]
    pub fn suffix(&self, at: usize) -> Option<Self> {
        match at.checked_sub(1) {
            None => Some(self.clone()),
            Some(before) => {
                let dot = self.text.as_bytes().get(before) == Some(&b'.');
                Some(Self { text: self.text.get(at..).filter(|_| dot)?.into() })
            }
        }
    }

    /// Tells whether this domain is `other` or a subdomain of it.
    ///
    /// ```
    /// use mail_types::smtp::Domain;
    ///
    /// let domain: Domain = "mx.example.com".parse()?;
    /// assert_eq!(domain.labels().collect::<Vec<_>>(), ["mx", "example", "com"]);
    /// assert_eq!(domain.parent(), Some("example.com".parse()?));
    /// assert!(domain.is_within(&"example.com".parse()?) && !domain.is_within(&"ample.com".parse()?));
    /// # Ok::<(), mail_types::smtp::DomainError>(())
    /// ```
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let above = self.text.strip_suffix(&*other.text);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        if text.len() > Self::MAX_OCTETS {
            return Err(DomainError::TooLong { octets: text.len() });
        }
        let mut at = 0;
        for label in text.split('.') {
            check_label(label.as_bytes(), at)?;
            at += label.len() + 1;
        }
        Ok(Self { text: text.to_ascii_lowercase().into() })
    }
}

impl TryFrom<&str> for Domain {
    type Error = DomainError;

    fn try_from(text: &str) -> Result<Self, DomainError> {
        text.parse()
    }
}

/// Converts a name that mail can be sent to.
impl TryFrom<&Name> for Domain {
    type Error = DomainError;

    fn try_from(name: &Name) -> Result<Self, DomainError> {
        let labels = name.labels();
        let mut at = 0;
        for label in labels.clone() {
            check_label(label, at)?;
            at += label.len() + 1;
        }
        let text: Vec<_> = labels.map(<[u8]>::to_ascii_lowercase).collect();
        String::from_utf8_lossy(&text.join(&b'.')).parse()
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({self})")
    }
}

/// The reason why a text is not a [`Domain`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum DomainError {
    /// A label, or the whole text, is empty.
    #[error("empty label in the domain, at byte {at}")]
    EmptyLabel {
        /// The position after the label, in bytes.
        at: usize,
    },
    /// A character is not a letter, a digit or a hyphen.
    #[error("byte {at} of the domain is not a letter, digit or hyphen")]
    Character {
        /// The position of the character, in bytes.
        at: usize,
    },
    /// A label begins or ends with a hyphen.
    #[error("domain label begins or ends with a hyphen, at byte {at}")]
    Hyphen {
        /// The position of the hyphen, in bytes.
        at: usize,
    },
    /// A label has more than 63 octets (RFC 1035 section 3.1).
    #[error("domain label longer than 63 octets, at byte {at}")]
    LabelTooLong {
        /// The position of the label, in bytes.
        at: usize,
    },
    /// The domain has more than 253 octets (RFC 1035 section 3.1).
    #[error("domain has {octets} octets, more than 253")]
    TooLong {
        /// The length of the domain, in octets.
        octets: usize,
    },
    /// A label is not valid in IDNA (feature `idna`).
    #[error("not a valid internationalized domain name (IDNA)")]
    Unicode,
}

fn check_label(label: &[u8], at: usize) -> Result<(), DomainError> {
    let good = |c: &u8| c.is_ascii_alphanumeric() || *c == b'-';
    if let Some(bad) = label.iter().position(|c| !good(c)) {
        return Err(DomainError::Character { at: at + bad });
    }
    match label {
        [] => Err(DomainError::EmptyLabel { at }),
        [b'-', ..] => Err(DomainError::Hyphen { at }),
        [.., b'-'] => Err(DomainError::Hyphen { at: at + label.len() - 1 }),
        _ if label.len() > 63 => Err(DomainError::LabelTooLong { at }),
        _ => Ok(()),
    }
}
