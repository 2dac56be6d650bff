//! The commands of a client: RFC 5321 section 4.1.

use std::borrow::Cow;

use mail_types::smtp::{Mailbox, ReversePath};

use super::command_error::{ArgumentError, CommandError, PathError, Shown};

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
        let line = text(line)?.trim_end_matches(BLANKS);
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_start_matches(BLANKS);
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => greeting("HELO", argument).map(Self::Helo),
            "EHLO" => greeting("EHLO", argument).map(Self::Ehlo),
            "MAIL" => mail(argument),
            "RCPT" => rcpt(argument),
            "NOOP" => Ok(Self::Noop),
            "HELP" => Ok(Self::Help),
            "VRFY" => named("VRFY", argument, Self::Vrfy),
            "EXPN" => named("EXPN", argument, Self::Expn),
            "DATA" => bare("DATA", argument, Self::Data),
            "RSET" => bare("RSET", argument, Self::Rset),
            "QUIT" => bare("QUIT", argument, Self::Quit),
            "STARTTLS" => bare("STARTTLS", argument, Self::StartTls),
            _ => Err(CommandError::Unknown(Shown::new(verb))),
        }
    }
}

/// Reads a line as text: UTF-8, without control characters.
fn text(line: &[u8]) -> Result<&str, CommandError> {
    let valid = std::str::from_utf8(line).map_err(|error| error.valid_up_to());
    let control = line.iter().position(|c| c.is_ascii_control() && *c != b'\t');
    let at = match (valid, control) {
        (Ok(line), None) => return Ok(line),
        (Ok(_), Some(at)) | (Err(at), None) => at,
        (Err(one), Some(other)) => one.min(other),
    };
    Err(CommandError::Octet { octet: line.get(at).copied().unwrap_or_default(), at })
}

/// The argument of `BDAT`. Even if it is invalid, the octets of a chunk follow.
fn chunk(line: &[u8]) -> Option<&[u8]> {
    let (verb, argument) = line.split_at_checked(4)?;
    let ends = !argument.first().is_some_and(u8::is_ascii_alphanumeric);
    (ends && verb.eq_ignore_ascii_case(b"BDAT")).then_some(argument)
}

fn bare(verb: &'static str, argument: &str, command: Command) -> Result<Command, CommandError> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(CommandError::Argument(verb, ArgumentError::NotAllowed))
    }
}

fn named(verb: &'static str, argument: &str, command: Command) -> Result<Command, CommandError> {
    if argument.is_empty() {
        Err(CommandError::Argument(verb, ArgumentError::Missing))
    } else {
        Ok(command)
    }
}

fn greeting(verb: &'static str, argument: &str) -> Result<String, CommandError> {
    let fault = match argument.len() {
        0 => ArgumentError::NoName,
        octets @ 256.. => ArgumentError::LongName(octets),
        _ => return Ok(argument.to_owned()),
    };
    Err(CommandError::Argument(verb, fault))
}

fn mail(argument: &str) -> Result<Command, CommandError> {
    let fault = |fault| CommandError::Argument("MAIL", fault);
    let rest = keyword(argument, "FROM:").map_err(fault)?;
    let (path, rest) = path(rest).ok_or(CommandError::Sender(PathError::NoBrackets))?;
    let path = address(path).map_err(CommandError::Sender)?;
    Ok(Command::Mail(path, parameters(rest).map_err(fault)?))
}

fn rcpt(argument: &str) -> Result<Command, CommandError> {
    let fault = |fault| CommandError::Argument("RCPT", fault);
    let rest = keyword(argument, "TO:").map_err(fault)?;
    let (path, rest) = path(rest).ok_or(CommandError::Recipient(PathError::NoBrackets))?;
    let recipient = if path.eq_ignore_ascii_case("<postmaster>") {
        Recipient::Postmaster
    } else {
        match address(path).map_err(CommandError::Recipient)? {
            ReversePath::Mailbox(mailbox) => Recipient::Mailbox(mailbox),
            ReversePath::Null => return Err(CommandError::Recipient(PathError::Empty)),
        }
    };
    Ok(Command::Rcpt(recipient, parameters(rest).map_err(fault)?))
}

/// RFC 3030 section 2: any number of digits, zeros before them too.
fn bdat(argument: &[u8]) -> Result<Command, CommandError> {
    let text = match argument {
        [b' ', text @ ..] => trim(text),
        _ => return Err(CommandError::ChunkSize),
    };
    let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (size, end) = text.split_at_checked(digits).unwrap_or_default();
    if digits == 0 || end.first().is_some_and(|octet| !is_blank(*octet)) {
        return Err(CommandError::ChunkSize);
    }
    // A number that does not fit is larger than any limit.
    let add = |size: u64, digit: &u8| size.saturating_mul(10).saturating_add((digit & 15).into());
    let size = size.iter().fold(0, add);
    match trim(end) {
        [] => Ok(Command::Bdat(size, false)),
        last if last.eq_ignore_ascii_case(b"LAST") => Ok(Command::Bdat(size, true)),
        _ => Err(CommandError::ChunkEnd(size)),
    }
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Removes the blanks around a text.
fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().take_while(|octet| is_blank(**octet)).count();
    let text = text.get(start..).unwrap_or_default();
    let end = text.iter().rev().take_while(|octet| is_blank(**octet)).count();
    text.get(..text.len() - end).unwrap_or_default()
}

/// Removes a keyword, in any case, and the blanks after its colon, which many clients write.
fn keyword<'a>(text: &'a str, keyword: &'static str) -> Result<&'a str, ArgumentError> {
    let found = text.split_at_checked(keyword.len());
    let found = found.filter(|(head, _)| head.eq_ignore_ascii_case(keyword));
    let (_, rest) = found.ok_or(ArgumentError::NoKeyword(keyword))?;
    Ok(rest.trim_start_matches(BLANKS))
}

/// Removes a dot at the end of a domain: it makes the name absolute, which is the same name.
pub(super) fn without_last_dot(name: &str) -> &str {
    let is_end = |c: char| c != '.' && c != ']';
    name.strip_suffix('.').filter(|name| name.ends_with(is_end)).unwrap_or(name)
}

/// Reads a path in angle brackets.
fn address(path: &str) -> Result<ReversePath, PathError> {
    let inner = path.strip_suffix('>').filter(|inner| inner.contains('@'));
    let path = match inner.map(|inner| (inner, without_last_dot(inner))) {
        Some((inner, name)) if name != inner => Cow::Owned(format!("{name}>")),
        _ => Cow::Borrowed(path),
    };
    Ok(ReversePath::from_unicode(&path)?)
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
fn parameters(text: &str) -> Result<Vec<Parameter>, ArgumentError> {
    let words = || text.split(BLANKS).filter(|word| !word.is_empty());
    if !text.is_empty() && !text.starts_with(BLANKS) {
        let first = words().next().unwrap_or_default();
        return Err(ArgumentError::Joined(Shown::new(first)));
    }
    let mut found = Vec::<Parameter>::new();
    for word in words() {
        let (keyword, value) = word.split_once('=').map_or((word, None), |(k, v)| (k, Some(v)));
        let named = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        let sound = keyword.bytes().all(named) && !keyword.starts_with('-') && !keyword.is_empty();
        if !sound || value.is_some_and(|v| v.is_empty() || v.contains('=')) {
            return Err(ArgumentError::Malformed(Shown::new(word)));
        }
        let keyword = keyword.to_ascii_uppercase();
        if found.iter().any(|other| other.keyword == keyword) {
            return Err(ArgumentError::Duplicate(Shown::new(&keyword)));
        }
        if found.len() == MAX_PARAMETERS {
            return Err(ArgumentError::TooMany(MAX_PARAMETERS));
        }
        found.push(Parameter { keyword, value: value.map(str::to_owned) });
    }
    Ok(found)
}

const MAX_PARAMETERS: usize = 16;
/// The separators of words after the verb, which ends with a space. RFC 5321 section 4.1.1 has spaces only, and white
/// space of any kind before the CRLF; here as in Exim a tab is as good before a parameter as after it.
const BLANKS: [char; 2] = [' ', '\t'];
