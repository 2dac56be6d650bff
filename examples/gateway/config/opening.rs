//! The files, folders and databases of a configuration, opened before a start and for `--check`. Nothing is
//! made, changed or connected to; files that the program makes at its start need not exist yet.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use mail_types::hickory::ResolverError;
use rustix::fs::{Access, access};
use thiserror::Error;

use super::{Config, ConfigError, InvalidConfig, faults};
use crate::gateway::delivery::authorities::{self, AuthoritiesError};
use crate::gateway::delivery::mailboxes::MaildirPath;
use crate::gateway::dns::resolver::NameServers;
use crate::gateway::lookups::files::Files;
use crate::gateway::lookups::language::FileCheck;
#[cfg(feature = "redis")]
use crate::gateway::lookups::redis::Redis;
use crate::gateway::lookups::settings::LookupSettings;
use crate::gateway::server::settings::{ServerSettings, StartupSettings};
use crate::gateway::server::tls::{self, TlsError};
use crate::gateway::store::settings::StoreSettings;
use crate::gateway::telemetry::log;

/// Reads and checks a configuration, and opens what it names. Without a file, everything has its default.
/// Beside it is what an administrator should know.
///
/// # Errors
///
/// The first fault, with its line if that is known.
pub fn read(
    path: Option<&Path>,
    resolv_conf: &Path,
) -> Result<(Config, Vec<String>), InvalidConfig> {
    let text = Config::text(path).map_err(InvalidConfig::from)?;
    let checked = check(&text, resolv_conf);
    let mut warnings = checked.map_err(|error| {
        let others = faults::others(&text, &log::chain(&error));
        error.with_others(others)
    })?;
    let config = Config::parse(&text)?;
    warnings.extend(config.warnings.iter().cloned());
    Ok((config, warnings))
}

/// Reads it again while the program runs. An empty file is not taken for a configuration without options then:
/// it may be about to be written.
///
/// # Errors
///
/// As of [`read`], and an empty file.
pub fn read_again(path: Option<&Path>, resolv_conf: &Path) -> Result<Config, InvalidConfig> {
    let text = Config::text(path).map_err(InvalidConfig::from)?;
    if let Some(path) = path.filter(|_| text.trim().is_empty()) {
        return Err(ConfigError::EmptyFile { path: path.to_owned() }.into());
    }
    check(&text, resolv_conf)?;
    Config::parse(&text)
}

fn check(text: &str, resolv_conf: &Path) -> Result<Vec<String>, InvalidConfig> {
    // The files of lookups are opened as their texts are parsed.
    let config = Config::parse_and_open(text, |settings: &LookupSettings| {
        let files = Files::new(settings);
        FileCheck(Box::new(move |name| files.check(name).map_err(|error| log::chain(&error))))
    })?;
    let opened = open(&config, resolv_conf).map_err(|(option, source)| {
        let line = Config::line(text, option).map_or_else(String::new, |n| format!("line {n}: "));
        CheckError::Open { line, option, source: Box::new(source) }
    });
    // All are of certificates, or name the option of the file first.
    let line = |warning: &str| {
        let named = warning.split([' ', ':']).next().unwrap_or_default();
        Config::line(text, named).or_else(|| Config::line(text, "tls_certificate"))
    };
    let place = |warning: String| match line(&warning) {
        Some(line) => format!("line {line}: {warning}"),
        None => warning,
    };
    Ok(opened?.into_iter().map(place).collect())
}

/// Why a configuration is not sound.
#[derive(Debug, Error)]
pub(crate) enum CheckError {
    #[error("{line}{option}: {source}")]
    Open { line: String, option: &'static str, source: Box<OpeningError> },
}

fn open(config: &Config, resolv_conf: &Path) -> Result<Vec<String>, (&'static str, OpeningError)> {
    let of = |option| move |error| (option, error);
    let ServerSettings { startup, live } = &config.server;
    folder(&startup.spool_directory).map_err(of("spool_directory"))?;
    if let StoreSettings::Maildir { maildir, .. } = &startup.store {
        folder(maildir).map_err(of("maildir"))?;
        for (option, path) in startup.mailboxes.paths() {
            match path {
                MaildirPath::Known(path) | MaildirPath::Below(path, _) => {
                    folder(path).map_err(of(option))?;
                }
            }
        }
    }
    let warnings = tls::check(&live.tls);
    let warnings = warnings.map_err(|(option, error)| (option, OpeningError::Tls(error)))?;
    authorities::check(&live.remote)
        .map_err(|error| (error.remote_option(), OpeningError::Authorities(error)))?;
    for directory in &live.lookups.directories {
        let found = fs::metadata(directory).map_err(|source| unreadable(directory, source));
        if !found.map_err(of("lookup_directories"))?.is_dir() {
            let path = directory.clone();
            return Err(("lookup_directories", OpeningError::NoFolder { path }));
        }
    }
    if let Some(path) = live.remote.mta_sts_directory.clone().filter(|path| !path.is_dir()) {
        return Err(("remote_smtp.mta_sts_directory", OpeningError::NoFolder { path }));
    }
    NameServers::read(config.dns, resolv_conf)
        .map_err(|error| ("dns_resolver", OpeningError::Resolver(error)))?;
    #[cfg(feature = "redis")]
    Redis::new(&live.lookups.redis)
        .map_err(|error| ("redis_servers", OpeningError::Redis(error)))?;
    database(&live.lookups.sqlite_dbfile, startup).map_err(of("sqlite_dbfile"))?;
    if let Some(file) = &startup.reports.history_file {
        appended(file, startup).map_err(of("dmarc_history_file"))?;
    }
    Ok(warnings)
}

/// A folder to write in; one that is not there is made at the start, where that can be.
fn folder(path: &Path) -> Result<(), OpeningError> {
    let there = path.ancestors().find(|folder| folder.exists());
    let there = match there {
        Some(folder) => folder,
        None if path.is_relative() => Path::new("."),
        None => Path::new("/"),
    };
    if !there.is_dir() {
        return Err(OpeningError::NoFolder { path: there.to_owned() });
    }
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    access(there, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| OpeningError::Write { path: there.to_owned(), source: error.into() })
}

/// A database of `SQLite`; one that is not there is made. Its first octets are looked at, since opening
/// it would write beside it.
fn database(path: &Path, startup: &StartupSettings) -> Result<(), OpeningError> {
    if !path.exists() {
        return missing(path, startup);
    }
    let mut start = Vec::new();
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    file.take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|source| unreadable(path, source))?;
    if start.is_empty() || start == MAGIC {
        Ok(())
    } else {
        Err(OpeningError::NoDatabase { path: path.to_owned() })
    }
}

/// A file that is not there is made, but its folder is not unless the program has it for something else.
fn missing(path: &Path, startup: &StartupSettings) -> Result<(), OpeningError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let is_there = parent.as_os_str().is_empty() || parent.exists();
    let maildir = match &startup.store {
        StoreSettings::Maildir { maildir, .. } => Some(maildir),
        StoreSettings::Discard => None,
    };
    let mut made = maildir.into_iter().chain([&startup.spool_directory]);
    if is_there || made.any(|folder| folder.starts_with(parent)) {
        return folder(parent);
    }
    Err(OpeningError::NoFolder { path: parent.to_owned() })
}

/// A file that is written to.
fn appended(path: &Path, startup: &StartupSettings) -> Result<(), OpeningError> {
    if !path.exists() {
        return missing(path, startup);
    }
    if path.is_dir() {
        return Err(OpeningError::Folder { path: path.to_owned() });
    }
    access(path, Access::WRITE_OK)
        .map_err(|error| OpeningError::Write { path: path.to_owned(), source: error.into() })
}

fn unreadable(path: &Path, source: io::Error) -> OpeningError {
    OpeningError::Read { path: path.to_owned(), source }
}

/// Why something that a configuration names cannot be used.
#[derive(Debug, Error)]
pub(crate) enum OpeningError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be written to: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not a directory", path.display())]
    NoFolder { path: PathBuf },
    #[error("{} is a directory, not a file", path.display())]
    Folder { path: PathBuf },
    #[error("{} is not an SQLite database", path.display())]
    NoDatabase { path: PathBuf },
    #[cfg(feature = "redis")]
    #[error(transparent)]
    Redis(redis_lookup::redis::StartError),
    #[error(transparent)]
    Tls(TlsError),
    #[error(transparent)]
    Authorities(AuthoritiesError),
    #[error("{}", log::chain(.0))]
    Resolver(ResolverError),
}

/// What each database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
