//! What lookups work with.

use std::path::PathBuf;
use std::time::Duration;

use event_expand::{Capabilities, Capability};

use super::language::Available;
use super::redis::RedisSettings;

/// What lookups work with.
#[derive(Clone, Debug)]
pub struct LookupSettings {
    /// The database of a `sqlite` lookup that names no file.
    pub(crate) sqlite_dbfile: PathBuf,
    /// Whom `pgsql` asks, in this order.
    pub(crate) pgsql_servers: Vec<PgsqlServer>,
    /// The servers, commands and replies of `redis`.
    pub(crate) redis: RedisSettings,
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
    /// Says which lookups can be made.
    pub(crate) fn available(&self) -> Available {
        let (files, pgsql_servers) = (!self.directories.is_empty(), !self.pgsql_servers.is_empty());
        Available { files, pgsql_servers, redis: self.redis.clone() }
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
    /// Reads one; `None` if it is not written so.
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
