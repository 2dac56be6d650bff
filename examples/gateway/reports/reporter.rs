//! The queue to the thread that writes reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use dmarc_policy::DiscoveryMethod;
use tracing::warn;

use super::account::Account;
use super::settings::ReportSettings;
use super::writer::Writer;
use crate::cases::dmarc_rows::Row;

/// An entry of the queue.
#[derive(Debug)]
pub(crate) enum ReportEntry {
    Row(Box<Row>),
    /// Lines of the history file.
    History(String),
    /// A mail for the outbox.
    Mail(Vec<u8>),
    /// The end: all earlier entries are written when this is dropped.
    End,
}

/// The handle of the thread that writes reports.
#[derive(Debug)]
pub(crate) struct Reporter {
    settings: ReportSettings,
    queue: SyncSender<ReportEntry>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Reporter {
    /// Starts the thread. It opens a file only at its first entry.
    pub(crate) fn start(settings: ReportSettings, host: &str) -> std::io::Result<Self> {
        Self::with_room(settings, host, ROOM)
    }

    /// Starts with a queue of this many entries.
    pub(crate) fn with_room(
        settings: ReportSettings,
        host: &str,
        room: usize,
    ) -> std::io::Result<Self> {
        let (queue, entries) = sync_channel(room);
        let lost = Arc::new(AtomicU64::new(0));
        let mut writer = Writer::new(settings.clone(), host, Arc::clone(&lost));
        let thread = thread::Builder::new().name("dmarc".into());
        let thread = thread.spawn(move || writer.run(&entries))?;
        Ok(Self { settings, queue, lost, thread: Some(thread) })
    }

    pub(crate) fn settings(&self) -> &ReportSettings {
        &self.settings
    }

    /// Queues the row and the history lines of a message.
    pub(crate) fn tell(&self, account: &Account, host: &str, discovery: DiscoveryMethod) {
        if self.settings.rows.is_some()
            && let Some(row) = account.row(discovery)
        {
            self.put(ReportEntry::Row(Box::new(row)));
        }
        if self.settings.history_file.is_some()
            && let Some(lines) = account.history(host)
        {
            self.put(ReportEntry::History(lines));
        }
    }

    /// Queues an entry.
    pub(crate) fn put(&self, entry: ReportEntry) {
        if self.queue.try_send(entry).is_err() && self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            warn!("queue of DMARC reports full: messages are missing from the reports");
        }
    }

    /// Ends the thread after all entries are written.
    pub(crate) fn close(&mut self) {
        // The thread is gone only after a failure.
        let _ = self.queue.send(ReportEntry::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.close();
    }
}

/// The most entries in the queue.
const ROOM: usize = 10_000;
