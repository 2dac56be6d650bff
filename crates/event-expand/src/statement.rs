//! An SQL query: its text with placeholders, and the bound values.

mod cache;
mod layout;
mod scanner;

pub use cache::StatementCache;
use layout::Layout;
use mail_types::exim::Query;
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
    /// The SQL text, without the semicolon that ends it and the comments behind that.
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
        let (layout, sql) = Layout::new(query, dialect)?;
        let mut statement = Self { sql, parameters: Vec::new() };
        layout.bind(query, &mut statement.parameters)?;
        Ok(statement)
    }
}
