//! What is told of messages afterwards, and where.

use std::path::PathBuf;
use std::time::Duration;

use mail_types::smtp::Mailbox;

/// What is kept and sent.
#[derive(Clone, Debug)]
pub(crate) struct ReportSettings {
    /// The file of rows, if there is to be one.
    pub(crate) rows: Option<PathBuf>,
    /// How long rows are kept.
    pub(crate) keep: Duration,
    /// The file that `opendmarc-import` reads.
    pub(crate) history_file: Option<PathBuf>,
    /// Where failure reports are put, to be sent from there.
    pub(crate) outbox: PathBuf,
    /// Their author.
    pub(crate) forensic_sender: Mailbox,
}
