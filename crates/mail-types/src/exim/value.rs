//! Bytes that a template or a rule works with, and their trust.

use std::borrow::Cow;
use std::fmt;

/// The origin of a value.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a value is trusted or not")]
pub enum Trust {
    /// The program's own configuration, or a word of one of its enums.
    Trusted,
    /// A peer, a message, the DNS, a certificate or a lookup: anyone may have written it.
    Untrusted,
}

/// Bytes and their trust.
///
/// [`Display`](fmt::Display) is for log lines: it cannot write a CR, an LF, any other control
/// character, or an invisible one, such as those that change the direction of text. It escapes them,
/// as well as backslashes and octets that are not UTF-8. Headers and replies take
/// [`to_line`](Self::to_line).
///
/// ```
/// use mail_types::exim::{Trust, Value};
///
/// let helo = Value::new(&b"a\r\nSubject: b\xff"[..], Trust::Untrusted);
/// assert_eq!(helo.to_string(), r"a\r\nSubject: b\xff");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Value<'a> {
    bytes: Cow<'a, [u8]>,
    trust: Trust,
}

impl<'a> Value<'a> {
    /// Makes a value.
    pub fn new(bytes: impl Into<Cow<'a, [u8]>>, trust: Trust) -> Self {
        Self { bytes: bytes.into(), trust }
    }

    /// Makes a trusted value, such as a word of an enum.
    #[must_use]
    pub fn trusted(text: &'a str) -> Self {
        Self::new(text.as_bytes(), Trust::Trusted)
    }

    /// Returns the same value, without a copy of its bytes.
    #[must_use]
    pub fn borrowed(&self) -> Value<'_> {
        Value::new(self.as_bytes(), self.trust)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the trust.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns the value as text for the body of a header field or for a reply: a line break with
    /// the blanks around it becomes one blank, any other control character, a line separator and a
    /// mark of the writing direction `?`, and octets that are not UTF-8 U+FFFD. Backslashes and quotes
    /// are unchanged.
    ///
    /// ```
    /// use mail_types::exim::{Trust, Value};
    ///
    /// let value = Value::new(&b"\"a\\\"b\" \r\n\t c\0"[..], Trust::Untrusted);
    /// assert_eq!(value.to_line(), "\"a\\\"b\" c?");
    /// ```
    #[must_use]
    pub fn to_line(&self) -> String {
        if let Some(text) = self.printable() {
            return text.to_owned();
        }
        let text = String::from_utf8_lossy(&self.bytes);
        let mut line = String::with_capacity(text.len());
        for (at, piece) in text.split(['\r', '\n']).enumerate() {
            let piece = if at == 0 { piece } else { piece.trim_start_matches([' ', '\t']) };
            if at > 0 {
                line.truncate(line.trim_end_matches([' ', '\t']).len());
                line.push(' ');
            }
            line.extend(piece.chars().map(|c| match c {
                '\t' => ' ',
                c if c.is_control() || is_separator(c) => '?',
                c => c,
            }));
        }
        line
    }

    /// Returns the text of most values: printable ASCII, which stands for itself on a line.
    fn printable(&self) -> Option<&str> {
        let is_printable = self.bytes.iter().all(|octet| matches!(octet, b' '..=b'~'));
        str::from_utf8(&self.bytes).ok().filter(|_| is_printable)
    }

    /// Returns the value with its own bytes.
    ///
    /// ```
    /// use mail_types::exim::{Trust, Value};
    ///
    /// let word = Value::trusted("fail");
    /// assert_eq!((word.as_bytes(), word.trust()), (&b"fail"[..], Trust::Trusted));
    /// let kept: Value<'static> = Value::new(String::from("a").as_bytes(), Trust::Untrusted).into_owned();
    /// assert_eq!(kept.borrowed(), kept);
    /// assert_eq!(kept.trust(), Trust::Untrusted);
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        Value { bytes: Cow::Owned(self.bytes.into_owned()), trust: self.trust }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.printable().filter(|text| !text.contains('\\')) {
            return f.write_str(text);
        }
        for chunk in self.bytes.utf8_chunks() {
            let mut plain = chunk.valid();
            while let Some(at) = plain
                .find(|c: char| c == '\\' || c.is_control() || is_separator(c) || is_invisible(c))
            {
                let (before, rest) = plain.split_at(at);
                f.write_str(before)?;
                let mut rest = rest.chars();
                match rest.next() {
                    Some('\\') => f.write_str("\\\\")?,
                    Some('\r') => f.write_str("\\r")?,
                    Some('\n') => f.write_str("\\n")?,
                    Some('\t') => f.write_str("\\t")?,
                    other => other.iter().try_for_each(|c| write!(f, "{}", c.escape_unicode()))?,
                }
                plain = rest.as_str();
            }
            f.write_str(plain)?;
            for octet in chunk.invalid() {
                write!(f, "\\x{octet:02x}")?;
            }
        }
        Ok(())
    }
}

/// The state of a variable.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum Variable<'a> {
    /// No variable has this name.
    Unknown,
    /// The variable has no value now: it expands to nothing, and `def:` is false.
    Unset,
    /// The variable has this value.
    Value(Value<'a>),
}

impl<'a> From<Value<'a>> for Variable<'a> {
    fn from(value: Value<'a>) -> Self {
        Self::Value(value)
    }
}

/// Tells whether a character breaks lines, or changes the direction of text (UAX #9), on display.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Tells whether a character is invisible: Unicode's `Default_Ignorable_Code_Point`, among them the marks
/// of the writing direction (UAX #9), and the marks of annotations. Two different texts may look the
/// same with one.
///
/// ```
/// use mail_types::exim::is_invisible;
///
/// assert!(is_invisible('\u{200b}') && is_invisible('\u{202e}') && !is_invisible(' '));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}
