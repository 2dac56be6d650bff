//! The result of a text, as text and as JSON.

use std::fmt::Display;

use event_expand::{ExpandFailure, Template};
use examples::cases::shown::{Shown, hex};
use mail_types::exim::{Trust, Value};
use serde::Serialize;

/// The result of an expansion.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Case {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outline: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forced: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    #[serde(skip)]
    bytes: Vec<u8>,
    /// The text.
    #[serde(skip)]
    about: Vec<u8>,
}

impl Case {
    pub(crate) fn explained(template: &Template) -> Self {
        let outline = template.outline().to_string();
        Self { outline: Some(outline.lines().map(str::to_owned).collect()), ..Self::default() }
    }

    pub(crate) fn expanded(outcome: Result<Value<'static>, ExpandFailure>) -> Self {
        match outcome {
            Ok(value) => Self::value(&value),
            Err(ExpandFailure::Forced { at }) => Self::forced(Some(at)),
            Err(stop) => Self::wrong(&stop, Some(stop.at())),
        }
    }

    pub(crate) fn value(value: &Value<'_>) -> Self {
        let trusted = Some(value.trust() == Trust::Trusted);
        let bytes = value.as_bytes().to_vec();
        if let Ok(text) = String::from_utf8(bytes.clone()) {
            Self { value: Some(text), trusted, bytes, ..Self::default() }
        } else {
            let value_hex = Some(hex(&bytes));
            Self { value_hex, trusted, bytes, ..Self::default() }
        }
    }

    pub(crate) fn forced(at: Option<usize>) -> Self {
        Self { forced: Some(true), at, ..Self::default() }
    }

    pub(crate) fn wrong(error: &dyn Display, at: Option<usize>) -> Self {
        Self { failed: Some(error.to_string()), at, ..Self::default() }
    }

    pub(crate) fn about(self, text: &[u8]) -> Self {
        Self { about: text.to_vec(), ..self }
    }
}

impl Shown for Case {
    /// The value unchanged, or the error and the text with a mark below the byte.
    fn text(&self) -> Vec<u8> {
        let text = self.about.as_slice();
        let mut shown = self.bytes.clone();
        if let Some(outline) = &self.outline {
            shown.extend_from_slice(outline.join("\n").as_bytes());
        }
        let wrong = match (&self.failed, self.forced) {
            (Some(message), _) => format!("Failed: {message}"),
            (None, Some(true)) => "Failed: forced failure (\"fail\" in the string)".to_owned(),
            _ => String::new(),
        };
        shown.extend_from_slice(wrong.as_bytes());
        shown.push(b'\n');
        if let Some(at) = self.at {
            let before = text.get(..at.min(text.len())).unwrap_or_default();
            shown.extend_from_slice(format!("  {}\n  ", text.escape_ascii()).as_bytes());
            // Not as a width of the format, which ends at 65535.
            shown.extend(before.escape_ascii().map(|_| b' '));
            shown.extend_from_slice(b"^\n");
        }
        shown
    }
}
