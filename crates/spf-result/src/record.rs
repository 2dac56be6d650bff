//! A published record: RFC 7208 sections 4.5, 4.6 and 12.

use std::str::FromStr;
use std::{fmt, mem};

use thiserror::Error;

use crate::directive::Directive;
use crate::word::Word;
use crate::{DomainSpec, MacroString};

/// A valid SPF record.
///
/// It can be kept and shared between checks. [`Display`](fmt::Display) is the inverse of parsing,
/// except for case and spaces.
///
/// ```
/// use spf_result::{Record, RecordError};
///
/// let record: Record = "v=spf1  IP4:192.0.2.0/24 -ALL".parse()?;
/// assert_eq!(record.to_string(), "v=spf1 ip4:192.0.2.0/24 -all");
///
/// // One invalid term makes the whole record invalid (RFC 7208 section 4.6).
/// let error = "v=spf1 +all ip4:192.0.2".parse::<Record>().unwrap_err();
/// assert_eq!(error, RecordError::Address { at: 16 });
/// # Ok::<(), RecordError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Record {
    terms: Box<[Term]>,
}

impl Record {
    /// The longest record, in octets: the most data of a DNS record.
    pub const MAX_OCTETS: usize = 65_535;

    /// Parses the octets of a TXT record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with the position of the first invalid term.
    pub fn parse(text: &[u8]) -> Result<Self, RecordError> {
        if text.len() > Self::MAX_OCTETS {
            return Err(RecordError::TooLong);
        }
        if !Self::is_one(text) {
            return Err(RecordError::Version);
        }
        // One pass over the whole text is faster than a loop that stops early.
        if text.iter().fold(false, |bad, c| bad | is_bad(*c)) {
            let at = text.iter().position(|c| is_bad(*c));
            return Err(RecordError::Character { at: at.unwrap_or(0) });
        }
        let mut terms = Vec::with_capacity(blanks(text));
        let mut seen = Seen::default();
        let mut rest = text.get(VERSION.len()..).unwrap_or_default();
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let word = Word::first(rest, at);
            if !word.text.is_empty() {
                Term::parse(word, &mut seen, |term| terms.push(term))?;
            }
            rest = rest.get(word.text.len() + 1..).unwrap_or_default();
        }
        Ok(Self { terms: terms.into_boxed_slice() })
    }

    /// Tells whether a text is an SPF record, valid or not: `v=spf1`, then a blank or the end (RFC
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

    /// Returns the domain to continue with if no directive matches (RFC 7208 section 6.1).
    ///
    /// ```
    /// use spf_result::Record;
    ///
    /// assert!(Record::is_one(b"v=spf1 nonsense:") && !Record::is_one(b"v=spf10"));
    /// let record: Record = "v=spf1 include:a.example -all exp=b.example".parse()?;
    /// assert_eq!((record.terms().len(), record.directives().count()), (3, 2));
    /// assert_eq!(record.redirect(), None);
    /// # Ok::<(), spf_result::RecordError>(())
    /// ```
    #[must_use]
    pub fn redirect(&self) -> Option<&DomainSpec> {
        self.terms.iter().find_map(|term| match term {
            Term::Redirect(target) => Some(target),
            _ => None,
        })
    }

    /// Returns the domain of the explanation of a fail (RFC 7208 section 6.2).
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
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "RFC 7208 section 4.6.1 is closed; new modifiers are `Unknown`"
)]
pub enum Term {
    /// A mechanism and its result.
    Directive(Directive),
    /// The domain to continue with if no directive matches (RFC 7208 section 6.1).
    Redirect(DomainSpec),
    /// The domain of the explanation of a fail (RFC 7208 section 6.2).
    Exp(DomainSpec),
    /// An unknown modifier, which is ignored (RFC 7208 section 6).
    Unknown {
        /// Its name.
        name: Box<str>,
        /// The text after the equals sign.
        value: MacroString,
    },
}

impl Term {
    fn parse(word: Word<'_>, seen: &mut Seen, put: impl FnOnce(Self)) -> Result<(), RecordError> {
        let value = match word.rest() {
            [b'=', value @ ..] if is_name(word.name()) => value,
            _ => return Directive::parse(word, |directive| put(Self::Directive(directive))),
        };
        let (name, at) = (word.name(), word.behind_name() + 1);
        let repeated = RecordError::Repeated { at: word.at };
        let once = |seen: &mut bool| if mem::replace(seen, true) { Err(repeated) } else { Ok(()) };
        put(if name.eq_ignore_ascii_case(b"redirect") {
            let domain = DomainSpec::parse(value, at, word.percent)?;
            once(&mut seen.redirect)?;
            Self::Redirect(domain)
        } else if name.eq_ignore_ascii_case(b"exp") {
            let domain = DomainSpec::parse(value, at, word.percent)?;
            once(&mut seen.exp)?;
            Self::Exp(domain)
        } else {
            let macros = |error| RecordError::from_macro(error, at);
            let text = |octets| str::from_utf8(octets).unwrap_or_default(); // It is ASCII.
            let value = text(value).parse().map_err(macros)?;
            Self::Unknown { name: text(name).into(), value }
        });
        Ok(())
    }
}

/// The modifiers so far that may occur once (RFC 7208 section 6).
#[derive(Default)]
struct Seen {
    redirect: bool,
    exp: bool,
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

/// The reason why a text is not a [`Record`]. Positions are in bytes from the start of the record.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// The text does not begin with `v=spf1` and a blank.
    #[error("SPF record does not begin with v=spf1")]
    Version,
    /// The text is longer than [`Record::MAX_OCTETS`].
    #[error("SPF record longer than 65535 octets")]
    TooLong,
    /// A character other than printable ASCII and blanks.
    #[error("character that is not printable ASCII in the SPF record, at byte {at}")]
    Character {
        /// The position of the character.
        at: usize,
    },
    /// An unknown mechanism, or an empty term.
    #[error("unknown SPF mechanism, at byte {at}")]
    Mechanism {
        /// The position of the term.
        at: usize,
    },
    /// An argument is missing, or the mechanism takes none.
    #[error("missing or unexpected argument of an SPF mechanism, at byte {at}")]
    Argument {
        /// The position of the fault.
        at: usize,
    },
    /// The argument is not an address of the mechanism's family.
    #[error("invalid IP address in the SPF record, at byte {at}")]
    Address {
        /// The position of the address.
        at: usize,
    },
    /// The prefix length is not a number, or is too long for the family.
    #[error("invalid prefix length in the SPF record, at byte {at}")]
    Prefix {
        /// The position of the prefix length.
        at: usize,
    },
    /// A domain ends neither in a dot and a top label, nor in a macro.
    #[error(
        "domain in the SPF record ends neither in a top-level domain nor in a macro, at byte {at}"
    )]
    Domain {
        /// The position of the domain.
        at: usize,
    },
    /// An invalid macro or percent sign, or a macro letter that only explanations may have.
    #[error("invalid SPF macro, at byte {at}")]
    Macro {
        /// The position of the macro.
        at: usize,
    },
    /// A second `redirect` or `exp` (RFC 7208 section 6).
    #[error("duplicate SPF modifier, at byte {at}")]
    Repeated {
        /// The position of the modifier.
        at: usize,
    },
}

impl RecordError {
    /// Returns the position of the fault, in bytes, if it has one.
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

/// The number of blanks: at most 255 in a piece, so that an octet can count them.
fn blanks(text: &[u8]) -> usize {
    let count = |piece: &[u8]| piece.iter().map(|c| u8::from(*c == b' ')).sum::<u8>();
    text.chunks(255).map(|piece| usize::from(count(piece))).sum()
}

fn is_bad(octet: u8) -> bool {
    !matches!(octet, b' '..=b'~')
}

const VERSION: &str = "v=spf1";
