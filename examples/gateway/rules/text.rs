//! Texts with variables: `$name` and `${name}`.
//!
//! This is all that is known of string expansion here. Whoever reads a text calls [`Text::parse`]
//! once and [`Text::expand`] each time, so that a richer language can take this file's place.

use mail_types::{Trust, Value};
use thiserror::Error;

use super::scene::Scene;
use super::variable::Variable;

/// A text whose variables are known to exist.
///
/// A backslash takes the next character as it is.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    Variable { name: String, variable: Variable },
}

impl Text {
    /// Parses a text.
    pub(crate) fn parse(text: &str) -> Result<Self, TextError> {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(c) = rest.chars().next() {
            let (at, behind) = (text.len() - rest.len(), rest.get(c.len_utf8()..));
            rest = behind.unwrap_or_default();
            match c {
                '\\' => {
                    let escaped = rest.chars().next().ok_or(TextError::Backslash)?;
                    literal.push(escaped);
                    rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                }
                '$' => {
                    let (name, behind) = name(rest).ok_or(TextError::Form { at })?;
                    let variable = Variable::named(name)
                        .ok_or_else(|| TextError::Unknown { at, name: name.to_owned() })?;
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Variable { name: name.to_owned(), variable });
                    rest = behind;
                }
                _ => literal.push(c),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces })
    }

    /// Puts the variables' values in; an unset one leaves nothing. What goes beyond
    /// [`Text::MAX_LENGTH`] octets is cut off.
    pub(crate) fn expand(&self, scene: &Scene<'_>) -> Value<'static> {
        let (mut bytes, mut trust) = (Vec::new(), Trust::Trusted);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => bytes.extend_from_slice(literal.as_bytes()),
                Piece::Variable { variable, .. } => {
                    let Some(value) = variable.value(scene) else { continue };
                    bytes.extend_from_slice(value.as_bytes());
                    if value.trust() == Trust::Untrusted {
                        trust = Trust::Untrusted;
                    }
                }
            }
        }
        bytes.truncate(Self::MAX_LENGTH);
        Value::new(bytes, trust)
    }

    /// Tells whether it has this variable.
    pub(crate) fn mentions(&self, variable: &str) -> bool {
        let is = |piece: &Piece| matches!(piece, Piece::Variable { name, .. } if name == variable);
        self.pieces.iter().any(is)
    }

    /// Returns the text, if it has no variables.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The longest text that an expansion makes, in octets.
    pub(crate) const MAX_LENGTH: usize = 16_384;
}

/// Why a text is not a [`Text`].
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum TextError {
    #[error("character {at}: ${name} is no variable")]
    Unknown { at: usize, name: String },
    #[error("character {at}: a $ without a name; write \\$ for the character")]
    Form { at: usize },
    #[error("a backslash at the end")]
    Backslash,
}

/// Splits the name of a variable from what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let text = braced.unwrap_or(text);
    let end = text.find(|c| !named(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let rest = if braced.is_some() { rest.strip_prefix('}')? } else { rest };
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some((name, rest))
}
