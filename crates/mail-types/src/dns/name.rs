//! A name in the DNS: RFC 1035 sections 2.3, 3.1 and 5.1; RFC 2181 section 11.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use crate::dns::wire::{Building, Short, Wire, dotted, dotted_below};
use crate::smtp::Domain;

/// An absolute name in the DNS, of any octets; the root is one too.
///
/// Comparison ignores ASCII case; the name keeps its own case. It is cheap to clone: a short name
/// is stored inline, a longer one is shared. Names are ordered as in DNSSEC (RFC 4034 section 6.1):
/// a parent directly before its children.
///
/// The text is the presentation form of RFC 1035 section 5.1: `\.` for a dot in a label, `\DDD` for
/// an octet. It has no dot at its end, except the root, which is `.`; parsing accepts both forms.
///
/// ```
/// use mail_types::dns::Name;
///
/// let name: Name = "Example.COM.".parse()?;
/// assert_eq!(name, "example.com".parse()?);
/// assert_eq!(name.to_string(), "Example.COM");
/// assert_eq!(name.child(b"_dmarc")?.to_string(), "_dmarc.Example.COM");
/// # Ok::<(), mail_types::dns::NameError>(())
/// ```
#[derive(Clone)]
pub struct Name(Wire);

impl Name {
    /// The longest name on the wire in octets, the root's octet included (RFC 1035 section 3.1).
    pub const MAX_OCTETS: usize = 255;
    /// The longest label, in octets (RFC 1035 section 3.1).
    pub const MAX_LABEL: usize = 63;

    /// Returns the root.
    #[must_use]
    pub fn root() -> Self {
        Self(Wire::from(&[][..]))
    }

    /// Makes a name from its labels, the leftmost first.
    ///
    /// # Errors
    ///
    /// [`NameError`] if a label is empty or too long, or the whole name is too long; its position
    /// counts octets on the wire.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NameError> {
        let mut building = Building::default();
        for label in labels {
            building.push(label, building.length)?;
        }
        Ok(Self(building.wire()))
    }

    /// Returns the name that has the PTR records of an address: RFC 1035 section 3.5, RFC 3596
    /// section 2.5.
    ///
    /// ```
    /// use mail_types::dns::Name;
    ///
    /// assert_eq!(Name::reverse("192.0.2.1".parse()?).to_string(), "1.2.0.192.in-addr.arpa");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn reverse(address: IpAddr) -> Self {
        let name = match address {
            IpAddr::V4(address) => {
                let octets = address.octets().map(|octet| octet.to_string());
                let labels = octets.iter().rev().map(String::as_bytes);
                Self::from_labels(labels.chain([&b"in-addr"[..], b"arpa"]))
            }
            IpAddr::V6(address) => {
                let digit =
                    |digit: u8| [HEX_DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0')];
                let digits = address.octets().map(|octet| [digit(octet & 15), digit(octet >> 4)]);
                let labels = digits.iter().rev().flatten().map(<[u8; 1]>::as_slice);
                Self::from_labels(labels.chain([&b"ip6"[..], b"arpa"]))
            }
        };
        name.unwrap_or_else(|_| Self::root()) // At most 34 labels of one octet.
    }

    /// Parses labels with dots between them, as mail writes domains: without escapes, and without a
    /// dot at the end.
    ///
    /// # Errors
    ///
    /// The same as of [`Name::from_labels`]; its position counts octets of the text.
    #[inline]
    pub fn from_dotted(text: &[u8]) -> Result<Self, NameError> {
        if text.len() < Short::MAX {
            return Short::dotted(text).map(|short| Self(Wire::Short(short)));
        }
        let mut octets = [0; Self::MAX_OCTETS];
        match octets.get_mut(..=text.len()) {
            Some(octets) if text.len() < Self::MAX_OCTETS - 1 => {
                dotted(text, octets)?;
                Ok(Self(Wire::from(&*octets)))
            }
            _ => Err(NameError::TooLong { at: Self::MAX_OCTETS - 2 }),
        }
    }

    /// Makes a name from a first label, such as `_dmarc`, and a text of further labels as in
    /// [`Name::from_dotted`].
    ///
    /// # Errors
    ///
    /// The same as of [`Name::from_labels`]; its position counts octets of the text, 0 for the
    /// first label.
    pub fn from_label_and_dotted(label: &[u8], text: &[u8]) -> Result<Self, NameError> {
        if label.len() + text.len() + 1 < Short::MAX {
            return Short::dotted_below(label, text).map(|short| Self(Wire::Short(short)));
        }
        let mut octets = [0; Self::MAX_OCTETS];
        match octets.get_mut(..label.len() + text.len() + 2) {
            Some(octets) if octets.len() < Self::MAX_OCTETS => {
                dotted_below(label, text, octets)?;
                Ok(Self(Wire::from(&*octets)))
            }
            _ => Err(NameError::TooLong { at: text.len() }),
        }
    }

    /// Returns the labels, the leftmost first, without the empty label of the root.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels { rest: self.wire() }
    }

    /// Writes the labels into `room`, with dots between them and without escapes: the inverse of
    /// [`Name::from_dotted`]. The root gives an empty text.
    pub fn write_dotted<'r>(&self, room: &'r mut [u8; Self::MAX_OCTETS]) -> &'r [u8] {
        let labels = self.wire().get(1..).unwrap_or_default();
        let Some(text) = room.get_mut(..labels.len()) else { return &[] };
        text.copy_from_slice(labels);
        let mut at = self.wire().first().map_or(0, |length| usize::from(*length));
        while let Some(octet) = text.get_mut(at) {
            at += usize::from(*octet) + 1;
            *octet = b'.';
        }
        text
    }

    /// Returns the length of the name on the wire in octets, the root's octet included.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.wire().len() + 1
    }

    /// Tells whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.wire().is_empty()
    }

    /// Returns the name without its leftmost label, or `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let mut labels = self.labels();
        labels.next()?;
        Some(Self(labels.rest.into()))
    }

    /// Returns the name with one more label on its left, such as `_dmarc`.
    ///
    /// # Errors
    ///
    /// The same as of [`Name::from_labels`].
    pub fn child(&self, label: &[u8]) -> Result<Self, NameError> {
        Self::from_labels([label].into_iter().chain(self.labels()))
    }

    /// Tells whether this name is `other` or below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let mut labels = self.labels();
        loop {
            match labels.rest.len().cmp(&other.wire().len()) {
                Ordering::Less => return false,
                Ordering::Equal => return labels.rest.eq_ignore_ascii_case(other.wire()),
                Ordering::Greater => labels.next(),
            };
        }
    }

    /// Hashes the name and an octet in large pieces: hashers are slow with small ones.
    pub(crate) fn hash_with<H: Hasher>(&self, last: u8, state: &mut H) {
        if let Wire::Short(short) = &self.0 {
            let (mut lower, length) = (short.to_lower(), short.len());
            // Into the first word, which the hasher reads as one.
            if let Some(word) = lower.as_chunks_mut::<8>().0.first_mut() {
                *word = (u64::from_le_bytes(*word) ^ u64::from(last)).to_le_bytes();
            }
            return state.write(lower.get(..=length).unwrap_or_default());
        }
        for octet in self.wire() {
            state.write_u8(octet.to_ascii_lowercase());
        }
        state.write_u8(last);
    }

    fn wire(&self) -> &[u8] {
        self.0.octets()
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "." {
            return Ok(Self::root());
        }
        let (mut wire, mut label) = (Building::default(), Vec::new());
        let (mut rest, mut at) = (text.as_bytes(), 0);
        loop {
            let (octet, used) = match *rest {
                [] | [b'.'] => {
                    wire.push(&label, at)?;
                    return Ok(Self(wire.wire()));
                }
                [b'.', ..] => {
                    wire.push(&label, at)?;
                    label.clear();
                    (None, 1)
                }
                [b'\\', a @ b'0'..=b'9', b, c, ..] => {
                    (Some(decimal([a, b, c]).ok_or(NameError::Escape { at })?), 4)
                }
                [b'\\', c, ..] if !c.is_ascii_digit() => (Some(c), 2),
                [b'\\', ..] => return Err(NameError::Escape { at }),
                [c, ..] => (Some(c), 1),
            };
            label.extend(octet);
            if label.len() > Self::MAX_LABEL {
                return Err(NameError::LabelTooLong { at });
            }
            rest = rest.get(used..).unwrap_or_default();
            at += used;
        }
    }
}

impl From<&Domain> for Name {
    fn from(domain: &Domain) -> Self {
        // Cannot fail: a domain's labels and length have been checked.
        Self::from_dotted(domain.as_str().as_bytes()).unwrap_or_else(|_| Self::root())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (i, label) in self.labels().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            // Most labels need no escape.
            if let (true, Ok(label)) = (label.iter().copied().all(is_plain), str::from_utf8(label))
            {
                f.write_str(label)?;
                continue;
            }
            for &octet in label {
                match octet {
                    b'!'..=b'~' if is_plain(octet) => write!(f, "{}", char::from(octet))?,
                    b'!'..=b'~' => write!(f, "\\{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

/// Tells whether an octet stands for itself in a name's text.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(octet, b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$')
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // Lengths are below 64, no letters. Most names come in one case.
        match (&self.0, &other.0) {
            (Wire::Short(mine), Wire::Short(theirs)) => {
                mine == theirs || mine.to_lower() == theirs.to_lower()
            }
            _ => self.wire().eq_ignore_ascii_case(other.wire()),
        }
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash_with(0, state);
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |label: &[u8]| label.to_ascii_lowercase();
        let mut mine: Vec<_> = self.labels().map(lower).collect();
        let mut theirs: Vec<_> = other.labels().map(lower).collect();
        mine.reverse();
        theirs.reverse();
        mine.cmp(&theirs)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The labels of a [`Name`], the leftmost first.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        let (label, rest) = rest.split_at_checked(length.into())?;
        self.rest = rest;
        Some(label)
    }
}

/// The reason why a text is not a [`Name`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum NameError {
    /// A label, or the whole text, is empty.
    #[error("empty label in the DNS name, at byte {at}")]
    EmptyLabel {
        /// The position after the label, in bytes.
        at: usize,
    },
    /// A label has more than 63 octets (RFC 1035 section 3.1).
    #[error("label of the DNS name longer than 63 octets, at byte {at}")]
    LabelTooLong {
        /// A position in the label, in bytes.
        at: usize,
    },
    /// The name has more than 255 octets on the wire (RFC 1035 section 3.1).
    #[error("DNS name longer than 255 octets, at byte {at}")]
    TooLong {
        /// The end of the first label beyond the limit, in bytes.
        at: usize,
    },
    /// The three digits of an octet, or any character, are missing after a backslash.
    #[error("invalid escape in the DNS name, at byte {at}")]
    Escape {
        /// The position of the backslash, in bytes.
        at: usize,
    },
    /// A label is not valid in IDNA (feature `idna`).
    #[error("not a valid internationalized domain name (IDNA)")]
    Unicode,
}

fn decimal(digits: [u8; 3]) -> Option<u8> {
    std::str::from_utf8(&digits)
        .ok()
        .filter(|d| d.bytes().all(|c| c.is_ascii_digit()))?
        .parse()
        .ok()
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";
