//! Text with macros: RFC 7208 section 7.

use std::fmt;
use std::str::FromStr;

use memchr::memchr;
use nom::bytes::complete::{tag, take, take_while};
use nom::character::complete::{digit0, one_of};
use nom::combinator::{map_opt, opt};
use nom::sequence::terminated;
use nom::{IResult, Parser};
use thiserror::Error;

/// Text with macros: a `macro-string`, or the `explain-string` of an explanation.
///
/// ```
/// use spf_result::{MacroError, MacroString};
///
/// let text: MacroString = "%{i} is not one of %{d}'s".parse()?;
/// assert_eq!(text.to_string(), "%{i} is not one of %{d}'s");
/// assert_eq!("100%".parse::<MacroString>().unwrap_err().at, 3);
/// # Ok::<(), MacroError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MacroString {
    /// Printable ASCII.
    text: Box<[u8]>,
    parts: Parts,
}

impl MacroString {
    /// The longest text, in octets.
    pub const MAX_OCTETS: usize = 65_535;

    /// Parses the text of a domain, without the letters for explanations. It has no blanks.
    pub(crate) fn parse_for_domain(text: &[u8]) -> Result<Self, MacroError> {
        Self::parse(text, |part| match part {
            Part::Macro(found) => !matches!(found.letter, Letter::C | Letter::R | Letter::T),
            _ => true,
        })
    }

    fn parse(text: &[u8], takes: impl Fn(Part) -> bool) -> Result<Self, MacroError> {
        let mut parts = Parts::default();
        let mut at = 0;
        while at < text.len() {
            let (part, length) = part(text, at).ok_or(MacroError { at })?;
            if !takes(part) {
                return Err(MacroError { at });
            }
            parts.push(part);
            at += length;
        }
        Ok(Self { text: text.into(), parts })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        self.parts.as_slice()
    }

    /// The text of a literal part.
    pub(crate) fn literal(&self, from: u16, length: u16) -> &[u8] {
        let (from, length) = (usize::from(from), usize::from(length));
        self.text.get(from..from + length).unwrap_or_default()
    }

    pub(crate) fn ends_in_macro(&self) -> bool {
        !matches!(self.parts().last(), None | Some(Part::Literal { .. }))
    }

    /// Tells whether the text uses the client's name, which needs DNS questions.
    pub(crate) fn has_p(&self) -> bool {
        self.has(|letter| letter == Letter::P)
    }

    /// Tells whether the text uses the local part of the sender.
    pub(crate) fn has_local_part(&self) -> bool {
        self.has(|letter| matches!(letter, Letter::S | Letter::L))
    }

    fn has(&self, wanted: impl Fn(Letter) -> bool) -> bool {
        let is = |part: &Part| matches!(part, Part::Macro(found) if wanted(found.letter));
        self.parts().iter().any(is)
    }
}

impl FromStr for MacroString {
    type Err = MacroError;

    fn from_str(text: &str) -> Result<Self, MacroError> {
        match text.bytes().position(|c| !matches!(c, b' '..=b'~')) {
            Some(at) => Err(MacroError { at }),
            None => Self::parse(text.as_bytes(), |_| true),
        }
    }
}

impl fmt::Display for MacroString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text).unwrap_or_default())
    }
}

/// A text is not a [`MacroString`]: it has a character other than printable ASCII, or a percent
/// sign without a valid macro.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("invalid SPF macro, at byte {at}")]
#[non_exhaustive]
pub struct MacroError {
    /// The position of the fault, in bytes.
    pub at: usize,
}

/// The parts of a text; most texts have so few that they are stored inline.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Parts {
    Few { parts: [Part; 3], count: u8 },
    Many(Vec<Part>),
}

impl Parts {
    fn push(&mut self, part: Part) {
        match self {
            Self::Few { parts, count } => match parts.get_mut(usize::from(*count)) {
                Some(room) => (*room, *count) = (part, *count + 1),
                None => *self = Self::Many(parts.iter().copied().chain([part]).collect()),
            },
            Self::Many(parts) => parts.push(part),
        }
    }

    fn as_slice(&self) -> &[Part] {
        match self {
            Self::Few { parts, count } => parts.get(..usize::from(*count)).unwrap_or_default(),
            Self::Many(parts) => parts,
        }
    }
}

impl Default for Parts {
    fn default() -> Self {
        Self::Few { parts: [Part::Percent; 3], count: 0 }
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Part {
    /// A range of the text.
    Literal {
        from: u16,
        length: u16,
    },
    /// `%%`.
    Percent,
    /// `%_`.
    Space,
    /// `%-`.
    UrlSpace,
    Macro(Macro),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Macro {
    pub(crate) letter: Letter,
    /// Whether the letter is upper case: the value is escaped for a URL.
    pub(crate) escaped: bool,
    /// The number of last parts to keep; a number beyond the labels of a name keeps all.
    pub(crate) count: Option<u8>,
    pub(crate) reversed: bool,
    /// A bit for each of [`DELIMITERS`].
    delimiters: u8,
}

impl Macro {
    /// Takes a letter without transformers and delimiters.
    fn alone(octet: u8) -> Option<Self> {
        let letter = Letter::from_octet(octet)?;
        let escaped = octet.is_ascii_uppercase();
        Some(Self { letter, escaped, count: None, reversed: false, delimiters: 0 })
    }

    /// Tells whether the value is used unchanged.
    pub(crate) fn is_plain(self) -> bool {
        self.count.is_none() && !self.reversed && self.delimiters == 0
    }

    /// Tells whether the parts, split at dots, are only reversed.
    pub(crate) fn is_reversal(self) -> bool {
        self.count.is_none() && self.reversed && self.delimiters == 0
    }

    /// The number of last labels to keep, if that is the only transformation.
    pub(crate) fn last_labels(self) -> Option<u8> {
        self.count.filter(|_| !self.reversed && self.delimiters == 0)
    }

    /// Tells whether values are split at this octet; the default delimiter is the dot.
    pub(crate) fn splits_at(self, octet: u8) -> bool {
        match self.delimiters {
            0 => octet == b'.',
            set => bit(octet) & set != 0,
        }
    }
}

/// The letters of RFC 7208 section 7.2.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Letter {
    S,
    L,
    O,
    D,
    I,
    P,
    V,
    H,
    C,
    R,
    T,
}

impl Letter {
    fn from_octet(letter: u8) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            b's' => Self::S,
            b'l' => Self::L,
            b'o' => Self::O,
            b'd' => Self::D,
            b'i' => Self::I,
            b'p' => Self::P,
            b'v' => Self::V,
            b'h' => Self::H,
            b'c' => Self::C,
            b'r' => Self::R,
            b't' => Self::T,
            _ => return None,
        })
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, ()>;

/// The part at `from`, and its length in octets.
fn part(text: &[u8], from: usize) -> Option<(Part, usize)> {
    let rest = text.get(from..)?;
    Some(match rest {
        // By far the most frequent: a letter alone.
        [b'%', b'{', octet, b'}', ..] => (Part::Macro(Macro::alone(*octet)?), 4),
        [b'%', b'{', body @ ..] => {
            let (behind, found) = terminated(macro_body, tag(&b"}"[..])).parse(body).ok()?;
            (Part::Macro(found), rest.len() - behind.len())
        }
        [b'%', b'%', ..] => (Part::Percent, 2),
        [b'%', b'_', ..] => (Part::Space, 2),
        [b'%', b'-', ..] => (Part::UrlSpace, 2),
        [b'%', ..] => return None,
        _ => {
            let length = memchr(b'%', rest).unwrap_or(rest.len());
            let (from, short) = (u16::try_from(from).ok()?, u16::try_from(length).ok()?);
            (Part::Literal { from, length: short }, length)
        }
    })
}

/// `macro-letter transformers *delimiter`.
fn macro_body(input: &[u8]) -> Parsed<'_, Macro> {
    let (input, octet) =
        map_opt(take(1_usize), |octet: &[u8]| octet.first().copied()).parse(input)?;
    let alone = Macro::alone(octet).ok_or(nom::Err::Error(()))?;
    let (input, digits) = digit0(input)?;
    let count = match digits {
        [] => None,
        digits => Some(count(digits).ok_or(nom::Err::Error(()))?),
    };
    let (input, reversed) = opt(one_of("rR")).parse(input)?;
    let (input, delimiters) = take_while(|c| bit(c) != 0)(input)?;
    let delimiters = delimiters.iter().fold(0, |set, c| set | bit(*c));
    Ok((input, Macro { count, reversed: reversed.is_some(), delimiters, ..alone }))
}

/// The number of parts to keep, which must be nonzero (RFC 7208 section 7.3).
fn count(digits: &[u8]) -> Option<u8> {
    let add = |value: u8, c: &u8| value.saturating_mul(10).saturating_add(c - b'0');
    Some(digits.iter().fold(0, add)).filter(|count| *count > 0)
}

fn bit(delimiter: u8) -> u8 {
    let at = DELIMITERS.iter().position(|c| *c == delimiter);
    at.map_or(0, |at| 1 << at)
}

const DELIMITERS: &[u8] = b".-+,/_=";
