//! The trace of a verdict, as lines.

use std::fmt::Write as _;

use mail_types::dns::{Note, Noted};
use serde::Serialize;

/// A line of the trace.
#[derive(Debug, Serialize)]
pub struct TraceLine {
    depth: usize,
    /// The question, if the line is an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<String>,
    text: String,
}

impl TraceLine {
    /// Writes a note down.
    #[must_use]
    pub fn new(note: &Note) -> Self {
        let question = match &note.noted {
            Noted::Answer { question, .. } => Some(question.to_string()),
            _ => None,
        };
        Self { depth: note.depth, question, text: note.noted.to_string() }
    }
}

/// The lines as people read them.
#[must_use]
pub fn text(lines: &[TraceLine]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{}", "  ".repeat(line.depth), line.text);
        text
    })
}
