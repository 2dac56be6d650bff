//! Where a line, a message or a chunk ends: RFC 5321 section 4.5.2 and RFC 3030 section 2.
//!
//! Two servers that disagree here take one message for two (SMTP smuggling). So only CRLF ends a
//! line, only CRLF `.` CRLF ends data, and a CR or LF alone is refused wherever it stands.

use memchr::memchr2;

/// Bytes that have arrived and are not taken yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    taken: usize,
}

impl Input {
    /// Adds what has arrived. What was taken is dropped as soon as it is no less than what is left, so
    /// that no octet is moved more than once for each that was taken.
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

    /// Returns what has not been taken.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Tells whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken >= self.bytes.len()
    }

    /// Takes bytes off; gives the memory of a drained buffer back, so that idling costs none.
    pub(crate) fn take(&mut self, count: usize) {
        self.taken += count;
        if self.is_empty() {
            self.taken = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }

    /// Takes a command line off; the text is without its CRLF. `limit` counts that, too.
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

/// What [`Input::take_line`] found.
#[derive(Debug, Eq, PartialEq)]
pub enum InputLine {
    /// A line, without its CRLF.
    Text(Vec<u8>),
    /// Not yet a whole one.
    Incomplete,
    /// More octets than the limit.
    TooLong,
    /// A CR or LF alone.
    Bare,
}

/// A message on its way in, with its limit.
#[derive(Debug)]
pub struct Body {
    bytes: Vec<u8>,
    /// All octets that came, also those that were not kept.
    seen: u64,
    limit: u64,
    /// Whether it was given up.
    dropped: bool,
    /// Whether its first line was not that of a header.
    headless: bool,
}

impl Body {
    /// Starts a message of at most `limit` octets.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), seen: 0, limit, dropped: false, headless: false }
    }

    /// Makes room for octets that are there, if they are within the limit: each time twice as much as
    /// before, but never more than the largest message has.
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

    /// Adds octets; beyond the limit nothing is kept, what came before neither.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.expect(octets.len());
        self.seen = self.seen.saturating_add(octets.len() as u64);
        if self.is_over() || self.dropped {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(octets);
        }
    }

    /// Keeps nothing of the message from here on: there is no room for it.
    pub(crate) fn give_up(&mut self) {
        self.dropped = true;
        self.bytes = Vec::new();
    }

    /// Tells whether it was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.dropped
    }

    /// Puts an empty line before a message that has no header.
    pub(crate) fn begin_with_empty_line(&mut self) {
        self.bytes.splice(0..0, *b"\r\n");
        self.headless = true;
    }

    /// Tells whether an empty line was put before it.
    pub(crate) fn is_headless(&self) -> bool {
        self.headless
    }

    /// Returns how many octets came, also those that were not kept.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns how many octets of memory it has.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Tells whether it is larger than its limit.
    pub(crate) fn is_over(&self) -> bool {
        self.seen > self.limit
    }

    /// Tells whether it is so much larger that nobody need read it to its end.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.seen / 2 > self.limit
    }

    /// Returns what came so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns how many octets there are.
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

/// Reads what comes behind `DATA`, dots unstuffed, byte by byte if need be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Data {
    at: Stage,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Stage {
    #[default]
    LineStart,
    /// Behind a dot at the start of a line.
    Dot,
    DotCr,
    Text,
    Cr,
}

impl Data {
    /// Takes what it can from `input` into `body`.
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

/// Takes off what stands as it is, from within a line on, at once: up to a line that begins with a
/// dot, to what may be a line end, or to a CR or LF alone.
fn plain_lines(rest: &[u8]) -> (&[u8], &[u8], Stage) {
    let mut length = 0;
    let place = loop {
        let behind = rest.get(length..).unwrap_or_default();
        let Some(end) = memchr2(b'\r', b'\n', behind) else {
            length = rest.len();
            break if behind.is_empty() { Stage::LineStart } else { Stage::Text };
        };
        length += end;
        match behind.get(end..).unwrap_or_default() {
            [b'\r', b'\n', b'.', ..] => {
                length += 2;
                break Stage::LineStart;
            }
            [b'\r', b'\n', ..] => length += 2,
            _ => break Stage::Text,
        }
    };
    let (lines, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    (lines, behind, place)
}

/// How far [`Data::read`] came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DataEnd {
    /// The message goes on.
    Incomplete,
    /// It has ended; what is left belongs to the next command.
    Complete,
    /// A CR or LF alone: where the message ends is in dispute.
    Bare,
}

/// Tells whether a CR or an LF stands alone in a message. Some servers take it for the end of a
/// line, so that what was one message here would be two there.
pub fn has_bare_line_end(parts: &[impl AsRef<[u8]>]) -> bool {
    let mut last = b' ';
    for &byte in parts.iter().flat_map(AsRef::as_ref) {
        if (last == b'\r') != (byte == b'\n') {
            return true;
        }
        last = byte;
    }
    last == b'\r'
}

/// What may come before and behind a message: an empty line, and the end of its last line.
const FINISH: usize = 4;
/// What a drained buffer keeps.
const KEPT: usize = 1024;
