//! The commands of a client: RFC 5321 section 4.1.

use mail_types::smtp::{Mailbox, ReversePath};
use thiserror::Error;

/// A command whose syntax is valid; the session checks the rest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// `HELO` and its argument.
    Helo(String),
    /// `EHLO` and its argument.
    Ehlo(String),
    /// `MAIL FROM:`.
    Mail(ReversePath, Vec<Parameter>),
    /// `RCPT TO:`; a path without a domain is the postmaster's.
    Rcpt(Recipient, Vec<Parameter>),
    Data,
    /// `BDAT`: the size of the chunk, and whether it is the last.
    Bdat(u64, bool),
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    Quit,
    StartTls,
}

/// The recipient of a `RCPT` command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Recipient {
    Mailbox(Mailbox),
    /// `<postmaster>`, the local postmaster (RFC 5321 section 4.5.1).
    Postmaster,
}

/// A parameter of `MAIL` or `RCPT`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Parameter {
    /// In upper case.
    pub(crate) keyword: String,
    pub(crate) value: Option<String>,
}

impl Command {
    /// Parses a line, given without its CRLF.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, CommandError> {
        if let Some(argument) = chunk(line) {
            return bdat(argument);
        }
        let line = std::str::from_utf8(line).map_err(|_| CommandError::Octets)?;
        if line.bytes().any(|c| c.is_ascii_control() && c != b'\t') {
            return Err(CommandError::Octets);
        }
        let line = line.trim_end_matches([' ', '\t']);
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_start_matches(' ');
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => greeting(argument).map(Self::Helo),
            "EHLO" => greeting(argument).map(Self::Ehlo),
            "MAIL" => mail(argument),
            "RCPT" => rcpt(argument),
            "NOOP" => Ok(Self::Noop),
            "HELP" => Ok(Self::Help),
            "VRFY" if !argument.is_empty() => Ok(Self::Vrfy),
            "EXPN" if !argument.is_empty() => Ok(Self::Expn),
            "VRFY" | "EXPN" => Err(CommandError::Argument("argument required")),
            "DATA" => bare(argument, Self::Data),
            "RSET" => bare(argument, Self::Rset),
            "QUIT" => bare(argument, Self::Quit),
            "STARTTLS" => bare(argument, Self::StartTls),
            "PROXY" => Err(CommandError::ProxyHeader),
            _ => Err(CommandError::Unknown),
        }
    }
}

/// A line is not a valid [`Command`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum CommandError {
    #[error("unrecognized command")]
    Unknown,
    #[error("invalid octets in the command")]
    Octets,
    #[error("{0}")]
    Argument(&'static str),
    #[error("invalid sender address")]
    Sender,
    #[error("invalid recipient address")]
    Recipient,
    /// A PROXY header, of a client that must not send one: what follows is of another client.
    #[error("PROXY header not allowed")]
    ProxyHeader,
    /// The size of the chunk is unknown, and so is the position of the next command.
    #[error("invalid chunk size")]
    ChunkSize,
    /// The size is valid: this many octets follow.
    #[error("only LAST may follow the size")]
    ChunkEnd(u64),
}

/// The argument of `BDAT`. Even if it is invalid, the octets of a chunk follow.
fn chunk(line: &[u8]) -> Option<&[u8]> {
    let (verb, argument) = line.split_at_checked(4)?;
    let ends = !argument.first().is_some_and(u8::is_ascii_alphanumeric);
    (ends && verb.eq_ignore_ascii_case(b"BDAT")).then_some(argument)
}

fn bare(argument: &str, command: Command) -> Result<Command, CommandError> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(CommandError::Argument("no argument allowed"))
    }
}

fn greeting(argument: &str) -> Result<String, CommandError> {
    match argument {
        "" => Err(CommandError::Argument("domain or address required")),
        _ if argument.len() > 255 => Err(CommandError::Argument("the name is too long")),
        _ => Ok(argument.to_owned()),
    }
}

fn mail(argument: &str) -> Result<Command, CommandError> {
    let rest = keyword(argument, "FROM:").ok_or(CommandError::Argument("FROM: is missing"))?;
    let (path, rest) = path(rest).ok_or(CommandError::Sender)?;
    let path = ReversePath::from_unicode(path).map_err(|_| CommandError::Sender)?;
    Ok(Command::Mail(path, parameters(rest)?))
}

fn rcpt(argument: &str) -> Result<Command, CommandError> {
    let rest = keyword(argument, "TO:").ok_or(CommandError::Argument("TO: is missing"))?;
    let (path, rest) = path(rest).ok_or(CommandError::Recipient)?;
    let recipient = if path.eq_ignore_ascii_case("<postmaster>") {
        Recipient::Postmaster
    } else {
        match ReversePath::from_unicode(path).map_err(|_| CommandError::Recipient)? {
            ReversePath::Mailbox(mailbox) => Recipient::Mailbox(mailbox),
            ReversePath::Null => return Err(CommandError::Recipient),
        }
    };
    Ok(Command::Rcpt(recipient, parameters(rest)?))
}

/// RFC 3030 section 2: digits only. Nineteen of them always fit.
fn bdat(argument: &[u8]) -> Result<Command, CommandError> {
    let text = argument.strip_prefix(b" ").ok_or(CommandError::ChunkSize)?.trim_ascii();
    let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (size, end) = text.split_at_checked(digits).unwrap_or_default();
    let size = std::str::from_utf8(size).ok().filter(|_| digits < 20 && !end_is_joined(end));
    let size = size.and_then(|size| size.parse().ok()).ok_or(CommandError::ChunkSize)?;
    match end.trim_ascii_start() {
        [] => Ok(Command::Bdat(size, false)),
        last if last.eq_ignore_ascii_case(b"LAST") => Ok(Command::Bdat(size, true)),
        _ => Err(CommandError::ChunkEnd(size)),
    }
}

/// Tells whether the text after a number follows it without a blank.
fn end_is_joined(end: &[u8]) -> bool {
    end.first().is_some_and(|octet| !matches!(octet, b' ' | b'\t'))
}

/// Removes a keyword, in any case, and the blanks after its colon, which many clients write.
fn keyword<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(keyword.len())?;
    head.eq_ignore_ascii_case(keyword).then(|| rest.trim_start_matches(' '))
}

/// Splits a path in angle brackets from what follows it; a bracket in quotes does not end it.
fn path(text: &str) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return text.split_at_checked(at + 1),
            _ => {}
        }
    }
    None
}

/// `SP esmtp-keyword ["=" esmtp-value]`, any number of them up to [`MAX_PARAMETERS`].
fn parameters(text: &str) -> Result<Vec<Parameter>, CommandError> {
    if !text.is_empty() && !text.starts_with(' ') {
        return Err(CommandError::Argument("space required after the path"));
    }
    let mut found = Vec::<Parameter>::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let (keyword, value) = word.split_once('=').map_or((word, None), |(k, v)| (k, Some(v)));
        let named = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        let sound = keyword.bytes().all(named) && !keyword.starts_with('-') && !keyword.is_empty();
        if !sound || value.is_some_and(|v| v.is_empty() || v.contains('=')) {
            return Err(CommandError::Argument("malformed parameter"));
        }
        let keyword = keyword.to_ascii_uppercase();
        if found.iter().any(|other| other.keyword == keyword) {
            return Err(CommandError::Argument("duplicate parameter"));
        }
        if found.len() == MAX_PARAMETERS {
            return Err(CommandError::Argument("too many parameters"));
        }
        found.push(Parameter { keyword, value: value.map(str::to_owned) });
    }
    Ok(found)
}

const MAX_PARAMETERS: usize = 16;
