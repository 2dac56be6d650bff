//! Maildirs beside the one of the store: those of single recipients, and those of quarantine.
//!
//! A message for them does not go through the journal, since one of these Maildirs may fail while the
//! others work. A file is written and synced under `tmp/`, and renamed into `new/`, whose directory is
//! synced then. A message whose delivery was cut off is delivered nowhere or in some of its Maildirs, and
//! its client, which has no 250, sends it again. What stays under `tmp/` then is removed by the readers of
//! a Maildir after 36 hours.
//!
//! A Maildir whose name begins with a dot, within a Maildir, is a folder of Maildir++: it has the file
//! `maildirfolder`.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::maildir::write_parts;
use super::message::Message;
use super::store_error::StoreError;
use super::writers::WriterJob;

/// A message for one of these Maildirs.
#[derive(Debug)]
pub(crate) struct FolderMessage {
    /// The Maildir, made if it is missing.
    pub(crate) maildir: PathBuf,
    /// The Maildir that it is a folder of, which is made before it.
    pub(crate) parent: Option<PathBuf>,
    /// Distinguishes the files of one message, which may be in one Maildir.
    pub(crate) number: usize,
    pub(crate) message: Message,
}

/// Delivers a message into these Maildirs; returns the result of each. If they belong `together`, none has
/// it unless it could be written in all, and a failure to move it is that of all: it is taken back from those
/// before. So it is from all behind the deadline of `job`.
pub(crate) fn deliver(
    messages: &[FolderMessage],
    together: bool,
    host: &str,
    job: &WriterJob,
) -> Vec<Result<(), StoreError>> {
    let mut written = Vec::with_capacity(messages.len());
    for (number, message) in messages.iter().enumerate() {
        job.begin(number);
        written.push(message.write(host));
    }
    let mut failure = written.iter().find_map(|file| file.as_ref().err().cloned());
    let mut results = Vec::with_capacity(messages.len());
    let mut published = Vec::new();
    for (number, file) in written.into_iter().enumerate() {
        job.begin(number);
        let result = match file {
            Ok(file) if (together && failure.is_some()) || job.is_abandoned() => {
                file.remove();
                Err(StoreError::Stopped)
            }
            file => file.and_then(|file| {
                file.publish()?;
                published.push(file);
                Ok(())
            }),
        };
        failure = failure.or_else(|| result.clone().err());
        results.push(result);
    }
    if let Some(error) = failure.filter(|_| together) {
        // The client sends the message again, and each recipient would have a copy of each time.
        published.drain(..).for_each(|file| file.take_back());
        results.fill(Err(error));
    }
    if !published.is_empty() && !job.complete() {
        published.iter().for_each(WrittenFile::take_back);
        results.fill(Err(StoreError::Stopped));
    }
    results
}

impl FolderMessage {
    /// Writes and syncs it under `tmp/`.
    fn write(&self, host: &str) -> Result<WrittenFile, StoreError> {
        let id = self.message.id;
        let part = if self.number == 0 { String::new() } else { format!("_{}", self.number) };
        let name = format!("{}.{id}{part}.{host}", id.seconds());
        let (from, to) =
            (self.maildir.join("tmp").join(&name), self.maildir.join("new").join(name));
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        // It may have been lost, or left out by a crash.
        if to.parent().is_some_and(|new| !new.is_dir()) {
            self.make()?;
        }
        let opened = match options.open(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                options.open(&from)
            }
            opened => opened,
        };
        let mut file = opened.map_err(StoreError::io("write", &from))?;
        let written = write_parts(&mut file, &self.message).and_then(|()| file.sync_all());
        let file = WrittenFile { from, to };
        written
            .map_err(StoreError::io("write and sync", &file.from))
            .inspect_err(|_| file.remove())?;
        Ok(file)
    }

    fn make(&self) -> Result<(), StoreError> {
        self.parent.iter().try_for_each(|parent| make_maildir(parent))?;
        make_maildir(&self.maildir)
    }
}

/// A file under `tmp/`, and its place under `new/`.
#[derive(Debug)]
struct WrittenFile {
    from: PathBuf,
    to: PathBuf,
}

impl WrittenFile {
    /// Moves it, durably.
    fn publish(&self) -> Result<(), StoreError> {
        let moved = fs::rename(&self.from, &self.to);
        moved.map_err(StoreError::io("deliver into", &self.to)).inspect_err(|_| self.remove())?;
        // Its client is told to send it again.
        self.to.parent().map_or(Ok(()), sync_directory).inspect_err(|_| self.take_back())
    }

    /// Removes it from its place.
    fn take_back(&self) {
        if let Err(error) = fs::remove_file(&self.to) {
            // A reader may have moved it already.
            let path = self.to.display();
            warn!("{path} cannot be taken back, and its client may send it again: {error}");
        }
    }

    fn remove(&self) {
        // The file may be gone; a reader removes it otherwise.
        let _ = fs::remove_file(&self.from);
    }
}

/// Makes a Maildir, durably.
fn make_maildir(path: &Path) -> Result<(), StoreError> {
    for directory in ["new", "cur"] {
        make_directory(&path.join(directory))?;
    }
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let parent = path.parent().filter(|parent| is_hidden && parent.join("cur").is_dir());
    if parent.is_some() {
        let marker = path.join("maildirfolder");
        let mut options = File::options();
        // One that is there is not opened: it may be a FIFO, which would hold up the thread.
        match options.write(true).create_new(true).mode(0o600).open(&marker) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made.and_then(|file| file.sync_all()).map_err(StoreError::io("make", &marker))?;
                sync_directory(path)?;
            }
        }
    }
    // The last one: where it is, the others are.
    make_directory(&path.join("tmp"))
}

/// Makes a directory with access for this user only, and its parents, durably.
fn make_directory(path: &Path) -> Result<(), StoreError> {
    let Err(error) = DirBuilder::new().mode(0o700).create(path) else {
        return path.parent().map_or(Ok(()), sync_directory);
    };
    match (error.kind(), path.parent()) {
        // Another thread may have made it, and not synced its parent yet.
        (io::ErrorKind::AlreadyExists, parent) if path.is_dir() => {
            parent.map_or(Ok(()), sync_directory)
        }
        (io::ErrorKind::NotFound, Some(parent)) if !parent.as_os_str().is_empty() => {
            make_directory(parent)?;
            make_directory(path)
        }
        _ => Err(StoreError::io("make the directory", path)(error)),
    }
}

fn sync_directory(path: &Path) -> Result<(), StoreError> {
    // A relative path of one name has an empty parent.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(StoreError::io("sync the directory", path))
}
