//! Lookups in `SQLite`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_expand::{Parameter, Statement};
use mail_types::exim::LookupResult;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, InterruptHandle, OpenFlags, ToSql, params_from_iter};
use tokio::sync::Semaphore;
use tokio::task;

use super::database_file::DatabaseFile;
use super::engines::EngineError;
use super::rows::{Rows, changed};
use super::settings::LookupSettings;

/// Connections, cached for each file; separate threads run the statements.
#[derive(Debug)]
pub(super) struct Sqlite {
    shared: Arc<Shared>,
    threads: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shared {
    idle: Mutex<HashMap<PathBuf, Vec<Open>>>,
    /// The default file.
    file: PathBuf,
    timeout: Duration,
    rows: usize,
    bytes: usize,
}

impl Sqlite {
    pub(super) fn new(settings: &LookupSettings) -> Self {
        let shared = Shared {
            idle: Mutex::default(),
            file: settings.sqlite_dbfile.clone(),
            timeout: settings.timeout,
            rows: settings.rows,
            bytes: settings.bytes,
        };
        Self { shared: Arc::new(shared), threads: Arc::new(Semaphore::new(THREADS)) }
    }

    /// Runs a statement. Dropping the future interrupts it.
    pub(super) async fn run(
        &self,
        statement: Statement,
        file: Option<PathBuf>,
    ) -> Result<LookupResult, EngineError> {
        let thread = Arc::clone(&self.threads).acquire_owned().await;
        let thread = thread.map_err(|_| EngineError::Thread)?;
        let (shared, running) = (Arc::clone(&self.shared), Running::default());
        let under_way = Arc::clone(&running.0);
        let work = task::spawn_blocking(move || {
            let found = shared.run(&statement, file, &under_way);
            drop(thread);
            found
        });
        work.await.map_err(|_| EngineError::Thread)?
    }
}

impl Shared {
    fn run(
        &self,
        statement: &Statement,
        file: Option<PathBuf>,
        running: &Mutex<StatementState>,
    ) -> Result<LookupResult, EngineError> {
        let (file, is_ours) = match file {
            Some(file) => (file, false),
            None => (self.file.clone(), true),
        };
        let open = match self.take(&file) {
            Some(open) => open,
            None => self.open(&file, is_ours)?,
        };
        match &mut *running.lock().unwrap_or_else(PoisonError::into_inner) {
            StatementState { given_up: true, .. } => {
                return Err(EngineError::Slow { limit: self.timeout });
            }
            state => state.handle = Some(open.connection.get_interrupt_handle()),
        }
        let found = self.ask(&open.connection, statement);
        running.lock().unwrap_or_else(PoisonError::into_inner).handle = None;
        if found.is_ok() {
            self.keep(file, open);
        }
        found
    }

    fn open(&self, file: &Path, is_ours: bool) -> Result<Open, EngineError> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if is_ours {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
        }
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(self.timeout)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Open { connection, file: DatabaseFile::of(file)? })
    }

    fn ask(&self, connection: &Connection, asked: &Statement) -> Result<LookupResult, EngineError> {
        let mut statement = connection.prepare_cached(&asked.sql)?;
        let parameters = params_from_iter(asked.parameters.iter().map(Bound));
        if statement.column_count() == 0 {
            let count = statement.execute(parameters)?;
            return Ok(changed(count as u64));
        }
        let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
        let (mut found, mut rows) =
            (Rows::new(self.rows, self.bytes), statement.query(parameters)?);
        while let Some(row) = rows.next()? {
            found.row()?;
            for (at, name) in names.iter().enumerate() {
                let value = row.get_ref(at)?;
                let number;
                let value = match value {
                    ValueRef::Null => &b"<NULL>"[..], // Exim's form.
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
                    ValueRef::Integer(value) => {
                        number = value.to_string();
                        number.as_bytes()
                    }
                    ValueRef::Real(value) => {
                        number = format!("{value:?}");
                        number.as_bytes()
                    }
                };
                if names.len() == 1 {
                    found.value(value)?;
                } else {
                    found.pair(name.as_bytes(), value)?;
                }
            }
        }
        Ok(found.found())
    }

    /// Takes a cached connection. If the file was replaced, all connections to it are dropped.
    fn take(&self, file: &Path) -> Option<Open> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(file)?;
        let open = kept.pop()?;
        if !open.file.is_in_place() {
            kept.clear();
            return None;
        }
        Some(open)
    }

    fn keep(&self, file: PathBuf, open: Open) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < FILES || idle.contains_key(&file) {
            let idle = idle.entry(file).or_default();
            if idle.len() < THREADS {
                idle.push(open);
            }
        }
    }
}

/// Checks the syntax of SQL in a database without tables; a missing table is not an error.
pub(super) fn check_syntax(sql: &str) -> Result<(), EngineError> {
    // Some of these statements take effect when they are prepared, for the whole process.
    let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next();
    if word.is_some_and(|word| word.eq_ignore_ascii_case("pragma")) {
        return Ok(());
    }
    let connection = Connection::open_in_memory()?;
    match connection.prepare(sql).map(|_| ()) {
        Err(error) if is_syntax(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Tells whether an error is one of syntax. `SQLite` has a single code for all errors of a statement;
/// those of its parser have these texts.
fn is_syntax(error: &rusqlite::Error) -> bool {
    let message = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        rusqlite::Error::SqliteFailure(_, Some(message)) => message,
        _ => return false,
    };
    let by_tokens = ["incomplete input", "unrecognized token"];
    message.ends_with(": syntax error") || by_tokens.iter().any(|start| message.starts_with(start))
}

/// A connection, with the identity of its file.
#[derive(Debug)]
struct Open {
    connection: Connection,
    file: DatabaseFile,
}

/// A parameter in the form of `SQLite`.
#[derive(Debug)]
pub(crate) struct Bound<'a>(pub(crate) &'a Parameter);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Parameter::Text(text) => ValueRef::Text(text.as_bytes()),
            Parameter::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A running statement; the drop interrupts it.
#[derive(Default)]
struct Running(Arc<Mutex<StatementState>>);

#[derive(Default)]
struct StatementState {
    given_up: bool,
    handle: Option<InterruptHandle>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.given_up = true;
        if let Some(handle) = &state.handle {
            handle.interrupt();
        }
    }
}

/// The most statements at a time.
const THREADS: usize = 4;
/// The most files with cached connections.
const FILES: usize = 16;
/// The most prepared statements of a connection.
const STATEMENTS: usize = 64;
