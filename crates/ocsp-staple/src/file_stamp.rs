//! By what a file is known to be the same as before.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// What the system says of a file: it differs as soon as the file is replaced or written to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FileStamp {
    length: u64,
    modified: Option<SystemTime>,
    /// On Unix: the device and the number of the file, and when either changed.
    node: (u64, u64, i64, i64),
}

impl FileStamp {
    /// Asks the system about a file, without opening it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        let node = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let node = (0, 0, 0, 0);
        Ok(Self { length: metadata.len(), modified: metadata.modified().ok(), node })
    }
}
