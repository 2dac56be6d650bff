//! The text of a lookup, with values from outside kept apart from the administrator's text.

use thiserror::Error;

use crate::exim::Trust;

/// A lookup's text as literal and value segments.
///
/// It is never joined into one string that a database would parse again: the caller binds each
/// value as a parameter, or passes it as a separate argument.
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
    /// Appends text of the template; consecutive texts make one segment.
    pub fn push_literal(&mut self, text: &[u8]) {
        match self.segments.last_mut() {
            Some(Segment::Literal(last)) => last.extend_from_slice(text),
            _ if text.is_empty() => {}
            _ => self.segments.push(Segment::Literal(text.to_vec())),
        }
    }

    /// Appends a value without the mark of a quoting operator; consecutive values stay separate,
    /// and an empty one stays.
    pub fn push_value(&mut self, bytes: &[u8], trust: Trust) {
        self.segments.push(Segment::Value { bytes: bytes.to_vec(), trust, quoted: None });
    }

    /// Appends a value that `quote_<lookup>` has marked, unescaped.
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
    /// [`QueryError`] with the first such value that was not: do not send the query.
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

    /// Checks that no untrusted value is in the first word, quoted or not; for lookups that keep each value in its
    /// word. A blank of the text ends the word, unless it is after a backslash or in double quotes at the start of the
    /// word.
    ///
    /// ```
    /// use mail_types::exim::{Query, Trust};
    ///
    /// let mut query = Query::default();
    /// query.push_literal(b"GET ");
    /// query.push_value(b"a b", Trust::Untrusted);
    /// assert!(query.check_first_word().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`QueryError`] with the first such value: do not send the query.
    pub fn check_first_word(&self) -> Result<(), QueryError> {
        let (mut begun, mut quoted, mut protected) = (false, false, false);
        for (at, segment) in self.segments.iter().enumerate() {
            let text = match segment {
                Segment::Literal(text) => text,
                Segment::Value { trust: Trust::Trusted, .. } => {
                    begun = true;
                    continue;
                }
                Segment::Value { trust: Trust::Untrusted, .. } => return Err(QueryError { at }),
            };
            for byte in text {
                match byte {
                    _ if protected => protected = false,
                    b'\\' => (begun, protected) = (true, true),
                    b'"' if quoted => quoted = false,
                    b'"' if !begun => (begun, quoted) = (true, true),
                    b' ' | b'\t'..=b'\r' if quoted || !begun => {}
                    b' ' | b'\t'..=b'\r' => return Ok(()),
                    _ => begun = true,
                }
            }
        }
        Ok(())
    }
}

/// A piece of a [`Query`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a sender must handle both")]
pub enum Segment {
    /// Text of the template.
    Literal(Vec<u8>),
    /// The value of a variable or of a nested expansion, unescaped.
    Value {
        /// The bytes.
        bytes: Vec<u8>,
        /// The origin of the value.
        trust: Trust,
        /// The lookup that the value was quoted for; every other operator removes this mark.
        quoted: Option<&'static str>,
    },
}

/// An untrusted value is not quoted for the lookup that it would be sent to, or is in the name of its command.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error(
    "untrusted value in the lookup is not quoted for it, or is in the name of its command (segment {at})"
)]
#[non_exhaustive]
pub struct QueryError {
    /// The number of the segment; the first is 0.
    pub at: usize,
}

/// The result of a lookup.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the three outcomes of a lookup")]
pub enum LookupResult {
    /// The value found; it is untrusted unless the program declares otherwise.
    Value(Vec<u8>),
    /// The lookup found nothing.
    Nothing,
    /// The lookup failed temporarily.
    Deferred,
}
