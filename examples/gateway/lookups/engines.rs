//! The engines of lookups: databases and files; the manual describes their options and results.
//!
//! Each request has the limits `lookup_timeout` (in rules for all lookups of a text together),
//! `lookup_rows_max` and `lookup_size_limit`. A result beyond them is deferred, since a part of a list is
//! another list. Connections and prepared statements are cached, results are not.
//!
//! `${randint:LIMIT}` is answered too, by the system's source of random numbers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_expand::{Ask, Dialect, HostCall, Lookup, Statement, StatementError};
use mail_types::exim::{LookupResult, Query, Segment, Trust, Value};
use thiserror::Error;
use tokio::time::timeout;

use super::asking::{Answering, Answers};
use super::files::Files;
#[cfg(feature = "pgsql")]
use super::pgsql::Pgsql;
use super::random;
#[cfg(feature = "redis")]
use super::redis::{self, Redis, RedisError};
use super::settings::LookupSettings;
pub(crate) use super::sqlite::Bound;
use super::sqlite::Sqlite;
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::metrics::counts::Word as _;
use crate::gateway::telemetry::metrics::words::{LookupEngine, LookupWord};

/// The lookups of the program.
#[derive(Debug)]
pub struct Engines {
    options: event_expand::Options,
    timeout: Duration,
    files: Files,
    sqlite: Sqlite,
    #[cfg(feature = "pgsql")]
    pgsql: Pgsql,
    #[cfg(feature = "redis")]
    redis: Redis,
    metrics: Arc<Metrics>,
}

/// The treatment of a value that `PostgreSQL` cannot hold: one with a NUL or invalid UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unencodable {
    /// No row can have it: the result is nothing, without a query.
    Absent,
    /// U+FFFD replaces each invalid part.
    Replaced,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The result.
    pub found: LookupResult,
    /// The reason of a deferral, for the log.
    pub why: Option<String>,
}

impl Engines {
    /// Makes the engines, without connections.
    ///
    /// # Errors
    ///
    /// [`EnginesError`] if TLS with a server cannot be set up.
    pub fn new(settings: &LookupSettings) -> Result<Self, EnginesError> {
        Ok(Self {
            options: settings.options(),
            timeout: settings.timeout,
            files: Files::new(settings),
            sqlite: Sqlite::new(settings),
            #[cfg(feature = "pgsql")]
            pgsql: Pgsql::new(settings),
            #[cfg(feature = "redis")]
            redis: Redis::new(&settings.redis)
                .map_err(|error| EnginesError::Redis { why: log::chain(&error) })?,
            metrics: Arc::default(),
        })
    }

    /// Counts lookups in these metrics.
    pub(crate) fn counting(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), ..self }
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Returns the options of expansions that use these engines.
    #[must_use]
    pub fn options(&self) -> &event_expand::Options {
        &self.options
    }

    /// Answers the request of an event's action, within its time limit. U+FFFD replaces octets that a
    /// database cannot hold.
    pub async fn answer(&self, request: &Ask) -> Answer {
        self.answer_within(request, self.timeout, Unencodable::Replaced).await
    }

    async fn answer_within(
        &self,
        request: &Ask,
        time: Duration,
        unencodable: Unencodable,
    ) -> Answer {
        let begun = Instant::now();
        let asked = match request {
            Ask::Lookup { lookup, key, query } => {
                self.look_up_within(lookup, key.as_ref(), query, time, unencodable).await
            }
            Ask::Call { call: HostCall::ReadFile, arguments } => {
                let name = arguments.first().map(Value::as_bytes).unwrap_or_default().to_vec();
                match timeout(time, self.files.lines(name)).await {
                    Ok(asked) => asked,
                    Err(_) => Err(EngineError::Slow { limit: time }),
                }
            }
            Ask::Call { call: HostCall::RandInt, arguments } => {
                let number = random::answer(arguments).map(LookupResult::Value);
                number.ok_or(EngineError::Absent { name: "a source of random numbers" })
            }
            Ask::Call { call, .. } => Err(EngineError::Absent { name: call.as_str() }),
            _ => Err(EngineError::Absent { name: "a request" }),
        };
        let answer = match asked {
            Ok(found) => Answer { found, why: None },
            Err(error) => Answer { found: LookupResult::Deferred, why: Some(log::chain(&error)) },
        };
        self.count(request, &answer.found, begun.elapsed());
        answer
    }

    fn count(&self, request: &Ask, found: &LookupResult, took: Duration) {
        let engine = match request {
            Ask::Lookup { lookup, .. } => LookupEngine::named(lookup.name),
            Ask::Call { call: HostCall::ReadFile, .. } => Some(LookupEngine::File),
            _ => None,
        };
        let Some(engine) = engine else { return };
        let result = match found {
            LookupResult::Value(_) => LookupWord::Found,
            LookupResult::Nothing => LookupWord::NotFound,
            LookupResult::Deferred => LookupWord::Deferred,
        };
        self.metrics.lookups.count((engine, result));
        self.metrics.lookup_times.time(engine, took);
    }

    async fn look_up_within(
        &self,
        lookup: &Lookup,
        key: Option<&Value<'static>>,
        query: &Query,
        time: Duration,
        unencodable: Unencodable,
    ) -> Result<LookupResult, EngineError> {
        #[cfg(feature = "redis")]
        if lookup.name == "redis" {
            // The client has its own deadline, since it counts each server that misses one.
            return Ok(self.redis.look_up(redis::servers(lookup), query, time).await?.into());
        }
        match timeout(time, self.look_up(lookup, key, query, unencodable)).await {
            Ok(asked) => asked,
            Err(_) => Err(EngineError::Slow { limit: time }),
        }
    }

    #[cfg_attr(
        not(feature = "pgsql"),
        expect(unused_variables, reason = "SQLite holds all octets")
    )]
    async fn look_up(
        &self,
        lookup: &Lookup,
        key: Option<&Value<'static>>,
        query: &Query,
        unencodable: Unencodable,
    ) -> Result<LookupResult, EngineError> {
        let file = lookup.options.as_deref().and_then(|options| options.strip_prefix(b"file="));
        match (lookup.name, key) {
            ("sqlite", _) => {
                let statement = Statement::new(query, Dialect::Sqlite)?;
                let file = file.map(|file| self.files.find(file)).transpose()?;
                self.sqlite.run(statement, file).await
            }
            #[cfg(feature = "pgsql")]
            ("pgsql", _) => match super::pgsql::statement(query, unencodable)? {
                Some(statement) => self.pgsql.run(&statement).await,
                None => Ok(LookupResult::Nothing),
            },
            ("lsearch" | "iplsearch" | "nwildlsearch", Some(key)) => {
                self.files.search(lookup.clone(), key.as_bytes().to_vec(), name(query)?).await
            }
            (name, _) => Err(EngineError::Absent { name }),
        }
    }
}

impl Answers for Engines {
    fn answer<'a>(&'a self, request: &'a Ask, spent: Duration) -> Answering<'a> {
        Box::pin(async move {
            let time = self.timeout.saturating_sub(spent);
            let answer = self.answer_within(request, time, Unencodable::Absent).await;
            (answer.found, answer.why)
        })
    }
}

/// Checks the syntax of a query before its expansion, as far as possible: for `SQLite` its SQL, for
/// `PostgreSQL` the positions of values. Tables are not checked.
///
/// # Errors
///
/// [`EngineError`] for a query that is invalid with any value.
pub(crate) fn check_query(lookup: &Lookup, query: &Query) -> Result<(), EngineError> {
    let dialect = match lookup.name {
        "sqlite" => Dialect::Sqlite,
        "pgsql" => Dialect::Pgsql,
        _ => return Ok(()),
    };
    let mut assumed = Query::default();
    let mut unknown = Vec::new();
    for (at, segment) in query.segments().enumerate() {
        match segment {
            Segment::Literal(text) => assumed.push_literal(text),
            Segment::Value { bytes, trust, quoted } => {
                match (trust, quoted == Some(lookup.name)) {
                    (_, true) => {}
                    (Trust::Untrusted, false) => {
                        return Err(StatementError::Unquoted { at }.into());
                    }
                    (Trust::Trusted, false) => unknown.push(at),
                }
                assumed.push_quoted(bytes, trust, lookup.name);
            }
        }
    }
    match Statement::new(&assumed, dialect) {
        // The value may be trusted text, such as the name of a table: then the rest is unknown too.
        Err(StatementError::NotInString { at }) if unknown.contains(&at) => Ok(()),
        Ok(statement) if dialect == Dialect::Sqlite => super::sqlite::check_syntax(&statement.sql),
        made => Ok(made.map(|_| ())?),
    }
}

/// The name of a file, which must be trusted as a whole.
fn name(query: &Query) -> Result<Vec<u8>, EngineError> {
    query
        .check("")
        .map_err(|_| EngineError::File { problem: "the name of the file is untrusted" })?;
    let bytes = query.segments().map(|segment| match segment {
        Segment::Literal(bytes) | Segment::Value { bytes, .. } => bytes,
    });
    Ok(bytes.collect::<Vec<_>>().concat().trim_ascii().to_vec())
}

/// The engines cannot be made.
#[derive(Debug, Error)]
pub enum EnginesError {
    /// TLS with a server of Redis cannot be set up.
    #[error("redis_servers: {why}")]
    Redis {
        /// The cause.
        why: String,
    },
}

/// The reason of a deferral.
#[derive(Debug, Error)]
pub(crate) enum EngineError {
    #[error("{name} is not available here")]
    Absent { name: &'static str },
    #[error("timed out after {limit:?}")]
    Slow { limit: Duration },
    #[error("result has more than {limit} rows")]
    Rows { limit: usize },
    #[error("result has more than {limit} octets")]
    Bytes { limit: usize },
    #[error("invalid query: {0}")]
    Statement(#[from] StatementError),
    #[error("SQLite")]
    Sqlite(#[from] rusqlite::Error),
    #[cfg(feature = "pgsql")]
    #[error("PostgreSQL")]
    Pgsql(#[from] tokio_postgres::Error),
    #[cfg(feature = "pgsql")]
    #[error("cannot connect to any PostgreSQL server")]
    NoServer,
    #[cfg(feature = "pgsql")]
    #[error("unsupported result type {name}: cast it to text")]
    Type { name: String },
    #[cfg(feature = "redis")]
    #[error("Redis: {0}")]
    Redis(#[from] RedisError),
    #[error("{problem}")]
    File { problem: &'static str },
    #[error("cannot read the file")]
    Read(#[from] std::io::Error),
    #[error("line {line} of the file: {problem}")]
    Line { line: usize, problem: &'static str },
    #[error("a thread of the lookup engine panicked")]
    Thread,
}
