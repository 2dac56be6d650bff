//! The text of a lookup, with what came from outside kept apart from what the administrator wrote.

use thiserror::Error;

use crate::exim::Trust;

/// A lookup's text as literal and value segments.
///
/// It is never joined into one string that an engine would take apart again: whoever sends it binds
/// each value as itself, or puts it into an argument of its own.
///
/// ```
/// use mail_types::exim::{Query, Segment, Trust};
///
/// let mut query = Query::default();
/// query.push_literal(b"SELECT home FROM users WHERE name = '");
/// query.push_quoted(b"o'hara", Trust::Untrusted, "sqlite");
/// query.push_literal(b"'");
///
/// assert_eq!(query.segments().len(), 3);
/// assert!(query.check("sqlite").is_ok());
/// assert!(query.check("pgsql").is_err(), "it was quoted for another lookup");
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Query {
    segments: Vec<Segment>,
}

impl Query {
    /// Appends text of the template; next to other such text it makes one segment with it.
    pub fn push_literal(&mut self, text: &[u8]) {
        match self.segments.last_mut() {
            Some(Segment::Literal(last)) => last.extend_from_slice(text),
            _ if text.is_empty() => {}
            _ => self.segments.push(Segment::Literal(text.to_vec())),
        }
    }

    /// Appends a value that bears no mark; two values in a row stay two, and an empty one stays.
    pub fn push_value(&mut self, bytes: &[u8], trust: Trust) {
        self.segments.push(Segment::Value { bytes: bytes.to_vec(), trust, quoted: None });
    }

    /// Appends a value that `quote_<lookup>` has marked: the bytes as they are, not escaped.
    pub fn push_quoted(&mut self, bytes: &[u8], trust: Trust, lookup: &'static str) {
        let (bytes, quoted) = (bytes.to_vec(), Some(lookup));
        self.segments.push(Segment::Value { bytes, trust, quoted });
    }

    /// Returns the segments in order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Checks that each untrusted value was quoted for this lookup.
    ///
    /// # Errors
    ///
    /// [`QueryError`] with the first value that was not: nothing may be sent.
    pub fn check(&self, lookup: &str) -> Result<(), QueryError> {
        let unquoted = |segment: &Segment| match segment {
            Segment::Literal(_) | Segment::Value { trust: Trust::Trusted, .. } => false,
            Segment::Value { trust: Trust::Untrusted, quoted, .. } => *quoted != Some(lookup),
        };
        match self.segments.iter().position(unquoted) {
            Some(at) => Err(QueryError { at }),
            None => Ok(()),
        }
    }
}

/// A piece of a [`Query`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever sends a query must treat both")]
pub enum Segment {
    /// Text of the template.
    Literal(Vec<u8>),
    /// The bytes of a variable or of a nested expansion, as they are: not escaped.
    Value {
        /// The bytes.
        bytes: Vec<u8>,
        /// Where they come from.
        trust: Trust,
        /// The lookup that they were quoted for; any other operator has dropped the mark.
        quoted: Option<&'static str>,
    },
}

/// A value that anybody may have written is not quoted for the lookup that it would go to.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("segment {at} is untrusted, and not quoted for this lookup")]
#[non_exhaustive]
pub struct QueryError {
    /// Which segment, from 0.
    pub at: usize,
}

/// How a lookup ended.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the three outcomes of a lookup")]
pub enum LookupResult {
    /// What was found; it is untrusted, unless the program says otherwise.
    Value(Vec<u8>),
    /// There is nothing.
    Nothing,
    /// There is no telling now.
    Deferred,
}
