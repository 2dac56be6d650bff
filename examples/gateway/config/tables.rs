//! The tables of a configuration file.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::events::EventOptions;
use super::manual::ManualOption;
use super::{ConfigError, RemoteOptions};
use crate::gateway::events::settings::{LOCAL_DELIVERY, REMOTE_SMTP};
use crate::gateway::lookups::macros::Macros;
use crate::gateway::policy::rules::NAMED;
use crate::gateway::policy::stage::Stage;

/// The tables of a file, with the values of macros in place of their names. Rules are read with their lines, from
/// the text.
pub(super) struct Tables {
    pub(super) macros: Macros,
    /// The names of the lists of rules that texts can call.
    pub(super) callable: BTreeSet<String>,
    pub(super) remote: RemoteOptions,
    pub(super) events: EventOptions,
    /// All other options.
    pub(super) options: Table,
}

impl Tables {
    pub(super) fn read(text: &str) -> Result<Self, ConfigError> {
        let mut options = text.parse::<Table>()?;
        keys(&options)?;
        misplaced(&options)?;
        let macros = Macros::take(&mut options)?;
        options.retain(|option, _| Stage::named(option).is_none());
        let callable = match options.remove(NAMED) {
            Some(Value::Table(lists)) => lists.into_iter().map(|(name, _)| name).collect(),
            _ => BTreeSet::new(),
        };
        macros.put_into_all(&mut options)?;
        let remote = RemoteOptions::take(&mut options)?;
        let events = EventOptions::take(&mut options)?;
        Ok(Self { macros, callable, remote, events, options })
    }
}

/// Refuses names that would change the lines of an error or a log.
fn keys(table: &Table) -> Result<(), ConfigError> {
    table.iter().try_for_each(|(name, value)| {
        if name.chars().any(char::is_control) {
            let (option, problem) = (name.escape_debug().to_string(), CONTROL.to_owned());
            return Err(ConfigError::Value { option, problem });
        }
        match value {
            Value::Table(inner) => keys(inner),
            Value::Array(items) => items.iter().filter_map(Value::as_table).try_for_each(keys),
            _ => Ok(()),
        }
    })
}

const CONTROL: &str = "a name has no control characters";

/// Refuses an option of the main section behind the head of a table: it would be the name of a list or a macro there,
/// or nothing.
fn misplaced(options: &Table) -> Result<(), ConfigError> {
    let tables = TABLES.into_iter().filter_map(|table| Some((table, options.get(table)?)));
    for (table, inner) in tables {
        let of_tables = inner.as_array().is_some_and(|items| items.iter().any(Value::is_table));
        if of_tables && table != NAMED {
            let problem = format!("found a list of tables, [[{table}]]; write [{table}]");
            return Err(ConfigError::Value { option: table.to_owned(), problem });
        }
        for name in inner.as_table().into_iter().flat_map(names) {
            if ManualOption::exists(&name) && !ManualOption::exists(&format!("{table}.{name}")) {
                return Err(ConfigError::ListOption { table, name });
            }
        }
    }
    Ok(())
}

/// Returns the names in a table, `TABLE.NAME` for those in a table within.
fn names(table: &Table) -> Vec<String> {
    let of = |(name, value): (&String, &Value)| match value {
        Value::Table(inner) => inner.keys().map(|inner| format!("{name}.{inner}")).collect(),
        // Rules are of a list with this name.
        Value::Array(items) if items.iter().any(Value::is_table) => Vec::new(),
        _ => vec![name.clone()],
    };
    table.iter().flat_map(of).collect()
}

/// The tables whose names are free, and those of options.
const TABLES: [&str; 8] = [
    NAMED,
    "addresslist",
    "domainlist",
    "hostlist",
    "localpartlist",
    "macros",
    LOCAL_DELIVERY,
    REMOTE_SMTP,
];
