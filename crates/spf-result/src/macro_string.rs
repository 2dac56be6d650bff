//! Text with macros: RFC 7208 section 7.

use std::fmt;
use std::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{anychar, digit0};
use nom::combinator::{map_res, opt};
use nom::sequence::delimited;
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
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MacroString {
    text: Box<str>,
    parts: Vec<Part>,
}

impl MacroString {
    /// The longest text, in octets; a longer one is wrong behind it.
    pub const MAX_OCTETS: usize = 65_535;

    /// Parses the text of a domain, without blanks and without the letters for explanations.
    pub(crate) fn parse_for_domain(text: &str) -> Result<Self, MacroError> {
        if let Some(at) = text.find(' ') {
            return Err(MacroError { at });
        }
        Self::parse(text, |part| match part {
            Part::Macro(found) => !matches!(found.letter, Letter::C | Letter::R | Letter::T),
            _ => true,
        })
    }

    fn parse(text: &str, takes: impl Fn(Part) -> bool) -> Result<Self, MacroError> {
        let percents = text.bytes().filter(|c| *c == b'%').count();
        let mut parts = Vec::with_capacity(2 * percents + 1);
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let from = u16::try_from(at).map_err(|_| MacroError { at })?;
            let (behind, part) = part(rest, from).map_err(|_| MacroError { at })?;
            if !takes(part) {
                return Err(MacroError { at });
            }
            parts.push(part);
            rest = behind;
        }
        Ok(Self { text: text.into(), parts })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text of a literal part.
    pub(crate) fn literal(&self, from: u16, length: u16) -> &str {
        let (from, length) = (usize::from(from), usize::from(length));
        self.text.get(from..from + length).unwrap_or_default()
    }

    pub(crate) fn ends_in_macro(&self) -> bool {
        !matches!(self.parts.last(), None | Some(Part::Literal { .. }))
    }

    /// Whether the name of the client is wanted, for which the DNS must be asked.
    pub(crate) fn has_p(&self) -> bool {
        let is_p = |part: &Part| matches!(part, Part::Macro(Macro { letter: Letter::P, .. }));
        self.parts.iter().any(is_p)
    }
}

impl FromStr for MacroString {
    type Err = MacroError;

    fn from_str(text: &str) -> Result<Self, MacroError> {
        match text.bytes().position(|c| !matches!(c, b' '..=b'~')) {
            Some(at) => Err(MacroError { at }),
            None => Self::parse(text, |_| true),
        }
    }
}

impl fmt::Display for MacroString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text is not a [`MacroString`]: a character that is not printable ASCII, or a percent sign that
/// begins no macro.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("byte {at} begins a macro that is none")]
#[non_exhaustive]
pub struct MacroError {
    /// Where, in bytes.
    pub at: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Where it is in the text.
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

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Macro {
    pub(crate) letter: Letter,
    /// Whether the letter is upper case: what comes out is escaped for a URL.
    pub(crate) escaped: bool,
    /// How many of the right-hand parts are wanted; more than a name can have means all.
    pub(crate) count: Option<u8>,
    pub(crate) reversed: bool,
    /// A bit for each of [`DELIMITERS`].
    delimiters: u8,
}

impl Macro {
    /// Whether the value goes in as it is.
    pub(crate) fn is_plain(self) -> bool {
        self.count.is_none() && !self.reversed && self.delimiters == 0
    }

    /// Whether values are split at this octet; without delimiters at dots.
    pub(crate) fn splits_at(self, octet: u8) -> bool {
        match self.delimiters {
            0 => octet == b'.',
            set => bit(octet) & set != 0,
        }
    }
}

/// The letters of RFC 7208 section 7.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    fn from_char(letter: char) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            's' => Self::S,
            'l' => Self::L,
            'o' => Self::O,
            'd' => Self::D,
            'i' => Self::I,
            'p' => Self::P,
            'v' => Self::V,
            'h' => Self::H,
            'c' => Self::C,
            'r' => Self::R,
            't' => Self::T,
            _ => return None,
        })
    }
}

type Parsed<'a, T> = IResult<&'a str, T, ()>;

fn part(input: &str, from: u16) -> Parsed<'_, Part> {
    let literal = |text: &str| {
        let length = u16::try_from(text.len()).map_err(|_| ())?;
        Ok::<_, ()>(Part::Literal { from, length })
    };
    alt((
        map_res(take_while1(|c| c != '%'), literal),
        delimited(tag("%{"), macro_body, tag("}")).map(Part::Macro),
        tag("%%").map(|_| Part::Percent),
        tag("%_").map(|_| Part::Space),
        tag("%-").map(|_| Part::UrlSpace),
    ))
    .parse(input)
}

/// `macro-letter transformers *delimiter`.
fn macro_body(input: &str) -> Parsed<'_, Macro> {
    let (input, letter) = anychar(input)?;
    let known = Letter::from_char(letter).ok_or(nom::Err::Error(()))?;
    let (input, digits) = digit0(input)?;
    let count = match digits.trim_start_matches('0') {
        "" if digits.is_empty() => None,
        "" => return Err(nom::Err::Error(())), // RFC 7208 section 7.3: it must be nonzero.
        digits => Some(digits.parse().unwrap_or(u8::MAX)),
    };
    let (input, reversed) = opt(alt((tag("r"), tag("R")))).parse(input)?;
    let (input, delimiters) =
        take_while(|c: char| u8::try_from(c).is_ok_and(|c| bit(c) != 0))(input)?;
    Ok((
        input,
        Macro {
            letter: known,
            escaped: letter.is_ascii_uppercase(),
            count,
            reversed: reversed.is_some(),
            delimiters: delimiters.bytes().fold(0, |set, c| set | bit(c)),
        },
    ))
}

fn bit(delimiter: u8) -> u8 {
    let at = DELIMITERS.iter().position(|c| *c == delimiter);
    at.map_or(0, |at| 1 << at)
}

const DELIMITERS: &[u8] = b".-+,/_=";
