//! How log lines are written.

use serde::Deserialize;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// As Exim writes them.
    #[default]
    Text,
    /// One JSON object each.
    Json,
}
