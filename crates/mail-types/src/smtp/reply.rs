//! A reply of an SMTP server: RFC 5321 section 4.2, RFC 2034, RFC 3463.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::smtp::code::write_number;
use crate::smtp::{CodeError, EnhancedCode, ReplyCode};

/// A code, perhaps an enhanced code, and one line of text or more.
///
/// Nothing in it can end a line early: control characters in its text become spaces, and a line is
/// cut to what fits the 512 octets of RFC 5321 section 4.5.3.1.5.
/// [`Display`](fmt::Display) gives the lines as they go over the wire, without the last CRLF.
///
/// ```
/// use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};
///
/// let reply = Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, "no such\r\nuser")
///     .with_enhanced(EnhancedCode::new(5, 1, 1)?);
/// assert_eq!(reply.to_string(), "550 5.1.1 no such  user");
/// assert_eq!(reply, "550 5.1.1 no such  user".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Reply {
    code: ReplyCode,
    enhanced: Option<EnhancedCode>,
    /// Never empty.
    lines: Vec<Box<str>>,
}

impl Reply {
    /// The most lines that a reply is given or read with.
    pub const MAX_LINES: usize = 100;
    /// The longest line that is written, in octets with its CRLF (RFC 5321 section 4.5.3.1.5).
    pub const MAX_LINE: usize = 512;
    /// The longest line that is read, in octets with its CRLF: some servers write too much.
    pub const MAX_LINE_READ: usize = 2048;

    /// Makes a reply of one line.
    #[must_use]
    pub fn new(code: ReplyCode, text: &str) -> Self {
        Self { code, enhanced: None, lines: vec![clean(text)] }
    }

    /// Puts an enhanced code before the text of each line, unless its class is not that of the
    /// code (RFC 2034 section 4): then the reply stays as it is.
    #[must_use]
    pub fn with_enhanced(mut self, enhanced: EnhancedCode) -> Self {
        if u16::from(enhanced.class()) == self.code.get() / 100 {
            self.enhanced = Some(enhanced);
        }
        self
    }

    /// Adds a line; one beyond [`Reply::MAX_LINES`] is left out.
    #[must_use]
    pub fn with_line(mut self, text: &str) -> Self {
        if self.lines.len() < Self::MAX_LINES {
            self.lines.push(clean(text));
        }
        self
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> ReplyCode {
        self.code
    }

    /// Returns the enhanced code, if it has one.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// Returns the text of each line, without codes.
    #[must_use]
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(|line| &**line)
    }

    /// Writes the reply as it goes over the wire, with its last CRLF.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.lines.iter().map(|line| line.len() + Self::MAX_PREFIX).sum());
        // Writing to memory cannot fail.
        let _ = self.write_lines(&mut Bytes(out));
        out.extend_from_slice(b"\r\n");
    }

    /// Parses the reply at the start of `input`; returns the bytes behind it, and the reply.
    ///
    /// An enhanced code is taken as one where its class is that of the code; the first line's is
    /// the reply's, and a line with another keeps it as text. Octets that are not UTF-8 come out as U+FFFD.
    ///
    /// # Errors
    ///
    /// [`ReplyError::Incomplete`] asks for more bytes: append them and parse again from the first
    /// byte. Every other error is final: what comes next on that connection means nothing.
    pub fn parse(input: &[u8]) -> Result<(&[u8], Self), ReplyError> {
        let (mut rest, mut reply) = (input, None::<Self>);
        loop {
            let at = input.len() - rest.len();
            let (behind, line) = take_line(rest, at)?;
            let (code, last, text) = split_line(line, at)?;
            let text = clean(&String::from_utf8_lossy(text));
            match &mut reply {
                None => {
                    let (enhanced, text) = split_enhanced(code, &text);
                    reply = Some(Self { code, enhanced, lines: vec![text.into()] });
                }
                Some(reply) if reply.code != code => return Err(ReplyError::CodeChanged { at }),
                Some(reply) if reply.lines.len() == Self::MAX_LINES => {
                    return Err(ReplyError::TooManyLines);
                }
                Some(reply) => {
                    let (enhanced, behind) = split_enhanced(code, &text);
                    let same = enhanced.is_some() && enhanced == reply.enhanced;
                    reply.lines.push(if same { behind.into() } else { text });
                }
            }
            rest = behind;
            if let Some(reply) = reply.take_if(|_| last) {
                return Ok((rest, reply));
            }
        }
    }

    /// How many octets of text fit a line behind the codes.
    fn room(&self) -> usize {
        let enhanced = self.enhanced.map_or(0, |code| code.width() + 1);
        Self::MAX_LINE - "250 \r\n".len() - enhanced
    }

    /// Writes the lines without the last CRLF.
    fn write_lines(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let (room, last) = (self.room(), self.lines.len().saturating_sub(1));
        for (i, line) in self.lines.iter().enumerate() {
            write_number(out, self.code.get())?;
            out.write_char(if i < last { '-' } else { ' ' })?;
            if let Some(enhanced) = self.enhanced {
                enhanced.write_to(out)?;
                out.write_char(' ')?;
            }
            out.write_str(cut(line, room))?;
            if i < last {
                out.write_str("\r\n")?;
            }
        }
        Ok(())
    }

    /// What stands before the text of a line at the most, and behind it.
    const MAX_PREFIX: usize = "250-2.999.999 \r\n".len();
}

/// Takes text as bytes.
struct Bytes<'a>(&'a mut Vec<u8>);

impl fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl FromStr for Reply {
    type Err = ReplyError;

    /// Takes what [`Display`](fmt::Display) gives: the lines without the last CRLF.
    fn from_str(text: &str) -> Result<Self, ReplyError> {
        let wire = format!("{text}\r\n");
        match Self::parse(wire.as_bytes()) {
            Ok(([], reply)) => Ok(reply),
            Ok((rest, _)) => Err(ReplyError::Trailing { at: wire.len() - rest.len() }),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_lines(f)
    }
}

/// Why bytes are not a [`Reply`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ReplyError {
    /// The bytes so far are sound, but the reply goes on.
    #[error("the reply goes on")]
    Incomplete,
    /// A line does not begin with a reply code.
    #[error("the line at byte {at} does not begin with a reply code")]
    Code {
        /// Where the line begins, in bytes.
        at: usize,
        /// Why.
        source: CodeError,
    },
    /// Neither a space, a hyphen nor the end of the line behind a code.
    #[error("byte {at} is neither a space nor a hyphen")]
    Separator {
        /// Where, in bytes.
        at: usize,
    },
    /// A line has another code than the first.
    #[error("the line at byte {at} has another code than the first")]
    CodeChanged {
        /// Where the line begins, in bytes.
        at: usize,
    },
    /// A line feed without its carriage return, or the other way round.
    #[error("byte {at} is half the end of a line")]
    LineEnd {
        /// Where, in bytes.
        at: usize,
    },
    /// A line has more than [`Reply::MAX_LINE_READ`] octets.
    #[error("the line at byte {at} has more than 2048 octets")]
    LineTooLong {
        /// Where it begins, in bytes.
        at: usize,
    },
    /// There are more than [`Reply::MAX_LINES`] lines.
    #[error("more than 100 lines")]
    TooManyLines,
    /// Text behind the reply.
    #[error("byte {at} is behind the end of the reply")]
    Trailing {
        /// Where, in bytes.
        at: usize,
    },
}

/// Takes a line with its CRLF off; returns it without.
fn take_line(input: &[u8], at: usize) -> Result<(&[u8], &[u8]), ReplyError> {
    let Some(end) = input.iter().position(|c| matches!(c, b'\r' | b'\n')) else {
        let full = input.len() + 2 > Reply::MAX_LINE_READ;
        return Err(if full { ReplyError::LineTooLong { at } } else { ReplyError::Incomplete });
    };
    if end + 2 > Reply::MAX_LINE_READ {
        return Err(ReplyError::LineTooLong { at });
    }
    let (line, behind) = input.split_at_checked(end).unwrap_or_default();
    match behind {
        [b'\r', b'\n', rest @ ..] => Ok((rest, line)),
        [b'\r'] => Err(ReplyError::Incomplete),
        _ => Err(ReplyError::LineEnd { at: at + end }),
    }
}

/// Splits a line into its code, whether it is the last one, and its text.
fn split_line(line: &[u8], at: usize) -> Result<(ReplyCode, bool, &[u8]), ReplyError> {
    let (code, rest) = line.split_at_checked(3).unwrap_or((line, &[]));
    let code = std::str::from_utf8(code).unwrap_or_default();
    let code = code.parse().map_err(|source| ReplyError::Code { at, source })?;
    match rest {
        [] => Ok((code, true, rest)),
        [b' ', text @ ..] => Ok((code, true, text)),
        [b'-', text @ ..] => Ok((code, false, text)),
        _ => Err(ReplyError::Separator { at: at + 3 }),
    }
}

/// Splits an enhanced code off, if the text begins with one of the code's class.
fn split_enhanced(code: ReplyCode, text: &str) -> (Option<EnhancedCode>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word.parse::<EnhancedCode>() {
        Ok(enhanced) if u16::from(enhanced.class()) == code.get() / 100 => (Some(enhanced), rest),
        _ => (None, text),
    }
}

fn clean(text: &str) -> Box<str> {
    let text = cut(text, Reply::MAX_LINE_READ);
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control()) {
        return text.into();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Cuts at the last character that fits.
fn cut(text: &str, octets: usize) -> &str {
    let end = (0..=octets.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}
