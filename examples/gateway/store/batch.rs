//! A batch: the messages of one sync, in the format of the journal.
//!
//! | bytes | of a batch                                                |
//! |-------|-----------------------------------------------------------|
//! | 8     | the random number of the segment's use                    |
//! | 8     | the length of the records, in bytes                       |
//! | 4     | the number of records in the segment before this batch    |
//! | 4     | the number of records in this batch                       |
//! | 4     | the CRC-32C of the records                                |
//! | 4     | the CRC-32C of the 28 bytes before                        |
//! |       | the records: id (24 bytes), length (4 bytes), the message |
//!
//! All numbers are little-endian. A batch is valid if both checksums are; else all of it is ignored,
//! since none of its messages was acknowledged.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use bytes::{Buf, Bytes};

use super::message::Message;
use crate::gateway::message::id::MessageId;

/// A whole batch, read from a segment.
#[derive(Debug)]
pub struct Batch {
    first: u32,
    records: u32,
    payload: Bytes,
}

impl Batch {
    /// Reads the batch with the number `nonce` at the position `at`, which must end before `end`, in
    /// bytes from the start of the file; `None` without a valid batch.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn read(file: &File, at: u64, end: u64, nonce: u64) -> io::Result<Option<Self>> {
        let behind_head = at.saturating_add(HEAD as u64);
        let Some(rest) = end.checked_sub(behind_head) else { return Ok(None) };
        let mut head = [0; HEAD];
        file.read_exact_at(&mut head, at)?;
        let head = Head::from_bytes(head).filter(|h| h.nonce == nonce && h.bytes <= rest);
        let Some(head) = head else { return Ok(None) };
        let mut payload = vec![0; usize::try_from(head.bytes).unwrap_or_default()];
        file.read_exact_at(&mut payload, behind_head)?;
        let whole = crc32c::crc32c(&payload) == head.checksum;
        let Head { first, records, .. } = head;
        Ok(whole.then(|| Self { first, records, payload: payload.into() }))
    }

    /// Writes a batch of `messages` into `buffer`, whose content it replaces; returns their number.
    /// `first` is the number of records in the segment before them.
    pub fn write<'m>(
        messages: impl Iterator<Item = &'m Message>,
        nonce: u64,
        first: u32,
        buffer: &mut Vec<u8>,
    ) -> u32 {
        buffer.clear();
        buffer.resize(HEAD, 0);
        let mut records = 0_u32;
        for message in messages {
            buffer.extend_from_slice(message.id.to_string().as_bytes());
            let bytes = u32::try_from(message.len()).unwrap_or(u32::MAX);
            buffer.extend_from_slice(&bytes.to_le_bytes());
            message.parts.iter().for_each(|part| buffer.extend_from_slice(part));
            records += 1;
        }
        let payload = buffer.get(HEAD..).unwrap_or_default();
        let checksum = crc32c::crc32c(payload);
        let head = Head { nonce, bytes: payload.len() as u64, first, records, checksum };
        if let Some(start) = buffer.first_chunk_mut() {
            *start = head.to_bytes();
        }
        records
    }

    /// Returns the length of the batch in the file, in bytes.
    pub fn bytes(&self) -> u64 {
        (HEAD + self.payload.len()) as u64
    }

    /// Returns the number of records in the segment before this batch.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Returns the number of records in the segment up to the end of this batch.
    pub fn behind(&self) -> u32 {
        self.first.saturating_add(self.records)
    }

    /// Returns the messages, each with the number of records before it.
    pub fn messages(&self) -> impl Iterator<Item = (u32, Message)> {
        let mut payload = self.payload.clone();
        (self.first..).zip(std::iter::from_fn(move || take_record(&mut payload)))
    }
}

struct Head {
    nonce: u64,
    bytes: u64,
    first: u32,
    records: u32,
    checksum: u32,
}

impl Head {
    fn from_bytes(bytes: [u8; HEAD]) -> Option<Self> {
        let mut fields = bytes.as_slice();
        let head = Self {
            nonce: fields.try_get_u64_le().ok()?,
            bytes: fields.try_get_u64_le().ok()?,
            first: fields.try_get_u32_le().ok()?,
            records: fields.try_get_u32_le().ok()?,
            checksum: fields.try_get_u32_le().ok()?,
        };
        (head.to_bytes() == bytes).then_some(head)
    }

    fn to_bytes(&self) -> [u8; HEAD] {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend_from_slice(&self.nonce.to_le_bytes());
        bytes.extend_from_slice(&self.bytes.to_le_bytes());
        for field in [self.first, self.records, self.checksum] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes.first_chunk().copied().unwrap_or_default()
    }
}

fn take_record(payload: &mut Bytes) -> Option<Message> {
    let id = payload.get(..MessageId::LENGTH)?;
    let id = str::from_utf8(id).ok()?.parse().ok()?;
    payload.advance(MessageId::LENGTH);
    let bytes = usize::try_from(payload.try_get_u32_le().ok()?).ok()?;
    (bytes <= payload.len()).then(|| Message { id, parts: vec![payload.split_to(bytes)] })
}

const HEAD: usize = 32;
