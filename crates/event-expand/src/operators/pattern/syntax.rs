//! Reads the syntax of PCRE2, token by token. A construct without an equivalent is a fault.

use std::collections::BTreeMap;

use super::byte_set::ByteSet;
use super::compile::LEAST_OF_PART;
use super::node::{Assertion, Count, Greed, Node};

/// A pattern, read.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) node: Node,
    pub(super) groups: usize,
    /// The names of groups, with their numbers.
    pub(super) names: BTreeMap<Box<[u8]>, Vec<u32>>,
}

/// The reason why a pattern is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Fault {
    /// The position in the pattern.
    pub(crate) at: usize,
    pub(crate) problem: &'static str,
}

/// The part of a pattern before a quantifier.
pub(super) enum Atom {
    Repeatable(Node),
    /// An assertion or a setting, which no quantifier may follow.
    Once(Node),
    /// `[[:<:]]` or `[[:>:]]`: a word edge, and a look-around, which may be repeated.
    WordEdge(Node),
}

/// The settings of a group: `(?i)` and similar.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags(u16);

impl Flags {
    pub(super) const CASELESS: Self = Self(1);
    pub(super) const MULTILINE: Self = Self(2);
    pub(super) const DOT_ALL: Self = Self(4);
    pub(super) const EXTENDED: Self = Self(8);
    /// `xx`: blanks in classes do not count either.
    pub(super) const EXTENDED_MORE: Self = Self(16);
    pub(super) const NO_CAPTURE: Self = Self(32);
    pub(super) const DUPLICATE_NAMES: Self = Self(64);
    pub(super) const UNGREEDY: Self = Self(128);

    pub(super) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(super) const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }

    pub(super) fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }
}

pub(super) struct Reader<'p> {
    pub(super) text: &'p [u8],
    pub(super) pos: usize,
    pub(super) flags: Flags,
    /// In `\Q…\E`.
    pub(super) quoting: bool,
    depth: usize,
    /// The depth of look-arounds.
    pub(super) looking: usize,
    /// The number of the last group so far.
    pub(super) groups: usize,
    pub(super) names: BTreeMap<Box<[u8]>, Vec<u32>>,
    /// The name of each group that has one.
    pub(super) name_of: BTreeMap<usize, Box<[u8]>>,
    /// The parts and branches that may still come.
    left: usize,
}

impl<'p> Reader<'p> {
    /// Reads a whole pattern, for a program of a limited size in bytes.
    pub(super) fn read(text: &'p [u8], limit: usize) -> Result<Expression, Fault> {
        let mut reader = Reader {
            text,
            pos: 0,
            flags: Flags::default(),
            quoting: false,
            depth: 0,
            looking: 0,
            groups: 0,
            names: BTreeMap::new(),
            name_of: BTreeMap::new(),
            left: limit / LEAST_OF_PART,
        };
        let node = Node::either(reader.branches(false)?);
        if reader.pos < text.len() {
            return Err(reader.fault(") without ("));
        }
        Ok(Expression { node, groups: reader.groups, names: reader.names })
    }

    /// Reads branches up to a `)` or the end; `renumber` if the groups of each have the same numbers.
    pub(super) fn branches(&mut self, renumber: bool) -> Result<Vec<Node>, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault("more than 100 parentheses in each other"));
        }
        let (first, mut branches) = (self.groups, vec![self.branch()?]);
        let mut last = self.groups;
        while self.take(b"|") {
            if renumber {
                self.groups = first;
            }
            branches.push(self.branch()?);
            last = last.max(self.groups);
        }
        self.groups = last;
        self.depth -= 1;
        Ok(branches)
    }

    fn branch(&mut self) -> Result<Node, Fault> {
        self.count()?;
        let mut nodes = Vec::new();
        loop {
            self.skip_ignored()?;
            let byte = match self.peek() {
                None => break,
                Some(b'|' | b')') if !self.quoting => break,
                Some(byte) => byte,
            };
            match self.atom(byte)? {
                Atom::Repeatable(node) => {
                    self.skip_ignored()?;
                    nodes.push(self.repeated(node)?);
                }
                Atom::Once(node) => nodes.push(node),
                Atom::WordEdge(look) => {
                    nodes.push(Node::Assertion(Assertion::WordEdge));
                    self.skip_ignored()?;
                    nodes.push(self.repeated(look)?);
                }
            }
        }
        Ok(Node::sequence(nodes))
    }

    /// Skips `\Q`, `\E`, comments and, with `(?x)`, blanks: a quantifier may follow them.
    fn skip_ignored(&mut self) -> Result<(), Fault> {
        loop {
            if self.quoting {
                if !self.take(b"\\E") {
                    return Ok(());
                }
                self.quoting = false;
            } else if self.take(b"\\Q") {
                self.quoting = true;
            } else if self.take(b"(?#") {
                let end = self.rest().iter().position(|b| *b == b')');
                let end = end.ok_or_else(|| self.fault("comment without )"))?;
                self.pos += end + 1;
            } else if !self.take(b"\\E") && !self.skip_extended() {
                return Ok(());
            }
        }
    }

    /// With `(?x)`, skips a blank or a comment up to the end of its line.
    fn skip_extended(&mut self) -> bool {
        if !self.flags.has(Flags::EXTENDED) {
            return false;
        }
        match self.peek() {
            Some(b'\t'..=b'\r' | b' ') => self.pos += 1,
            Some(b'#') => {
                let end = self.rest().iter().position(|b| *b == b'\n');
                self.pos = end.map_or(self.text.len(), |end| self.pos + end + 1);
            }
            _ => return false,
        }
        true
    }

    /// Counts a part or a branch.
    fn count(&mut self) -> Result<(), Fault> {
        self.left = self.left.checked_sub(1).ok_or(TOO_LARGE)?;
        Ok(())
    }

    fn atom(&mut self, byte: u8) -> Result<Atom, Fault> {
        let at = self.pos;
        self.count()?;
        if !self.quoting && (matches!(byte, b'*' | b'+' | b'?') || self.counts()) {
            return Err(self.fault("quantifier without a part to repeat before it"));
        }
        if !self.quoting && self.may_count() {
            return Err(self.fault(VERSIONS));
        }
        self.pos += 1;
        Ok(match byte {
            _ if self.quoting => self.literal(byte),
            b'\\' => return self.escape(at),
            b'[' => return self.class(at),
            b'(' => return self.group(at),
            b'.' if self.flags.has(Flags::DOT_ALL) => Atom::Repeatable(Node::Set(ByteSet::ALL)),
            b'.' => Atom::Repeatable(Node::Set(ByteSet::of(b"\n").complement())),
            b'^' => self.line_edge(Assertion::LineStart, Assertion::Start),
            b'$' => self.line_edge(Assertion::LineEnd, Assertion::LastLineEnd),
            _ => self.literal(byte),
        })
    }

    fn line_edge(&self, of_lines: Assertion, of_text: Assertion) -> Atom {
        let of_lines = self.flags.has(Flags::MULTILINE).then_some(of_lines);
        Atom::Once(Node::Assertion(of_lines.unwrap_or(of_text)))
    }

    pub(super) fn literal(&self, byte: u8) -> Atom {
        Atom::Repeatable(Node::Set(self.cased(ByteSet::of(&[byte]))))
    }

    /// With the other case of its letters, if case is irrelevant here.
    pub(super) fn cased(&self, set: ByteSet) -> ByteSet {
        if self.flags.has(Flags::CASELESS) { set.folded() } else { set }
    }

    /// Reads a quantifier, if there is one, after a part.
    fn repeated(&mut self, node: Node) -> Result<Node, Fault> {
        if self.quoting {
            return Ok(node);
        }
        let (least, most) = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') if self.counts() => self.bounds()?,
            _ => return Ok(node),
        };
        self.pos += 1;
        self.skip_ignored()?;
        let greed = match self.peek().filter(|_| !self.quoting) {
            Some(b'+') => Greed::Possessive,
            Some(b'?') if !self.flags.has(Flags::UNGREEDY) => Greed::Lazy,
            Some(b'?') => Greed::Greedy,
            _ if self.flags.has(Flags::UNGREEDY) => Greed::Lazy,
            _ => Greed::Greedy,
        };
        self.pos += usize::from(!self.quoting && matches!(self.peek(), Some(b'+' | b'?')));
        // As in PCRE2, a look-around is not repeated any number of times.
        let most = if matches!(node, Node::Look(..)) { most.or(Some(least + 1)) } else { most };
        Ok(repeat(node, Count { least, most, greed }))
    }

    /// Tells whether a count begins here: `{3}`, `{3,}`, `{3,5}`.
    pub(super) fn counts(&self) -> bool {
        let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
        let Some(rest) = self.rest().strip_prefix(b"{") else { return false };
        let first = digits(rest);
        match rest.get(first..).filter(|_| first > 0) {
            Some([b'}', ..]) => true,
            Some([b',', rest @ ..]) => rest.get(digits(rest)) == Some(&b'}'),
            _ => false,
        }
    }

    /// Tells whether only newer versions of PCRE2 read a count here: `{,3}`, `{ 3 }`.
    fn may_count(&self) -> bool {
        let Some(rest) = self.rest().strip_prefix(b"{") else { return false };
        let is_inner = |b: &u8| b.is_ascii_digit() || matches!(b, b',' | b' ' | b'\t');
        let end = rest.iter().take_while(|b| is_inner(b)).count();
        let Some((inner, [b'}', ..])) = rest.split_at_checked(end) else { return false };
        let mut numbers = inner.splitn(2, |b| *b == b',').map(<[u8]>::trim_ascii);
        let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        numbers.all(is_number) && inner.iter().any(u8::is_ascii_digit) && !self.counts()
    }

    /// Reads a count up to its `}`.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), Fault> {
        self.pos += 1;
        let least = self.number();
        let most = match self.take(b",") {
            false => Some(least),
            true if self.peek() == Some(b'}') => None,
            true => Some(self.number()),
        };
        if least.max(most.unwrap_or(0)) > MOST_REPEATS {
            return Err(self.fault("number too large in {}"));
        }
        if most.is_some_and(|most| most < least) {
            return Err(self.fault("numbers out of order in {}"));
        }
        Ok((least, most))
    }

    /// Reads digits; a number beyond all limits is the largest one.
    pub(super) fn number(&mut self) -> u32 {
        let mut number = 0_u32;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            self.pos += 1;
        }
        number
    }

    pub(super) fn take(&mut self, text: &[u8]) -> bool {
        let is_there = self.rest().starts_with(text);
        self.pos += if is_there { text.len() } else { 0 };
        is_there
    }

    pub(super) fn rest(&self) -> &'p [u8] {
        self.text.get(self.pos..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(super) fn fault(&self, problem: &'static str) -> Fault {
        Fault { at: self.pos.min(self.text.len()), problem }
    }
}

fn repeat(node: Node, count: Count) -> Node {
    match (count.least, count.most) {
        (1, Some(1)) if count.greed != Greed::Possessive => node,
        _ => Node::Repeat(Box::new(node), count),
    }
}

pub(super) const TOO_LARGE: Fault = Fault { at: 0, problem: "larger than Limits::regex_size" };

/// So many parentheses in each other, and the whole, fit into a small stack; PCRE2 takes 250.
const DEEPEST: usize = 101;
/// As in PCRE2.
const MOST_REPEATS: u32 = 65_535;
const VERSIONS: &str = "{} with blanks or without its first number: a count in some versions of PCRE2, a text in others";
