//! An SQL query: its text with placeholders, and the bound values.

use std::io::Write as _;

use mail_types::exim::{Query, Segment, Trust};
use thiserror::Error;

/// SQL with placeholders, and their values in order.
///
/// Each string `'…'` with a value in it becomes, with the text around the value, one parameter. The
/// text contains no byte of an untrusted value: a value cannot end a string or add a statement.
///
/// ```
/// use event_expand::{Dialect, Parameter, Statement};
/// use mail_types::exim::{Query, Trust};
///
/// let mut query = Query::default();
/// query.push_literal(b"SELECT home FROM users WHERE mail LIKE '");
/// query.push_quoted(b"x' OR 1=1 --", Trust::Untrusted, "pgsql");
/// query.push_literal(b"@%' AND active = 'yes'");
///
/// let statement = Statement::new(&query, Dialect::Pgsql)?;
/// assert_eq!(statement.sql, "SELECT home FROM users WHERE mail LIKE $1 AND active = 'yes'");
/// assert_eq!(statement.parameters, [Parameter::Text("x' OR 1=1 --@%".to_owned())]);
/// # Ok::<(), event_expand::StatementError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Statement {
    /// The SQL text.
    pub sql: String,
    /// The values of its placeholders, in order.
    pub parameters: Vec<Parameter>,
}

/// The SQL dialect.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dialect {
    /// `PostgreSQL`, lookup `pgsql`: placeholders `$1`. Send the parameters in text format without
    /// types, so that the server types them as string literals. `standard_conforming_strings` must
    /// be on, as by default.
    Pgsql,
    /// `SQLite`, lookup `sqlite`: placeholders `?1`.
    Sqlite,
}

impl Dialect {
    fn lookup(self) -> &'static str {
        match self {
            Self::Pgsql => "pgsql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// A value to bind.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle both")]
pub enum Parameter {
    /// Text.
    Text(String),
    /// Bytes that are not UTF-8; for [`Dialect::Sqlite`] only.
    Blob(Vec<u8>),
}

/// The reason why a query is not a [`Statement`]: send nothing of it.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum StatementError {
    /// An untrusted value was not quoted for this database.
    #[error("untrusted value in the query is not quoted for this lookup (segment {at})")]
    Unquoted {
        /// The number of the segment; the first is 0.
        at: usize,
    },
    /// A value is outside a plain SQL string: not between `'` and `'`, or in a comment, a quoted
    /// name, a string with a prefix or a dollar-quoted string.
    #[error("value in the query is not in a plain '…' string (segment {at})")]
    NotInString {
        /// The number of the segment; the first is 0.
        at: usize,
    },
    /// The text contains a placeholder.
    #[error("placeholder in the text of the query (segment {at})")]
    Placeholder {
        /// The number of the segment; the first is 0.
        at: usize,
    },
    /// A string, a name or a comment is not closed.
    #[error("unclosed string, name or comment in the query")]
    Open,
    /// Another statement follows: a lookup runs one.
    #[error("more than one statement in the query: text after ';' at byte {at} of its SQL")]
    SecondStatement {
        /// The position of the semicolon in the SQL.
        at: usize,
    },
    /// A value contains a NUL, which `PostgreSQL` text cannot hold.
    #[error("NUL in parameter {parameter}, which PostgreSQL cannot hold")]
    Nul {
        /// The number of the parameter; the first is 1.
        parameter: usize,
    },
    /// A value is not UTF-8, which `PostgreSQL` text must be.
    #[error("parameter {parameter} of the query is not UTF-8")]
    NotUtf8 {
        /// The number of the parameter; the first is 1.
        parameter: usize,
    },
    /// The text of the query is not UTF-8.
    #[error("the text of the query is not UTF-8")]
    Text,
}

impl Statement {
    /// Makes a statement from a query.
    ///
    /// # Errors
    ///
    /// [`StatementError`] if a value cannot be bound safely, or the text is malformed.
    pub fn new(query: &Query, dialect: Dialect) -> Result<Self, StatementError> {
        query.check(dialect.lookup()).map_err(|error| StatementError::Unquoted { at: error.at })?;
        let literals = query.segments().iter().map(|segment| match segment {
            Segment::Literal(text) => text.len(),
            Segment::Value { .. } => 0,
        });
        let mut scanner = Scanner::new(dialect, literals.sum());
        for (at, segment) in query.segments().iter().enumerate() {
            match segment {
                Segment::Literal(text) => scanner.text(text, at)?,
                Segment::Value { bytes, .. } if scanner.context == SqlContext::String => {
                    scanner.string.extend_from_slice(bytes);
                    scanner.binds = true;
                }
                // A trusted value, such as the name of a table, is text of the query.
                Segment::Value { bytes, trust: Trust::Trusted, quoted: None } => {
                    scanner.text(bytes, at)?;
                }
                Segment::Value { .. } => return Err(StatementError::NotInString { at }),
            }
        }
        scanner.finish()
    }
}

/// The context of a byte in SQL.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum SqlContext {
    Plain,
    /// `'…'`, which can hold a value.
    String,
    /// Up to this byte; doubled it means itself. With `escapes`, a backslash escapes the next byte.
    Quoted {
        end: u8,
        escapes: bool,
    },
    /// `$tag$…$tag$`, with the tag and its signs.
    Dollars(Vec<u8>),
    /// `-- …`
    Line,
    /// `/* … */`, with this depth.
    Block(usize),
}

struct Scanner {
    dialect: Dialect,
    sql: Vec<u8>,
    parameters: Vec<Parameter>,
    context: SqlContext,
    /// The current string, and whether it contains a value.
    string: Vec<u8>,
    binds: bool,
    /// The position of the first semicolon outside quotations and comments.
    end: Option<usize>,
}

impl Scanner {
    fn new(dialect: Dialect, octets: usize) -> Self {
        let (sql, parameters, string) = (Vec::with_capacity(octets), Vec::new(), Vec::new());
        let context = SqlContext::Plain;
        Self { dialect, sql, parameters, context, string, binds: false, end: None }
    }

    fn text(&mut self, text: &[u8], at: usize) -> Result<(), StatementError> {
        let mut rest = self.take_ordinary(text);
        while let Some((&byte, behind)) = rest.split_first() {
            let taken = match self.context.clone() {
                SqlContext::Plain => self.plain(byte, behind, at)?,
                SqlContext::String => self.in_string(byte, behind)?,
                SqlContext::Quoted { end, escapes } => self.in_quotes(byte, behind, end, escapes),
                SqlContext::Dollars(tag) => {
                    if rest.starts_with(&tag) {
                        self.context = SqlContext::Plain;
                        self.copy(&tag)
                    } else {
                        self.copy(&[byte])
                    }
                }
                SqlContext::Line => {
                    if byte == b'\n' {
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
        let (target, end) = match self.context {
            SqlContext::Plain => (&mut self.sql, text.iter().position(|byte| is_special(*byte))),
            SqlContext::String => (&mut self.string, text.iter().position(|byte| *byte == b'\'')),
            _ => return text,
        };
        let end = end.unwrap_or(text.len());
        let (ordinary, rest) = text.split_at_checked(end).unwrap_or_default();
        target.extend_from_slice(ordinary);
        rest
    }

    /// Takes one byte or more outside quotations and comments.
    fn plain(&mut self, byte: u8, behind: &[u8], at: usize) -> Result<usize, StatementError> {
        let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || !b.is_ascii();
        let after_word = self.sql.last().is_some_and(|last| word(last) || *last == b'&');
        self.context = match (byte, behind.first()) {
            (b'\'', _) if !after_word => {
                self.context = SqlContext::String;
                return Ok(1);
            }
            (b'\'', _) => {
                let is_e = matches!(self.sql.last(), Some(b'e' | b'E'));
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
            (b':' | b'@' | b'$', Some(next))
                if self.dialect == Dialect::Sqlite && !after_word && word(next) =>
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
                let tag = [b"$", name, b"$"].concat();
                let taken = self.copy(&tag);
                self.context = SqlContext::Dollars(tag);
                Ok(taken)
            }
            _ => Ok(self.copy(b"$")),
        }
    }

    fn in_string(&mut self, byte: u8, behind: &[u8]) -> Result<usize, StatementError> {
        match (byte, behind.first()) {
            (b'\'', Some(b'\'')) => {
                self.string.push(b'\'');
                Ok(2)
            }
            (b'\'', _) => {
                self.close()?;
                Ok(1)
            }
            _ => {
                self.string.push(byte);
                Ok(1)
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
    fn close(&mut self) -> Result<(), StatementError> {
        let string = std::mem::take(&mut self.string);
        self.context = SqlContext::Plain;
        if !std::mem::take(&mut self.binds) {
            self.sql.push(b'\'');
            for byte in string {
                self.sql.extend(std::iter::repeat_n(byte, 1 + usize::from(byte == b'\'')));
            }
            self.sql.push(b'\'');
            return Ok(());
        }
        let parameter = self.parameters.len() + 1;
        let value = match (String::from_utf8(string), self.dialect) {
            (Ok(text), Dialect::Pgsql) if text.contains('\0') => {
                return Err(StatementError::Nul { parameter });
            }
            (Ok(text), _) => Parameter::Text(text),
            (Err(_), Dialect::Pgsql) => return Err(StatementError::NotUtf8 { parameter }),
            (Err(error), Dialect::Sqlite) => Parameter::Blob(error.into_bytes()),
        };
        self.parameters.push(value);
        let sign = if self.dialect == Dialect::Pgsql { '$' } else { '?' };
        // A vector takes everything.
        let _ = write!(self.sql, "{sign}{parameter}");
        Ok(())
    }

    fn finish(self) -> Result<Statement, StatementError> {
        match self.context {
            SqlContext::Plain | SqlContext::Line => {}
            _ => return Err(StatementError::Open),
        }
        if let Some(at) = self.end
            && !crate::statement_end::is_end(&self.sql, at)
        {
            return Err(StatementError::SecondStatement { at });
        }
        let sql = String::from_utf8(self.sql).map_err(|_| StatementError::Text)?;
        Ok(Statement { sql, parameters: self.parameters })
    }

    fn copy(&mut self, bytes: &[u8]) -> usize {
        self.sql.extend_from_slice(bytes);
        bytes.len()
    }
}

/// Tells whether a byte may begin something outside quotations and comments.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`' | b'[' | b'-' | b'/' | b'$' | b'?' | b':' | b'@' | b';')
}
