//! The options of lookups.

use std::path::PathBuf;
use std::time::Duration;

use event_expand::{Capabilities, Capability};
use mail_types::List;
use thiserror::Error;

use super::options::Options;
use crate::gateway::lookups::language::Available;

/// What lookups work with.
#[derive(Clone, Debug)]
pub struct LookupSettings {
    /// The database of a `sqlite` lookup that names no file.
    pub(crate) sqlite_dbfile: PathBuf,
    /// Whom `pgsql` asks, in this order.
    pub(crate) pgsql_servers: Vec<PgsqlServer>,
    /// Below which folders files may be read.
    pub(crate) directories: Vec<PathBuf>,
    /// How long one may take, in all.
    pub(crate) timeout: Duration,
    /// The most rows that one finds.
    pub(crate) rows: usize,
    /// The most octets that one finds.
    pub(crate) bytes: usize,
    /// The largest file that is read, in octets.
    pub(crate) file_bytes: u64,
}

impl LookupSettings {
    pub(super) fn read(options: &Options) -> Result<Self, LookupOptionError> {
        let directories: Vec<_> =
            List::new(&options.lookup_directories).map(|item| PathBuf::from(&*item)).collect();
        if let Some(at) = directories.iter().position(|folder| !folder.is_absolute()) {
            return Err(LookupOptionError::Directory { item: at + 1 });
        }
        let default = || options.spool_directory.join("gateway.sqlite");
        let servers = List::new(&options.pgsql_servers).enumerate().map(|(at, item)| {
            let server = PgsqlServer::parse(&item);
            let server = server.ok_or(LookupOptionError::PgsqlServer { item: at + 1 })?;
            match server.port {
                0 => Err(LookupOptionError::PgsqlPort { item: at + 1 }),
                _ => Ok(server),
            }
        });
        Ok(Self {
            sqlite_dbfile: options.sqlite_dbfile.clone().unwrap_or_else(default),
            pgsql_servers: servers.collect::<Result<_, _>>()?,
            directories,
            timeout: options.lookup_timeout.0,
            rows: options.lookup_rows_max,
            bytes: usize::try_from(options.lookup_size_limit.0).unwrap_or(usize::MAX),
            file_bytes: options.lookup_file_size_limit.0,
        })
    }

    /// Says which lookups can be made.
    pub(crate) fn available(&self) -> Available {
        let (files, pgsql_servers) = (!self.directories.is_empty(), !self.pgsql_servers.is_empty());
        Available { files, pgsql_servers }
    }

    /// Returns what texts may do.
    pub(crate) fn options(&self) -> event_expand::Options {
        let mut options = event_expand::Options::default();
        if !self.directories.is_empty() {
            options.capabilities = Capabilities::NONE.with(Capability::Files);
        }
        options
    }
}

/// A server of `PostgreSQL`, as Exim writes it: `host/database/user/password`, with a port as
/// `host::5432`, where the colon is doubled in a list, or a socket in parentheses.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct PgsqlServer {
    /// A name, an address, or the folder of a socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl PgsqlServer {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(4, '/');
        let (password, user, database) = (parts.next()?, parts.next()?, parts.next()?);
        let place = parts.next().filter(|place| !place.is_empty())?;
        let (host, port) = match place.strip_prefix('(').and_then(|p| p.strip_suffix(')')) {
            // Exim names the socket itself: `(/run/postgresql/.s.PGSQL.5432)`.
            Some(socket) => socket.rsplit_once("/.s.PGSQL.")?,
            None => place.rsplit_once(':').unwrap_or((place, "5432")),
        };
        let (database, user) = (database.to_owned(), user.to_owned());
        let given = [host, &database, &user].iter().all(|part| !part.is_empty());
        let port = port.parse().ok().filter(|_| given)?;
        Some(Self { host: host.to_owned(), port, database, user, password: password.to_owned() })
    }
}

impl std::fmt::Debug for PgsqlServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}/{}/…", self.host, self.port, self.database, self.user)
    }
}

/// Why options of lookups cannot be taken.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum LookupOptionError {
    #[error("lookup_directories: item {item} is not an absolute path")]
    Directory { item: usize },
    #[error("pgsql_servers: item {item} is not host/database/user/password")]
    PgsqlServer { item: usize },
    #[error("pgsql_servers: item {item} has port 0, at which nobody listens")]
    PgsqlPort { item: usize },
}

impl LookupOptionError {
    /// Returns the option that it is about.
    pub(super) fn option(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "lookup_directories",
            Self::PgsqlServer { .. } | Self::PgsqlPort { .. } => "pgsql_servers",
        }
    }
}
