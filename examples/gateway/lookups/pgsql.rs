//! Lookups in `PostgreSQL`, without TLS: use them on this host or in a private network only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use event_expand::{Dialect, Parameter, Statement, StatementError};
use mail_types::exim::{LookupResult, Query, Segment};
use tokio::sync::Semaphore;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Column, NoTls};

use super::engines::{EngineError, Unencodable};
use super::rows::{Rows, changed};
use super::settings::{LookupSettings, PgsqlServer};

/// Connections to servers, in order of preference: the next one is for an unreachable server. The answer
/// of a server is final.
#[derive(Debug)]
pub(super) struct Pgsql {
    servers: Vec<Server>,
    connections: Semaphore,
    timeout: Duration,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Server {
    place: PgsqlServer,
    idle: Mutex<Vec<Connection>>,
}

/// A connection, with its prepared statements.
#[derive(Debug)]
struct Connection {
    client: Client,
    prepared: VecDeque<(String, Arc<Prepared>)>,
}

#[derive(Debug)]
enum Prepared {
    /// A statement without columns, which changes rows.
    Change(tokio_postgres::Statement),
    /// A statement with these columns, all as text.
    Find(tokio_postgres::Statement, Vec<String>),
}

impl Pgsql {
    pub(super) fn new(settings: &LookupSettings) -> Self {
        let server = |place: &PgsqlServer| Server { place: place.clone(), idle: Mutex::default() };
        Self {
            servers: settings.pgsql_servers.iter().map(server).collect(),
            connections: Semaphore::new(CONNECTIONS),
            timeout: settings.timeout,
            rows: settings.rows,
            bytes: settings.bytes,
        }
    }

    /// Runs a statement. Dropping the future closes the connection.
    pub(super) async fn run(&self, asked: &Statement) -> Result<LookupResult, EngineError> {
        let _one = self.connections.acquire().await.map_err(|_| EngineError::Thread)?;
        let mut unreachable = EngineError::NoServer;
        for server in &self.servers {
            // A cached connection may be closed; then the statement has not run.
            while let Some(mut connection) = server.take() {
                let prepared = connection.prepare(&asked.sql, self.bytes).await;
                if prepared.is_err() && connection.client.is_closed() {
                    continue;
                }
                return self.finish(server, connection, prepared, asked).await;
            }
            match Connection::open(&server.place, self.timeout).await {
                Ok(mut connection) => {
                    let prepared = connection.prepare(&asked.sql, self.bytes).await;
                    return self.finish(server, connection, prepared, asked).await;
                }
                Err(error) => unreachable = error.into(),
            }
        }
        Err(unreachable)
    }

    async fn finish(
        &self,
        server: &Server,
        mut connection: Connection,
        prepared: Result<Arc<Prepared>, EngineError>,
        asked: &Statement,
    ) -> Result<LookupResult, EngineError> {
        let found = match prepared {
            Ok(prepared) => self.execute(&mut connection.client, &prepared, asked).await,
            Err(error) => Err(error),
        };
        if found.is_err() {
            // A prepared plan may be out of date.
            connection.prepared.clear();
        }
        if !connection.client.is_closed() {
            server.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        found
    }

    async fn execute(
        &self,
        client: &mut Client,
        prepared: &Prepared,
        asked: &Statement,
    ) -> Result<LookupResult, EngineError> {
        let bound: Vec<_> = asked.parameters.iter().map(Bound).collect();
        let parameters: Vec<&(dyn ToSql + Sync)> =
            bound.iter().map(|bound| bound as &(dyn ToSql + Sync)).collect();
        let (statement, names) = match prepared {
            Prepared::Change(statement) => {
                return Ok(changed(client.execute(statement, &parameters).await?));
            }
            Prepared::Find(statement, names) => (statement, names),
        };
        let mut found = Rows::new(self.rows, self.bytes);
        // Fetch a few rows at a time, to stop at the limit; then the transaction is rolled back.
        let transaction = client.transaction().await?;
        let portal = transaction.bind(statement, &parameters).await?;
        loop {
            let rows = transaction.query_portal(&portal, ROWS).await?;
            for row in &rows {
                found.row()?;
                for (at, name) in names.iter().enumerate() {
                    let value: &str = row.try_get::<_, Option<&str>>(at)?.unwrap_or_default();
                    if names.len() == 1 {
                        found.value(value.as_bytes())?;
                    } else {
                        found.pair(name.as_bytes(), value.as_bytes())?;
                    }
                }
            }
            if rows.is_empty() {
                break;
            }
        }
        transaction.commit().await?;
        Ok(found.found())
    }
}

impl Server {
    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.client.is_closed());
        idle.pop()
    }
}

impl Connection {
    async fn open(server: &PgsqlServer, patience: Duration) -> Result<Self, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        // The setting that our quoting requires, and a time limit for abandoned statements.
        let options = format!(
            "-c standard_conforming_strings=on -c statement_timeout={}",
            patience.as_millis().max(1)
        );
        config
            .host(&server.host)
            .port(server.port)
            .dbname(&server.database)
            .user(&server.user)
            .options(&options)
            .application_name("gateway")
            .connect_timeout(patience);
        if !server.password.is_empty() {
            config.password(&server.password);
        }
        let (client, connection) = config.connect(NoTls).await?;
        // The client reports its errors, too.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { client, prepared: VecDeque::new() })
    }

    async fn prepare(&mut self, sql: &str, bytes: usize) -> Result<Arc<Prepared>, EngineError> {
        if let Some((_, known)) = self.prepared.iter().find(|(known, _)| known == sql) {
            return Ok(Arc::clone(known));
        }
        let statement = self.client.prepare(sql).await?;
        let names: Vec<_> =
            statement.columns().iter().map(|column| column.name().to_owned()).collect();
        let prepared = if names.is_empty() {
            Prepared::Change(statement)
        } else if is_relation(sql) {
            Prepared::Find(self.client.prepare(&as_text(sql, names.len(), bytes)).await?, names)
        } else if let Some(other) = statement.columns().iter().find(|column| !is_text(column)) {
            return Err(EngineError::Type { name: other.type_().name().to_owned() });
        } else {
            Prepared::Find(statement, names)
        };
        let prepared = Arc::new(prepared);
        if self.prepared.len() == STATEMENTS {
            self.prepared.pop_front();
        }
        self.prepared.push_back((sql.to_owned(), Arc::clone(&prepared)));
        Ok(prepared)
    }
}

/// Makes a statement from a query; `None` if the database cannot hold a value that must not be changed.
pub(crate) fn statement(
    query: &Query,
    unencodable: Unencodable,
) -> Result<Option<Statement>, StatementError> {
    match (Statement::new(query, Dialect::Pgsql), unencodable) {
        (Err(StatementError::Nul { .. } | StatementError::NotUtf8 { .. }), Unencodable::Absent) => {
            Ok(None)
        }
        (
            Err(StatementError::Nul { .. } | StatementError::NotUtf8 { .. } | StatementError::Text),
            Unencodable::Replaced,
        ) => Statement::new(&replaced(query), Dialect::Pgsql).map(Some),
        (made, _) => made.map(Some),
    }
}

/// Replaces the parts that the server cannot hold by U+FFFD.
fn replaced(query: &Query) -> Query {
    let mut encodable = Query::default();
    for segment in query.segments() {
        match segment {
            // The text may come from an expansion.
            Segment::Literal(text) => {
                encodable.push_literal(String::from_utf8_lossy(text).as_bytes());
            }
            Segment::Value { bytes, trust, quoted } => {
                let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
                match quoted {
                    Some(lookup) => encodable.push_quoted(text.as_bytes(), trust, lookup),
                    None => encodable.push_value(text.as_bytes(), trust),
                }
            }
        }
    }
    encodable
}

/// Tells whether a statement can be in a `WITH` clause.
fn is_relation(sql: &str) -> bool {
    let word = after_comments(sql).split(|c: char| !c.is_ascii_alphabetic()).next();
    let relations = ["select", "insert", "update", "delete", "values", "with", "table", ""];
    word.is_some_and(|word| relations.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// The text after the blanks and comments at its start; comments in `/* … */` are nested.
fn after_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.find(['\n', '\r']).and_then(|end| comment.get(end..))
        } else if rest.starts_with("/*") {
            after_nested(rest)
        } else {
            return rest;
        };
        rest = after.unwrap_or_default().trim_start();
    }
}

/// The text after the comment at the start.
fn after_nested(sql: &str) -> Option<&str> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = sql.get(at..)?;
        let mark = rest.find(['/', '*'])?;
        let (open, close) =
            (rest.get(mark..)?.starts_with("/*"), rest.get(mark..)?.starts_with("*/"));
        at += mark + if open || close { 2 } else { 1 };
        depth = if open { depth + 1 } else { depth.saturating_sub(usize::from(close)) };
        if close && depth == 0 {
            return sql.get(at..);
        }
    }
}

/// Wraps a statement so that the server returns all columns as text, of limited length.
fn as_text(sql: &str, columns: usize, bytes: usize) -> String {
    let most = bytes.saturating_add(1).min(i32::MAX as usize);
    let names: Vec<_> = (0..columns).map(|at| format!("c{at}")).collect();
    // `format` gives the server's own text form, unlike a cast.
    let text = |name: &String| format!("left(format('%s', {name}), {most})");
    let texts: Vec<_> = names.iter().map(text).collect();
    // The statement may end in a comment.
    format!("WITH found ({}) AS ({sql}\n) SELECT {} FROM found", names.join(", "), texts.join(", "))
}

fn is_text(column: &Column) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN].contains(column.type_())
}

/// A parameter in the text format, for any type: the server converts it like a string in a query.
#[derive(Debug)]
struct Bound<'a>(&'a Parameter);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(match self.0 {
            Parameter::Text(text) => text.as_bytes(),
            Parameter::Blob(bytes) => bytes,
        });
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// The most connections.
const CONNECTIONS: usize = 4;
/// The most prepared statements of a connection.
const STATEMENTS: usize = 64;
/// The rows of one fetch.
const ROWS: i32 = 16;
