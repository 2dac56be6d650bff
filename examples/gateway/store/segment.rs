//! A segment: one file of the journal.
//!
//! A segment is filled with zeros once and then reused, because a sync of existing blocks costs half of a
//! sync that must also record new blocks. Its first block identifies the current use: a sequence number
//! that rises with each use, and a random number. [Batches](Batch) follow, each at the start of a block
//! and padded to the end of one, so that no synced block is written again.
//!
//! Reading skips a batch that is incomplete or damaged. It also skips the batches of earlier uses: they
//! have another random number, which no sender of a message can know.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Buf;

use super::batch::Batch;
use super::message::Message;
use super::store_error::StoreError;

/// One file of the journal, open for reading and writing.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    path: PathBuf,
    usage: Usage,
    /// The position of the next batch, in bytes.
    end: u64,
    /// The length of the file, in bytes.
    length: u64,
    /// The number of records in the segment.
    records: u32,
    /// The buffer of a batch, kept for its allocation.
    buffer: Vec<u8>,
    /// Cleared for good after a failed write or sync.
    sound: bool,
}

impl Segment {
    /// Opens the segment at `path`, and extends it to `bytes` bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the file cannot be made, read or written.
    pub(crate) fn open(path: &Path, bytes: u64) -> Result<Self, StoreError> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let opened = options.open(path).and_then(|file| {
            fill(&file, bytes)?;
            let (usage, length) = (Usage::read(&file)?, file.metadata()?.len());
            Ok((file, usage, length))
        });
        let (file, usage, length) = opened.map_err(StoreError::io("prepare the journal", path))?;
        let path = path.to_owned();
        let (end, buffer) = (BLOCK, Vec::new());
        Ok(Self { file, path, usage, end, length, records: 0, buffer, sound: true })
    }

    /// Starts a new use of the segment, without its old content.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the first block cannot be written and synced.
    pub(crate) fn begin(&mut self, sequence: u64) -> Result<(), StoreError> {
        let nonce = RandomState::new().hash_one((sequence, SystemTime::now()));
        self.restart(Usage::Begun { sequence, nonce })
    }

    /// Empties the segment for the next start.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the first block cannot be written and synced.
    pub(crate) fn clear(&mut self) -> Result<(), StoreError> {
        self.restart(Usage::Empty)
    }

    /// Removes the file.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if that fails.
    pub(crate) fn remove(self) -> Result<(), StoreError> {
        fs::remove_file(&self.path).map_err(StoreError::io("remove", &self.path))
    }

    /// Renames a file with a damaged first block, so that it is kept but not used.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if that fails.
    pub(crate) fn set_aside(self) -> Result<PathBuf, StoreError> {
        let aside = self.path.with_extension("damaged");
        fs::rename(&self.path, &aside).map_err(StoreError::io("set aside", &self.path))?;
        Ok(aside)
    }

    /// Appends a batch and waits until it is on the disk; returns the position of its first record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the system could not write or sync it. Then the batch is invalid, and the
    /// segment must not be used further: after a failed sync the system may regard unwritten pages as
    /// clean, so that the success of a later sync proves nothing.
    pub(crate) fn append<'m>(
        &mut self,
        messages: impl Iterator<Item = &'m Message>,
    ) -> Result<JournalPosition, StoreError> {
        let position = JournalPosition { sequence: self.sequence(), record: self.records };
        let nonce = if let Usage::Begun { nonce, .. } = self.usage { nonce } else { 0 };
        let records = Batch::write(messages, nonce, self.records, &mut self.buffer);
        self.buffer.resize(self.buffer.len().next_multiple_of(BLOCK_BYTES), 0);
        let written = self.file.write_all_at(&self.buffer, self.end);
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            self.sound = false;
            // The next start must not find a refused batch; this may fail as well.
            let _ = self.file.set_len(self.end);
            return Err(StoreError::io("write and sync the journal", &self.path)(error));
        }
        self.end += self.buffer.len() as u64;
        self.length = self.length.max(self.end);
        self.records += records;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        Ok(position)
    }

    /// Returns the valid batches of the segment, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the file cannot be read.
    pub(crate) fn batches(&self) -> Result<Batches<'_>, StoreError> {
        let metadata = self.file.metadata();
        let end = metadata.map_err(StoreError::io("read the journal", &self.path))?.len();
        Ok(Batches { segment: self, at: BLOCK, end })
    }

    /// Returns the number of this use, 0 if the segment is empty.
    pub(crate) fn sequence(&self) -> u64 {
        if let Usage::Begun { sequence, .. } = self.usage { sequence } else { 0 }
    }

    /// Returns the length of the file, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Tells whether the first block is neither empty nor valid.
    pub(crate) fn is_damaged(&self) -> bool {
        self.usage == Usage::Damaged
    }

    /// Tells whether the segment may be used again.
    pub(crate) fn is_sound(&self) -> bool {
        self.sound
    }

    /// Tells whether `bytes` more would make the segment longer than `limit` bytes.
    pub(crate) fn is_full(&self, bytes: u64, limit: u64) -> bool {
        self.records > 0 && self.end.saturating_add(bytes) > limit
    }

    fn restart(&mut self, usage: Usage) -> Result<(), StoreError> {
        let written = self.file.write_all_at(&usage.to_block(), 0);
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            self.sound = false;
            return Err(StoreError::io("write and sync the journal", &self.path)(error));
        }
        (self.usage, self.end, self.records) = (usage, BLOCK, 0);
        Ok(())
    }
}

/// The position of a record in the journal; later ones are greater.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct JournalPosition {
    /// The sequence number of the segment's use.
    pub(crate) sequence: u64,
    /// The number of records in the segment before this one.
    pub(crate) record: u32,
}

/// The valid batches of a segment.
#[derive(Debug)]
pub(crate) struct Batches<'a> {
    segment: &'a Segment,
    at: u64,
    end: u64,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Usage::Begun { nonce, .. } = self.segment.usage else { return None };
        while self.at < self.end {
            match Batch::read(&self.segment.file, self.at, self.end, nonce) {
                Ok(None) => self.at += BLOCK,
                Ok(Some(batch)) => {
                    self.at += batch.bytes().next_multiple_of(BLOCK);
                    return Some(Ok(batch));
                }
                Err(error) => {
                    self.at = self.end;
                    return Some(Err(StoreError::io("read the journal", &self.segment.path)(
                        error,
                    )));
                }
            }
        }
        None
    }
}

/// The content of the first block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Usage {
    Empty,
    Begun { sequence: u64, nonce: u64 },
    Damaged,
}

impl Usage {
    fn read(file: &File) -> io::Result<Self> {
        let mut block = [0; BLOCK_BYTES];
        file.read_exact_at(&mut block, 0)?;
        let mut fields = block.get(MAGIC.len()..).unwrap_or_default();
        let sequence = fields.try_get_u64_le().unwrap_or_default();
        let nonce = fields.try_get_u64_le().unwrap_or_default();
        let usages = [Self::Begun { sequence, nonce }, Self::Empty];
        Ok(usages.into_iter().find(|usage| usage.to_block() == block).unwrap_or(Self::Damaged))
    }

    fn to_block(self) -> [u8; BLOCK_BYTES] {
        let mut block = [0; BLOCK_BYTES];
        if let Self::Begun { sequence, nonce } = self {
            let mut start = MAGIC.to_vec();
            start.extend_from_slice(&sequence.to_le_bytes());
            start.extend_from_slice(&nonce.to_le_bytes());
            start.extend_from_slice(&crc32c::crc32c(&start).to_le_bytes());
            block.iter_mut().zip(start).for_each(|(byte, value)| *byte = value);
        }
        block
    }
}

/// Extends the file with zeros to `bytes` bytes.
fn fill(file: &File, bytes: u64) -> io::Result<()> {
    let mut at = file.metadata()?.len();
    if at >= bytes {
        return Ok(());
    }
    let zeros = vec![0; FILL_BYTES];
    while at < bytes {
        let here = usize::try_from(bytes - at).unwrap_or(FILL_BYTES).min(FILL_BYTES);
        file.write_all_at(zeros.get(..here).unwrap_or_default(), at)?;
        at += here as u64;
    }
    file.sync_all()
}

const MAGIC: &[u8; 16] = b"gateway journal\n";
const BLOCK: u64 = 4096;
const BLOCK_BYTES: usize = 4096;
const FILL_BYTES: usize = 1 << 20;
/// The most bytes that a buffer keeps after a large message.
const KEPT_BUFFER: usize = 2 << 20;
