//! Exim's lists, over bytes.

use std::borrow::Cow;

/// A list between separators: like `mail_types::List`, for text that need not be UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct ByteList<'a> {
    rest: &'a [u8],
    pub(crate) separator: u8,
}

impl<'a> ByteList<'a> {
    /// Takes a list; `named` if it may name its separator, with `<` and it. A `<` alone names none
    /// and is no item either.
    pub(crate) fn new(text: &'a [u8], named: bool) -> Self {
        let blanks = text.iter().take_while(|b| is_blank(**b)).count();
        match text.get(blanks..) {
            Some([b'<', separator, rest @ ..]) if named && separates(*separator) => {
                Self { rest, separator: *separator }
            }
            Some(b"<") if named => Self { rest: &[], separator: b':' },
            _ => Self { rest: text, separator: b':' },
        }
    }

    /// Whether a text names the separator of the list that it begins.
    pub(crate) fn names_separator(text: &[u8]) -> bool {
        let blanks = text.iter().take_while(|b| is_blank(**b)).count();
        matches!(text.get(blanks..), Some([b'<', separator, ..]) if separates(*separator))
    }
}

impl<'a> Iterator for ByteList<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Cow<'a, [u8]>> {
        let separator = self.separator;
        let doubles = !separator.is_ascii_control();
        let blank = |b: &&u8| is_blank(**b) && **b != separator;
        let blanks = self.rest.iter().take_while(blank).count();
        self.rest = self.rest.get(blanks..).filter(|rest| !rest.is_empty())?;
        let mut item = Cow::Borrowed(&b""[..]);
        loop {
            let end = self.rest.iter().position(|&b| b == separator);
            let piece = self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or_default();
            match &mut item {
                Cow::Borrowed(item) if item.is_empty() => *item = piece,
                item => item.to_mut().extend_from_slice(piece),
            }
            self.rest = end.and_then(|end| self.rest.get(end + 1..)).unwrap_or_default();
            match self.rest.strip_prefix(&[separator]).filter(|_| doubles && end.is_some()) {
                Some(rest) => {
                    item.to_mut().push(separator);
                    self.rest = rest;
                }
                None => break,
            }
        }
        Some(trim_end(item))
    }
}

/// Writes an item behind those that are there from `start` on, doubling separators; an item that is
/// empty or begins with one has a blank before it.
pub(crate) fn push_item(out: &mut Vec<u8>, start: usize, item: &[u8], separator: u8) {
    if out.len() > start && (item.is_empty() || item.first() == Some(&separator)) {
        out.push(b' ');
    }
    push_doubled(out, item, separator);
    out.push(separator);
}

pub(crate) fn push_doubled(out: &mut Vec<u8>, item: &[u8], separator: u8) {
    for &byte in item {
        out.push(byte);
        if byte == separator {
            out.push(byte);
        }
    }
}

/// What C's `isspace` says.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let from = text.iter().take_while(|b| is_blank(**b)).count();
    let text = text.get(from..).unwrap_or_default();
    let blanks = text.iter().rev().take_while(|b| is_blank(**b)).count();
    text.get(..text.len() - blanks).unwrap_or_default()
}

fn trim_end(item: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let length = item.len() - item.iter().rev().take_while(|b| is_blank(**b)).count();
    match item {
        Cow::Borrowed(item) => Cow::Borrowed(item.get(..length).unwrap_or_default()),
        Cow::Owned(mut item) => {
            item.truncate(length);
            Cow::Owned(item)
        }
    }
}

fn separates(byte: u8) -> bool {
    byte.is_ascii_punctuation() || byte.is_ascii_control()
}
