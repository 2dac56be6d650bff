//! The offer of the extension and its request: draft-hall-prdr-00 sections 4, 4.1 and 4.2.

use mail_types::smtp::{Reply, ReplyCode};
use thiserror::Error;

/// The keyword in the reply to `EHLO`, and the parameter of `MAIL`.
pub const KEYWORD: &str = "PRDR";

/// The extensions that an implementation of PRDR must support too (section 4).
pub const COMPANIONS: [&str; 2] = ["PIPELINING", "ENHANCEDSTATUSCODES"];

/// Tells whether the lines of a reply to `EHLO` offer the extension.
///
/// An offer without its [`COMPANIONS`] does not count, nor does one with parameters: the extension
/// has no parameters. The first line is the greeting, not a keyword.
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

/// Tells whether the extension is useful: a single recipient has its own reply anyway.
///
/// ```
/// assert!(prdr::pays(2) && !prdr::pays(1));
/// ```
#[must_use]
pub fn pays(recipients: usize) -> bool {
    recipients > 1
}

/// Checks the parameters of a `MAIL` command, each a keyword and an optional value, and tells
/// whether the client requests the extension. Other parameters are ignored.
///
/// # Errors
///
/// [`ParameterError`] if the parameter was not offered, has a value, or is repeated; send its
/// [`reply`](ParameterError::reply) to the command.
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

/// A fault of the parameter `PRDR`.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ParameterError {
    /// The server has not offered the extension, as after `HELO`.
    #[error("parameter PRDR was not offered")]
    NotOffered,
    /// The parameter has a value; it takes none (section 4).
    #[error("parameter PRDR takes no value")]
    Value,
    /// The parameter is repeated.
    #[error("parameter PRDR is repeated")]
    Repeated,
}

impl ParameterError {
    /// Returns the reply to the command: 555 for a parameter that was not offered, else 501 (RFC
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
