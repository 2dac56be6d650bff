//! The settings of reports.

use std::path::PathBuf;
use std::time::Duration;

use mail_types::smtp::Mailbox;

/// The settings of reports.
#[derive(Clone, Debug)]
pub(crate) struct ReportSettings {
    /// The file of rows, if any.
    pub(crate) rows: Option<PathBuf>,
    /// The time for which rows are kept.
    pub(crate) keep: Duration,
    /// The history file for `opendmarc-import`.
    pub(crate) history_file: Option<PathBuf>,
    /// The Maildir of failure reports to be sent.
    pub(crate) outbox: PathBuf,
    /// Their author.
    pub(crate) forensic_sender: Mailbox,
}
