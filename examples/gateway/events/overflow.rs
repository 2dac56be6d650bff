//! The overflow file: events that do not fit into memory.
//!
//! It begins with eight octets that identify the format, and the position of the first unhandled event
//! in eight octets. It is never synced, since it holds no mail.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::raised_event::RaisedEvent;
use super::record;
use super::record::{MAX_RECORD, RecordError};

/// The overflow file.
#[derive(Debug)]
pub(crate) struct Overflow {
    file: File,
    /// The position of the first unhandled event.
    start: u64,
    end: u64,
    limit: u64,
}

/// Events from the file, and the position after them.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) events: Vec<RaisedEvent>,
    next: u64,
    /// Whether the file is damaged at that position: the rest cannot be read.
    pub(crate) damaged: bool,
}

impl Overflow {
    /// Opens the file in a directory, with the events of an earlier process; `limit` is its size in
    /// octets.
    pub(crate) fn open(directory: &Path, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(Self::path(directory))?;
        let mut head = [0; HEAD];
        let length = file.metadata()?.len();
        let mut overflow = Self { file, start: START, end: START, limit };
        let known = length >= START && overflow.file.read_exact_at(&mut head, 0).is_ok();
        let (magic, start) = head.split_at(MAGIC.len());
        let start = start.first_chunk().map_or(0, |start| u64::from_le_bytes(*start));
        if known && magic == MAGIC && (START..=length).contains(&start) {
            (overflow.start, overflow.end) = (start, length);
        } else {
            overflow.clear()?;
        }
        Ok(overflow)
    }

    /// The file in a directory.
    pub(crate) fn path(directory: &Path) -> PathBuf {
        directory.join("events-aside")
    }

    /// Tells whether the file has no events.
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Returns the octets of its events.
    pub(crate) fn octets(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Appends events up to the limit; returns the number of the rest.
    pub(crate) fn append(&mut self, events: &[RaisedEvent]) -> io::Result<usize> {
        let (mut bytes, mut left) = (Vec::new(), events.len());
        for raised in events {
            let before = bytes.len();
            record::write(raised, &mut bytes);
            if self.end - START + bytes.len() as u64 > self.limit {
                bytes.truncate(before);
                break;
            }
            left -= 1;
        }
        self.file.write_all_at(&bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(left)
    }

    /// Reads the first events, about as many octets as the largest record.
    pub(crate) fn read(&self) -> io::Result<Read> {
        let length = usize::try_from(self.end - self.start).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(MAX_RECORD + HEAD)];
        self.file.read_exact_at(&mut bytes, self.start)?;
        let (mut rest, mut read) = (bytes.as_slice(), Read::default());
        while !rest.is_empty() {
            match record::parse(rest) {
                Ok((behind, raised)) => {
                    rest = behind;
                    read.events.push(raised);
                }
                // The buffer holds any record: an incomplete first record is damage in the file.
                Err(RecordError::Incomplete) if !read.events.is_empty() => break,
                Err(RecordError::Incomplete | RecordError::Damaged) => {
                    read.damaged = true;
                    break;
                }
            }
        }
        read.next = self.start + (bytes.len() - rest.len()) as u64;
        Ok(read)
    }

    /// Removes the events that were read, and all after damage.
    pub(crate) fn forget(&mut self, read: &Read) -> io::Result<()> {
        if read.damaged || read.next >= self.end {
            return self.clear();
        }
        self.start = read.next;
        self.write_head()
    }

    fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        (self.start, self.end) = (START, START);
        self.write_head()
    }

    fn write_head(&self) -> io::Result<()> {
        self.file.write_all_at(&[MAGIC, &self.start.to_le_bytes()].concat(), 0)
    }
}

const MAGIC: &[u8] = b"events 1";
const HEAD: usize = 16;
const START: u64 = HEAD as u64;
