//! The options of lookups.

use std::path::PathBuf;

use mail_types::exim::List;
use thiserror::Error;

use super::options::ConfigOptions;
use crate::gateway::lookups::settings::{LookupSettings, PgsqlServer};

/// Reads and checks them.
pub(super) fn settings(options: &ConfigOptions) -> Result<LookupSettings, LookupOptionError> {
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
    Ok(LookupSettings {
        sqlite_dbfile: options.sqlite_dbfile.clone().unwrap_or_else(default),
        pgsql_servers: servers.collect::<Result<_, _>>()?,
        directories,
        timeout: options.lookup_timeout.0,
        rows: options.lookup_rows_max,
        bytes: usize::try_from(options.lookup_size_limit.0).unwrap_or(usize::MAX),
        file_bytes: options.lookup_file_size_limit.0,
    })
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
