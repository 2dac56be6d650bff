//! The database of the program as events write it: by their own thread, many rows in one transaction.
//!
//! A row that is written by itself costs `SQLite` a transaction, and a thread of the engines' two changes
//! of thread: more than all else that is done for an event. What finds something is the engines' all
//! the same.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use event_expand::{Ask, Dialect, Request, Statement};
use mail_types::exim::LookupResult;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use thiserror::Error;
use tracing::error;

use super::queue::Queue;
use crate::gateway::lookups::database_file::DatabaseFile;
use crate::gateway::lookups::engines::Bound;

/// The database; it is opened when it is needed first.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: PathBuf,
    queue: Arc<Queue>,
    connection: Option<(Connection, DatabaseFile)>,
    /// Statements of the program's own, done each time that it is opened.
    own: String,
    /// When the transaction was begun that is open.
    begun: Option<Instant>,
    /// How many statements the transaction has.
    written: usize,
    gave_up: bool,
}

/// Why a row was not written.
#[derive(Debug, Error)]
pub(crate) enum LedgerError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database cannot be found: {0}")]
    File(#[from] io::Error),
    /// What was written is in a file that nobody finds.
    #[error("{rows} rows went with the database that was removed or replaced")]
    Gone { rows: usize },
}

impl Ledger {
    /// Takes a database, for whose locks it waits until the queue is to end.
    pub(crate) fn new(file: PathBuf, queue: Arc<Queue>) -> Self {
        Self {
            file,
            queue,
            connection: None,
            own: String::new(),
            begun: None,
            written: 0,
            gave_up: false,
        }
    }

    /// Does a statement that only changes something; `None` if the request is none, or cannot be
    /// made out: then it is the engines'.
    pub(crate) fn change(
        &mut self,
        request: &Request,
    ) -> Option<Result<LookupResult, LedgerError>> {
        let Ask::Lookup { lookup, query, .. } = &request.ask else { return None };
        if lookup.name != "sqlite" || lookup.options.is_some() {
            return None;
        }
        let statement = Statement::new(query, Dialect::Sqlite).ok()?;
        let changed = self.patiently(|ledger| ledger.try_change(&statement));
        self.gave_up = changed.as_ref().is_err_and(is_busy);
        changed.transpose()
    }

    /// Tries again while others have the database: of what was tried then, nothing was done.
    fn patiently<T>(
        &mut self,
        work: impl Fn(&mut Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        loop {
            match work(self) {
                Err(error) if is_busy(&error) && !self.queue.is_late() => thread::sleep(PAUSE),
                done => return done,
            }
        }
    }

    fn try_change(&mut self, statement: &Statement) -> Result<Option<LookupResult>, LedgerError> {
        self.open()?;
        let Some((connection, _)) = &self.connection else { return Ok(None) };
        let mut prepared = connection.prepare_cached(&statement.sql)?;
        if prepared.column_count() > 0 || prepared.readonly() {
            return Ok(None);
        }
        if self.begun.is_none() {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            (self.begun, self.written) = (Some(Instant::now()), 0);
        }
        let changed = prepared.execute(params_from_iter(statement.parameters.iter().map(Bound)))?;
        self.written += 1;
        Ok(Some(LookupResult::Value(changed.to_string().into_bytes())))
    }

    /// Tells whether the database was in use by others until the end.
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Commits what was written. What cannot be is given up, and it is said why.
    pub(crate) fn commit(&mut self) -> Result<(), LedgerError> {
        if self.begun.is_none() {
            return Ok(());
        }
        self.close_what_is_gone()?;
        self.begun = None;
        let committed = self.patiently(|ledger| Ok(ledger.open()?.execute_batch("COMMIT")?));
        if committed.is_err() {
            self.connection = None; // Which takes back what is open.
        }
        committed
    }

    /// Tells whether others wait for the database long enough.
    pub(crate) fn is_old(&self) -> bool {
        self.begun.is_some_and(|begun| begun.elapsed() > HELD)
    }

    /// Does statements of the program's own.
    pub(crate) fn prepare(&mut self, statements: &str) -> Result<(), LedgerError> {
        statements.clone_into(&mut self.own);
        self.patiently(|ledger| ledger.open().map(drop))
    }

    fn open(&mut self) -> Result<&Connection, LedgerError> {
        if let Err(error) = self.close_what_is_gone() {
            error!(event = "events_lost", "events could not be written: {error}");
        }
        if self.connection.is_none() {
            let connection = Connection::open(&self.file)?;
            connection.busy_timeout(BUSY)?;
            connection.execute_batch(OWN)?;
            connection.execute_batch(&self.own)?;
            self.connection = Some((connection, DatabaseFile::of(&self.file)?));
        }
        let connection = self.connection.as_ref().map(|(connection, _)| connection);
        Ok(connection.ok_or(rusqlite::Error::InvalidQuery)?)
    }

    /// Closes a database that is not at its path any more, and what was not committed goes with it.
    fn close_what_is_gone(&mut self) -> Result<(), LedgerError> {
        if self.connection.as_ref().is_none_or(|(_, file)| file.is_in_place()) {
            return Ok(());
        }
        self.connection = None;
        let Some(_) = self.begun.take() else { return Ok(()) };
        Err(LedgerError::Gone { rows: self.written })
    }
}

fn is_busy(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
}

/// A killed process leaves the database sound; rows of the last moments before a power loss may be
/// missing.
const OWN: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
/// How long a lock is waited for before it is looked whether the end has come; for some `SQLite` does
/// not wait.
const BUSY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// How long a transaction is kept open for more.
const HELD: Duration = Duration::from_millis(50);
