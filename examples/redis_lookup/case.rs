//! The result of a query, as text and as JSON.

use examples::cases::shown::{Shown, hex};
use examples::gateway::lookups::redis::RedisError;
use redis_lookup::{CommandError, LookupOutcome};
use serde::Serialize;

/// The result of a query.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Case {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    #[serde(skip)]
    text: String,
}

impl Case {
    pub(crate) fn new(query: &[u8], outcome: Result<LookupOutcome, RedisError>) -> Self {
        let text = match &outcome {
            Ok(outcome) => outcome.to_string(),
            Err(RedisError::Deferred(reason)) => format!("deferred: {reason}"),
            Err(error) => format!("error: {error}"),
        };
        let case = Self { text, ..Self::default() };
        match outcome {
            Ok(LookupOutcome::Found(value)) => {
                let case = Self { outcome: Some("found"), ..case };
                match String::from_utf8(value) {
                    Ok(value) => Self { value: Some(value), ..case },
                    Err(error) => Self { value_hex: Some(hex(error.as_bytes())), ..case },
                }
            }
            Ok(LookupOutcome::NotFound) => Self { outcome: Some("not_found"), ..case },
            Ok(LookupOutcome::Deferred(reason)) | Err(RedisError::Deferred(reason)) => {
                Self { outcome: Some("deferred"), reason: Some(reason.to_string()), ..case }
            }
            Err(error) => {
                let at = match &error {
                    // The last octet; any other error is at the command.
                    RedisError::Command(CommandError::Backslash { .. }) => query.len() - 1,
                    _ => query.iter().take_while(|b| b.is_ascii_whitespace()).count(),
                };
                Self { error: Some(error.to_string()), at: Some(at), ..case }
            }
        }
    }
}

impl Shown for Case {
    fn is_sound(&self) -> bool {
        matches!(self.outcome, Some("found" | "not_found"))
    }

    fn text(&self) -> Vec<u8> {
        format!("{}\n", self.text).into_bytes()
    }
}
