//! Reads and writes Exim's lists.

use mail_types::exim::ByteList;

/// Takes a list; with `named` it may begin with its separator.
pub(crate) fn items(text: &[u8], named: bool) -> ByteList<'_> {
    if named { ByteList::new(text) } else { ByteList::separated(text, b':') }
}

/// Writes an item after those from `start` on, with doubled separators; an empty item, or one that
/// begins with a separator, has a blank before it.
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

/// Tells whether a byte is white space for C's `isspace`.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let from = text.iter().take_while(|b| is_blank(**b)).count();
    let text = text.get(from..).unwrap_or_default();
    let blanks = text.iter().rev().take_while(|b| is_blank(**b)).count();
    text.get(..text.len() - blanks).unwrap_or_default()
}
