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
/// let mut query = Query::with_capacity(50, 3);
/// query.push_literal(b"SELECT home FROM users WHERE name = '");
/// query.push_quoted(b"o'hara", Trust::Untrusted, "sqlite");
/// query.push_literal(b"'");
///
/// assert_eq!((query.segments().len(), query.octets()), (3, 44));
/// assert!(query.check("sqlite").is_ok());
/// assert!(query.check("pgsql").is_err(), "it was quoted for another lookup");
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Query {
    /// The octets of all segments.
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

/// The place and the kind of a segment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Part {
    from: usize,
    to: usize,
    /// The marks of a value; `None` for text of the template.
    marks: Option<(Trust, Option<&'static str>)>,
}

impl Query {
    /// Makes an empty query with room for this many octets and segments.
    #[must_use]
    pub fn with_capacity(octets: usize, segments: usize) -> Self {
        Self { bytes: Vec::with_capacity(octets), parts: Vec::with_capacity(segments) }
    }

    /// Appends text of the template; consecutive texts make one segment.
    pub fn push_literal(&mut self, text: &[u8]) {
        match self.parts.last_mut() {
            Some(Part { to, marks: None, .. }) => {
                *to += text.len();
                self.bytes.extend_from_slice(text);
            }
            _ if text.is_empty() => {}
            _ => self.push(text, None),
        }
    }

    /// Appends a value without the mark of a quoting operator; consecutive values stay separate,
    /// and an empty one stays.
    pub fn push_value(&mut self, bytes: &[u8], trust: Trust) {
        self.push(bytes, Some((trust, None)));
    }

    /// Appends a value that `quote_<lookup>` has marked, unescaped.
    pub fn push_quoted(&mut self, bytes: &[u8], trust: Trust, lookup: &'static str) {
        self.push(bytes, Some((trust, Some(lookup))));
    }

    fn push(&mut self, bytes: &[u8], marks: Option<(Trust, Option<&'static str>)>) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.parts.push(Part { from, to: self.bytes.len(), marks });
    }

    /// Returns the segments in order.
    #[must_use]
    pub fn segments(&self) -> impl ExactSizeIterator<Item = Segment<'_>> + Clone {
        self.parts.iter().map(|part| {
            let bytes = self.bytes.get(part.from..part.to).unwrap_or_default();
            match part.marks {
                None => Segment::Literal(bytes),
                Some((trust, quoted)) => Segment::Value { bytes, trust, quoted },
            }
        })
    }

    /// Returns the number of octets of all segments.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.bytes.len()
    }

    /// Checks that each untrusted value was quoted for this lookup.
    ///
    /// # Errors
    ///
    /// [`QueryError`] with the first such value that was not: do not send the query.
    pub fn check(&self, lookup: &str) -> Result<(), QueryError> {
        let unquoted = |part: &Part| match part.marks {
            None | Some((Trust::Trusted, _)) => false,
            Some((Trust::Untrusted, quoted)) => quoted != Some(lookup),
        };
        match self.parts.iter().position(unquoted) {
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
        for (at, segment) in self.segments().enumerate() {
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
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a sender must handle both")]
pub enum Segment<'q> {
    /// Text of the template.
    Literal(&'q [u8]),
    /// The value of a variable or of a nested expansion, unescaped.
    Value {
        /// The bytes.
        bytes: &'q [u8],
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
