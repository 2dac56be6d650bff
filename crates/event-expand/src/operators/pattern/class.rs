//! Reads classes: `[a-z]`.

use super::byte_set::ByteSet;
use super::node::{Look, Node};
use super::syntax::{Atom, Fault, Flags, Reader};

/// A part of a class.
enum Member {
    Byte(u8),
    Hyphen,
    Set(ByteSet),
}

/// The place of a hyphen.
#[derive(Clone, Copy)]
enum Range {
    /// It would be literal.
    Impossible,
    /// It would make a range from this byte.
    Possible(u8),
    /// It was there: a range has this first byte.
    Open(u8),
}

impl Reader<'_> {
    /// Reads a class after its `[`.
    pub(super) fn class(&mut self, at: usize) -> Result<Atom, Fault> {
        for (name, ahead) in [(b"[:<:]]", true), (b"[:>:]]", false)] {
            if self.take(name) {
                return Ok(word_edge(ahead, at));
            }
        }
        if matches!(self.peek(), Some(b':' | b'.' | b'=')) && self.posix_end().is_some() {
            return Err(Fault { at, problem: "[:name:] outside a class" });
        }
        let negated = self.class_start();
        let (mut set, mut range) = (ByteSet::EMPTY, Range::Impossible);
        let mut first = true;
        while let Some(member) = self.member(first)? {
            range = self.add(member, range, &mut set)?;
            first = false;
        }
        if let Range::Open(_) = range {
            set = set.with(b'-', b'-');
        }
        Ok(Atom::Repeatable(Node::Set(if negated { set.complement() } else { set })))
    }

    /// Skips what does not count before the first member, and tells whether there is a `^`.
    fn class_start(&mut self) -> bool {
        let mut negated = false;
        loop {
            if self.take(b"\\E") || self.take(b"\\Q\\E") || self.skip_class_blank() {
                continue;
            }
            if negated || !self.take(b"^") {
                return negated;
            }
            negated = true;
        }
    }

    fn skip_class_blank(&mut self) -> bool {
        let skipped =
            self.flags.has(Flags::EXTENDED_MORE) && matches!(self.peek(), Some(b' ' | b'\t'));
        self.pos += usize::from(skipped);
        skipped
    }

    /// Reads a member; `None` after the `]` at the end.
    fn member(&mut self, first: bool) -> Result<Option<Member>, Fault> {
        loop {
            let byte = self.peek().ok_or_else(|| self.fault("class without ]"))?;
            if self.quoting {
                if self.take(b"\\E") {
                    self.quoting = false;
                    continue;
                }
                self.pos += 1;
                return Ok(Some(Member::Byte(byte)));
            }
            if self.take(b"\\Q") {
                self.quoting = true;
                continue;
            }
            if self.take(b"\\E") || self.skip_class_blank() {
                continue;
            }
            let at = self.pos;
            self.pos += 1;
            return match byte {
                b']' if !first => Ok(None),
                b'-' => Ok(Some(Member::Hyphen)),
                b'\\' => self.class_escape(at).map(Some),
                b'[' if matches!(self.peek(), Some(b':' | b'.' | b'=')) => self.posix(at).map(Some),
                _ => Ok(Some(Member::Byte(byte))),
            };
        }
    }

    fn class_escape(&mut self, at: usize) -> Result<Member, Fault> {
        let byte = self.peek().ok_or(Fault { at, problem: "\\ at the end" })?;
        if let Some(set) = ByteSet::escaped(byte) {
            self.pos += 1;
            return Ok(Member::Set(set));
        }
        match byte {
            b'p' | b'P' => {
                self.pos += 1;
                self.property(byte == b'P', at).map(Member::Set)
            }
            b'b' | b'g' => {
                self.pos += 1;
                Ok(Member::Byte(if byte == b'b' { 8 } else { byte }))
            }
            b'A' | b'B' | b'C' | b'G' | b'K' | b'N' | b'R' | b'X' | b'Z' | b'k' | b'z' => {
                Err(Fault { at, problem: "escape that a class cannot have" })
            }
            _ => self.byte_escape(at).map(Member::Byte),
        }
    }

    /// Adds a member, with the range that it ends; returns what a hyphen after it would be.
    fn add(&self, member: Member, range: Range, set: &mut ByteSet) -> Result<Range, Fault> {
        let byte = match (member, range) {
            (Member::Hyphen, Range::Possible(low)) => return Ok(Range::Open(low)),
            (Member::Hyphen, _) => b'-',
            (Member::Byte(byte), _) => byte,
            (Member::Set(_), Range::Open(_)) => return Err(self.fault("class in a range")),
            (Member::Set(members), _) => {
                *set = set.union(members);
                return match self.rest() {
                    [b'-', next, ..] if *next != b']' && !self.quoting => {
                        Err(self.fault("class in a range"))
                    }
                    _ => Ok(Range::Impossible),
                };
            }
        };
        match range {
            Range::Open(low) if low > byte => Err(self.fault("range out of order")),
            Range::Open(low) => {
                *set = set.union(self.cased(ByteSet::EMPTY.with(low, byte)));
                Ok(Range::Impossible)
            }
            _ => {
                *set = set.union(self.cased(ByteSet::of(&[byte])));
                Ok(Range::Possible(byte))
            }
        }
    }

    /// Reads `[:name:]` after its `[`; a `[` alone is literal.
    fn posix(&mut self, at: usize) -> Result<Member, Fault> {
        let Some(end) = self.posix_end() else { return Ok(Member::Byte(b'[')) };
        if self.peek() != Some(b':') {
            return Err(Fault { at, problem: "collating element" });
        }
        let name = self.text.get(self.pos + 1..end).unwrap_or_default();
        let (negated, name) = match name.strip_prefix(b"^") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let name = match name {
            b"lower" | b"upper" if self.flags.has(Flags::CASELESS) => b"alpha",
            _ => name,
        };
        let set = ByteSet::posix(name).ok_or(Fault { at, problem: "unknown name in [:…:]" })?;
        self.pos = end + 2;
        Ok(Member::Set(if negated { set.complement() } else { set }))
    }

    /// The position of the end, `:]` or similar, of what looks like `[:name:]` after its `[`.
    fn posix_end(&self) -> Option<usize> {
        let terminator = self.peek()?;
        let mut at = self.pos + 1;
        while let Some([byte, next]) = self.text.get(at..at + 2) {
            match (byte, next) {
                (b'\\', b']' | b'\\') => at += 1,
                (b']', _) => return None,
                (b'[', next) if *next == terminator => return None,
                (byte, b']') if *byte == terminator => return Some(at),
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// `[[:<:]]` and `[[:>:]]`: the start and the end of a word.
fn word_edge(ahead: bool, at: usize) -> Atom {
    let look = Look { behind: !ahead, negative: false, at };
    let word = Node::Either(vec![Node::Set(ByteSet::word())]);
    Atom::WordEdge(Node::Look(look, Box::new(word)))
}
