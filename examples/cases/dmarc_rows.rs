//! The file in which a gateway keeps what aggregate reports are made of: RFC 9989 section 5.3.7.
//!
//! It is `SQLite`'s, with a row for each message whose author's domain has a record, so that whoever
//! wants to know something else of it can ask.

use std::time::Duration;

use dmarc_policy::{DiscoveryMethod, FeedbackRow};
use rusqlite::{Connection, Result};

/// A message, as reports tell of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a new column must be read everywhere")]
pub struct Row {
    /// In seconds since 1970-01-01 00:00:00 UTC.
    pub received: u64,
    /// Whose record applied.
    pub policy_domain: String,
    /// The record that applied, as it is understood.
    pub record: String,
    /// How that was found.
    pub discovery: DiscoveryMethod,
    /// What the record's owner is told.
    pub feedback: FeedbackRow,
}

/// Returns the version of a file's schema; 0 if it has none yet.
///
/// # Errors
///
/// Those of the file.
pub fn version(file: &Connection) -> Result<i64> {
    file.pragma_query_value(None, "user_version", |line| line.get(0))
}

/// The version that is known here.
pub const VERSION: i64 = 1;

/// How long one process waits for another.
pub const PATIENCE: Duration = Duration::from_secs(5);
