//! The command of a query.

use std::fmt;

use mail_types::exim::{Query, Trust, Value};
use thiserror::Error;

use crate::command_table::{self, Keys, Permission};
use crate::words::{self, Word};
use crate::{Mode, Options};

/// A checked command, ready to send.
///
/// Only a blank in the text of the template ends a word. A value is a part of one word, whatever its octets; an empty
/// value can be a word. A backslash makes the next octet literal, and a word may be in double quotes. These signs work
/// only in the text of the template, so a value marked by `quote_redis` and an unmarked one give the same word.
///
/// ```
/// use mail_types::exim::{Query, Trust};
/// use redis_lookup::{Command, Effect};
///
/// let mut query = Query::default();
/// query.push_literal(b"HGET ");
/// query.push_value(b"example.com domain\r\nFLUSHALL", Trust::Untrusted);
/// query.push_literal(b" domain");
///
/// let command = Command::new(&query)?;
/// assert_eq!(command.words(), [&b"HGET"[..], b"example.com domain\r\nFLUSHALL", b"domain"]);
/// assert_eq!(command.effect(), Effect::Read);
/// # Ok::<(), redis_lookup::CommandError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Command {
    words: Vec<Vec<u8>>,
    servers: Option<Vec<u8>>,
    effect: Effect,
    key: Option<usize>,
}

/// The effect of a command on the data.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a command changes data or does not")]
pub enum Effect {
    /// The command only reads; it may be sent again.
    Read,
    /// The command may change data; it is sent again only after proof that it was not executed.
    Write,
}

impl Command {
    /// Makes the command of a query, with the default [`Options`].
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the query must not be sent.
    pub fn new(query: &Query) -> Result<Self, CommandError> {
        Self::new_with(query, &Options::default())
    }

    /// Makes the command of a query. In [`Mode::Exim`] it may have no words; such a command finds nothing.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; the query must not be sent.
    pub fn new_with(query: &Query, options: &Options) -> Result<Self, CommandError> {
        let (servers, words) = words::split(query, options)?;
        let mut names = words.iter();
        let (effect, keys) = match (names.next(), names.next()) {
            (Some(name), second) => {
                let permitted = permission(name, second, options)?;
                check_code(&words)?;
                permitted
            }
            (None, _) if options.mode == Mode::Exim => (Effect::Read, Keys::None),
            (None, _) => return Err(CommandError::Empty),
        };
        let key = match keys {
            Keys::None => None,
            Keys::At(at) => Some(at).filter(|at| *at < words.len()),
            Keys::Counted(at) => Some(at + 1).filter(|at| *at < words.len()),
            Keys::Streams => {
                let at = words.iter().position(|word| word.bytes.eq_ignore_ascii_case(b"STREAMS"));
                let options = words.get(..at.unwrap_or(words.len())).unwrap_or_default();
                if options.iter().any(|word| word.bytes.eq_ignore_ascii_case(b"BLOCK")) {
                    return Err(CommandError::Never { name: "XREAD BLOCK".to_owned() });
                }
                at.map(|at| at + 1).filter(|at| *at < words.len())
            }
        };
        let words = words.into_iter().map(|word| word.bytes).collect();
        Ok(Self { words, servers, effect, key })
    }

    /// Returns the words; the first is the name of the command.
    #[must_use]
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// Returns the list of servers at the start of the query, as in `servers=127.0.0.1::6379//;GET x`,
    /// Exim's older form of `${lookup redis,servers=…{…}}`. Pass it to
    /// [`Servers::pick`](crate::Servers::pick).
    #[must_use]
    pub fn servers(&self) -> Option<&[u8]> {
        self.servers.as_deref()
    }

    /// Returns the effect of the command on the data.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Returns the first key, which selects the node of a cluster.
    ///
    /// ```
    /// use mail_types::exim::Query;
    /// use redis_lookup::{Command, Effect, Options};
    ///
    /// let mut query = Query::default();
    /// query.push_literal(b"INCR rate:a");
    /// let command = Command::new_with(&query, &Options::default().with_writes(true))?;
    /// assert_eq!((command.key(), command.effect()), (Some(&b"rate:a"[..]), Effect::Write));
    /// # Ok::<(), redis_lookup::CommandError>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.key.and_then(|at| self.words.get(at)).map(Vec::as_slice)
    }
}

impl fmt::Display for Command {
    /// Writes the command for a log line: a word with blanks, quotes or control characters is in double
    /// quotes, with escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words.iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            let plain = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
            if !word.is_empty() && word.iter().all(plain) {
                write!(f, "{blank}{}", Value::new(word.as_slice(), Trust::Untrusted))?;
            } else {
                write!(f, "{blank}\"{}\"", word.escape_ascii())?;
            }
        }
        Ok(())
    }
}

/// Returns the effect of a command and the place of its key, if the command is allowed.
fn permission(
    name: &Word,
    second: Option<&Word>,
    options: &Options,
) -> Result<(Effect, Keys), CommandError> {
    if let Some(segment) = name.value {
        return Err(CommandError::CommandWord { segment });
    }
    let mut shown = shown(&name.bytes);
    let second = second.filter(|_| command_table::is_container(&name.bytes));
    if let Some(word) = second {
        if let Some(segment) = word.value {
            return Err(CommandError::CommandWord { segment });
        }
        shown = format!("{shown} {}", self::shown(&word.bytes));
    }
    let allowed = || options.commands.iter().any(|command| command.eq_ignore_ascii_case(&shown));
    match command_table::permission(&name.bytes, second.map(|word| word.bytes.as_slice())) {
        Permission::Known(Effect::Write, _) if !options.writes && !allowed() => {
            Err(CommandError::Write { name: shown })
        }
        Permission::Known(effect, keys) => Ok((effect, keys)),
        Permission::Never => Err(CommandError::Never { name: shown }),
        Permission::Unknown if allowed() => Ok((Effect::Write, Keys::At(1))),
        Permission::Unknown => Err(CommandError::NotAllowed { name: shown }),
    }
}

/// Refuses a value in the words that the server runs as a program, or that choose one.
fn check_code(words: &[Word]) -> Result<(), CommandError> {
    let code = words.first().map_or(0..0, |name| command_table::code_words(&name.bytes));
    let mut code = words.iter().take(code.end).skip(code.start);
    match code.find_map(|word| word.value) {
        Some(segment) => Err(CommandError::CodeWord { segment }),
        None => Ok(()),
    }
}

/// The name of a command for a message: in upper case and not too long.
fn shown(name: &[u8]) -> String {
    let name = name.get(..NAME).unwrap_or(name);
    name.to_ascii_uppercase().escape_ascii().to_string()
}

/// The most octets of a name in a message.
const NAME: usize = 40;

/// A query is not an allowed [`Command`]; it must not be sent.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum CommandError {
    /// The query has no words.
    #[error("the query has no command")]
    Empty,
    /// A value is in the name of the command.
    #[error("a value is in the name of the command (segment {segment})")]
    CommandWord {
        /// The number of the segment of the query, from 0.
        segment: usize,
    },
    /// A value is in a script, its digest, the name of a function or the number of keys of one: the
    /// value would be a program, or choose one.
    #[error(
        "a value is in a script, its name or its number of keys (segment {segment}): pass it after the number of keys, as a key or an argument"
    )]
    CodeWord {
        /// The number of the segment of the query, from 0.
        segment: usize,
    },
    /// A value is in the list of servers at the start of the query.
    #[error("a value is in servers= (segment {segment})")]
    ServersWord {
        /// The number of the segment of the query, from 0.
        segment: usize,
    },
    /// The command changes data, and [`Options::writes`] is off.
    #[error("{name} changes data, and writes are not allowed")]
    Write {
        /// The command.
        name: String,
    },
    /// The command is neither a known data command nor in [`Options::commands`].
    #[error("{name} is not an allowed command")]
    NotAllowed {
        /// The command.
        name: String,
    },
    /// The command changes the state of the shared connection, or blocks it.
    #[error("{name} is never allowed, since it changes or blocks the shared connection")]
    Never {
        /// The command.
        name: String,
    },
    /// A backslash is the last octet of a segment: the text ends, or a value begins.
    #[error("a backslash has no octet after it (segment {segment})")]
    Backslash {
        /// The number of the segment of the query, from 0.
        segment: usize,
    },
    /// A double quote is not closed.
    #[error("a double quote is not closed")]
    Quote,
    /// The words have more octets than [`Limits::command`](crate::Limits::command).
    #[error("the command has more than {limit} octets")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// There are more words than [`Limits::words`](crate::Limits::words).
    #[error("the command has more than {limit} words")]
    TooManyWords {
        /// The limit.
        limit: usize,
    },
}
