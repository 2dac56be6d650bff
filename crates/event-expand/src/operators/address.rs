//! Addresses in header fields: RFC 5322 section 3.4, as Exim reads them.

use crate::evaluate::function::{Part, Problem, copy};
use crate::operators::list::{is_blank, push_item};

/// The address, without a name, comments and angle brackets; empty for an invalid one.
pub(crate) fn whole(out: &mut Vec<u8>, part: Part) {
    if let Some(address) = Address::parse(&copy(out, part), &mut Group::Forbidden) {
        out.extend_from_slice(&address.text);
    }
}

/// The text after its `@`.
pub(crate) fn domain(out: &mut Vec<u8>, part: Part) {
    if let Some(address) = Address::parse(&copy(out, part), &mut Group::Forbidden)
        && let Some(at) = address.at
    {
        out.extend_from_slice(address.text.get(at + 1..).unwrap_or_default());
    }
}

/// The text before its `@`; the whole address without one.
pub(crate) fn local_part(out: &mut Vec<u8>, part: Part) {
    if let Some(address) = Address::parse(&copy(out, part), &mut Group::Forbidden) {
        let end = address.at.unwrap_or(address.text.len());
        out.extend_from_slice(address.text.get(..end).unwrap_or_default());
    }
}

/// All addresses of a field, those of groups included, as a list between colons, or the character
/// after `>`.
pub(crate) fn all(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let text = copy(out, part);
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    let mut rest = text.get(blanks..).unwrap_or_default();
    let mut separator = b':';
    if let Some(behind) = rest.strip_prefix(b">") {
        let (first, behind) = behind.split_first().ok_or("a separator after >")?;
        (separator, rest) = (*first, behind);
    }
    let (start, mut group) = (out.len(), Group::Allowed);
    loop {
        let end = end_of_address(rest);
        let (address, behind) = rest.split_at_checked(end).unwrap_or((rest, b""));
        if let Some(address) = Address::parse(address, &mut group) {
            push_item(out, start, &address.text, separator);
        }
        match behind.split_first() {
            Some((_, behind)) => rest = behind,
            None => break,
        }
    }
    if out.len() > start {
        out.pop();
    }
    Ok(())
}

/// The position of the comma that ends an address, or of the end.
fn end_of_address(text: &[u8]) -> usize {
    let mut routed = text.starts_with(b"@");
    let mut open = i64::from(routed);
    let mut pos = 0;
    while let Some(&byte) = text.get(pos).filter(|b| **b != b',' || open > 0) {
        match byte {
            b'\\' if pos + 1 < text.len() => pos += 2,
            b'"' => pos = quoted(text, pos),
            b'(' => pos = comment(text, pos),
            b'<' => {
                routed = text.get(pos + 1) == Some(&b'@');
                open = 1 + i64::from(routed);
                pos += 1;
            }
            _ => {
                open -= i64::from(byte == b'>' || (routed && byte == b':'));
                pos += 1;
            }
        }
    }
    pos.min(text.len())
}

/// The end of the quoted string that begins here.
fn quoted(text: &[u8], mut pos: usize) -> usize {
    pos += 1;
    while let Some(&byte) = text.get(pos) {
        pos += 1;
        match byte {
            b'\\' if pos < text.len() => pos += 1,
            b'"' => break,
            _ => {}
        }
    }
    pos
}

/// The end of the comment that begins here.
fn comment(text: &[u8], mut pos: usize) -> usize {
    let mut level = 0_i64;
    while let Some(&byte) = text.get(pos) {
        pos += 1;
        match byte {
            b'\\' if pos < text.len() => pos += 1,
            b'(' => level += 1,
            b')' => {
                level -= 1;
                if level <= 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    pos
}

/// The state of a group.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Group {
    Forbidden,
    Allowed,
    Begun,
}

/// An address, and the position of its `@`.
struct Address {
    text: Vec<u8>,
    at: Option<usize>,
}

impl Address {
    fn parse(text: &[u8], group: &mut Group) -> Option<Self> {
        let mut reader = Reader { text, pos: 0, start: 0, end: 0 };
        let address = reader.mailbox(group);
        let address = address.filter(|_| reader.end.saturating_sub(reader.start) <= LONGEST);
        let ends_group = *group == Group::Begun && reader.peek() == Some(b';');
        if ends_group {
            *group = Group::Allowed;
        }
        address.filter(|_| ends_group || reader.peek().is_none())
    }
}

struct Reader<'t> {
    text: &'t [u8],
    pos: usize,
    /// The start of the address with its route, and its end.
    start: usize,
    end: usize,
}

impl Reader<'_> {
    fn mailbox(&mut self, group: &mut Group) -> Option<Address> {
        let mut text = Vec::new();
        loop {
            self.skip();
            self.start = self.pos;
            text.clear();
            self.local_part(&mut text, true)?;
            match self.peek() {
                None | Some(b';') => {
                    return (!text.is_empty()).then_some(Address { text, at: None });
                }
                Some(b'@' | b'<') => break,
                _ => {}
            }
            while !matches!(self.peek(), Some(b'<')) {
                if self.peek() == Some(b':') && *group == Group::Allowed {
                    break;
                }
                text.clear();
                self.local_part(&mut text, false)?;
            }
            if self.peek() == Some(b'<') {
                break;
            }
            *group = Group::Begun;
            self.pos += 1;
        }
        if self.peek() == Some(b'<') {
            self.pos += 1;
            self.start = self.pos;
            self.skip();
            let routed = self.peek() == Some(b'@');
            if routed {
                self.route()?;
            }
            let address = self.address(Some(b'>'))?;
            let inner = self.text.get(..self.pos).unwrap_or_default();
            let end = inner.iter().rposition(|b| !is_blank(*b)).map_or(0, |last| last + 1);
            self.take(b'>').then_some(())?;
            self.skip();
            self.end = end;
            return Some(address).filter(|address| !routed || address.at.is_some());
        }
        if text.is_empty() {
            self.route()?;
            return self.address(None).filter(|address| address.at.is_some());
        }
        let at = text.len();
        self.domain_behind(&mut text)?;
        Some(Address { text, at: Some(at) })
    }

    /// Reads `local@domain`, or a local part alone before `end`.
    fn address(&mut self, end: Option<u8>) -> Option<Address> {
        let mut text = Vec::new();
        self.local_part(&mut text, false)?;
        if self.peek() == end {
            return Some(Address { text, at: None });
        }
        let at = text.len();
        self.domain_behind(&mut text)?;
        Some(Address { text, at: Some(at) })
    }

    fn domain_behind(&mut self, text: &mut Vec<u8>) -> Option<()> {
        self.take(b'@').then(|| text.push(b'@'))?;
        self.domain(text)
    }

    /// Reads `@domain,@domain:`, which is ignored.
    fn route(&mut self) -> Option<()> {
        let mut dropped = Vec::new();
        while self.take(b'@') {
            self.domain(&mut dropped)?;
            if !self.take(b',') {
                break;
            }
            self.skip();
        }
        self.take(b':').then(|| self.skip())
    }

    /// Reads words with dots between them; several dots in a row are accepted.
    fn local_part(&mut self, text: &mut Vec<u8>, may_be_empty: bool) -> Option<()> {
        let start = text.len();
        loop {
            let word = text.len();
            self.skip();
            if self.peek() == Some(b'"') {
                let end = quoted(self.text, self.pos);
                let string = self.text.get(self.pos..end)?;
                let closed = string.len() > 1 && string.ends_with(b"\"") && {
                    let body = string.get(1..string.len() - 1)?;
                    body.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 0
                };
                closed.then(|| text.extend_from_slice(string))?;
                self.pos = end;
            } else {
                while let Some(byte) = self.peek().filter(|b| !is_special(*b) || *b == b'\\') {
                    text.push(byte);
                    self.pos += 1;
                    if byte == b'\\' {
                        text.extend(self.peek());
                        self.pos += 1;
                    }
                }
            }
            self.skip();
            if self.peek() != Some(b'.') {
                let nothing = text.len() == word;
                return (!nothing || text.len() > start || may_be_empty).then_some(());
            }
            while self.take(b'.') {
                text.push(b'.');
            }
        }
    }

    /// Reads letters, digits and hyphens with dots between them, or an address in brackets.
    fn domain(&mut self, text: &mut Vec<u8>) -> Option<()> {
        self.skip();
        if self.peek() == Some(b'[') {
            let rest = self.text.get(self.pos..)?;
            let end = rest.iter().position(|b| *b == b']')?;
            let literal = rest.get(..=end)?;
            let inner = literal.get(1..end)?;
            let tagged = inner.get(..5).filter(|tag| {
                tag.eq_ignore_ascii_case(b"ipv6:") || tag.eq_ignore_ascii_case(b"ipv4:")
            });
            let digits = inner.get(tagged.map_or(0, <[u8]>::len)..)?;
            let sound = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
            digits.iter().all(sound).then(|| text.extend_from_slice(literal))?;
            self.pos += end + 1;
            self.skip();
            return Some(());
        }
        loop {
            let label = text.len();
            while let Some(byte) = self
                .peek()
                .filter(|b| b.is_ascii_alphanumeric() || (*b == b'-' && text.len() > label))
            {
                text.push(byte);
                self.pos += 1;
            }
            self.skip();
            (text.len() > label).then_some(())?;
            if !self.take(b'.') {
                return Some(());
            }
            text.push(b'.');
            self.skip();
        }
    }

    /// Skips blanks and comments; an address may have ended there.
    fn skip(&mut self) {
        self.end = self.pos;
        loop {
            match self.peek() {
                Some(byte) if is_blank(byte) => self.pos += 1,
                Some(b'(') => self.pos = comment(self.text, self.pos),
                _ => break,
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.pos += usize::from(is_there);
        is_there
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }
}

fn is_special(byte: u8) -> bool {
    byte.is_ascii_control() || b" ()<>@,;:\\\".[]".contains(&byte)
}

/// The most bytes of an address with its route, and with blanks and comments between its parts.
const LONGEST: usize = 256;
