//! The tables of a configuration file.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::events::EventOptions;
use super::{ConfigError, RemoteOptions};
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
