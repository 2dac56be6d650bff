//! The options of lookups.

use std::path::PathBuf;
use std::time::Duration;

use mail_types::exim::{List, SeparatorHint};
use redis_lookup::{Address, Limits, Mode, Server, Servers, ServersError};
use thiserror::Error;

use super::checks::separator_hint;
use super::options::ConfigOptions;
use crate::gateway::dns::numeric_name::NumericName;
use crate::gateway::lookups::redis::RedisSettings;
use crate::gateway::lookups::settings::{LookupSettings, PgsqlServer};

/// Reads and checks them.
pub(super) fn settings(options: &ConfigOptions) -> Result<LookupSettings, LookupOptionError> {
    let directories: Vec<_> =
        List::new(&options.lookup_directories).map(|item| PathBuf::from(&*item)).collect();
    if let Some(at) = directories.iter().position(|folder| !folder.is_absolute()) {
        let path = directories.into_iter().nth(at).unwrap_or_default();
        return Err(LookupOptionError::Directory { item: at + 1, path });
    }
    let default = || options.spool_directory.join("gateway.sqlite");
    let servers = List::new(&options.pgsql_servers).enumerate().map(|(at, item)| {
        let server = PgsqlServer::parse(&item);
        let server = server.ok_or_else(|| LookupOptionError::PgsqlServer {
            item: at + 1,
            hint: server_hint(&options.pgsql_servers, &item, at),
        })?;
        if let Some(host) = NumericName::of(&server.host, colon(&options.pgsql_servers)) {
            return Err(LookupOptionError::Host { option: "pgsql_servers", host });
        }
        match server.port {
            0 => Err(LookupOptionError::PgsqlPort { item: at + 1 }),
            _ => Ok(server),
        }
    });
    Ok(LookupSettings {
        sqlite_dbfile: options.sqlite_dbfile.clone().unwrap_or_else(default),
        pgsql_servers: servers.collect::<Result<_, _>>()?,
        redis: redis(options)?,
        directories,
        timeout: options.lookup_timeout.0,
        rows: options.lookup_rows_max,
        bytes: usize::try_from(options.lookup_size_limit.0).unwrap_or(usize::MAX),
        file_bytes: options.lookup_file_size_limit.0,
    })
}

/// Words the probable mistake with separators: an item without a slash is what a colon in a server or password leaves.
fn server_hint(list: &str, item: &str, at: usize) -> String {
    if item.contains('/') || List::new(list).separator() != ':' || List::new(list).count() < 2 {
        return separator_hint(list, at);
    }
    format!("; {}", SeparatorHint::Colons)
}

/// The sign before a port in an item of a list: where colons separate the items, it is doubled.
fn colon(list: &str) -> &'static str {
    if list.trim_start().starts_with('<') { ":" } else { "::" }
}

/// Reads the options of `redis`.
fn redis(options: &ConfigOptions) -> Result<RedisSettings, LookupOptionError> {
    let servers = Servers::parse(&options.redis_servers).map_err(LookupOptionError::Redis)?;
    let hosts =
        servers.as_slice().iter().flat_map(Server::addresses).filter_map(|address| match address {
            Address::Tcp { host, .. } => NumericName::of(host, colon(&options.redis_servers)),
            _ => None,
        });
    if let Some(host) = hosts.into_iter().next() {
        return Err(LookupOptionError::Host { option: "redis_servers", host });
    }
    let most = options.lookup_timeout.0;
    let timeout = options.redis_timeout.as_ref().map_or(most, |timeout| timeout.0);
    if timeout > most {
        return Err(LookupOptionError::RedisTimeout { timeout, most });
    }
    let limits = Limits::default()
        .with_elements(options.lookup_rows_max)
        .with_reply(usize::try_from(options.lookup_size_limit.0).unwrap_or(usize::MAX));
    let mode = if options.redis_compatible { Mode::Exim } else { Mode::Plain };
    let commands = redis_lookup::Options::default()
        .with_writes(options.redis_allow_writes)
        .with_mode(mode)
        .with_limits(limits);
    Ok(RedisSettings { servers, options: commands, timeout })
}

/// Why options of lookups cannot be taken.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum LookupOptionError {
    #[error("lookup_directories: item {item} ({path:?}) is not an absolute path")]
    Directory { item: usize, path: PathBuf },
    #[error("pgsql_servers: item {item} is not host/database/user/password{hint}")]
    PgsqlServer { item: usize, hint: String },
    #[error("pgsql_servers: item {item}: the port must not be 0")]
    PgsqlPort { item: usize },
    #[error("{option}: {host}")]
    Host { option: &'static str, host: NumericName },
    #[error("redis_servers: {0}")]
    Redis(ServersError),
    #[error("redis_timeout: {timeout:?} is more than lookup_timeout, {most:?}")]
    RedisTimeout { timeout: Duration, most: Duration },
}

impl LookupOptionError {
    /// Returns the option that it is about.
    pub(super) fn option(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "lookup_directories",
            Self::PgsqlServer { .. } | Self::PgsqlPort { .. } => "pgsql_servers",
            Self::Host { option, .. } => option,
            Self::Redis(_) => "redis_servers",
            Self::RedisTimeout { .. } => "redis_timeout",
        }
    }
}
