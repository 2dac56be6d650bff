//! Text with macros: RFC 7208 section 7.

use std::fmt;
use std::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{anychar, digit0};
use nom::combinator::opt;
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
    parts: Box<[Part]>,
}

impl MacroString {
    /// Parses the text of a domain, without blanks and without the letters for explanations.
    pub(crate) fn parse_for_domain(text: &str) -> Result<Self, MacroError> {
        let for_explanations = |part: &Part| match part {
            Part::Literal(text) => text.contains(' '),
            Part::Macro(found) => matches!(found.letter, Letter::C | Letter::R | Letter::T),
            _ => false,
        };
        Self::parse(text, |part| !for_explanations(part))
    }

    fn parse(text: &str, takes: impl Fn(&Part) -> bool) -> Result<Self, MacroError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (behind, part) = part(rest).map_err(|_| MacroError { at })?;
            if !takes(&part) {
                return Err(MacroError { at });
            }
            parts.push(part);
            rest = behind;
        }
        Ok(Self { parts: parts.into() })
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn ends_in_macro(&self) -> bool {
        !matches!(self.parts.last(), None | Some(Part::Literal(_)))
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
        self.parts.iter().try_for_each(|part| write!(f, "{part}"))
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

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    Literal(Box<str>),
    /// `%%`.
    Percent,
    /// `%_`.
    Space,
    /// `%-`.
    UrlSpace,
    Macro(Macro),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Percent => f.write_str("%%"),
            Self::Space => f.write_str("%_"),
            Self::UrlSpace => f.write_str("%-"),
            Self::Macro(macros) => write!(f, "{macros}"),
        }
    }
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

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = self.letter.as_char();
        let letter = if self.escaped { letter.to_ascii_uppercase() } else { letter };
        write!(f, "%{{{letter}")?;
        if let Some(count) = self.count {
            write!(f, "{count}")?;
        }
        f.write_str(if self.reversed { "r" } else { "" })?;
        for &delimiter in DELIMITERS.iter().filter(|c| bit(**c) & self.delimiters != 0) {
            write!(f, "{}", char::from(delimiter))?;
        }
        f.write_str("}")
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
    const ALL: [(char, Self); 11] = [
        ('s', Self::S),
        ('l', Self::L),
        ('o', Self::O),
        ('d', Self::D),
        ('i', Self::I),
        ('p', Self::P),
        ('v', Self::V),
        ('h', Self::H),
        ('c', Self::C),
        ('r', Self::R),
        ('t', Self::T),
    ];

    fn from_char(letter: char) -> Option<Self> {
        let letter = letter.to_ascii_lowercase();
        Self::ALL.iter().find(|(c, _)| *c == letter).map(|(_, letter)| *letter)
    }

    fn as_char(self) -> char {
        Self::ALL.iter().find(|(_, letter)| *letter == self).map_or('s', |(c, _)| *c)
    }
}

type Parsed<'a, T> = IResult<&'a str, T, ()>;

fn part(input: &str) -> Parsed<'_, Part> {
    alt((
        take_while1(|c| c != '%').map(|text: &str| Part::Literal(text.into())),
        tag("%%").map(|_| Part::Percent),
        tag("%_").map(|_| Part::Space),
        tag("%-").map(|_| Part::UrlSpace),
        delimited(tag("%{"), macro_body, tag("}")).map(Part::Macro),
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
