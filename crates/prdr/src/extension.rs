//! Offering the extension, and asking for it: draft-hall-prdr-00 sections 4, 4.1 and 4.2.

use mail_types::smtp::{Reply, ReplyCode};
use thiserror::Error;

/// The keyword in the reply to `EHLO`, and the parameter of `MAIL`.
pub const KEYWORD: &str = "PRDR";

/// The extensions that whoever implements this one must implement too (section 4).
pub const COMPANIONS: [&str; 2] = ["PIPELINING", "ENHANCEDSTATUSCODES"];

/// Tells whether a server offers the extension, of the lines of its reply to `EHLO`.
///
/// Without its [`COMPANIONS`] it does not count, nor with parameters, which it has none of. The
/// first line is the greeting, and no keyword.
///
/// ```
/// assert!(prdr::is_offered(["mx.example", "PIPELINING", "prdr", "ENHANCEDSTATUSCODES"]));
/// assert!(!prdr::is_offered(["mx.example", "PIPELINING", "PRDR"]));
/// ```
#[must_use]
pub fn is_offered<'a>(lines: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut offered, mut companions) = (false, [false; 2]);
    for line in lines.into_iter().skip(1) {
        let line = line.trim_end_matches(' ');
        offered |= line.eq_ignore_ascii_case(KEYWORD);
        for (found, companion) in companions.iter_mut().zip(COMPANIONS) {
            *found |= line.eq_ignore_ascii_case(companion);
        }
    }
    offered && companions == [true; 2]
}

/// Tells whether a client gains by asking: one recipient gets one reply anyway.
#[must_use]
pub fn pays(recipients: usize) -> bool {
    recipients > 1
}

/// Checks the parameters of a `MAIL` command, each a keyword and perhaps a value; tells whether the
/// client asks for the extension. Other parameters are not looked at.
///
/// # Errors
///
/// [`ParameterError`] if the parameter is there when it must not be, or not as it must be; its
/// [`reply`](ParameterError::reply) is the one to the command.
///
/// ```
/// use prdr::{ParameterError, is_requested};
///
/// assert_eq!(is_requested([("SIZE", Some("100")), ("prdr", None)], true), Ok(true));
/// assert_eq!(is_requested([("PRDR", Some("yes"))], true), Err(ParameterError::Value));
/// ```
pub fn is_requested<'a>(
    parameters: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    offered: bool,
) -> Result<bool, ParameterError> {
    let mut requested = false;
    for (keyword, value) in parameters {
        if !keyword.eq_ignore_ascii_case(KEYWORD) {
            continue;
        }
        match value {
            _ if !offered => return Err(ParameterError::NotOffered),
            Some(_) => return Err(ParameterError::Value),
            None if requested => return Err(ParameterError::Repeated),
            None => requested = true,
        }
    }
    Ok(requested)
}

/// What is wrong with the parameter `PRDR`.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ParameterError {
    /// The server has not offered the extension, as after `HELO`.
    #[error("PRDR was not offered")]
    NotOffered,
    /// It has a value; it takes none (section 4).
    #[error("PRDR takes no value")]
    Value,
    /// It is there twice.
    #[error("PRDR is given twice")]
    Repeated,
}

impl ParameterError {
    /// Returns the reply to the command: 555 for a parameter that is not known here, else 501 (RFC
    /// 5321 section 4.1.1.11).
    #[must_use]
    pub fn reply(self) -> Reply {
        let code = match self {
            Self::NotOffered => ReplyCode::PARAMETER_UNKNOWN,
            Self::Value | Self::Repeated => ReplyCode::ARGUMENT_ERROR,
        };
        crate::server::with_enhanced(Reply::new(code, &self.to_string()), 5, 4)
    }
}
