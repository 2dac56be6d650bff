//! The format of log lines.

use serde::Deserialize;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines in Exim's form.
    #[default]
    Text,
    /// A JSON object for each line.
    Json,
}
