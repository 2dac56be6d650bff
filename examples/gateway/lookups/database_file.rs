//! Which file a database was opened as: one that is removed or replaced goes on to take what nobody
//! will find.

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
    /// Takes note of the file at a path; to be called once the database is open.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    /// Tells whether it is still the file at its path; says so in the log if it is not.
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
