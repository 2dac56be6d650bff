//! The Maildir of delivered messages.
//!
//! Source: `https://cr.yp.to/proto/maildir.html`. A message is written under `tmp/` and renamed into
//! `new/`, so that a reader sees all of it or nothing. Only [`Maildir::sync`] makes deliveries durable;
//! until then the journal keeps the messages.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::message::Message;
use super::store_error::StoreError;
use crate::gateway::message::id::MessageId;

/// A Maildir, locked against other gateways.
#[derive(Debug)]
pub(crate) struct Maildir {
    root: PathBuf,
    /// The host's name in the form for file names.
    host: String,
    /// The Maildir's directory, open and locked.
    lock: File,
}

impl Maildir {
    /// Opens the Maildir at `root`, makes missing directories, and locks it. `host` is part of the file
    /// names.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another gateway has it; [`StoreError::Io`] if a directory cannot be
    /// made, or not be written to.
    pub(crate) fn open(root: &Path, host: &str) -> Result<Self, StoreError> {
        for directory in ["tmp", "new", "cur"] {
            make_directory(&root.join(directory))?;
        }
        let lock = lock_directory(root)?;
        let host = file_name_part(host);
        let maildir = Self { root: root.to_owned(), host, lock };
        maildir.try_writing()?;
        Ok(maildir)
    }

    /// Writes a message under `tmp/`, which readers ignore.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the file cannot be written; an empty file may remain.
    pub(crate) fn write(&self, message: &Message) -> Result<(), StoreError> {
        let path = self.path("tmp", message.id);
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(&path).and_then(|mut file| {
            write_parts(&mut file, message).inspect_err(|_| {
                // A failed attempt must not occupy a full disk.
                let _ = file.set_len(0);
            })
        });
        written.map_err(StoreError::io("write", &path))
    }

    /// Moves a message that was [written](Self::write) into `new/`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if that fails; the message is still under `tmp/`.
    pub(crate) fn publish(&self, id: MessageId) -> Result<(), StoreError> {
        self.replace(id, &self.path("new", id))
    }

    /// Moves a message that was [written](Self::write) to `path`, where [`find`](Self::find) saw
    /// it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if that fails; the old file at `path` stays.
    pub(crate) fn replace(&self, id: MessageId, path: &Path) -> Result<(), StoreError> {
        fs::rename(self.path("tmp", id), path).map_err(StoreError::io("deliver into", path))
    }

    /// Returns the messages under `tmp/`: written, perhaps incompletely, and not delivered.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the directory cannot be read.
    pub(crate) fn undelivered(&self) -> Result<HashSet<MessageId>, StoreError> {
        Ok(self.list("tmp")?.into_iter().map(|(id, _)| id).collect())
    }

    /// Removes the messages under `tmp/`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if one cannot be removed.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        for (_, path) in self.list("tmp")? {
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        Ok(())
    }

    /// Finds those of `wanted` that are in `new/` or, with whatever flags, in `cur/`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if a directory cannot be read.
    pub(crate) fn find(
        &self,
        wanted: &HashSet<MessageId>,
    ) -> Result<HashMap<MessageId, PathBuf>, StoreError> {
        let mut found = HashMap::new();
        for directory in ["new", "cur"] {
            let listed = self.list(directory)?;
            found.extend(listed.into_iter().filter(|(id, _)| wanted.contains(id)));
        }
        Ok(found)
    }

    /// Waits until all deliveries are on the disk.
    ///
    /// This is the whole file system's `syncfs`: one wait, however many messages.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the system failed to write any file. Since it does not name the file, every
    /// delivery after the last success counts as lost.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        // This descriptor, opened at the start, reports each failure since then.
        rustix::fs::syncfs(&self.lock)
            .map_err(|error| StoreError::io("sync the file system of", &self.root)(error.into()))
    }

    fn list(&self, directory: &str) -> Result<Vec<(MessageId, PathBuf)>, StoreError> {
        let path = self.root.join(directory);
        let unreadable = StoreError::io("read the directory", &path);
        let entries = fs::read_dir(&path).and_then(|entries| {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            let named = paths.filter_map(|path| match path {
                Ok(path) => id_in(&path).map(|id| Ok((id, path))),
                Err(error) => Some(Err(error)),
            });
            named.collect()
        });
        entries.map_err(unreadable)
    }

    fn try_writing(&self) -> Result<(), StoreError> {
        let path = self.root.join("tmp").join(format!("{}.writable", std::process::id()));
        fs::write(&path, b"").map_err(StoreError::io("write", &path))?;
        fs::remove_file(&path).map_err(StoreError::io("remove", &path))
    }

    fn path(&self, directory: &str, id: MessageId) -> PathBuf {
        self.root.join(directory).join(format!("{}.{id}.{}", id.seconds(), self.host))
    }
}

/// Makes a directory with access for this user only, and its parents.
///
/// # Errors
///
/// [`StoreError::Io`] if that fails; an existing directory is not changed.
pub(crate) fn make_directory(path: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(StoreError::io("make the directory", path))
}

/// Locks a directory as long as the returned file is open.
///
/// The lock is on the directory itself, so that no lock file can remain.
///
/// # Errors
///
/// [`StoreError::Locked`] if another process, or another store of this one, has it.
pub(crate) fn lock_directory(path: &Path) -> Result<File, StoreError> {
    let directory = File::open(path).map_err(StoreError::io("open the directory", path))?;
    match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(directory),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(error) => Err(StoreError::io("lock", path)(error.into())),
    }
}

/// Returns the id in the name of a message's file: the second part of `time.id.host:2,flags`.
fn id_in(path: &Path) -> Option<MessageId> {
    path.file_name()?.to_str()?.split('.').nth(1)?.parse().ok()
}

/// Escapes the two characters that the Maildir specification forbids in a name.
pub(super) fn file_name_part(host: &str) -> String {
    // A name has at most 255 bytes, and the id alone makes it unique.
    let host: String = host.chars().filter(char::is_ascii_graphic).take(128).collect();
    host.replace('/', "\\057").replace(':', "\\072")
}

/// Writes the parts of a message.
///
/// # Errors
///
/// A part cannot be written.
pub(super) fn write_parts(file: &mut File, message: &Message) -> io::Result<()> {
    let mut slices: Vec<_> = message.parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = slices.as_mut_slice();
    // Skip empty parts: a write of nothing would look like a full disk.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
