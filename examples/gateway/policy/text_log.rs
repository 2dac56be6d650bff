//! The lines for the log that texts cause, with the places of the texts.

use std::fmt::Display;
use std::mem;

use mail_types::exim::Value;

use crate::gateway::telemetry::line_limit::cut;

/// Lines for the log.
#[derive(Debug, Default)]
pub(crate) struct TextLog {
    lines: Vec<String>,
    /// The numbers of the lines about a text whose place is not known yet.
    unplaced: Vec<usize>,
}

impl TextLog {
    /// Adds a line.
    pub(super) fn add(&mut self, line: String) {
        self.lines.push(cut(line));
    }

    /// Adds the fault of a text.
    pub(super) fn add_fault(&mut self, line: String) {
        self.unplaced.push(self.lines.len());
        self.lines.push(cut(line));
    }

    /// Puts the place of the text before faults that have none yet.
    pub(crate) fn place(&mut self, place: &dyn Display) {
        for number in mem::take(&mut self.unplaced) {
            if let Some(line) = self.lines.get_mut(number) {
                *line = format!("{place}: {line}");
            }
        }
    }

    /// Takes the lines.
    pub(crate) fn take(&mut self) -> Vec<String> {
        self.unplaced.clear();
        mem::take(&mut self.lines)
    }
}

/// Writes a value for a line of the log.
pub(super) fn logged(value: &Value<'_>) -> String {
    cut(value.to_string())
}
