//! The lines of the options of a configuration, for error messages.

use std::collections::HashMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::ConfigError;
use super::manual::ManualOption;
use crate::gateway::policy::nearest::{nearest, suggestion};
use crate::gateway::policy::unsupported;

/// The place of each option, and of each table: `TABLE.NAME` for an option in a table.
#[derive(Debug, Default)]
pub(super) struct OptionLines(HashMap<String, OptionPlace>);

/// The place of an option.
#[derive(Debug)]
struct OptionPlace {
    line: usize,
    /// Its name and value, in bytes.
    span: Range<usize>,
}

impl OptionLines {
    /// Finds the options in the text of a configuration; in one that is no TOML there are none.
    pub(super) fn of(text: &str) -> Self {
        let Ok(document) = DeTable::parse(text) else { return Self::default() };
        let ends: Vec<_> = text
            .bytes()
            .enumerate()
            .filter(|(_, octet)| *octet == b'\n')
            .map(|(at, _)| at)
            .collect();
        let mut lines = Self::default();
        lines.collect(&ends, "", document.get_ref());
        lines
    }

    /// Returns the line of an option, `TABLE.NAME` for one in a table.
    pub(super) fn line(&self, option: &str) -> Option<usize> {
        self.find(option).map(|place| place.line)
    }

    fn find(&self, option: &str) -> Option<&OptionPlace> {
        let of = |option: &str| self.0.get(option);
        let other = OTHER_NAMES.iter().find(|(name, _)| *name == option).map(|(_, other)| other);
        of(option).or_else(|| of(other?))
    }

    /// Returns the text without an option, with the lines of the others as they were.
    pub(super) fn without(&self, text: &str, option: &str) -> Option<String> {
        let tables = [format!("[[{option}]]"), format!("[[{option}."), format!("[{option}.")];
        let begins = |line: &str| tables.iter().any(|table| line.trim_start().starts_with(table));
        if text.lines().any(begins) {
            // Each of its tables ends at the next head.
            let mut is_own = false;
            let others = text.lines().map(|line| {
                if line.trim_start().starts_with('[') {
                    is_own = begins(line);
                }
                if is_own { "" } else { line }
            });
            return Some(others.collect::<Vec<_>>().join("\n"));
        }
        let Range { start, end } = self.find(option)?.span.clone();
        let (before, own) = (text.get(..start)?, text.get(start..end)?);
        let blank: String = own.chars().filter(|c| *c == '\n').collect();
        Some(format!("{before}{blank}{}", text.get(end..)?))
    }

    /// Adds the options of a table in a text whose lines have these ends.
    fn collect(&mut self, ends: &[usize], table: &str, values: &DeTable<'_>) {
        for (key, value) in values {
            let name = match table {
                "" => key.get_ref().to_string(),
                table => format!("{table}.{}", key.get_ref()),
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.collect(ends, &name, inner);
            }
            let span = key.span().start..value.span().end;
            let line = 1 + ends.partition_point(|end| *end < span.start);
            self.0.entry(name).or_insert(OptionPlace { line, span });
        }
    }

    /// Puts the line in front of an error of an option.
    pub(super) fn locate(&self, error: ConfigError) -> ConfigError {
        let error = match error {
            ConfigError::Memory { .. } => ConfigError::Memory {
                lines: ["message_memory_limit", "message_size_limit"].map(|name| self.line(name)),
            },
            other => other,
        };
        let line = error.option().and_then(|option| self.line(&option));
        match line {
            Some(line) => ConfigError::At { line, source: Box::new(error) },
            None => error,
        }
    }
}

/// Reads the options of a table; an error names the first that is wrong, `TABLE.NAME` for one in a table.
pub(super) fn read<T: DeserializeOwned>(table: Table) -> Result<T, ConfigError> {
    for (option, other) in OTHER_NAMES {
        if table.contains_key(*option) && table.contains_key(*other) {
            return Err(ConfigError::TwoNames { option, other });
        }
    }
    let error = match T::deserialize(table.clone()) {
        Ok(options) => return Ok(options),
        Err(error) => error,
    };
    // The error of a value lacks its name: so each option is read by itself.
    for (name, value) in table {
        let alone = |value| T::deserialize(Table::from_iter([(name.clone(), value)])).err();
        let inner = value.as_table().cloned().unwrap_or_default();
        for (inner, value) in inner {
            let value = Value::Table(Table::from_iter([(inner.clone(), value)]));
            let is_table = alone(Value::Table(Table::new())).is_none();
            if let Some(error) = alone(value).filter(|_| is_table) {
                return Err(wrong(format!("{name}.{inner}"), &error));
            }
        }
        if let Some(error) = alone(value) {
            return Err(wrong(name, &error));
        }
    }
    Err(error.into())
}

/// Words an error for readers who do not know Rust.
fn wrong(option: String, error: &toml::de::Error) -> ConfigError {
    let message = error.message();
    let own = option.rsplit('.').next().unwrap_or(&option);
    if message.starts_with("unknown field") {
        let problem = unknown(own);
        return ConfigError::Value { option, problem };
    }
    let is_it = |known: &ManualOption| known.name.rsplit('.').next() == Some(own);
    let manual = ManualOption::all().find(|known| known.name == option);
    let manual = manual.or_else(|| ManualOption::all().find(is_it));
    let problem = match message.split_once(", expected ") {
        Some((found, _)) if message.starts_with("unknown variant") => {
            let word = found.trim_start_matches("unknown variant ").replace('`', "\"");
            let (_, words) = message.split_once(", expected ").unwrap_or_default();
            let words = words.trim_start_matches("one of ").replace('`', "\"");
            format!("unknown word {word}; expected one of {}", words.replace(" or ", ", "))
        }
        Some((found, wanted)) => {
            let found = found.trim_start_matches("invalid type: ");
            let found = put_plainly(found.trim_start_matches("invalid value: "), FOUND);
            let example = manual.and_then(|manual| example(own, &manual)).unwrap_or_default();
            format!(
                "found {}; expected {}{example}",
                found.replace('`', ""),
                put_plainly(wanted, WANTED)
            )
        }
        None => message.to_owned(),
    };
    ConfigError::Value { option, problem }
}

/// An option that is not known, by the last part of its name.
fn unknown(own: &str) -> String {
    if let Some((_, cause)) = unsupported::OPTIONS.iter().find(|(name, _)| *name == own) {
        return format!("this option of Exim is not supported here: {cause}");
    }
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let names: Vec<_> = ManualOption::all().map(|it| (last(it.name), it.name)).collect();
    let nearest = nearest(own, names.iter().map(|(last, _)| *last));
    let nearest = names.iter().find(|(last, _)| Some(*last) == nearest).map(|(_, full)| *full);
    format!("there is no option of this name (--print-config writes all){}", suggestion(nearest))
}

/// An example of a value, as the end of an error.
fn example(name: &str, option: &ManualOption) -> Option<String> {
    let by_kind = match option.kind {
        "list" => Some("\"a.example : b.example\""),
        "text" | "expanded" => Some("\"text\""),
        "path" => Some("\"/path/of/file\""),
        _ => None,
    };
    if option.kind == "table" {
        return Some(format!(", as [{name}]"));
    }
    // An empty text shows nothing.
    let value = option.value().filter(|value| *value != "\"\"").or(by_kind)?;
    Some(format!(", as {name} = {value}"))
}

fn put_plainly(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (rust, plain)| text.replace(rust, plain))
}

/// The values that were found, in other words.
const FOUND: &[(&str, &str)] = &[
    ("unit variant", "no text"),
    ("sequence", "a list"),
    ("map", "a table"),
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", "the word "),
    ("string ", "the text "),
];

/// The values that are expected, in other words.
const WANTED: &[(&str, &str)] = &[
    ("a string", "one text in quotes"),
    ("a boolean", "true or false, without quotes"),
    ("u8", "a number from 0 to 255"),
    ("u32", "a number from 0 to 4294967295"),
    ("usize", "a number from 0 on"),
    ("struct Transport", "a table"),
    ("a map", "a table"),
    ("path string", "a path in quotes"),
    ("string only", "one of its words in quotes"),
];

/// Options that have two names.
const OTHER_NAMES: &[(&str, &str)] = &[("proxy_required_hosts", "hosts_proxy")];
