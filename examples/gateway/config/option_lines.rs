//! Where the options of a configuration stand, for what is said of them.

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::{ConfigError, Options};

/// The line of each option, and of each table.
#[derive(Debug, Default)]
pub(super) struct OptionLines(Vec<(String, usize)>);

impl OptionLines {
    /// Finds the options in the text of a configuration; in one that is no TOML there are none.
    pub(super) fn of(text: &str) -> Self {
        let Ok(document) = DeTable::parse(text) else { return Self::default() };
        let mut lines = Vec::new();
        collect(text, "", document.get_ref(), &mut lines);
        Self(lines)
    }

    /// Returns the line of an option, `TABLE.NAME` for one in a table.
    pub(super) fn line(&self, option: &str) -> Option<usize> {
        let found = self.0.iter().find(|(name, _)| name == option);
        found.map(|(_, line)| *line)
    }

    /// Puts the line in front of an error of an option.
    pub(super) fn locate(&self, error: ConfigError) -> ConfigError {
        let line = error.option().and_then(|option| self.line(&option));
        match line {
            Some(line) => ConfigError::At { line, source: Box::new(error) },
            None => error,
        }
    }

    /// Reads the options; an error names the first that is wrong.
    pub(super) fn options(table: Table) -> Result<Options, ConfigError> {
        let error = match Options::deserialize(table.clone()) {
            Ok(options) => return Ok(options),
            Err(error) => error,
        };
        // What is wrong with a value is said without its name: so each is read by itself.
        for (name, value) in table {
            let one = Table::from_iter([(name.clone(), value)]);
            if let Err(error) = Options::deserialize(one) {
                return Err(ConfigError::Value { option: name, source: error });
            }
        }
        Err(error.into())
    }
}

fn collect(text: &str, table: &str, values: &DeTable<'_>, lines: &mut Vec<(String, usize)>) {
    for (key, value) in values {
        let name = match table {
            "" => key.get_ref().to_string(),
            table => format!("{table}.{}", key.get_ref()),
        };
        if let DeValue::Table(inner) = value.get_ref() {
            collect(text, &name, inner, lines);
        }
        lines.push((name, line(text, key)));
    }
}

fn line<T>(text: &str, place: &Spanned<T>) -> usize {
    let before = text.as_bytes().get(..place.span().start).unwrap_or_default();
    before.split(|&octet| octet == b'\n').count()
}
