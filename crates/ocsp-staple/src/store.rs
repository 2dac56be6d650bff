//! Files in which schedules outlive a restart.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

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
    /// [`StoreError`] if the file cannot be read, is not a regular one, or has other content.
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
    /// [`StoreError`] if it cannot be written, or is more than [`Self::load`] reads, a mebibyte; the
    /// previous file stays, but for [what `replace_file` says](replace_file#errors).
    pub fn save(&self, certificate: &Certificate<'_>, saved: &Saved) -> Result<(), StoreError> {
        let path = self.path(certificate);
        let bytes = saved.to_bytes();
        let written = if bytes.len() as u64 > LONGEST {
            Err(io::ErrorKind::FileTooLarge.into())
        } else {
            fs::create_dir_all(&self.directory).and_then(|()| replace_file(&path, &bytes))
        };
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
/// contents, even if the machine stops meanwhile. Its directory has to be readable, too.
///
/// # Errors
///
/// The error of the system. The old file is still there, unless the last step failed, the sync of the
/// directory, as on a broken disk: then the new file is there, and may be lost if the machine stops.
pub fn replace_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    // Before anything is replaced: it may be one that can be written to but not read.
    let opened = File::open(directory)?;
    let (temporary, file) = new_file(directory, name)?;
    let written = write_synced(file, contents).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary); // It is left over at worst.
    }
    written?;
    opened.sync_all()
}

/// Makes a file of a name that nobody can foresee: in a directory where others write too, a link of
/// theirs could be there.
fn new_file(directory: &Path, name: &OsStr) -> io::Result<(PathBuf, File)> {
    let mut tries = 0;
    loop {
        let mut temporary = OsString::from(".");
        temporary.push(name);
        // `RandomState` is keyed by the system's random numbers.
        let random = RandomState::new().hash_one(tries);
        temporary.push(format!(".{random:016x}.new"));
        let temporary = directory.join(temporary);
        match File::create_new(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MOST_TRIES => {
                tries += 1;
            }
            made => return made.map(|file| (temporary, file)),
        }
    }
}

fn write_synced(mut file: File, contents: &[u8]) -> io::Result<()> {
    file.write_all(contents)?;
    file.sync_all()
}

/// Reads a regular file of at most so many octets.
pub(crate) fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let file = File::open(path)?;
    if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// How often another name is tried for a new file.
const MOST_TRIES: u32 = 16;
/// A response of any length that makes sense, and the lines before it.
const LONGEST: u64 = 1 << 20;
