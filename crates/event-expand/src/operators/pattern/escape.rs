//! Reads escapes outside classes, and those for one byte.

use super::byte_set::ByteSet;
use super::node::{Assertion, Named, Node, Reference, Target};
use super::syntax::{Atom, Fault, Flags, Reader};

impl Reader<'_> {
    /// Reads an escape after its backslash.
    pub(super) fn escape(&mut self, at: usize) -> Result<Atom, Fault> {
        let byte = self.peek().ok_or(Fault { at, problem: "\\ at the end" })?;
        if let Some(set) = ByteSet::escaped(byte) {
            self.pos += 1;
            return Ok(Atom::Repeatable(Node::Set(set)));
        }
        if let Some(assertion) = assertion(byte) {
            self.pos += 1;
            return Ok(Atom::Once(Node::Assertion(assertion)));
        }
        if let b'1'..=b'9' = byte {
            if let Some(number) = self.reference_number() {
                return Ok(self.reference(Named::Number(number), at));
            }
            let byte = self.byte_escape(at)?;
            return Ok(self.literal(byte));
        }
        if !matches!(byte, b'C' | b'K' | b'N' | b'P' | b'R' | b'X' | b'g' | b'k' | b'p') {
            let byte = self.byte_escape(at)?;
            return Ok(self.literal(byte));
        }
        self.pos += 1;
        let node = match byte {
            b'C' => Node::Set(ByteSet::ALL),
            b'K' if self.looking > 0 => return Err(Fault { at, problem: "\\K in a look-around" }),
            b'K' => return Ok(Atom::Once(Node::Keep)),
            b'N' if self.peek() == Some(b'{') && !self.counts() => {
                return Err(Fault { at, problem: "\\N{…}" });
            }
            b'N' => Node::Set(ByteSet::of(b"\n").complement()),
            b'R' => line_end_or(ByteSet::EMPTY.with(10, 13).with(0x85, 0x85)),
            b'X' => line_end_or(ByteSet::ALL),
            b'g' => return self.numbered_reference(at),
            b'k' => return self.named_reference(at),
            _ => Node::Set(self.property(byte == b'P', at)?),
        };
        Ok(Atom::Repeatable(node))
    }

    /// The group that `\12` is a reference to; if there are not so many groups yet, it is a byte.
    fn reference_number(&mut self) -> Option<usize> {
        let (start, first) = (self.pos, self.peek());
        let number = self.number() as usize;
        if number < 10 || matches!(first, Some(b'8' | b'9')) || number <= self.groups {
            return Some(number);
        }
        self.pos = start;
        None
    }

    pub(super) fn reference(&self, group: Named, at: usize) -> Atom {
        let target = Target { group, at };
        let folded = self.flags.has(Flags::CASELESS);
        Atom::Repeatable(Node::Reference(Reference { target, folded }))
    }

    /// Reads what follows `\g`: `1`, `-1`, `{1}`, `{-1}`, `{name}`.
    fn numbered_reference(&mut self, at: usize) -> Result<Atom, Fault> {
        if matches!(self.peek(), Some(b'<' | b'\'')) {
            return Err(Fault { at, problem: SUBROUTINE });
        }
        let braced = self.take(b"{");
        if braced && !matches!(self.peek(), Some(b'+' | b'-' | b'0'..=b'9')) {
            self.pos -= 1;
            return self.named_reference(at);
        }
        let group = self.relative_number(at)?;
        if braced && !self.take(b"}") {
            return Err(Fault { at, problem: "\\g{ without }" });
        }
        Ok(self.reference(Named::Number(group), at))
    }

    /// Reads a number of a group, which may be relative to the last group so far.
    pub(super) fn relative_number(&mut self, at: usize) -> Result<usize, Fault> {
        let sign = self.peek().filter(|b| matches!(b, b'+' | b'-'));
        self.pos += usize::from(sign.is_some());
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(Fault { at, problem: "number of a group expected" });
        }
        let number = self.number() as usize;
        let group = match sign {
            None => Some(number),
            Some(b'+') => self.groups.checked_add(number).filter(|_| number > 0),
            Some(_) => (self.groups + 1).checked_sub(number).filter(|_| number > 0),
        };
        group.filter(|group| *group > 0).ok_or(Fault { at, problem: NO_GROUP })
    }

    /// Reads what follows `\k`: `{name}`, `<name>`, `'name'`.
    fn named_reference(&mut self, at: usize) -> Result<Atom, Fault> {
        let end = match self.peek() {
            Some(b'{') => b'}',
            Some(b'<') => b'>',
            Some(b'\'') => b'\'',
            _ => return Err(Fault { at, problem: "\\k or \\g without {name}" }),
        };
        self.pos += 1;
        let name = self.name(end)?;
        Ok(self.reference(Named::Name(name), at))
    }

    /// Reads an escape for a byte, after its backslash.
    pub(super) fn byte_escape(&mut self, at: usize) -> Result<u8, Fault> {
        let byte = self.peek().ok_or(Fault { at, problem: "\\ at the end" })?;
        self.pos += 1;
        Ok(match byte {
            b'a' => 7,
            b'e' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'c' => {
                let control = self.peek().filter(|b| matches!(b, b' '..=b'~'));
                let control = control.ok_or(Fault { at, problem: "\\c without a character" })?;
                self.pos += 1;
                control.to_ascii_uppercase() ^ 0x40
            }
            b'x' if self.take(b"{") => self.braced_digits(16, at)?,
            b'x' if self.peek().is_some_and(|digit| digit.is_ascii_hexdigit()) => {
                self.digits(16, 2, at)?
            }
            b'x' => return Err(Fault { at, problem: "\\x without digits" }),
            b'o' if self.take(b"{") => self.braced_digits(8, at)?,
            b'o' => return Err(Fault { at, problem: "\\o without {" }),
            b'0'..=b'7' => {
                self.pos -= 1;
                self.digits(8, 3, at)?
            }
            b'8' | b'9' => byte,
            b'F' | b'L' | b'N' | b'U' | b'l' | b'u' => {
                return Err(Fault { at, problem: "\\F, \\L, \\l, \\N{…}, \\U or \\u" });
            }
            _ if byte.is_ascii_alphabetic() => return Err(Fault { at, problem: "unknown escape" }),
            _ => byte,
        })
    }

    fn digits(&mut self, radix: u32, most: usize, at: usize) -> Result<u8, Fault> {
        let mut value = 0_u32;
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|b| char::from(b).to_digit(radix)) else {
                break;
            };
            value = value.saturating_mul(radix).saturating_add(digit);
            self.pos += 1;
        }
        u8::try_from(value).map_err(|_| Fault { at, problem: TOO_LARGE })
    }

    fn braced_digits(&mut self, radix: u32, at: usize) -> Result<u8, Fault> {
        let start = self.pos;
        let value = self.digits(radix, usize::MAX, at)?;
        if self.pos == start || !self.take(b"}") {
            return Err(Fault { at, problem: "digits and } expected after {" });
        }
        Ok(value)
    }

    /// Reads what follows `\p` or `\P`: `L`, `{Lu}`, `{^Lu}`.
    pub(super) fn property(&mut self, negated: bool, at: usize) -> Result<ByteSet, Fault> {
        let fault = Fault { at, problem: "unknown or unsupported property of \\p" };
        let letter = self.peek().ok_or(fault)?;
        self.pos += 1;
        if letter != b'{' {
            let set = ByteSet::property(&[letter]).ok_or(fault)?;
            return Ok(if negated { set.complement() } else { set });
        }
        let negated = negated != self.take(b"^");
        let end = self.rest().iter().position(|b| *b == b'}').ok_or(fault)?;
        let name = self.rest().get(..end).unwrap_or_default();
        if self.flags.has(Flags::CASELESS) && ByteSet::is_of_one_case(name) {
            return Err(Fault { at, problem: ONE_CASE });
        }
        let set = ByteSet::property(name).ok_or(fault)?;
        self.pos += end + 1;
        Ok(if negated { set.complement() } else { set })
    }
}

fn assertion(letter: u8) -> Option<Assertion> {
    Some(match letter {
        b'A' => Assertion::Start,
        b'B' => Assertion::NoWordEdge,
        b'G' => Assertion::SearchStart,
        b'Z' => Assertion::LastLineEnd,
        b'b' => Assertion::WordEdge,
        b'z' => Assertion::End,
        _ => return None,
    })
}

/// CR LF as one, or a byte of a set.
fn line_end_or(set: ByteSet) -> Node {
    let line_end = vec![Node::Set(ByteSet::of(b"\r")), Node::Set(ByteSet::of(b"\n"))];
    Node::Atomic(Box::new(Node::Either(vec![Node::Sequence(line_end), Node::Set(set)])))
}

const ONE_CASE: &str =
    "\\p{Lu}, \\p{Ll} or \\p{Lt} with (?i): one case in some versions of PCRE2, both in others";
const TOO_LARGE: &str = "number of a byte above 255";
pub(super) const NO_GROUP: &str = "reference to a group that does not exist";
pub(super) const SUBROUTINE: &str = "recursion or call of a group, which is not supported";
