//! The codes of a reply: RFC 5321 section 4.2.1 and RFC 3463 section 2.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A three-digit reply code, from 200 to 559.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// 220: the service is ready.
    pub const READY: Self = Self(220);
    /// 221: the service closes the connection.
    pub const CLOSING: Self = Self(221);
    /// 250: the action is completed.
    pub const OK: Self = Self(250);
    /// 252: the server cannot verify the user, but accepts mail for it.
    pub const CANNOT_VERIFY: Self = Self(252);
    /// 214: help.
    pub const HELP: Self = Self(214);
    /// 353: a reply for each recipient follows (draft-hall-prdr-00 section 4.5).
    pub const PER_RECIPIENT: Self = Self(353);
    /// 354: send the message.
    pub const START_MAIL: Self = Self(354);
    /// 421: the service is not available and closes the connection.
    pub const NOT_AVAILABLE: Self = Self(421);
    /// 450: the mailbox is temporarily unavailable.
    pub const BUSY: Self = Self(450);
    /// 451: a local error of the server.
    pub const LOCAL_ERROR: Self = Self(451);
    /// 452: insufficient storage, or too many recipients.
    pub const INSUFFICIENT_STORAGE: Self = Self(452);
    /// 500: the command is unknown, or its line too long.
    pub const SYNTAX_ERROR: Self = Self(500);
    /// 501: a syntax error in a parameter or argument.
    pub const ARGUMENT_ERROR: Self = Self(501);
    /// 502: the command is not implemented.
    pub const NOT_IMPLEMENTED: Self = Self(502);
    /// 503: the command is out of order.
    pub const BAD_SEQUENCE: Self = Self(503);
    /// 530: TLS must be started first (RFC 3207 section 4).
    pub const TLS_REQUIRED: Self = Self(530);
    /// 550: the mailbox is unavailable, or policy forbids the action.
    pub const MAILBOX_UNAVAILABLE: Self = Self(550);
    /// 552: the message is too large.
    pub const TOO_LARGE: Self = Self(552);
    /// 553: the mailbox name is not allowed.
    pub const NAME_NOT_ALLOWED: Self = Self(553);
    /// 554: the transaction failed.
    pub const TRANSACTION_FAILED: Self = Self(554);
    /// 555: an unknown parameter (RFC 5321 section 4.1.1.11).
    pub const PARAMETER_UNKNOWN: Self = Self(555);

    /// Checks a code: its first digit is 2 to 5, its second 0 to 5 (RFC 5321 section 4.2).
    ///
    /// # Errors
    ///
    /// [`CodeError`] if a digit is out of range.
    pub fn new(code: u16) -> Result<Self, CodeError> {
        match (code / 100, code / 10 % 10) {
            (2..=5, 0..=5) => Ok(Self(code)),
            _ => Err(CodeError),
        }
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }

    /// Returns the meaning of its first digit.
    ///
    /// ```
    /// use mail_types::smtp::{EnhancedCode, ReplyCode, Severity};
    ///
    /// let code = ReplyCode::MAILBOX_UNAVAILABLE;
    /// assert_eq!((code.get(), code.severity()), (550, Severity::Permanent));
    /// let enhanced: EnhancedCode = "5.7.23".parse()?;
    /// assert_eq!((enhanced.class(), enhanced.subject(), enhanced.detail()), (5, 7, 23));
    /// # Ok::<(), mail_types::smtp::CodeError>(())
    /// ```
    #[must_use]
    pub fn severity(self) -> Severity {
        match self.0 / 100 {
            2 => Severity::Completed,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }
}

impl FromStr for ReplyCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        if text.len() != 3 {
            return Err(CodeError);
        }
        Self::new(digits(text)?)
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The meaning of the first digit of a [`ReplyCode`]: RFC 5321 section 4.2.1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 section 4.2.1 has just these four")]
pub enum Severity {
    /// 2yz: completed.
    Completed,
    /// 3yz: the server waits for more.
    Intermediate,
    /// 4yz: a temporary failure; try again.
    Transient,
    /// 5yz: a permanent failure.
    Permanent,
}

/// An enhanced status code, such as `5.1.1`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// 2.0.0: success, without details.
    pub const SUCCESS: Self = Self::of::<2, 0, 0>();
    /// 2.1.0: the address is valid (RFC 3463 section 3.2).
    pub const ADDRESS_VALID: Self = Self::of::<2, 1, 0>();
    /// 2.1.5: the recipient's address is valid.
    pub const RECIPIENT_VALID: Self = Self::of::<2, 1, 5>();
    /// 5.1.1: the mailbox does not exist.
    pub const NO_SUCH_MAILBOX: Self = Self::of::<5, 1, 1>();
    /// 5.7.1: policy forbids the delivery (RFC 3463 section 3.8).
    pub const REFUSED_BY_POLICY: Self = Self::of::<5, 7, 1>();
    /// 4.7.1: policy defers the delivery.
    pub const DEFERRED_BY_POLICY: Self = Self::of::<4, 7, 1>();

    /// Makes a code from constants: the class is 2, 4 or 5, subject and detail are at most 999.
    /// With other numbers the program does not compile.
    ///
    /// ```
    /// use mail_types::smtp::EnhancedCode;
    ///
    /// const SPF_FAILED: EnhancedCode = EnhancedCode::of::<5, 7, 23>();
    /// assert_eq!(SPF_FAILED.to_string(), "5.7.23");
    /// ```
    ///
    /// ```compile_fail
    /// let wrong = mail_types::smtp::EnhancedCode::of::<3, 7, 1>(); // No such class.
    /// ```
    #[must_use]
    pub const fn of<const CLASS: u8, const SUBJECT: u16, const DETAIL: u16>() -> Self {
        const {
            assert!(matches!(CLASS, 2 | 4 | 5), "the class of an enhanced code is 2, 4 or 5");
            assert!(SUBJECT <= 999 && DETAIL <= 999, "subject and detail are at most 999");
        }
        Self { class: CLASS, subject: SUBJECT, detail: DETAIL }
    }

    /// Checks a code: its class is 2, 4 or 5; subject and detail are at most 999 (RFC 3463 section
    /// 2).
    ///
    /// # Errors
    ///
    /// [`CodeError`] if a number is out of range.
    pub fn new(class: u8, subject: u16, detail: u16) -> Result<Self, CodeError> {
        match (class, subject, detail) {
            (2 | 4 | 5, 0..=999, 0..=999) => Ok(Self { class, subject, detail }),
            _ => Err(CodeError),
        }
    }

    /// Returns the class: 2 for success, 4 for a temporary failure, 5 for a permanent one.
    #[must_use]
    pub fn class(self) -> u8 {
        self.class
    }

    /// Returns the subject, such as 1 for addresses.
    #[must_use]
    pub fn subject(self) -> u16 {
        self.subject
    }

    /// Returns the detail.
    #[must_use]
    pub fn detail(self) -> u16 {
        self.detail
    }
}

impl FromStr for EnhancedCode {
    type Err = CodeError;

    /// Parses a code; leading zeros are refused (RFC 3463 section 2).
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut parts = text.split('.');
        let mut part = || {
            let part = parts.next().filter(|p| p.len() == 1 || !p.starts_with('0'));
            digits(part.ok_or(CodeError)?)
        };
        let (class, subject, detail) = (part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(CodeError);
        }
        Self::new(u8::try_from(class).map_err(|_| CodeError)?, subject, detail)
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

impl EnhancedCode {
    pub(crate) fn write_to(self, out: &mut impl fmt::Write) -> fmt::Result {
        write_number(out, self.class.into())?;
        out.write_char('.')?;
        write_number(out, self.subject)?;
        out.write_char('.')?;
        write_number(out, self.detail)
    }

    /// The number of characters of the written code.
    pub(crate) fn width(self) -> usize {
        let digits = |number: u16| 1 + usize::from(number > 9) + usize::from(number > 99);
        digits(self.class.into()) + digits(self.subject) + digits(self.detail) + 2
    }
}

/// Writes a number of at most three digits, faster than the general formatter.
pub(crate) fn write_number(out: &mut impl fmt::Write, number: u16) -> fmt::Result {
    for (place, least) in [(100, 100), (10, 10), (1, 0)] {
        if number >= least {
            let digit = char::from_digit(u32::from(number / place % 10), 10);
            out.write_char(digit.unwrap_or_default())?;
        }
    }
    Ok(())
}

/// A number or text is not a [`ReplyCode`] or [`EnhancedCode`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("not an SMTP reply code or enhanced status code")]
#[non_exhaustive]
pub struct CodeError;

/// Reads one to three digits, without a sign.
fn digits(text: &str) -> Result<u16, CodeError> {
    if !(1..=3).contains(&text.len()) || !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(CodeError);
    }
    text.parse().map_err(|_| CodeError)
}
