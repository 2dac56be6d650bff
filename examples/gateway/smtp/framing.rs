//! The ends of lines, messages and chunks: RFC 5321 section 4.5.2 and RFC 3030 section 2.
//!
//! If two servers disagree about an end, one message becomes two (SMTP smuggling). So only CRLF ends a
//! line, only CRLF `.` CRLF ends the data, and a bare CR or LF is refused everywhere.

use memchr::{memchr2, memchr2_iter};

/// The bytes that have arrived and are not consumed yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    taken: usize,
}

impl Input {
    /// Adds bytes that have arrived. Consumed bytes are dropped when they are at least half of the
    /// buffer, so that each consumed octet moves at most one other.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 && self.taken >= self.rest().len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns how many octets of memory it has.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns the bytes that are not consumed.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Tells whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken >= self.bytes.len()
    }

    /// Consumes bytes; frees the memory of an empty buffer, so that idle connections need none.
    pub(crate) fn take(&mut self, count: usize) {
        self.taken += count;
        if self.is_empty() {
            self.taken = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }

    /// Consumes a command line and returns it without its CRLF; `limit` includes the CRLF.
    pub fn take_line(&mut self, limit: usize) -> InputLine {
        let rest = self.rest();
        let end = memchr2(b'\r', b'\n', rest);
        let Some(end) = end else {
            return if rest.len() + 2 > limit { InputLine::TooLong } else { InputLine::Incomplete };
        };
        if end + 2 > limit {
            return InputLine::TooLong;
        }
        match rest.get(end..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {
                let line = rest.get(..end).unwrap_or_default().to_vec();
                self.take(end + 2);
                InputLine::Text(line)
            }
            [b'\r'] => InputLine::Incomplete,
            _ => InputLine::Bare,
        }
    }
}

/// The result of [`Input::take_line`].
#[derive(Debug, Eq, PartialEq)]
pub enum InputLine {
    /// A line, without its CRLF.
    Text(Vec<u8>),
    /// The line is incomplete.
    Incomplete,
    /// More octets than the limit.
    TooLong,
    /// The line has a bare CR or LF.
    Bare,
}

/// The message during its reception, with its size limit.
#[derive(Debug)]
pub struct Body {
    bytes: Vec<u8>,
    /// The number of octets received, dropped ones included.
    seen: u64,
    limit: u64,
    /// Whether the message was abandoned.
    dropped: bool,
    /// Whether the message came without a header section.
    headless: bool,
}

impl Body {
    /// Starts a message of at most `limit` octets.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), seen: 0, limit, dropped: false, headless: false }
    }

    /// Reserves memory for octets at hand within the limit: the capacity doubles, but never exceeds
    /// the largest message.
    fn expect(&mut self, octets: usize) {
        if self.dropped || self.seen.saturating_add(octets as u64) > self.limit {
            return;
        }
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if length.saturating_add(octets) > capacity {
            let most = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_add(FINISH);
            let room = capacity.saturating_mul(2).min(most).saturating_sub(length).max(octets);
            self.bytes.reserve_exact(room);
        }
    }

    /// Adds octets; beyond the limit the whole message is dropped.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.expect(octets.len());
        self.seen = self.seen.saturating_add(octets.len() as u64);
        if self.is_over() || self.dropped {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(octets);
        }
    }

    /// Drops the message and all further octets of it, for lack of memory.
    pub(crate) fn give_up(&mut self) {
        self.dropped = true;
        self.bytes = Vec::new();
    }

    /// Tells whether the message was abandoned.
    pub(crate) fn is_given_up(&self) -> bool {
        self.dropped
    }

    /// Inserts an empty line before a message without a header section.
    pub(crate) fn begin_with_empty_line(&mut self) {
        self.bytes.splice(0..0, *b"\r\n");
        self.headless = true;
    }

    /// Tells whether an empty line was inserted before the message.
    pub(crate) fn is_headless(&self) -> bool {
        self.headless
    }

    /// Returns the number of octets received, dropped ones included.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns how many octets of memory it has.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Tells whether the message exceeds its limit.
    pub(crate) fn is_over(&self) -> bool {
        self.seen > self.limit
    }

    /// Tells whether the message exceeds its limit by so much that the connection need not read on.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.seen / 2 > self.limit
    }

    /// Returns the octets received so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of octets kept.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the message; its last line ends in CRLF.
    pub fn finish(&mut self) -> Vec<u8> {
        if !self.bytes.is_empty() && !self.bytes.ends_with(b"\r\n") {
            self.bytes.extend_from_slice(b"\r\n");
        }
        std::mem::take(&mut self.bytes)
    }
}

/// Reads the data after `DATA` and removes the dot stuffing; the input may be cut anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Data {
    at: Stage,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Stage {
    #[default]
    LineStart,
    /// After a dot at the start of a line.
    Dot,
    DotCr,
    Text,
    Cr,
}

impl Data {
    /// Moves as much as possible from `input` to `body`.
    pub fn read(&mut self, input: &mut Input, body: &mut Body) -> DataEnd {
        let (mut rest, whole) = (input.rest(), input.rest().len());
        body.expect(whole);
        let mut end = DataEnd::Incomplete;
        while let [octet, behind @ ..] = rest {
            (self.at, rest) = match (self.at, octet) {
                (Stage::LineStart, b'.') => (Stage::Dot, behind),
                (Stage::Dot, b'\r') => (Stage::DotCr, behind),
                (Stage::DotCr, b'\n') => {
                    (end, rest) = (DataEnd::Complete, behind);
                    break;
                }
                (Stage::Cr, b'\n') => {
                    body.push(b"\r\n");
                    (Stage::LineStart, behind)
                }
                (Stage::LineStart | Stage::Text, b'\r') => (Stage::Cr, behind),
                (Stage::DotCr | Stage::Cr, _) | (_, b'\n') => {
                    end = DataEnd::Bare;
                    break;
                }
                (Stage::LineStart | Stage::Dot | Stage::Text, _) => {
                    let (lines, behind, at) = plain_lines(rest);
                    body.push(lines);
                    (at, behind)
                }
            };
        }
        let taken = whole - rest.len();
        input.take(taken);
        end
    }
}

/// Splits off the octets that are copied unchanged: up to the end of a line before one that begins with a dot, a
/// possible line end, or a bare CR or LF.
fn plain_lines(rest: &[u8]) -> (&[u8], &[u8], Stage) {
    let mut ends = memchr2_iter(b'\r', b'\n', rest);
    while let Some((lines, behind)) = ends.next().and_then(|end| rest.split_at_checked(end)) {
        if !behind.starts_with(b"\r\n") || behind.get(2) == Some(&b'.') {
            return (lines, behind, Stage::Text);
        }
        ends.next(); // The LF.
    }
    (rest, &[], if rest.ends_with(b"\r\n") { Stage::LineStart } else { Stage::Text })
}

/// The result of [`Data::read`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DataEnd {
    /// The message is incomplete.
    Incomplete,
    /// The message is complete; the rest of the input is the next command.
    Complete,
    /// The message has a bare CR or LF, so that servers may disagree about its end.
    Bare,
}

/// Tells whether a message has a bare CR or LF. Some servers accept one as the end of a line, and
/// could read two messages instead of one.
pub fn has_bare_line_end(parts: &[impl AsRef<[u8]>]) -> bool {
    let mut after_cr = false;
    for part in parts {
        let mut rest = part.as_ref();
        if after_cr && let [first, behind @ ..] = rest {
            if *first != b'\n' {
                return true;
            }
            (rest, after_cr) = (behind, false);
        }
        while let Some(end) = memchr2(b'\r', b'\n', rest) {
            rest = match rest.get(end..).unwrap_or_default() {
                [b'\r', b'\n', behind @ ..] => behind,
                [b'\r'] => {
                    after_cr = true;
                    break;
                }
                _ => return true,
            };
        }
    }
    after_cr
}

/// The octets that may be added to a message: an empty line before it, and its last line end.
const FINISH: usize = 4;
/// The capacity that an empty buffer keeps.
const KEPT: usize = 1024;
