//! Macros and line continuations, which Exim expands before it reads an option.

use thiserror::Error;
use toml::{Table, Value};

/// The macros of a configuration.
///
/// A macro's name is a capital letter and then letters, digits or underscores; the longest name
/// that fits is taken. Macros may use each other.
#[derive(Debug, Default)]
pub(crate) struct Macros(Vec<(String, String)>);

impl Macros {
    /// Removes and reads the table `[macros]`.
    pub(crate) fn take(table: &mut Table) -> Result<Self, MacroError> {
        let mut macros = Vec::new();
        match table.remove("macros") {
            None => {}
            Some(Value::Table(found)) => {
                for (name, value) in found {
                    let Value::String(text) = value else {
                        return Err(MacroError::NotText { name });
                    };
                    if !is_name(&name) {
                        return Err(MacroError::Name { name });
                    }
                    macros.push((name, text));
                }
            }
            Some(_) => return Err(MacroError::NotTable),
        }
        macros.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Ok(Self(macros))
    }

    /// Expands macros in every text of a table.
    pub(crate) fn put_into_all(&self, table: &mut Table) -> Result<(), MacroError> {
        table.iter_mut().try_for_each(|(_, value)| walk(value, &self.0, 0))
    }

    /// Expands macros in a text. A backslash at the end of a line joins it with the next, whose leading
    /// blanks are dropped.
    pub(crate) fn put_into(&self, text: &str) -> Result<String, MacroError> {
        put_in(&join(text), &self.0, 0)
    }
}

/// Macros cannot be expanded.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum MacroError {
    #[error("macros: must be a table")]
    NotTable,
    #[error("macros: {name} must be a string")]
    NotText { name: String },
    #[error("macros: {name}: a name is a capital letter, then letters, digits or underscores")]
    Name { name: String },
    #[error("macros: {name} is circular, or expands to more than a million bytes")]
    Endless { name: String },
}

impl MacroError {
    /// Returns the option of the error: a macro, or the table.
    pub(crate) fn option(&self) -> String {
        match self {
            Self::NotTable => "macros".to_owned(),
            Self::NotText { name } | Self::Name { name } | Self::Endless { name } => {
                format!("macros.{name}")
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

fn walk(value: &mut Value, macros: &[(String, String)], depth: usize) -> Result<(), MacroError> {
    match value {
        Value::String(text) => *text = put_in(&join(text), macros, depth)?,
        Value::Array(items) => items.iter_mut().try_for_each(|v| walk(v, macros, depth))?,
        Value::Table(table) => {
            table.iter_mut().try_for_each(|(_, v)| walk(v, macros, depth))?;
        }
        _ => {}
    }
    Ok(())
}

fn put_in(text: &str, macros: &[(String, String)], depth: usize) -> Result<String, MacroError> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let found = macros.iter().find(|(name, _)| rest.starts_with(name.as_str()));
        let Some((name, body)) = found else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        };
        let endless = || MacroError::Endless { name: name.clone() };
        if depth == MAX_DEPTH {
            return Err(endless());
        }
        out += &put_in(&join(body), macros, depth + 1)?;
        if out.len() > MAX_LENGTH {
            return Err(endless());
        }
        rest = rest.get(name.len()..).unwrap_or_default();
    }
    Ok(out)
}

fn join(text: &str) -> String {
    let mut pieces = text.split("\\\n");
    let mut joined = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        joined += piece.trim_start_matches([' ', '\t']);
    }
    joined
}

const MAX_DEPTH: usize = 16;
const MAX_LENGTH: usize = 1_000_000;
