//! The files of lookups: files below the configured folders.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use event_expand::Lookup;
use mail_types::exim::LookupResult;
use tokio::task;

use super::engines::EngineError;
use super::linear_search;
use super::linear_search::Key;
use super::settings::LookupSettings;

/// The folders, and the limits of files.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folders: Vec<PathBuf>,
    most_bytes: u64,
    /// The most octets of a result.
    most_found: usize,
}

impl Files {
    pub(crate) fn new(settings: &LookupSettings) -> Self {
        let (most_bytes, most_found) = (settings.file_bytes, settings.bytes);
        Self { folders: settings.directories.clone(), most_bytes, most_found }
    }

    /// Resolves an absolute name; links must not lead out of the folders.
    pub(super) fn find(&self, name: &[u8]) -> Result<PathBuf, EngineError> {
        let name = Path::new(std::ffi::OsStr::from_bytes(name));
        if !name.is_absolute() {
            return Err(EngineError::File {
                problem: "the name of the file is not an absolute path",
            });
        }
        let real = fs::canonicalize(name)?;
        let within = |folder: &PathBuf| {
            fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder))
        };
        if !self.folders.iter().any(within) {
            return Err(EngineError::File {
                problem: "the file is not below a folder of lookup_directories",
            });
        }
        Ok(real)
    }

    /// Checks that a lookup can open a file.
    pub(crate) fn check(&self, name: &[u8]) -> Result<(), EngineError> {
        let path = self.find(name)?;
        if !fs::metadata(&path)?.is_file() {
            return Err(EngineError::File { problem: "the file is not a regular file" });
        }
        File::open(path)?;
        Ok(())
    }

    /// Looks a key up in a file.
    pub(super) async fn search(
        &self,
        lookup: Lookup,
        key: Vec<u8>,
        name: Vec<u8>,
    ) -> Result<LookupResult, EngineError> {
        let files = self.clone();
        let work = task::spawn_blocking(move || {
            let text = files.read(&files.find(&name)?)?;
            let found = linear_search::find(&text, &lookup, &Key::new(&lookup, &key)?)?;
            match found {
                Some(data) if data.len() > files.most_found => {
                    Err(EngineError::Bytes { limit: files.most_found })
                }
                found => Ok(found.map_or(LookupResult::Nothing, LookupResult::Value)),
            }
        });
        work.await.map_err(|_| EngineError::Thread)?
    }

    /// Reads a file whose lines are the items of a list.
    pub(super) async fn lines(&self, name: Vec<u8>) -> Result<LookupResult, EngineError> {
        let files = self.clone();
        let work =
            task::spawn_blocking(move || files.read(&files.find(&name)?).map(LookupResult::Value));
        work.await.map_err(|_| EngineError::Thread)?
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, EngineError> {
        // Opening a pipe would block.
        if !fs::metadata(path)?.is_file() {
            return Err(EngineError::File { problem: "the file is not a regular file" });
        }
        let mut text = Vec::new();
        let most = self.most_bytes;
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut text)?;
        if text.len() as u64 > most {
            return Err(EngineError::File {
                problem: "the file is larger than lookup_file_size_limit",
            });
        }
        Ok(text)
    }
}
