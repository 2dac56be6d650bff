//! The settings of lookups.

use std::path::PathBuf;
use std::time::Duration;

use event_expand::{Capabilities, Capability};

use super::language::Available;
use super::redis::RedisSettings;

/// The settings of lookups.
#[derive(Clone, Debug)]
pub struct LookupSettings {
    /// The default database of `sqlite` lookups.
    pub(crate) sqlite_dbfile: PathBuf,
    /// The servers of `pgsql`, in order of preference.
    pub(crate) pgsql_servers: Vec<PgsqlServer>,
    /// The servers, commands and replies of `redis`.
    pub(crate) redis: RedisSettings,
    /// The folders below which files may be read.
    pub(crate) directories: Vec<PathBuf>,
    /// The time limit of a lookup.
    pub(crate) timeout: Duration,
    /// The most rows of a result.
    pub(crate) rows: usize,
    /// The most octets of a result.
    pub(crate) bytes: usize,
    /// The largest file of a search, in octets.
    pub(crate) file_bytes: u64,
}

impl LookupSettings {
    /// Returns the available lookups.
    pub(crate) fn available(&self) -> Available {
        let (files, pgsql_servers) = (!self.directories.is_empty(), !self.pgsql_servers.is_empty());
        Available { files, pgsql_servers, redis: self.redis.clone() }
    }

    /// Returns the options of expansions.
    pub(crate) fn options(&self) -> event_expand::Options {
        let mut capabilities = Capabilities::NONE.with(Capability::Random);
        if !self.directories.is_empty() {
            capabilities = capabilities.with(Capability::Files);
        }
        event_expand::Options::default().with_capabilities(capabilities)
    }
}

/// A server of `PostgreSQL` in Exim's form: `host/database/user/password`, with a port as `host::5432`
/// (the colon is doubled in a list), or with a socket in parentheses.
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
    /// Parses a server; `None` if the form is invalid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
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
