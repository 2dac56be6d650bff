//! Statements whose queries were read before.

use mail_types::exim::{Query, Segment, Trust};

use super::layout::{self, Layout};
use super::{Dialect, Statement, StatementError};

/// The latest statements of a database, by the text of their queries. A query that differs from an earlier one in its
/// bound values alone is not read again; most of the time of a [`Statement`] is that.
///
/// It holds [`CAPACITY`](Self::CAPACITY) statements; one whose query has more than [`OCTETS`](Self::OCTETS) octets of
/// text or [`SEGMENTS`](Self::SEGMENTS) segments, only until the next. A statement keeps large values only until then too.
///
/// ```
/// use event_expand::{Dialect, Parameter, StatementCache};
/// use mail_types::exim::{Query, Trust};
///
/// let mut statements = StatementCache::new(Dialect::Sqlite);
/// for name in ["ann", "o'hara"] {
///     let mut query = Query::default();
///     query.push_literal(b"SELECT home FROM users WHERE name = '");
///     query.push_quoted(name.as_bytes(), Trust::Untrusted, "sqlite");
///     query.push_literal(b"'");
///     let statement = statements.statement(&query)?;
///     assert_eq!(statement.sql, "SELECT home FROM users WHERE name = ?1");
///     assert_eq!(statement.parameters, [Parameter::Text(name.to_owned())]);
/// }
/// # Ok::<(), event_expand::StatementError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StatementCache {
    dialect: Dialect,
    last: Option<Known>,
    /// The others; the one that was used last comes last.
    known: Vec<Known>,
}

impl StatementCache {
    /// The most statements.
    pub const CAPACITY: usize = 16;
    /// The most octets of text in a query whose statement is kept.
    pub const OCTETS: usize = 16_384;
    /// The most segments of a query whose statement is kept.
    pub const SEGMENTS: usize = 1024;

    /// Starts without statements.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, last: None, known: Vec::new() }
    }

    /// Returns the statement of a query, the same as [`Statement::new`].
    ///
    /// # Errors
    ///
    /// The same as of [`Statement::new`].
    pub fn statement(&mut self, query: &Query) -> Result<&Statement, StatementError> {
        layout::check(query, self.dialect)?;
        let known = match self.take(query) {
            Some(known) => known,
            None => Known::new(query, self.dialect)?,
        };
        // Kept although a value may be refused: the next query may have the same text.
        let Known { layout, statement, .. } = self.last.insert(known);
        layout.bind(query, &mut statement.parameters)?;
        Ok(statement)
    }

    /// Takes the statement of a query with this text; makes room for another.
    fn take(&mut self, query: &Query) -> Option<Known> {
        if let Some(last) = self.last.take_if(|last| last.has_text_of(query)) {
            return Some(last);
        }
        let at = self.known.iter().rposition(|known| known.has_text_of(query));
        let found = at.map(|at| self.known.remove(at));
        if let Some(mut last) = self.last.take_if(|last| last.is_small()) {
            if self.known.len() + 1 >= Self::CAPACITY {
                self.known.remove(0);
            }
            layout::release(&mut last.statement.parameters);
            self.known.push(last);
        }
        found
    }
}

/// A statement, and the text of its query.
#[derive(Clone, Debug)]
struct Known {
    /// The query; each bound value is without octets, untrusted and not quoted, as no value of a valid query is.
    query: Query,
    layout: Layout,
    statement: Statement,
}

impl Known {
    fn new(query: &Query, dialect: Dialect) -> Result<Self, StatementError> {
        let (layout, sql) = Layout::new(query, dialect)?;
        let mut text = Query::default();
        let mut bound = layout.bound().peekable();
        for (at, segment) in query.segments().enumerate() {
            match segment {
                Segment::Literal(octets) => text.push_literal(octets),
                Segment::Value { .. } if bound.next_if_eq(&at).is_some() => {
                    text.push_value(b"", Trust::Untrusted);
                }
                Segment::Value { bytes, trust, .. } => text.push_value(bytes, trust),
            }
        }
        drop(bound);
        let statement = Statement { sql, parameters: Vec::new() };
        Ok(Self { query: text, layout, statement })
    }

    fn is_small(&self) -> bool {
        self.query.octets() <= StatementCache::OCTETS
            && self.query.segments().len() <= StatementCache::SEGMENTS
    }

    /// Tells whether a query differs in its bound values alone.
    fn has_text_of(&self, query: &Query) -> bool {
        let (known, segments) = (self.query.segments(), query.segments());
        let is_same = |(known, segment): (Segment<'_>, Segment<'_>)| match (known, segment) {
            (Segment::Value { trust: Trust::Untrusted, .. }, Segment::Value { .. }) => true,
            (known, segment) => known == segment,
        };
        known.len() == segments.len() && known.zip(segments).all(is_same)
    }
}
