//! Reads the SQL of a query: the strings with values in them become placeholders.

use std::io::Write as _;

use super::layout::{Piece, Pieces};
use super::{Dialect, StatementError};

/// The context of a byte in SQL.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum SqlContext {
    Plain,
    /// `'…'`, which can hold a value.
    String,
    /// Up to this byte; doubled it means itself. With `escapes`, a backslash escapes the next byte.
    Quoted {
        end: u8,
        escapes: bool,
    },
    /// `$tag$…$tag$`
    Dollars,
    /// `-- …`
    Line,
    /// `/* … */`, with this depth.
    Block(usize),
}

pub(super) struct Scanner {
    dialect: Dialect,
    sql: Vec<u8>,
    /// The parameters so far.
    pieces: Pieces,
    pub(super) context: SqlContext,
    /// The text of the current string since its last value, and whether it contains a value.
    string: Vec<u8>,
    binds: bool,
    /// The tag of the current dollar-quoted string, with its signs.
    tag: Vec<u8>,
    /// The end of the last placeholder.
    placeholder_end: Option<usize>,
    /// The position of the first semicolon outside quotations and comments, and whether more than blanks and comments
    /// follows it.
    end: Option<usize>,
    has_second: bool,
}

impl Scanner {
    pub(super) fn new(dialect: Dialect, octets: usize) -> Self {
        Self {
            dialect,
            sql: Vec::with_capacity(octets),
            pieces: Pieces::default(),
            context: SqlContext::Plain,
            string: Vec::new(),
            binds: false,
            tag: Vec::new(),
            placeholder_end: None,
            end: None,
            has_second: false,
        }
    }

    /// Takes a value in a string, which is a segment of the query.
    pub(super) fn value(&mut self, segment: usize) {
        self.pieces.push_text(&mut self.string);
        self.pieces.push(Piece::Value(segment));
        self.binds = true;
    }

    /// Takes text of a segment.
    pub(super) fn text(&mut self, text: &[u8], at: usize) -> Result<(), StatementError> {
        let mut rest = self.take_ordinary(text);
        while let Some((&byte, behind)) = rest.split_first() {
            let taken = match self.context {
                SqlContext::Plain => self.plain(byte, behind, at)?,
                SqlContext::String => self.in_string(byte, behind),
                SqlContext::Quoted { end, escapes } => self.in_quotes(byte, behind, end, escapes),
                SqlContext::Dollars if rest.starts_with(&self.tag) => {
                    self.context = SqlContext::Plain;
                    self.sql.extend_from_slice(&self.tag);
                    self.tag.len()
                }
                SqlContext::Dollars => self.copy(&[byte]),
                SqlContext::Line => {
                    if byte == b'\n' || (byte == b'\r' && self.dialect == Dialect::Pgsql) {
                        self.context = SqlContext::Plain;
                    }
                    self.copy(&[byte])
                }
                SqlContext::Block(depth) => match (byte, behind.first()) {
                    (b'*', Some(b'/')) => {
                        self.context = if depth > 1 {
                            SqlContext::Block(depth - 1)
                        } else {
                            SqlContext::Plain
                        };
                        self.copy(b"*/")
                    }
                    (b'/', Some(b'*')) if self.dialect == Dialect::Pgsql => {
                        self.context = SqlContext::Block(depth + 1);
                        self.copy(b"/*")
                    }
                    _ => self.copy(&[byte]),
                },
            };
            rest = self.take_ordinary(rest.get(taken..).unwrap_or_default());
        }
        Ok(())
    }

    /// Takes the bytes up to the next one that may begin or end something; returns the rest.
    fn take_ordinary<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        // Each with a search of its own: a function behind a pointer would be called for each byte.
        let end = match self.context {
            SqlContext::Plain => text.iter().position(|byte| is_special(*byte)),
            SqlContext::String => text.iter().position(|byte| *byte == b'\''),
            _ => return text,
        };
        let (ordinary, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or_default();
        if self.context == SqlContext::String {
            self.string.extend_from_slice(ordinary);
            return rest;
        }
        // A string needs no blank behind it; the number of a placeholder does.
        if self.placeholder_end == Some(self.sql.len())
            && text.first().copied().is_some_and(is_word)
        {
            self.sql.push(b' ');
        }
        self.has_second |= self.end.is_some() && !ordinary.trim_ascii().is_empty();
        self.sql.extend_from_slice(ordinary);
        rest
    }

    /// Takes one byte or more outside quotations and comments.
    fn plain(&mut self, byte: u8, behind: &[u8], at: usize) -> Result<usize, StatementError> {
        let after_word = self.sql.last().copied().is_some_and(is_word);
        let is_nothing =
            matches!((byte, behind.first()), (b';', _) | (b'-', Some(b'-')) | (b'/', Some(b'*')));
        self.has_second |= self.end.is_some() && !is_nothing;
        self.context = match (byte, behind.first()) {
            (b'\'', _) if !after_word && self.sql.last() != Some(&b'&') => {
                self.context = SqlContext::String;
                return Ok(1);
            }
            (b'\'', _) => {
                let is_e = match self.sql.as_slice() {
                    [before @ .., b'e' | b'E'] => !before.last().copied().is_some_and(is_word),
                    _ => false,
                };
                SqlContext::Quoted { end: b'\'', escapes: is_e && self.dialect == Dialect::Pgsql }
            }
            (b'"', _) => SqlContext::Quoted { end: b'"', escapes: false },
            (b'`', _) if self.dialect == Dialect::Sqlite => {
                SqlContext::Quoted { end: b'`', escapes: false }
            }
            (b'[', _) if self.dialect == Dialect::Sqlite => {
                SqlContext::Quoted { end: b']', escapes: false }
            }
            (b'-', Some(b'-')) => SqlContext::Line,
            (b'/', Some(b'*')) => {
                self.context = SqlContext::Block(1);
                return Ok(self.copy(b"/*"));
            }
            (b'$', _) if self.dialect == Dialect::Pgsql && !after_word => {
                return self.dollar(behind, at);
            }
            (b';', _) => {
                self.end.get_or_insert(self.sql.len());
                SqlContext::Plain
            }
            (b'?', _) if self.dialect == Dialect::Sqlite => {
                return Err(StatementError::Placeholder { at });
            }
            // A `$` may be in a name.
            (b':' | b'@' | b'#' | b'$', Some(next))
                if self.dialect == Dialect::Sqlite
                    && is_word(*next)
                    && !(byte == b'$' && after_word) =>
            {
                return Err(StatementError::Placeholder { at });
            }
            _ => SqlContext::Plain,
        };
        Ok(self.copy(&[byte]))
    }

    /// Takes a `$`: of a placeholder, or of a dollar-quoted string.
    fn dollar(&mut self, behind: &[u8], at: usize) -> Result<usize, StatementError> {
        let tag = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_' || !b.is_ascii();
        let length = behind.iter().take_while(tag).count();
        let name = behind.get(..length).unwrap_or_default();
        match (name.first(), behind.get(length)) {
            (Some(b'0'..=b'9'), _) => Err(StatementError::Placeholder { at }),
            (_, Some(b'$')) => {
                self.tag = [b"$", name, b"$"].concat();
                self.context = SqlContext::Dollars;
                self.sql.extend_from_slice(&self.tag);
                Ok(self.tag.len())
            }
            _ => Ok(self.copy(b"$")),
        }
    }

    fn in_string(&mut self, byte: u8, behind: &[u8]) -> usize {
        match (byte, behind.first()) {
            (b'\'', Some(b'\'')) => {
                self.string.push(b'\'');
                2
            }
            (b'\'', _) => {
                self.close();
                1
            }
            _ => {
                self.string.push(byte);
                1
            }
        }
    }

    fn in_quotes(&mut self, byte: u8, behind: &[u8], end: u8, escapes: bool) -> usize {
        match behind.first() {
            Some(next) if (byte == b'\\' && escapes) || (byte == end && *next == end) => {
                self.copy(&[byte, *next])
            }
            _ => {
                if byte == end {
                    self.context = SqlContext::Plain;
                }
                self.copy(&[byte])
            }
        }
    }

    /// Ends a string: as a parameter if it contains a value, else unchanged.
    fn close(&mut self) {
        self.context = SqlContext::Plain;
        if !std::mem::take(&mut self.binds) {
            self.sql.push(b'\'');
            for byte in self.string.drain(..) {
                self.sql.extend(std::iter::repeat_n(byte, 1 + usize::from(byte == b'\'')));
            }
            self.sql.push(b'\'');
            return;
        }
        self.pieces.push_text(&mut self.string);
        self.pieces.push(Piece::End);
        let sign = if self.dialect == Dialect::Pgsql { '$' } else { '?' };
        // A vector takes everything.
        let _ = write!(self.sql, "{sign}{}", self.pieces.parameters());
        self.placeholder_end = Some(self.sql.len());
    }

    /// Returns the SQL, and the pieces of its parameters.
    pub(super) fn finish(mut self) -> Result<(String, Pieces), StatementError> {
        match self.context {
            SqlContext::Plain | SqlContext::Line => {}
            _ => return Err(StatementError::Open),
        }
        if let Some(at) = self.end.filter(|_| !is_creation(&self.sql)) {
            if self.has_second {
                return Err(StatementError::SecondStatement { at });
            }
            // Only blanks and comments follow, which would end the statement in a clause, too.
            self.sql.truncate(at);
        }
        let sql = String::from_utf8(self.sql).map_err(|_| StatementError::Text)?;
        Ok((sql, self.pieces))
    }

    fn copy(&mut self, bytes: &[u8]) -> usize {
        self.sql.extend_from_slice(bytes);
        bytes.len()
    }
}

/// Tells whether a byte may begin something outside quotations and comments.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'\'' | b'"' | b'`' | b'[' | b'-' | b'/' | b'$' | b'?' | b':' | b'@' | b'#' | b';'
    )
}

/// Tells whether a byte may be in a word or a number.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// Tells whether a statement creates something: a trigger has statements of its own.
fn is_creation(sql: &[u8]) -> bool {
    let word = sql.trim_ascii_start().get(..CREATE.len());
    word.is_some_and(|word| word.eq_ignore_ascii_case(CREATE))
}

const CREATE: &[u8] = b"create";
