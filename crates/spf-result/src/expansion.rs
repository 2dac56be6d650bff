//! Expands macros: RFC 7208 section 7.

use std::fmt::Write as _;
use std::net::IpAddr;

use mail_types::dns::Name;
use memchr::memrchr_iter;

use crate::macro_string::{Letter, Macro, Part};
use crate::{Check, MacroString};

/// The macro values at one point of an evaluation.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) check: &'a Check<'a>,
    /// The domain of the evaluated record.
    pub(crate) domain: &'a Name,
    /// The validated name of the client, if the text uses it and the client has one.
    pub(crate) client_name: Option<&'a Name>,
}

impl Values<'_> {
    /// Expands a domain; `None` if the result is not a valid name, so that nothing can match it. A
    /// sender that is not ASCII matches nothing either, not even escaped or in part (RFC 8616
    /// section 4).
    pub(crate) fn name(&self, text: &MacroString) -> Option<Name> {
        let mut tail = Tail::default();
        let is_ascii = self.expand(text, &mut |octets| tail.push(octets));
        let text = tail.domain();
        if !is_ascii || !tail.ascii || !text.is_ascii() {
            return None;
        }
        Name::from_dotted(text).ok()
    }

    /// Expands an explanation; `None` if the result has more than `most` octets.
    pub(crate) fn text(&self, text: &MacroString, most: usize) -> Option<Vec<u8>> {
        let (mut all, mut fits) = (Vec::new(), true);
        self.expand(text, &mut |octets: &[u8]| {
            fits = fits && all.len() + octets.len() <= most;
            if fits {
                all.extend_from_slice(octets);
            }
        });
        fits.then_some(all)
    }

    /// Expands a text; tells whether each local part in it is ASCII.
    fn expand(&self, text: &MacroString, out: &mut impl FnMut(&[u8])) -> bool {
        let mut scratch = Scratch::default();
        for part in text.parts() {
            match part {
                Part::Literal { from, length } => out(text.literal(*from, *length)),
                Part::Percent => out(b"%"),
                Part::Space => out(b" "),
                Part::UrlSpace => out(b"%20"),
                Part::Macro(found) if found.escaped => {
                    let mut escaped = |octets: &[u8]| escape(octets, out);
                    self.expand_macro(*found, &mut scratch, &mut escaped);
                }
                Part::Macro(found) => self.expand_macro(*found, &mut scratch, out),
            }
        }
        !scratch.has_foreign_local_part
    }

    fn expand_macro(&self, found: Macro, scratch: &mut Scratch, out: &mut impl FnMut(&[u8])) {
        scratch.length = 0;
        if let (Letter::I, true, IpAddr::V4(client)) =
            (found.letter, found.is_reversal(), self.check.client())
        {
            // The most frequent macro.
            let [a, b, c, d] = client.octets();
            return out(scratch.decimals([d, c, b, a]));
        }
        let (text, sender);
        let value = match found.letter {
            Letter::S => {
                scratch.has_foreign_local_part |= !self.check.local_part().is_ascii();
                sender = self.check.sender(scratch);
                &*sender
            }
            Letter::L | Letter::O | Letter::H => {
                text = match found.letter {
                    Letter::L => {
                        let local_part = self.check.local_part();
                        scratch.has_foreign_local_part |= !local_part.is_ascii();
                        local_part
                    }
                    Letter::O => self.check.sender_domain(),
                    _ => self.check.helo_name(),
                };
                text.as_bytes()
            }
            Letter::D => scratch.name(self.domain),
            Letter::I => scratch.dotted(self.check.client()),
            Letter::P => self.client_name.map_or(&b"unknown"[..], |name| scratch.name(name)),
            Letter::V if self.check.client().is_ipv4() => b"in-addr",
            Letter::V => b"ip6",
            Letter::C => scratch.print(&self.check.client()),
            Letter::R => self.check.receiver().as_bytes(),
            Letter::T => scratch.print(&self.check.seconds()),
        };
        match found.last_labels() {
            _ if found.is_plain() => out(value),
            Some(wanted) => out(last_labels(value, wanted)),
            None => transform(found, value, out),
        }
    }
}

/// The last labels of a value: the wanted number, or all.
fn last_labels(value: &[u8], wanted: u8) -> &[u8] {
    let dot = memrchr_iter(b'.', value).nth(usize::from(wanted).saturating_sub(1));
    dot.and_then(|dot| value.get(dot + 1..)).unwrap_or(value)
}

/// Splits a value, reverses its parts, and keeps the last ones, with dots between them (RFC 7208
/// section 7.3).
fn transform(found: Macro, value: &[u8], out: &mut impl FnMut(&[u8])) {
    let mut dot: &[u8] = b"";
    let mut part = |part: &[u8]| {
        out(dot);
        out(part);
        dot = b".";
    };
    let parts = || value.split(|c| found.splits_at(*c));
    let skipped = found.count.map_or(0, |wanted| parts().count().saturating_sub(wanted.into()));
    if found.reversed {
        parts().rev().skip(skipped).for_each(&mut part);
    } else {
        parts().skip(skipped).for_each(&mut part);
    }
}

/// A buffer for a value that does not exist as text.
pub(crate) struct Scratch {
    octets: [u8; Self::ROOM],
    length: usize,
    /// Whether a macro had a local part that is not ASCII.
    has_foreign_local_part: bool,
}

impl Scratch {
    /// Enough for a sender with the longest local part and domain.
    pub(crate) const ROOM: usize = 320;

    fn name(&mut self, name: &Name) -> &[u8] {
        match self.octets.first_chunk_mut() {
            Some(room) => name.write_dotted(room),
            None => &[],
        }
    }

    /// Octets, or hexadecimal digits, with dots between them.
    fn dotted(&mut self, address: IpAddr) -> &[u8] {
        match address {
            IpAddr::V4(address) => self.decimals(address.octets()),
            IpAddr::V6(address) => {
                for (i, octet) in address.octets().into_iter().enumerate() {
                    self.push(if i > 0 { b"." } else { b"" });
                    self.push(&[hex(octet >> 4), b'.', hex(octet & 15)]);
                }
                self.as_bytes()
            }
        }
    }

    fn decimals(&mut self, octets: [u8; 4]) -> &[u8] {
        for (i, octet) in octets.into_iter().enumerate() {
            if i > 0 {
                self.put(b'.');
            }
            if octet >= 100 {
                self.put(b'0' + octet / 100);
            }
            if octet >= 10 {
                self.put(b'0' + octet / 10 % 10);
            }
            self.put(b'0' + octet % 10);
        }
        self.as_bytes()
    }

    fn put(&mut self, octet: u8) {
        if let Some(room) = self.octets.get_mut(self.length) {
            *room = octet;
            self.length += 1;
        }
    }

    fn print(&mut self, value: &impl std::fmt::Display) -> &[u8] {
        let _ = write!(self, "{value}");
        self.as_bytes()
    }

    pub(crate) fn push(&mut self, octets: &[u8]) {
        let room = self.octets.get_mut(self.length..).unwrap_or_default();
        let fits = octets.len().min(room.len());
        if let (Some(room), Some(octets)) = (room.get_mut(..fits), octets.get(..fits)) {
            room.copy_from_slice(octets);
            self.length += fits;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { octets: [0; Self::ROOM], length: 0, has_foreign_local_part: false }
    }
}

impl std::fmt::Write for Scratch {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

/// The end of a text of any length; a name can use no more of it.
struct Tail {
    octets: [u8; 2 * Self::KEPT],
    length: usize,
    /// Whether an earlier part was dropped.
    cut: bool,
    /// Whether the dropped part is ASCII.
    ascii: bool,
}

impl Tail {
    /// A name, the dot before it and the dot after it.
    const KEPT: usize = MAX_TEXT + 2;

    fn push(&mut self, octets: &[u8]) {
        let end = self.length + octets.len();
        if let Some(room) = self.octets.get_mut(self.length..end) {
            room.copy_from_slice(octets);
            self.length = end;
            return;
        }
        for chunk in octets.chunks(Self::KEPT) {
            if self.length + chunk.len() > self.octets.len() {
                self.ascii &= self.octets.is_ascii();
                let from = self.length - Self::KEPT;
                self.octets.copy_within(from..self.length, 0);
                (self.length, self.cut) = (Self::KEPT, true);
            }
            let end = self.length + chunk.len();
            if let Some(room) = self.octets.get_mut(self.length..end) {
                room.copy_from_slice(chunk);
                self.length = end;
            }
        }
    }

    /// The text without its last dot, and without the leftmost labels that exceed the length of a
    /// name (RFC 7208 section 7.3).
    fn domain(&self) -> &[u8] {
        let text = self.octets.get(..self.length).unwrap_or_default();
        let text = text.strip_suffix(b".").unwrap_or(text);
        let excess = text.len().saturating_sub(MAX_TEXT);
        if excess == 0 && !self.cut {
            return text;
        }
        // A label is dropped with its dot, which may be the last octet in excess.
        let from = excess.saturating_sub(1);
        let dot = text.iter().skip(from).position(|c| *c == b'.');
        dot.and_then(|dot| text.get(from + dot + 1..)).unwrap_or_default()
    }
}

impl Default for Tail {
    fn default() -> Self {
        Self { octets: [0; 2 * Self::KEPT], length: 0, cut: false, ascii: true }
    }
}

/// The longest name as text, without its last dot (RFC 7208 section 7.3).
const MAX_TEXT: usize = 253;

/// RFC 3986 section 2.3: all but unreserved characters are escaped.
fn escape(octets: &[u8], out: &mut impl FnMut(&[u8])) {
    for &octet in octets {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out(&[octet]);
        } else {
            out(&[b'%', hex(octet >> 4), hex(octet & 15)]);
        }
    }
}

/// Upper case by RFC 3986 section 2.1; names ignore case.
fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'A' + (digit - 10) }
}
