//! The parts of a query: its SQL, and the pieces that each bound value is made of.

use mail_types::exim::{Query, Segment, Trust};

use super::scanner::{Scanner, SqlContext};
use super::{Dialect, Parameter, StatementError};

/// The bound values of a statement, as pieces of the query.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    dialect: Dialect,
    pieces: Pieces,
}

impl Layout {
    /// Reads a query; returns its SQL too.
    pub(super) fn new(query: &Query, dialect: Dialect) -> Result<(Self, String), StatementError> {
        check(query, dialect)?;
        let literals = query.segments().map(|segment| match segment {
            Segment::Literal(text) => text.len(),
            Segment::Value { .. } => 0,
        });
        let mut scanner = Scanner::new(dialect, literals.sum());
        for (at, segment) in query.segments().enumerate() {
            match segment {
                Segment::Literal(text) => scanner.text(text, at)?,
                Segment::Value { .. } if scanner.context == SqlContext::String => scanner.value(at),
                // A trusted value, such as the name of a table, is text of the query.
                Segment::Value { bytes, trust: Trust::Trusted, quoted: None } => {
                    scanner.text(bytes, at)?;
                }
                Segment::Value { .. } => return Err(StatementError::NotInString { at }),
            }
        }
        let (sql, pieces) = scanner.finish()?;
        Ok((Self { dialect, pieces }, sql))
    }

    /// Writes the values of a query with this layout, into the buffers of earlier ones.
    pub(super) fn bind(
        &self,
        query: &Query,
        parameters: &mut Vec<Parameter>,
    ) -> Result<(), StatementError> {
        release(parameters);
        parameters.resize(self.pieces.parameters(), Parameter::Blob(Vec::new()));
        let mut segments = query.segments().enumerate();
        let mut texts = &self.pieces.texts[..];
        let mut pieces = self.pieces.list.iter();
        for (at, parameter) in parameters.iter_mut().enumerate() {
            let mut bytes = emptied(parameter);
            for piece in pieces.by_ref() {
                match piece {
                    Piece::Text(length) => {
                        let (text, rest) = texts.split_at_checked(*length).unwrap_or_default();
                        bytes.extend_from_slice(text);
                        texts = rest;
                    }
                    Piece::Value(segment) => {
                        if let Some((_, Segment::Value { bytes: value, .. })) =
                            segments.find(|(at, _)| at == segment)
                        {
                            bytes.extend_from_slice(value);
                        }
                    }
                    Piece::End => break,
                }
            }
            *parameter = self.parameter(at + 1, bytes)?;
        }
        Ok(())
    }

    /// Returns the segments that are in bound values, in order.
    pub(super) fn bound(&self) -> impl Iterator<Item = usize> {
        self.pieces.list.iter().filter_map(|piece| match piece {
            Piece::Value(segment) => Some(*segment),
            Piece::Text(_) | Piece::End => None,
        })
    }

    fn parameter(&self, number: usize, bytes: Vec<u8>) -> Result<Parameter, StatementError> {
        match (String::from_utf8(bytes), self.dialect) {
            (Ok(text), Dialect::Pgsql) if text.contains('\0') => {
                Err(StatementError::Nul { parameter: number })
            }
            (Ok(text), _) => Ok(Parameter::Text(text)),
            (Err(_), Dialect::Pgsql) => Err(StatementError::NotUtf8 { parameter: number }),
            (Err(error), Dialect::Sqlite) => Ok(Parameter::Blob(error.into_bytes())),
        }
    }
}

/// Refuses an untrusted value that is not quoted for the database.
pub(super) fn check(query: &Query, dialect: Dialect) -> Result<(), StatementError> {
    query.check(dialect.lookup()).map_err(|error| StatementError::Unquoted { at: error.at })
}

/// Takes the buffer of a parameter.
fn emptied(parameter: &mut Parameter) -> Vec<u8> {
    let mut bytes = match std::mem::replace(parameter, Parameter::Blob(Vec::new())) {
        Parameter::Text(text) => text.into_bytes(),
        Parameter::Blob(bytes) => bytes,
    };
    bytes.clear();
    bytes
}

/// Returns the buffers of parameters to the system if they are large together.
pub(super) fn release(parameters: &mut Vec<Parameter>) {
    let octets = parameters.iter().map(|parameter| match parameter {
        Parameter::Text(text) => text.capacity(),
        Parameter::Blob(bytes) => bytes.capacity(),
    });
    if octets.sum::<usize>() > MOST_KEPT {
        parameters.clear();
    }
}

/// The most octets of buffers that are used again.
const MOST_KEPT: usize = 16_384;

/// The pieces of all bound values, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    list: Vec<Piece>,
    /// The text of all pieces.
    texts: Vec<u8>,
    parameters: usize,
}

/// A piece of a bound value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Piece {
    /// Text of the query, with this many octets.
    Text(usize),
    /// The value of this segment.
    Value(usize),
    /// The end of a bound value.
    End,
}

impl Pieces {
    /// Moves a text into a piece.
    pub(super) fn push_text(&mut self, text: &mut Vec<u8>) {
        if !text.is_empty() {
            self.list.push(Piece::Text(text.len()));
            self.texts.append(text);
        }
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.parameters += usize::from(piece == Piece::End);
        self.list.push(piece);
    }

    /// Returns the number of complete values.
    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }
}
