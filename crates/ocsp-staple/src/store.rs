//! Files in which schedules outlive a restart.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::certificate::Certificate;
use crate::saved::{Saved, SavedError};

/// A directory with a file for each certificate, named by the SHA-256 of its DER.
///
/// Content read from it counts only after verification:
/// [`Schedule::handle_saved`](crate::Schedule::handle_saved). That a file cannot be written stops
/// no schedule.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::rustls_pki_types::UnixTime;
/// use ocsp_staple::{Certificate, Saved, Store};
///
/// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
/// let leaf = Certificate::parse(leaf)?;
/// let directory = std::env::temp_dir().join(format!("example-{}-ocsp", std::process::id()));
/// let store = Store::new(&directory);
/// assert_eq!(store.load(&leaf)?, None);
/// let saved = Saved::parse(b"ocsp-staple 1\nsince 1 failures 2 next 3\nresponse 0\n")?;
/// store.save(&leaf, &saved)?;
/// assert_eq!(store.load(&leaf)?, Some(saved));
/// assert!(store.path(&leaf).starts_with(&directory));
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// Keeps the files in this directory, which is made when the first is written.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Returns the file of a certificate.
    #[must_use]
    pub fn path(&self, certificate: &Certificate<'_>) -> PathBuf {
        let name = HEXLOWER.encode(&Sha256::digest(certificate.as_der()));
        self.directory.join(name + ".ocsp")
    }

    /// Reads the saved state of a certificate, if any.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read, or its content was changed.
    pub fn load(&self, certificate: &Certificate<'_>) -> Result<Option<Saved>, StoreError> {
        let path = self.path(certificate);
        let bytes = match read_up_to(&path, LONGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let saved = Saved::parse(&bytes);
        saved.map(Some).map_err(|source| StoreError::Format { path, source })
    }

    /// Saves the state of a certificate, wholly or not at all.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be written; then the previous file stays.
    pub fn save(&self, certificate: &Certificate<'_>, saved: &Saved) -> Result<(), StoreError> {
        let path = self.path(certificate);
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| replace_file(&path, &saved.to_bytes()));
        written.map_err(|source| StoreError::Write { path, source })
    }
}

/// Why nothing could be loaded or saved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The content of the file was changed.
    #[error("{} is damaged", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: SavedError,
    },
    /// The file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Replaces a file, or makes it, so that whoever opens it sees all of the old or all of the new
/// contents, even if the machine stops meanwhile.
///
/// # Errors
///
/// What the system says. The old file is still there then.
pub fn replace_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    temporary.push(format!(".{}.{count}.new", std::process::id()));
    let temporary = directory.join(temporary);
    let written = write_synced(&temporary, contents).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary); // It may never have been there.
    }
    written?;
    File::open(directory)?.sync_all()
}

fn write_synced(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// Reads a file of at most so many octets.
pub(crate) fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// A response of any length that makes sense, and the lines before it.
const LONGEST: u64 = 1 << 20;
