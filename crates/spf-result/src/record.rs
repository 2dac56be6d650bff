//! A published record: RFC 7208 sections 4.5, 4.6 and 12.

use std::fmt;
use std::str::FromStr;

use memchr::memchr;
use thiserror::Error;

use crate::directive::Directive;
use crate::{DomainSpec, MacroString};

/// An SPF record that is sound from its first term to its last.
///
/// It can be kept and shared between checks. [`Display`](fmt::Display) is the inverse of parsing,
/// up to case and spaces.
///
/// ```
/// use spf_result::{Record, RecordError};
///
/// let record: Record = "v=spf1  IP4:192.0.2.0/24 -ALL".parse()?;
/// assert_eq!(record.to_string(), "v=spf1 ip4:192.0.2.0/24 -all");
///
/// // One bad term spoils all of it, wherever it stands (RFC 7208 section 4.6).
/// let error = "v=spf1 +all ip4:192.0.2".parse::<Record>().unwrap_err();
/// assert_eq!(error, RecordError::Address { at: 16 });
/// # Ok::<(), RecordError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    terms: Box<[Term]>,
}

impl Record {
    /// The longest record that is read, in octets: what the data of a DNS record can hold.
    pub const MAX_OCTETS: usize = 65_535;

    /// Parses the octets of a TXT record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] names the first term that is wrong, and where.
    pub fn parse(text: &[u8]) -> Result<Self, RecordError> {
        if text.len() > Self::MAX_OCTETS {
            return Err(RecordError::TooLong);
        }
        if !Self::is_one(text) {
            return Err(RecordError::Version);
        }
        // Of the whole text, which is quicker than to stop where something is found.
        if text.iter().fold(false, |bad, c| bad | is_bad(*c)) {
            let at = text.iter().position(|c| is_bad(*c));
            return Err(RecordError::Character { at: at.unwrap_or(0) });
        }
        let mut terms = Vec::with_capacity(blanks(text));
        let (mut redirect, mut exp) = (false, false);
        let mut rest = text.get(VERSION.len()..).unwrap_or_default();
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let word = Word::first(rest, at);
            if !word.text.is_empty() {
                Term::parse(word, |term| terms.push(term))?;
                let seen = match terms.last() {
                    Some(Term::Redirect(_)) => std::mem::replace(&mut redirect, true),
                    Some(Term::Exp(_)) => std::mem::replace(&mut exp, true),
                    _ => false,
                };
                if seen {
                    return Err(RecordError::Repeated { at });
                }
            }
            rest = rest.get(word.text.len() + 1..).unwrap_or_default();
        }
        Ok(Self { terms: terms.into_boxed_slice() })
    }

    /// Tells whether a text is an SPF record, good or bad: `v=spf1`, then a blank or the end (RFC
    /// 7208 section 4.5).
    #[must_use]
    pub fn is_one(text: &[u8]) -> bool {
        let (version, rest) = text.split_at_checked(VERSION.len()).unwrap_or_default();
        version.eq_ignore_ascii_case(VERSION.as_bytes()) && matches!(rest, [] | [b' ', ..])
    }

    pub(crate) fn empty() -> Self {
        Self { terms: Box::default() }
    }

    /// Returns the terms in their order.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Returns the directives in their order.
    pub fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.terms.iter().filter_map(|term| match term {
            Term::Directive(directive) => Some(directive),
            _ => None,
        })
    }

    /// Returns where evaluation goes on if no directive matches (RFC 7208 section 6.1).
    #[must_use]
    pub fn redirect(&self) -> Option<&DomainSpec> {
        self.terms.iter().find_map(|term| match term {
            Term::Redirect(target) => Some(target),
            _ => None,
        })
    }

    /// Returns where the explanation of a fail is (RFC 7208 section 6.2).
    #[must_use]
    pub fn exp(&self) -> Option<&DomainSpec> {
        self.terms.iter().find_map(|term| match term {
            Term::Exp(target) => Some(target),
            _ => None,
        })
    }
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}

/// A term of a [`Record`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "RFC 7208 section 4.6.1 is closed; what is new is unknown"
)]
pub enum Term {
    /// A mechanism and what it says of those who match.
    Directive(Directive),
    /// Where evaluation goes on if no directive matches (RFC 7208 section 6.1).
    Redirect(DomainSpec),
    /// Where the explanation of a fail is (RFC 7208 section 6.2).
    Exp(DomainSpec),
    /// A modifier without a meaning here, which is ignored (RFC 7208 section 6).
    Unknown {
        /// Its name.
        name: Box<str>,
        /// What stands behind the equals sign.
        value: MacroString,
    },
}

impl Term {
    fn parse(word: Word<'_>, put: impl FnOnce(Self)) -> Result<(), RecordError> {
        let (name, rest) = word.split(0);
        let value = match rest {
            [b'=', value @ ..] if is_name(name) => value,
            _ => return Directive::parse(word, |directive| put(Self::Directive(directive))),
        };
        let at = word.at + name.len() + 1;
        put(if name.eq_ignore_ascii_case(b"redirect") {
            Self::Redirect(DomainSpec::parse(value, at)?)
        } else if name.eq_ignore_ascii_case(b"exp") {
            Self::Exp(DomainSpec::parse(value, at)?)
        } else {
            let macros = |error| RecordError::from_macro(error, at);
            let text = |octets| str::from_utf8(octets).unwrap_or_default(); // It is ASCII.
            let value = text(value).parse().map_err(macros)?;
            Self::Unknown { name: text(name).into(), value }
        });
        Ok(())
    }
}

/// The text of a term, and where it is.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) at: usize,
    /// How long what is before the first colon, slash or equals sign is.
    name: usize,
}

impl<'a> Word<'a> {
    /// What is before the first blank.
    fn first(text: &'a [u8], at: usize) -> Self {
        let text = text.get(..memchr(b' ', text).unwrap_or(text.len())).unwrap_or_default();
        let mark = text.iter().position(|c| matches!(c, b':' | b'/' | b'='));
        Self { text, at, name: mark.unwrap_or(text.len()) }
    }

    /// The name, from `start` on, and the rest.
    pub(crate) fn split(self, start: usize) -> (&'a [u8], &'a [u8]) {
        let name = self.text.get(start..self.name).unwrap_or_default();
        (name, self.text.get(self.name.max(start)..).unwrap_or_default())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(directive) => write!(f, "{directive}"),
            Self::Redirect(target) => write!(f, "redirect={target}"),
            Self::Exp(target) => write!(f, "exp={target}"),
            Self::Unknown { name, value } => write!(f, "{name}={value}"),
        }
    }
}

/// Why a text is not a [`Record`]. Positions are in bytes from the start of the record.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// It does not begin with `v=spf1` and a blank.
    #[error("no v=spf1 at the beginning")]
    Version,
    /// It is longer than [`Record::MAX_OCTETS`].
    #[error("longer than 65535 octets")]
    TooLong,
    /// Something else than printable ASCII and blanks.
    #[error("byte {at} is not printable ASCII")]
    Character {
        /// Where.
        at: usize,
    },
    /// A mechanism that there is not, or no mechanism at all.
    #[error("byte {at} begins a mechanism that is not known")]
    Mechanism {
        /// Where.
        at: usize,
    },
    /// An argument is missing, or there where the mechanism has none.
    #[error("byte {at} should begin the mechanism's argument, or end the term")]
    Argument {
        /// Where.
        at: usize,
    },
    /// Not an address of the mechanism's family.
    #[error("byte {at} should begin an address")]
    Address {
        /// Where.
        at: usize,
    },
    /// Not the length of a prefix, or too long for the family.
    #[error("byte {at} should begin the length of a prefix")]
    Prefix {
        /// Where.
        at: usize,
    },
    /// A domain that ends neither in a dot and a top label, nor in a macro.
    #[error("the domain at byte {at} ends neither in a top-level domain nor in a macro")]
    Domain {
        /// Where it begins.
        at: usize,
    },
    /// A percent sign or a macro that is wrong, or a letter that is only for explanations.
    #[error("byte {at} begins a macro that is none here")]
    Macro {
        /// Where.
        at: usize,
    },
    /// A second `redirect` or `exp` (RFC 7208 section 6).
    #[error("byte {at} begins a modifier that was there before")]
    Repeated {
        /// Where.
        at: usize,
    },
}

impl RecordError {
    /// Returns where it is, in bytes, if it is at a place.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        match *self {
            Self::Version | Self::TooLong => None,
            Self::Character { at }
            | Self::Mechanism { at }
            | Self::Argument { at }
            | Self::Address { at }
            | Self::Prefix { at }
            | Self::Domain { at }
            | Self::Macro { at }
            | Self::Repeated { at } => Some(at),
        }
    }

    pub(crate) fn from_macro(error: crate::MacroError, base: usize) -> Self {
        Self::Macro { at: base + error.at }
    }
}

/// RFC 7208 section 12: `ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`.
fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

/// How many blanks there are: at most 255 in a piece, so that an octet can count them.
fn blanks(text: &[u8]) -> usize {
    let count = |piece: &[u8]| piece.iter().map(|c| u8::from(*c == b' ')).sum::<u8>();
    text.chunks(255).map(|piece| usize::from(count(piece))).sum()
}

fn is_bad(octet: u8) -> bool {
    !matches!(octet, b' '..=b'~')
}

const VERSION: &str = "v=spf1";
