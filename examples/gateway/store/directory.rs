//! The directory of the journal's files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::maildir::{lock_directory, make_directory};
use super::segment::Segment;
use super::store_error::StoreError;

/// The directory of the segments, locked by this process.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// The directory, open and locked.
    lock: File,
    segment_bytes: u64,
    /// The number in the name of the next segment's file.
    next: u64,
}

impl Directory {
    /// Makes the directory if it is missing, and locks it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another gateway has it; [`StoreError::Io`] if it cannot be made.
    pub(crate) fn open(path: &Path, segment_bytes: u64) -> Result<Self, StoreError> {
        make_directory(path)?;
        let lock = lock_directory(path)?;
        Ok(Self { path: path.to_owned(), lock, segment_bytes, next: 0 })
    }

    /// Opens all segments. A segment with a damaged first block is set aside.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if one of them cannot be opened.
    pub(crate) fn segments(&mut self) -> Result<Vec<Segment>, StoreError> {
        let listed = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let listed = listed.map_err(StoreError::io("read the directory", &self.path))?;
        let mut segments = Vec::new();
        for path in listed.into_iter().map(|entry| entry.path()) {
            let Some(number) = number_in(&path) else { continue };
            self.next = self.next.max(number.saturating_add(1));
            if path.extension().is_some() {
                continue;
            }
            let segment = Segment::open(&path, self.segment_bytes)?;
            if segment.is_damaged() {
                let aside = segment.set_aside()?;
                warn!(path = %aside.display(), "unreadable journal file set aside");
            } else {
                segments.push(segment);
            }
        }
        Ok(segments)
    }

    /// Makes another segment.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if that fails, as on a full disk.
    pub(crate) fn make_segment(&mut self) -> Result<Segment, StoreError> {
        let path = self.path.join(format!("{PREFIX}{}", self.next));
        let made = Segment::open(&path, self.segment_bytes).and_then(|segment| {
            // A file is lost with its synced data unless its name is on the disk.
            let synced = self.lock.sync_all();
            synced.map_err(StoreError::io("sync the directory", &self.path))?;
            Ok(segment)
        });
        self.next += 1;
        made.inspect_err(|_| {
            // On a full disk an incomplete file would waste space.
            let _ = fs::remove_file(&path);
        })
    }
}

/// Returns the number in `segment-17` or `segment-17.damaged`.
fn number_in(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.strip_prefix(PREFIX)?.parse().ok()
}

const PREFIX: &str = "segment-";
