//! The limits on what is opened, and the faults of it.

use dmarc_policy::{FeedbackError, FeedbackLimits};
use thiserror::Error;

/// The limits on an input: a file, or a message of a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct OpenLimits {
    /// The limits on a report. Those of its octets and records hold for all reports of an input together.
    pub(crate) report: FeedbackLimits,
    /// The octets of an input.
    pub(crate) input: usize,
    /// How deep archives and messages may be in each other.
    pub(crate) depth: usize,
    /// The parts of messages and the entries of archives in an input.
    pub(crate) parts: usize,
}

impl Default for OpenLimits {
    fn default() -> Self {
        Self { report: FeedbackLimits::default(), input: 64 << 20, depth: 8, parts: 10_000 }
    }
}

/// The cause for which something was not read.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum OpenError {
    #[error("{0}")]
    Report(FeedbackError),
    #[error("larger than {limit} octets")]
    Input { limit: usize },
    #[error("more than {limit} octets of XML in one input")]
    Unpacked { limit: usize },
    #[error("archives and messages in each other, more than {limit} deep")]
    Depth { limit: usize },
    #[error("more than {limit} parts of messages and entries of archives")]
    Parts { limit: usize },
    #[error("invalid zip archive: {0}")]
    Zip(String),
    #[error("unsupported entry of a zip archive: it is encrypted, or not compressed by deflate")]
    ZipMethod,
    #[error("invalid encoding of a part of the message: {0}")]
    Encoding(String),
    #[error("no DMARC report in it")]
    NoReport,
    #[error("feedback report without a type (Feedback-Type)")]
    NoType,
}

impl OpenError {
    /// Returns the position in the XML.
    pub(crate) fn at(&self) -> Option<usize> {
        match *self {
            Self::Report(
                FeedbackError::Records { at, .. }
                | FeedbackError::Depth { at, .. }
                | FeedbackError::Text { at, .. }
                | FeedbackError::Children { at, .. }
                | FeedbackError::Malformed { at }
                | FeedbackError::Entity { at }
                | FeedbackError::Doctype { at }
                | FeedbackError::Root { at },
            ) => Some(at),
            _ => None,
        }
    }
}
