//! Replies of a server, and their outcome.

use crate::{DeferReason, Limits, LookupOutcome, Mode, Refusal};

/// A reply, of version 2 or 3 of the protocol.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// No value: a nil string or array of version 2, the null of version 3.
    Nil,
    /// A short word, such as `OK`.
    Status(Vec<u8>),
    /// A string, a verbatim one or a big number.
    Text(Vec<u8>),
    /// A number.
    Integer(i64),
    /// A floating-point number.
    Double(f64),
    /// A truth value.
    Boolean(bool),
    /// An array or a set.
    List(Vec<Self>),
    /// A map, as pairs of keys and values.
    Map(Vec<(Self, Self)>),
    /// An error.
    Error(Refusal),
    /// A type that no command returns.
    Other,
}

impl Reply {
    /// Returns the outcome of a lookup with this reply.
    ///
    /// In [`Mode::Plain`] nil is not found, and so is an array without an element other than nil; an empty
    /// string is found; numbers are decimal; each element of an array, of a nested array or of a map is a line, and
    /// nil is an empty line, so that positions are kept. An element with a line break would move the next
    /// ones, and is deferred. In [`Mode::Exim`] the outcome is that of Exim's lookup.
    ///
    /// ```
    /// use redis_lookup::{Limits, Mode, LookupOutcome, Reply};
    ///
    /// let (limits, text) = (Limits::default(), |text: &str| Reply::Text(text.into()));
    /// let reply = Reply::List(vec![text("a"), Reply::Nil, Reply::Integer(3)]);
    /// assert_eq!(reply.outcome(Mode::Plain, &limits), LookupOutcome::Found(b"a\n\n3".to_vec()));
    /// assert_eq!(Reply::Nil.outcome(Mode::Plain, &limits), LookupOutcome::NotFound);
    /// assert_eq!(Reply::Nil.outcome(Mode::Exim, &limits), LookupOutcome::Found(Vec::new()));
    /// ```
    pub fn outcome(self, mode: Mode, limits: &Limits) -> LookupOutcome {
        let outcome = match (self, mode) {
            (Self::Error(refusal), _) => LookupOutcome::Deferred(DeferReason::Refused(refusal)),
            (Self::Other, Mode::Plain) => LookupOutcome::Deferred(DeferReason::NoAnswer),
            (reply, Mode::Plain) => reply.plain(limits),
            (reply, Mode::Exim) => reply.exim(limits),
        };
        match outcome {
            LookupOutcome::Found(text) if text.len() > limits.reply => {
                LookupOutcome::Deferred(DeferReason::TooLong { limit: limits.reply })
            }
            outcome => outcome,
        }
    }

    fn plain(self, limits: &Limits) -> LookupOutcome {
        match self {
            Self::Nil => LookupOutcome::NotFound,
            Self::Status(text) | Self::Text(text) => LookupOutcome::Found(text),
            Self::List(_) | Self::Map(_) => {
                let mut lines = Lines { limits, text: Vec::new(), elements: 0, any: false };
                match lines.put(self, 0) {
                    Ok(()) if lines.any => LookupOutcome::Found(lines.text),
                    Ok(()) => LookupOutcome::NotFound,
                    Err(reason) => LookupOutcome::Deferred(reason),
                }
            }
            scalar => LookupOutcome::Found(scalar.number().unwrap_or_default()),
        }
    }

    /// A number as text; a truth value is 1 or 0, as in version 2 of the protocol.
    fn number(&self) -> Option<Vec<u8>> {
        match self {
            Self::Integer(number) => Some(number.to_string().into_bytes()),
            Self::Double(number) if number.is_nan() => Some(b"nan".to_vec()),
            Self::Double(number) => Some(number.to_string().into_bytes()),
            Self::Boolean(truth) => Some(if *truth { b"1".to_vec() } else { b"0".to_vec() }),
            _ => None,
        }
    }

    /// The outcome in Exim's `lookups/redis.c`, where appending nothing does not begin the text.
    fn exim(self, limits: &Limits) -> LookupOutcome {
        let text = match self {
            Self::Nil => return LookupOutcome::Found(Vec::new()),
            Self::Status(text) | Self::Text(text) => Some(text).filter(|text| !text.is_empty()),
            Self::Integer(number) => {
                Some(if number == 0 { b"false".into() } else { b"true".into() })
            }
            Self::List(elements) if exim_count(&elements) > limits.elements => {
                return LookupOutcome::Deferred(DeferReason::TooManyElements {
                    limit: limits.elements,
                });
            }
            Self::List(elements) => exim_lines(elements),
            _ => None,
        };
        match text {
            Some(mut text) => {
                // Exim takes it for a string of C.
                text.truncate(text.iter().position(|&b| b == 0).unwrap_or(text.len()));
                LookupOutcome::Found(text)
            }
            None => LookupOutcome::NotFound,
        }
    }
}

/// The number of elements in an array, and in the arrays in it.
fn exim_count(elements: &[Reply]) -> usize {
    let count = |element: &Reply| if let Reply::List(inner) = element { inner.len() } else { 1 };
    elements.iter().map(count).sum()
}

fn exim_lines(elements: Vec<Reply>) -> Option<Vec<u8>> {
    let mut text: Option<Vec<u8>> = None;
    let line = |text: &mut Option<Vec<u8>>| text.iter_mut().for_each(|text| text.push(b'\n'));
    for element in elements {
        line(&mut text);
        match element {
            Reply::List(inner) => {
                for element in inner {
                    line(&mut text);
                    exim_element(&mut text, &element);
                }
            }
            element => exim_element(&mut text, &element),
        }
    }
    text
}

fn exim_element(text: &mut Option<Vec<u8>>, element: &Reply) {
    match element {
        Reply::Text(bytes) if !bytes.is_empty() => {
            text.get_or_insert_default().extend_from_slice(bytes);
        }
        Reply::Integer(number) => {
            // Written by `%d`: the lower 32 bits.
            let [a, b, c, d, ..] = number.to_le_bytes();
            let number = i32::from_le_bytes([a, b, c, d]);
            text.get_or_insert_default().extend_from_slice(number.to_string().as_bytes());
        }
        _ => {}
    }
}

/// The elements of a reply as lines.
struct Lines<'a> {
    limits: &'a Limits,
    text: Vec<u8>,
    elements: usize,
    /// Whether any element is other than nil.
    any: bool,
}

impl Lines<'_> {
    fn put(&mut self, reply: Reply, depth: usize) -> Result<(), DeferReason> {
        let limit = self.limits.depth;
        match reply {
            Reply::List(_) | Reply::Map(_) if depth == limit => Err(DeferReason::TooDeep { limit }),
            Reply::List(elements) => {
                elements.into_iter().try_for_each(|element| self.put(element, depth + 1))
            }
            Reply::Map(pairs) => pairs.into_iter().try_for_each(|(key, value)| {
                self.put(key, depth + 1)?;
                self.put(value, depth + 1)
            }),
            Reply::Nil => self.line(b""),
            Reply::Error(refusal) => Err(DeferReason::Refused(refusal)),
            Reply::Other => Err(DeferReason::NoAnswer),
            Reply::Status(text) | Reply::Text(text) => {
                self.any = true;
                self.line(&text)
            }
            scalar => {
                self.any = true;
                self.line(&scalar.number().unwrap_or_default())
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), DeferReason> {
        let (element, limit) = (self.elements + 1, self.limits.elements);
        if self.elements == limit {
            return Err(DeferReason::TooManyElements { limit });
        }
        if line.contains(&b'\n') {
            return Err(DeferReason::LineBreak { element });
        }
        if self.elements > 0 {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(line);
        self.elements = element;
        match self.limits.reply {
            limit if self.text.len() > limit => Err(DeferReason::TooLong { limit }),
            _ => Ok(()),
        }
    }
}
