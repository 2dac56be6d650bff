//! The writer of event rows: one thread, with many rows in one transaction.
//!
//! A transaction and two thread switches for each row would cost more than all other work for an event.
//! Queries with a result go to the lookup engines.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use event_expand::{Ask, Dialect, Request, Statement, StatementCache};
use mail_types::exim::LookupResult;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use thiserror::Error;
use tracing::error;

use super::queue::Queue;
use crate::gateway::lookups::database_file::DatabaseFile;
use crate::gateway::lookups::engines::Bound;

/// The database, opened at its first use.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: PathBuf,
    queue: Arc<Queue>,
    connection: Option<(Connection, DatabaseFile)>,
    statements: StatementCache,
    /// The program's own statements, executed at each opening.
    own: String,
    /// The start of the open transaction.
    begun: Option<Instant>,
    /// The number of statements in the transaction.
    written: usize,
    gave_up: bool,
}

/// A row was not written.
#[derive(Debug, Error)]
pub(crate) enum LedgerError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("cannot find the database: {0}")]
    File(#[from] io::Error),
    /// The rows are in a file that was removed or replaced.
    #[error("{rows} rows lost: the database was removed or replaced")]
    Gone { rows: usize },
}

impl Ledger {
    /// Uses a database; waits for its locks until the queue ends.
    pub(crate) fn new(file: PathBuf, queue: Arc<Queue>) -> Self {
        Self {
            file,
            queue,
            connection: None,
            statements: StatementCache::new(Dialect::Sqlite),
            own: String::new(),
            begun: None,
            written: 0,
            gave_up: false,
        }
    }

    /// Executes a statement without a result; `None` if the request is something else: then the lookup
    /// engines handle it.
    pub(crate) fn change(
        &mut self,
        request: &Request,
    ) -> Option<Result<LookupResult, LedgerError>> {
        let Ask::Lookup { lookup, query, .. } = &request.ask else { return None };
        if lookup.name != "sqlite" || lookup.options.is_some() {
            return None;
        }
        let fresh = StatementCache::new(Dialect::Sqlite);
        let mut statements = std::mem::replace(&mut self.statements, fresh);
        let statement = statements.statement(query).ok();
        let changed = statement.map(|it| self.patiently(|ledger| ledger.try_change(it)));
        self.statements = statements;
        let changed = changed?;
        self.gave_up = changed.as_ref().is_err_and(is_busy);
        changed.transpose()
    }

    /// Tries again while the database is locked, which leaves it unchanged.
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

    /// Tells whether the database stayed locked until the end.
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Commits the transaction; after an error its rows are lost.
    pub(crate) fn commit(&mut self) -> Result<(), LedgerError> {
        if self.begun.is_none() {
            return Ok(());
        }
        self.close_what_is_gone()?;
        self.begun = None;
        let committed = self.patiently(|ledger| Ok(ledger.open()?.execute_batch("COMMIT")?));
        if committed.is_err() {
            self.connection = None; // This rolls the transaction back.
        }
        committed
    }

    /// Tells whether the transaction is old enough to commit.
    pub(crate) fn is_old(&self) -> bool {
        self.begun.is_some_and(|begun| begun.elapsed() > HELD)
    }

    /// Executes the program's own statements.
    pub(crate) fn prepare(&mut self, statements: &str) -> Result<(), LedgerError> {
        statements.clone_into(&mut self.own);
        self.patiently(|ledger| ledger.open().map(drop))
    }

    fn open(&mut self) -> Result<&Connection, LedgerError> {
        // Within a transaction the commit looks.
        if self.begun.is_none()
            && let Err(error) = self.close_what_is_gone()
        {
            error!(event = "events_lost", "cannot write events: {error}");
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

    /// Closes a database that was removed or replaced; its uncommitted rows are lost.
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

/// A killed process leaves a consistent database; a power loss may lose the last rows.
const OWN: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
/// The time to wait for a lock before checking for the end; for some locks `SQLite` does not wait.
const BUSY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// The longest time that a transaction is open.
const HELD: Duration = Duration::from_millis(50);
