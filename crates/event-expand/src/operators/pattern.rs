//! Regular expressions, over bytes.
//!
//! The engine works on text. A byte above 127 becomes a private character, in the pattern and in
//! the subject, so that `.` matches one byte and only negated classes match it: as in PCRE without
//! its UTF mode.

use std::borrow::Cow;
use std::sync::OnceLock;

use fancy_regex::{Regex, RegexBuilder, RuntimeError};

use crate::Limits;

/// A compiled pattern, or its fault.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Result<Regex, usize>,
    /// For a non-empty match at the start of the search; compiled at its first use.
    not_empty: OnceLock<Option<Regex>>,
    /// For longer subjects, the longest last, with fewer backtracks; compiled at their first use.
    of_longer: [OnceLock<Option<Regex>>; LONGER.len()],
    backtracks: usize,
    size: usize,
}

/// The groups of a match, as ranges of the subject's bytes.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

/// The reason why a match has no result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum MatchError {
    /// An invalid pattern, with the position of the fault, if known.
    Pattern(usize),
    /// The match needs more work than the limit.
    Work,
}

impl Pattern {
    pub(crate) fn new(pattern: &[u8], limits: &Limits) -> Self {
        let (backtracks, size) = (limits.regex_backtracks, limits.regex_size);
        let regex = compiled(&translated(pattern), backtracks, size);
        let regex = regex.map_err(|at| at.min(pattern.len()));
        let (not_empty, of_longer) = (OnceLock::new(), Default::default());
        Self { regex, not_empty, of_longer, backtracks, size }
    }

    /// The position of a fault in the pattern.
    pub(crate) fn fault(&self) -> Option<usize> {
        self.regex.as_ref().err().copied()
    }

    pub(crate) fn matches(&self, subject: &Subject<'_>) -> Result<Option<Groups>, MatchError> {
        search(self.regex_for(subject)?, subject, 0)
    }

    /// Searches from a byte on; with `not_empty` only for a non-empty match at this byte.
    pub(crate) fn matches_from(
        &self,
        subject: &Subject<'_>,
        from: usize,
        not_empty: bool,
    ) -> Result<Option<Groups>, MatchError> {
        let regex = self.regex_for(subject)?;
        let regex = if not_empty { self.not_empty(regex)? } else { regex };
        search(regex, subject, from)
    }

    /// Returns the expression for a subject of this length. Each backtrack can read all of the subject
    /// again: in a longer one there are fewer.
    fn regex_for(&self, subject: &Subject<'_>) -> Result<&Regex, MatchError> {
        let regex = self.regex.as_ref().map_err(|at| MatchError::Pattern(*at))?;
        let length = subject.text.len();
        let classes = LONGER.iter().zip(&self.of_longer);
        let Some((least, of_longer)) = classes.take_while(|(least, _)| length > **least).last()
        else {
            return Ok(regex);
        };
        let compiled = || {
            let backtracks = (self.backtracks / (4 * least / SHORT)).max(1);
            compiled(regex.as_str(), backtracks, self.size).ok()
        };
        of_longer.get_or_init(compiled).as_ref().ok_or(MatchError::Pattern(0))
    }

    fn not_empty(&self, regex: &Regex) -> Result<&Regex, MatchError> {
        let compiled = || {
            // A pattern can end in a comment, which ends with its line.
            let texts = ["", "\n"].map(|end| format!("\\G(?:{}{end})(?!\\G)", regex.as_str()));
            texts.iter().find_map(|text| compiled(text, self.backtracks, self.size).ok())
        };
        self.not_empty.get_or_init(compiled).as_ref().ok_or(MatchError::Pattern(0))
    }
}

/// The error is the position of the fault, or 0.
fn compiled(text: &str, backtracks: usize, size: usize) -> Result<Regex, usize> {
    let mut builder = RegexBuilder::new(text);
    let regex = builder.backtrack_limit(backtracks).delegate_size_limit(size).build();
    regex.map_err(|error| match error {
        fancy_regex::Error::ParseError(at, _) => at,
        _ => 0,
    })
}

fn search(regex: &Regex, subject: &Subject<'_>, from: usize) -> Result<Option<Groups>, MatchError> {
    let found = regex.captures_from_pos(&subject.text, subject.position(from));
    let found = found.map_err(|error| match error {
        fancy_regex::Error::RuntimeError(RuntimeError::BacktrackLimitExceeded) => MatchError::Work,
        _ => MatchError::Pattern(0),
    })?;
    let groups = found.map(|captures| {
        let groups = captures.iter().take(MOST_GROUPS);
        let ends = |group: fancy_regex::Match<'_>| {
            (subject.offset(group.start()), subject.offset(group.end()))
        };
        groups.map(|group| group.map(ends)).collect()
    });
    Ok(groups)
}

/// The length of a subject with all backtracks, in octets.
const SHORT: usize = 8192;
/// The lengths above which there is a quarter of the backtracks, a quarter of those, and so on.
const LONGER: [usize; 4] = [SHORT, 4 * SHORT, 16 * SHORT, 64 * SHORT];

/// A subject in the engine's form.
#[derive(Debug)]
pub(crate) struct Subject<'s> {
    text: Cow<'s, str>,
}

impl<'s> Subject<'s> {
    pub(crate) fn new(bytes: &'s [u8]) -> Self {
        let text = match std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(bytes.iter().copied().map(character).collect()),
        };
        Self { text }
    }

    /// Tells whether the subject is in the engine's form unchanged.
    pub(crate) fn is_borrowed(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// The position of a byte in the text, or the end if it is after it.
    fn position(&self, offset: usize) -> usize {
        match self.text {
            Cow::Borrowed(_) => offset,
            Cow::Owned(ref text) => {
                text.char_indices().nth(offset).map_or(text.len(), |(position, _)| position)
            }
        }
    }

    fn offset(&self, position: usize) -> usize {
        match self.text {
            Cow::Borrowed(_) => position,
            Cow::Owned(ref text) => text.get(..position).map_or(0, |text| text.chars().count()),
        }
    }
}

fn character(byte: u8) -> char {
    if byte.is_ascii() {
        char::from(byte)
    } else {
        char::from_u32(PRIVATE + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

/// Writes a pattern for the engine where PCRE is more liberal: a `[` in a class and a `{` without a
/// count mean themselves, `\x` and digits can name bytes above 127, `(?)` is empty.
fn translated(pattern: &[u8]) -> String {
    let (mut text, mut rest) = (String::new(), pattern);
    // In ASCII, `\w`, `\d` and `\s` have their meaning without UTF.
    let mut class = Class::Outside;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, class) {
            (b'\\', _) => rest = escape(rest, &mut text),
            (b'[', Class::Outside) => {
                text.push('[');
                class = Class::Start;
                if let Some(behind) = rest.strip_prefix(b"^") {
                    text.push('^');
                    rest = behind;
                }
                if let Some(behind) = rest.strip_prefix(b"]") {
                    text.push_str("\\]");
                    rest = behind;
                }
                class = if class == Class::Start { Class::Inside } else { class };
            }
            (b'[', _) => {
                let end = rest.windows(2).position(|pair| pair == b":]");
                match end.filter(|_| rest.starts_with(b":")).and_then(|end| rest.get(..end + 2)) {
                    Some(name) => {
                        text.push('[');
                        text.extend(name.iter().copied().map(character));
                        rest = rest.get(name.len()..).unwrap_or_default();
                    }
                    None => text.push_str("\\["),
                }
            }
            (b']', Class::Inside) => {
                text.push(']');
                class = Class::Outside;
            }
            (b'&' | b'~', Class::Inside) => {
                text.push('\\');
                text.push(char::from(byte));
            }
            // Two are an operator of the engine; in PCRE the first makes a range, unless it is the
            // first character.
            (b'-', Class::Inside) if rest.starts_with(b"-") => {
                let first = text.ends_with('[') || text.ends_with("[^");
                text.push_str(if first { "\\-" } else { "-\\-" });
                rest = rest.get(usize::from(!first)..).unwrap_or_default();
            }
            (b'(', Class::Outside) if rest.starts_with(b"?)") => {
                text.push_str("(?:)");
                rest = rest.get(2..).unwrap_or_default();
            }
            (b'{', Class::Outside) if !counts(rest) => text.push_str("\\{"),
            (b'}', Class::Outside) if !text_counts(&text) => text.push_str("\\}"),
            _ => text.push(character(byte)),
        }
    }
    text
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Class {
    Outside,
    Start,
    Inside,
}

/// Tells whether a `{` before this text begins a count: `3}`, `3,}`, `3,5}`.
fn counts(rest: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let first = digits(rest);
    let Some(rest) = rest.get(first..).filter(|_| first > 0) else { return false };
    match rest {
        [b'}', ..] => true,
        [b',', rest @ ..] => rest.get(digits(rest)) == Some(&b'}'),
        _ => false,
    }
}

/// Tells whether a `}` ends a count at the end of this text.
fn text_counts(text: &str) -> bool {
    let count = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == ',');
    count.ends_with('{') && !count.ends_with("\\{") || is_named_escape(text)
}

/// `\x{…}`, `\p{…}`, `\k{…}`: written unchanged.
fn is_named_escape(text: &str) -> bool {
    text.rsplit_once('{').is_some_and(|(before, _)| {
        before.ends_with("\\x") || before.ends_with("\\p") || before.ends_with("\\P")
    })
}

/// Writes the escape after a backslash; returns the rest.
fn escape<'p>(rest: &'p [u8], text: &mut String) -> &'p [u8] {
    let Some((&byte, behind)) = rest.split_first() else {
        text.push('\\');
        return rest;
    };
    if byte == b'x' && !behind.starts_with(b"{") {
        let digits = behind.iter().take(2).take_while(|b| b.is_ascii_hexdigit()).count();
        let digits = behind.get(..digits).unwrap_or_default();
        let value = digits.iter().fold(0_u8, |value, digit| {
            value << 4 | u8::try_from(char::from(*digit).to_digit(16).unwrap_or(0)).unwrap_or(0)
        });
        push_literal(value, text);
        return behind.get(digits.len()..).unwrap_or_default();
    }
    // One digit is a back-reference. More digits are an octal byte here, as in PCRE for a pattern
    // with fewer groups.
    let octal = rest.iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    if octal > 1 || byte == b'0' {
        let digits = rest.get(..octal).unwrap_or_default();
        let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
        push_literal(value.to_le_bytes()[0], text);
        return rest.get(octal..).unwrap_or_default();
    }
    if byte == b'Q' {
        let end = behind.windows(2).position(|pair| pair == b"\\E");
        let quoted = behind.get(..end.unwrap_or(behind.len())).unwrap_or_default();
        for byte in quoted {
            push_literal(*byte, text);
        }
        return end.and_then(|end| behind.get(end + 2..)).unwrap_or_default();
    }
    if byte.is_ascii_alphanumeric() || byte == b'<' || byte == b'>' {
        text.push('\\');
        text.push(char::from(byte));
    } else {
        push_literal(byte, text);
    }
    behind
}

fn push_literal(byte: u8, text: &mut String) {
    if byte.is_ascii_punctuation() {
        text.push('\\');
    }
    text.push(character(byte));
}

/// Private characters from here on represent the bytes above 127.
const PRIVATE: u32 = 0xf700;

/// `$0` to `$20`.
const MOST_GROUPS: usize = 21;
