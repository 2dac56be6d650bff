//! The way to the thread that writes reports down.

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

/// What is to be written down.
#[derive(Debug)]
pub(crate) enum ReportEntry {
    Row(Box<Row>),
    /// Lines of the history file.
    History(String),
    /// A mail for the outbox.
    Mail(Vec<u8>),
    /// What stands before has been written once this is dropped.
    End,
}

/// The way to the thread that writes.
#[derive(Debug)]
pub(crate) struct Reporter {
    settings: ReportSettings,
    queue: SyncSender<ReportEntry>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Reporter {
    /// Starts the thread. It makes and opens no file before there is something to write.
    pub(crate) fn start(settings: ReportSettings, host: &str) -> std::io::Result<Self> {
        Self::with_room(settings, host, ROOM)
    }

    /// The same, with a queue of so many entries.
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

    /// Has a message's row and its lines in the history file written.
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

    /// Has something written down, at some time.
    pub(crate) fn put(&self, entry: ReportEntry) {
        if self.queue.try_send(entry).is_err() && self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            warn!("queue of DMARC reports full: messages are missing from the reports");
        }
    }

    /// Waits until all is written, and ends the thread.
    pub(crate) fn close(&mut self) {
        // It is gone only if it has failed.
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

/// The entries that wait at most.
const ROOM: usize = 10_000;
