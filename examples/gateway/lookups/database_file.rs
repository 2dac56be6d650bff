//! The identity of an open database file: rows written to a removed or replaced file would be lost.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tracing::warn;

/// The file of an open database.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl DatabaseFile {
    /// Identifies the file at a path, after the database was opened.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    /// Tells whether it is still the file at its path; logs a warning if not.
    pub(crate) fn is_in_place(&self) -> bool {
        let what = match Self::of(&self.path) {
            Ok(found) if (found.device, found.inode) == (self.device, self.inode) => return true,
            Ok(_) => "replaced",
            Err(_) => "removed",
        };
        let path = self.path.display();
        warn!(event = "database", "{path} was {what} while in use; opening it again");
        false
    }
}
