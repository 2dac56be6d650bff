//! The thread that writes reports.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tracing::{error, warn};

use super::reporter::ReportEntry;
use super::rows::Rows;
use super::settings::ReportSettings;
use crate::cases::count::counted;
use crate::cases::dmarc_rows::Row;
use crate::gateway::lookups::database_file::DatabaseFile;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::Message;
use crate::gateway::store::maildir::{Maildir, make_directory};
use crate::gateway::store::store_error::StoreError;
use crate::gateway::telemetry::log;

/// The state of the thread.
pub(super) struct Writer {
    settings: ReportSettings,
    host: String,
    lost: Arc<AtomicU64>,
    rows: Option<(Rows, DatabaseFile)>,
    outbox: Option<Maildir>,
    /// The time of the last removal of old rows.
    swept: Option<Instant>,
}

impl Writer {
    pub(super) fn new(settings: ReportSettings, host: &str, lost: Arc<AtomicU64>) -> Self {
        let host = host.to_owned();
        Self { settings, host, lost, rows: None, outbox: None, swept: None }
    }

    /// Writes entries until the end, those of a short time in one transaction.
    pub(super) fn run(&mut self, entries: &Receiver<ReportEntry>) {
        loop {
            let Ok(first) = entries.recv() else { return };
            let (mut rows, mut history, mut ended) = (Vec::new(), String::new(), false);
            let until = Instant::now() + GATHERING;
            let mut next = Ok(first);
            loop {
                match next {
                    Ok(ReportEntry::Row(row)) => rows.push(*row),
                    Ok(ReportEntry::History(lines)) => history += &lines,
                    Ok(ReportEntry::Mail(mail)) => self.mail(mail),
                    Ok(ReportEntry::End) | Err(RecvTimeoutError::Disconnected) => ended = true,
                    Err(RecvTimeoutError::Timeout) => break,
                }
                if ended || rows.len() >= BATCH || history.len() >= HISTORY {
                    break;
                }
                next = entries.recv_timeout(until.saturating_duration_since(Instant::now()));
            }
            self.write_rows(&rows);
            self.write_history(&history);
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let told = counted(lost, "message");
                warn!("{told} missing from the DMARC reports: the queue was full");
            }
            if ended {
                return;
            }
        }
    }

    fn write_rows(&mut self, rows: &[Row]) {
        let Some(path) = self.settings.rows.clone().filter(|_| !rows.is_empty()) else { return };
        // If this fails, so does the opening of the file.
        let _ = path.parent().map(make_directory);
        if let Err(error) = self.try_rows(&path, rows) {
            // The next entry opens it again.
            self.rows = None;
            let told = counted(rows.len(), "message");
            error!("{told} missing from the DMARC reports: {}", log::chain(&error));
        }
    }

    fn try_rows(&mut self, path: &Path, rows: &[Row]) -> rusqlite::Result<()> {
        let kept = self.rows.take().filter(|(_, opened)| opened.is_in_place());
        let (mut file, opened) = if let Some(kept) = kept {
            kept
        } else {
            let file = Rows::create(path)?;
            let gone = |_| rusqlite::Error::InvalidPath(path.to_owned());
            (file, DatabaseFile::of(path).map_err(gone)?)
        };
        file.add(rows)?;
        if self.swept.is_none_or(|swept| swept.elapsed() >= SWEEPING) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            file.forget_before(now.saturating_sub(self.settings.keep).as_secs())?;
            self.swept = Some(Instant::now());
        }
        self.rows = Some((file, opened));
        Ok(())
    }

    fn write_history(&self, lines: &str) {
        let Some(path) = self.settings.history_file.as_ref().filter(|_| !lines.is_empty()) else {
            return;
        };
        // Open the file each time, since an import removes it.
        let mut options = File::options();
        options.append(true).create(true).mode(0o600);
        let written = options.open(path).and_then(|mut file| file.write_all(lines.as_bytes()));
        if let Err(error) = written {
            error!("cannot write dmarc_history_file {}: {error}", path.display());
        }
    }

    fn mail(&mut self, mail: Vec<u8>) {
        if let Err(error) = self.try_mail(mail) {
            self.outbox = None;
            error!("failure report lost: {}", log::chain(&error));
        }
    }

    fn try_mail(&mut self, mail: Vec<u8>) -> Result<(), StoreError> {
        let outbox = match self.outbox.take() {
            Some(outbox) => outbox,
            None => Maildir::open(&self.settings.outbox, &self.host)?,
        };
        let id = MessageId::next(SystemTime::now());
        outbox.write(&Message { id, parts: vec![Bytes::from(mail)] })?;
        outbox.publish(id)?;
        self.outbox = Some(outbox);
        Ok(())
    }
}

/// The time to collect rows for one transaction.
const GATHERING: Duration = Duration::from_millis(500);
/// The most rows of a transaction, and the most octets of one write.
const BATCH: usize = 1000;
const HISTORY: usize = 1 << 20;
/// The interval between removals of old rows.
const SWEEPING: Duration = Duration::from_hours(1);
