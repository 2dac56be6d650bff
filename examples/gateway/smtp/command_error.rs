//! The reasons why a line is not a command, for replies and log lines: each names the command, and the parameter
//! or the position.

use std::fmt;

use mail_types::exim::{Trust, Value};
use mail_types::smtp::MailboxError;
use thiserror::Error;

/// A line is not a valid [`Command`](super::command::Command).
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum CommandError {
    #[error("unrecognized command {0}")]
    Unknown(Shown),
    #[error("octet 0x{octet:02x} is not allowed in a command, at octet {at}")]
    Octet { octet: u8, at: usize },
    /// An argument of this command is missing or malformed.
    #[error("{0}: {1}")]
    Argument(&'static str, ArgumentError),
    #[error("MAIL: invalid sender address: {0}")]
    Sender(PathError),
    #[error("RCPT: invalid recipient address: {0}")]
    Recipient(PathError),
    /// The size of the chunk is unknown, and so is the position of the next command.
    #[error("BDAT: the chunk size is not a number")]
    ChunkSize,
    /// The size is valid: this many octets follow.
    #[error("BDAT: only LAST may follow the chunk size")]
    ChunkEnd(u64),
}

/// An argument of a command is missing or malformed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum ArgumentError {
    #[error("argument required")]
    Missing,
    #[error("no argument allowed")]
    NotAllowed,
    #[error("domain or address required")]
    NoName,
    #[error("the name has {0} octets, more than 255")]
    LongName(usize),
    /// `FROM:` or `TO:`.
    #[error("{0} is missing")]
    NoKeyword(&'static str),
    #[error("space required between the path and {0}")]
    Joined(Shown),
    #[error("malformed parameter {0}")]
    Malformed(Shown),
    #[error("duplicate parameter {0}")]
    Duplicate(Shown),
    #[error("more than {0} parameters")]
    TooMany(usize),
}

/// A path is not valid. Positions are bytes from its `<`.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum PathError {
    #[error("no angle brackets around it")]
    NoBrackets,
    /// `<>` as a recipient.
    #[error("it is empty")]
    Empty,
    #[error(transparent)]
    Address(#[from] MailboxError),
}

/// A text of the client in a reply or a log line: in quotes, of bounded length, and with an escape in place of each
/// control character and each invisible one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shown(Box<str>);

impl Shown {
    pub(crate) fn new(text: &str) -> Self {
        let start = text.get(..text.floor_char_boundary(MAX_SHOWN)).unwrap_or_default();
        let more = if start.len() < text.len() { "..." } else { "" };
        let start = Value::new(start.as_bytes(), Trust::Untrusted);
        Self(format!("\"{start}{more}\"").into())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The most octets of a text that are shown, before they are escaped.
const MAX_SHOWN: usize = 40;
