//! The octets of a message after `DATA` or `BDAT`, in blocks.

use bytes::Bytes;

use crate::gateway::smtp::stuffing::Stuffing;

/// A message that is being sent.
#[derive(Debug)]
pub(super) struct Content {
    parts: Vec<Bytes>,
    /// The next octet: the part, and the place within.
    part: usize,
    at: usize,
    coding: Coding,
}

#[derive(Debug)]
enum Coding {
    Stuffed(Stuffing),
    Plain,
}

impl Content {
    /// Prepares a message for `DATA`.
    pub(super) fn new(parts: &[Bytes]) -> Self {
        let coding = Coding::Stuffed(Stuffing::default());
        Self { parts: parts.to_vec(), part: 0, at: 0, coding }
    }

    /// Changes to the form of `BDAT`, and returns the size of the only chunk.
    pub(super) fn as_chunk(&mut self) -> usize {
        self.coding = Coding::Plain;
        let length: usize = self.parts.iter().map(Bytes::len).sum();
        length.saturating_add(self.missing_end().len())
    }

    /// Drops the message: after `DATA` for no recipient an empty one is sent.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
    }

    /// Appends a block; returns whether it was the last one.
    pub(super) fn fill(&mut self, block: &mut Vec<u8>) -> bool {
        if block.capacity() < BLOCK {
            let left = self.parts.iter().map(Bytes::len).fold(ENDS, usize::saturating_add);
            block.reserve(left.min(BLOCK));
        }
        while let Some(part) = self.parts.get(self.part) {
            let rest = part.get(self.at..).unwrap_or_default();
            let piece = rest.get(..PIECE).unwrap_or(rest);
            match &mut self.coding {
                Coding::Stuffed(stuffing) => stuffing.write(piece, block),
                Coding::Plain => block.extend_from_slice(piece),
            }
            self.at += piece.len();
            if self.at >= part.len() {
                (self.part, self.at) = (self.part + 1, 0);
            }
            if block.len() >= PIECE {
                return false;
            }
        }
        match self.coding {
            Coding::Stuffed(stuffing) => stuffing.finish(block),
            Coding::Plain => block.extend_from_slice(self.missing_end()),
        }
        true
    }

    /// The rest of the last line end: without `BINARYMIME` a message consists of lines.
    fn missing_end(&self) -> &'static [u8] {
        let mut last = self.parts.iter().rev().flat_map(|part| part.iter().rev());
        if matches!(last.next(), None | Some(b'\n')) { b"" } else { b"\r\n" }
    }
}

/// The size of the buffer of a block, and of a piece that is read at once, in octets.
const BLOCK: usize = 64 << 10;
const PIECE: usize = BLOCK / 2;
/// The most octets that are added at the end of a message.
const ENDS: usize = 5;
