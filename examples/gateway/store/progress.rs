//! The progress of the delivery from the journal into the Maildir.
//!
//! The mark prevents a second delivery of a message that a reader removed just before a crash and that
//! the journal still has. It is set after a message is written under `tmp/` and before it is renamed: so
//! all earlier messages in the journal are delivered, and so is this one unless it is still under `tmp/`.
//! It is never synced: like the files it survives the end of the process. After a power loss the mark may
//! be on the disk without the files, so it is valid for one boot of the machine only.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Buf;

use super::segment::JournalPosition;
use super::store_error::StoreError;

/// The mark, in a file beside the segments.
#[derive(Debug)]
pub(crate) struct Progress {
    file: File,
    path: PathBuf,
    /// The identifier of this boot; zeros if the system has none.
    boot: [u8; BOOT_BYTES],
    found: Option<([u8; BOOT_BYTES], JournalPosition)>,
}

impl Progress {
    /// Opens the mark in a journal's directory, and reads the mark of the last process.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the file cannot be made or read.
    pub(crate) fn open(journal: &Path) -> Result<Self, StoreError> {
        let path = journal.join("progress");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let opened = options.open(&path).and_then(|file| {
            let found = read(&file)?;
            Ok((file, found))
        });
        let (file, found) = opened.map_err(StoreError::io("open", &path))?;
        Ok(Self { file, path, boot: this_boot(), found })
    }

    /// Returns the mark at the time of opening, if it is still valid.
    pub(crate) fn reached(&self) -> Option<JournalPosition> {
        let (boot, position) = self.found?;
        (boot == self.boot && boot != [0; BOOT_BYTES] && !self.is_distrusted()).then_some(position)
    }

    /// Returns the highest sequence number at the time of opening.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.found.map_or(0, |(_, position)| position.sequence)
    }

    /// Sets the mark: all messages before `position` are delivered, and the one at it is next.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the file cannot be written.
    pub(crate) fn advance(&self, position: JournalPosition) -> Result<(), StoreError> {
        let written = self.file.write_all_at(&to_bytes(self.boot, position), 0);
        written.map_err(StoreError::io("write", &self.path))
    }

    /// Records that the disk may have lost deliveries: the next start writes all messages anew.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the record cannot be written.
    pub(crate) fn distrust(&self) -> Result<(), StoreError> {
        let note = self.note();
        let made = File::create(&note).and_then(|file| file.sync_all());
        made.map_err(StoreError::io("make", &note))
    }

    /// Tells whether an earlier process recorded a possible loss.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.note().exists()
    }

    /// Removes that record after all messages were written anew.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the record cannot be removed.
    pub(crate) fn trust(&self) -> Result<(), StoreError> {
        let note = self.note();
        match fs::remove_file(&note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &note)(error))
            }
            _ => Ok(()),
        }
    }

    fn note(&self) -> PathBuf {
        self.path.with_file_name("distrusted")
    }
}

fn read(file: &File) -> io::Result<Option<([u8; BOOT_BYTES], JournalPosition)>> {
    let mut bytes = [0; MARK_BYTES];
    if file.metadata()?.len() < MARK_BYTES as u64 {
        return Ok(None);
    }
    file.read_exact_at(&mut bytes, 0)?;
    let boot = bytes.first_chunk().copied().unwrap_or_default();
    let mut fields = bytes.get(BOOT_BYTES..).unwrap_or_default();
    let position = JournalPosition {
        sequence: fields.try_get_u64_le().unwrap_or_default(),
        record: fields.try_get_u32_le().unwrap_or_default(),
    };
    Ok((to_bytes(boot, position) == bytes).then_some((boot, position)))
}

fn to_bytes(boot: [u8; BOOT_BYTES], position: JournalPosition) -> [u8; MARK_BYTES] {
    let mut bytes = Vec::with_capacity(MARK_BYTES);
    bytes.extend_from_slice(&boot);
    bytes.extend_from_slice(&position.sequence.to_le_bytes());
    bytes.extend_from_slice(&position.record.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes.first_chunk().copied().unwrap_or([0; MARK_BYTES])
}

/// Linux gives each boot a random number, in 32 hexadecimal digits and hyphens.
fn this_boot() -> [u8; BOOT_BYTES] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits = text.trim().replace('-', "");
    u128::from_str_radix(&digits, 16).unwrap_or_default().to_be_bytes()
}

const BOOT_BYTES: usize = 16;
const MARK_BYTES: usize = 32;
