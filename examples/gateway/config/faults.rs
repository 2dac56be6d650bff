//! All faults of a configuration that are independent of each other.

use super::option_lines::OptionLines;
use super::tables::Tables;
use super::{Common, Config, ConfigError, option_lines};
use crate::gateway::policy::rules::{RuleError, Rules};
use crate::gateway::telemetry::log;

/// Returns the faults beside the first, each with its line, as far as they do not follow from another. An option with
/// a fault is left out for the next look.
pub(super) fn others(text: &str, first: &str) -> Vec<String> {
    let (lines, mut left) = (OptionLines::of(text), text.to_owned());
    let mut found = Vec::new();
    while found.len() <= MOST_READ {
        let Err(error) = Config::read_text(&left, None) else { break };
        let independent = error.option().filter(|_| error.is_independent());
        let line = independent.as_ref().and_then(|name| lines.line(name));
        let Some(rest) = independent.and_then(|name| OptionLines::of(&left).without(&left, &name))
        else {
            // The texts of rules can name a list with a fault.
            if !matches!(error, ConfigError::Rule(RuleError::List { .. })) {
                let faults = of_rules(&left).unwrap_or_default();
                found.extend(faults.iter().map(|fault| match fault {
                    RuleError::Rule { line, .. } => (*line, log::chain(fault)),
                    _ => (usize::MAX, log::chain(fault)),
                }));
            }
            break;
        };
        left = rest;
        found.push((line.unwrap_or(usize::MAX), log::chain(&lines.locate(error))));
    }
    // They come by their names; those of the first lines are told.
    found.sort_by_key(|(line, _)| *line);
    let mut found: Vec<_> = found.into_iter().map(|(_, fault)| fault).collect();
    found.retain(|fault| fault != first);
    if found.len() >= MOST {
        found.truncate(MOST - 1);
        found.push("further errors are not listed".to_owned());
    }
    found
}

/// Returns the fault of each rule of a session.
fn of_rules(text: &str) -> Result<Vec<RuleError>, ConfigError> {
    let Tables { macros, callable, options, .. } = Tables::read(text)?;
    let common = Common::read(&option_lines::read(options)?, callable, None)?;
    Ok(Rules::faults(text, &macros, &common.home()))
}

/// The most faults that are told.
const MOST: usize = 20;

/// The most faults that are looked for: each is one more look at the whole text.
const MOST_READ: usize = 100;
