//! A reply of an SMTP server: RFC 5321 section 4.2, RFC 2034, RFC 3463.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::smtp::code::write_number;
use crate::smtp::{CodeError, EnhancedCode, ReplyCode};

/// A reply code, an optional enhanced code, and at least one line of text.
///
/// Its text cannot end a line early: control characters become spaces, and a line is cut to the 512
/// octets of RFC 5321 section 4.5.3.1.5. [`Display`](fmt::Display) writes the lines as sent,
/// without the last CRLF.
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
    /// The most lines of a reply, written or read.
    pub const MAX_LINES: usize = 100;
    /// The longest line written, in octets with its CRLF (RFC 5321 section 4.5.3.1.5).
    pub const MAX_LINE: usize = 512;
    /// The longest line read, in octets with its CRLF: some servers exceed the standard.
    pub const MAX_LINE_READ: usize = 2048;

    /// Makes a reply of one line.
    #[must_use]
    pub fn new(code: ReplyCode, text: &str) -> Self {
        Self { code, enhanced: None, lines: vec![clean(text)] }
    }

    /// Puts an enhanced code before the text of each line. If its class differs from the class of
    /// the reply code (RFC 2034 section 4), the reply stays unchanged.
    #[must_use]
    pub fn with_enhanced(mut self, enhanced: EnhancedCode) -> Self {
        if u16::from(enhanced.class()) == self.code.get() / 100 {
            self.enhanced = Some(enhanced);
        }
        self
    }

    /// Adds a line; lines beyond [`Reply::MAX_LINES`] are left out.
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

    /// Returns the enhanced code, if any.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// Returns the text of each line, without codes.
    #[must_use]
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(|line| &**line)
    }

    /// Writes the reply as sent, with its last CRLF.
    ///
    /// ```
    /// use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};
    ///
    /// let reply = Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, "no").with_line("never");
    /// let reply = reply.with_enhanced(EnhancedCode::REFUSED_BY_POLICY);
    /// let mut out = Vec::new();
    /// reply.write_to(&mut out);
    /// assert_eq!(out, b"550-5.7.1 no\r\n550 5.7.1 never\r\n");
    /// assert_eq!((reply.code().get(), reply.enhanced()), (550, Some("5.7.1".parse()?)));
    /// assert_eq!(reply.lines().collect::<Vec<_>>(), ["no", "never"]);
    /// # Ok::<(), mail_types::smtp::CodeError>(())
    /// ```
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.lines.iter().map(|line| line.len() + Self::MAX_PREFIX).sum());
        // Writing to memory cannot fail.
        let _ = self.write_lines(&mut Bytes(out));
        out.extend_from_slice(b"\r\n");
    }

    /// Parses the reply at the start of `input`; returns the bytes after it, and the reply.
    ///
    /// An enhanced code counts only if its class agrees with the reply code. The reply has the
    /// enhanced code of the first line; a different one on a later line stays in its text. Octets
    /// that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    ///
    /// [`ReplyError::Incomplete`] asks for more bytes: append them and parse again from the first
    /// byte. Every other error is final: later bytes on this connection have no meaning.
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

    /// The room for text on a line after the codes, in octets.
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

    /// The most octets on a line beside its text.
    const MAX_PREFIX: usize = "250-2.999.999 \r\n".len();
}

/// A writer of text into bytes.
struct Bytes<'a>(&'a mut Vec<u8>);

impl fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl FromStr for Reply {
    type Err = ReplyError;

    /// Parses the form of [`Display`](fmt::Display): lines without the last CRLF.
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

/// The reason why bytes are not a [`Reply`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReplyError {
    /// The bytes so far are valid, but the reply continues.
    #[error("incomplete SMTP reply")]
    Incomplete,
    /// A line does not begin with a reply code.
    #[error("no SMTP reply code at the start of the line, at byte {at}")]
    Code {
        /// The start of the line, in bytes.
        at: usize,
        /// Its fault.
        source: CodeError,
    },
    /// The reply code is followed by neither a space, a hyphen nor the end of the line.
    #[error("no space or hyphen after the SMTP reply code, at byte {at}")]
    Separator {
        /// The position after the code, in bytes.
        at: usize,
    },
    /// A line has a reply code that differs from that of the first line.
    #[error("SMTP reply code differs from that of the first line, at byte {at}")]
    CodeChanged {
        /// The start of the line, in bytes.
        at: usize,
    },
    /// A line feed without a carriage return, or the reverse.
    #[error("bare CR or LF in the SMTP reply, at byte {at}")]
    LineEnd {
        /// The position of the character, in bytes.
        at: usize,
    },
    /// A line has more than [`Reply::MAX_LINE_READ`] octets.
    #[error("SMTP reply line longer than 2048 octets, at byte {at}")]
    LineTooLong {
        /// The start of the line, in bytes.
        at: usize,
    },
    /// The reply has more than [`Reply::MAX_LINES`] lines.
    #[error("SMTP reply has more than 100 lines")]
    TooManyLines,
    /// Text follows the reply.
    #[error("unexpected text after the SMTP reply, at byte {at}")]
    Trailing {
        /// The position of the text, in bytes.
        at: usize,
    },
}

/// Takes a line and its CRLF; returns it without the CRLF.
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

/// Splits a line into its code, a flag for the last line, and its text.
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

/// Splits off an enhanced code of the reply code's class.
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

/// Cuts a text after the last character that fits.
fn cut(text: &str, octets: usize) -> &str {
    let end = (0..=octets.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}
