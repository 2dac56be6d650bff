//! Operators on texts: case, quotes, escapes, character sets.

use std::io::Write as _;

use crate::evaluate::function::{Part, Problem, copy};

/// Writes an output for each byte of a part.
pub(crate) fn each(out: &mut Vec<u8>, part: Part, mut push: impl FnMut(&mut Vec<u8>, u8)) {
    for at in part {
        let Some(&byte) = out.get(at) else { break };
        push(out, byte);
    }
}

pub(crate) fn push_number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    // Writing into memory does not fail.
    let _ = write!(out, "{number}");
}

/// Escapes control characters and bytes above 126.
pub(crate) fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'\t' | b' '..=b'~' => out.push(byte),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        8 => out.extend_from_slice(b"\\b"),
        11 => out.extend_from_slice(b"\\v"),
        12 => out.extend_from_slice(b"\\f"),
        _ => octal(out, byte),
    }
}

/// Escapes bytes above 126 and backslashes.
pub(crate) fn escape_8bit(out: &mut Vec<u8>, byte: u8) {
    if byte < 127 && byte != b'\\' { out.push(byte) } else { octal(out, byte) }
}

fn octal(out: &mut Vec<u8>, byte: u8) {
    out.extend([b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
}

pub(crate) fn hex_quote(out: &mut Vec<u8>, byte: u8) {
    if byte.is_ascii_graphic() {
        out.push(byte);
    } else {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

pub(crate) fn regex_quote(out: &mut Vec<u8>, byte: u8) {
    if !byte.is_ascii_alphanumeric() {
        out.push(b'\\');
    }
    out.push(byte);
}

/// Quotes a text unless it has only letters, digits, `_`, `-` and `.`.
pub(crate) fn quote(out: &mut Vec<u8>, part: Part) {
    let text = out.get(part.clone()).unwrap_or_default();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    let needed = text.is_empty() || !text.iter().all(plain);
    in_quotes(out, part, needed);
}

/// Quotes a local part if RFC 5322 requires it.
pub(crate) fn quote_local_part(out: &mut Vec<u8>, part: Part) {
    let text = out.get(part.clone()).unwrap_or_default();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(b);
    let dot = text.starts_with(b".") || text.ends_with(b".");
    let needed = text.is_empty() || dot || !text.iter().all(plain);
    in_quotes(out, part, needed);
}

fn in_quotes(out: &mut Vec<u8>, part: Part, needed: bool) {
    if !needed {
        out.extend_from_within(part);
        return;
    }
    out.push(b'"');
    each(out, part, |out, byte| match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\\' | b'"' => out.extend([b'\\', byte]),
        _ => out.push(byte),
    });
    out.push(b'"');
}

/// Writes a `?` for each sequence that is not UTF-8, with its first bytes.
pub(crate) fn utf8_clean(out: &mut Vec<u8>, part: Part) {
    let text = copy(out, part);
    let mut rest = &text[..];
    while let Some((&first, behind)) = rest.split_first() {
        let length = match first {
            0..=0x7f => 1,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 0,
        };
        let follows = behind.iter().take(3).take_while(|b| **b & 0xc0 == 0x80).count();
        let (taken, sound) = match (length, follows + 1) {
            (0, _) => (1, false),
            (length, there) if there >= length => {
                (length, std::str::from_utf8(rest.get(..length).unwrap_or_default()).is_ok())
            }
            // The byte that does not continue the sequence is dropped with it, unless it is ASCII.
            (_, there) => {
                let other = rest.get(there).is_some_and(|b| !b.is_ascii());
                (there + usize::from(other), false)
            }
        };
        let (sequence, behind) = rest.split_at_checked(taken).unwrap_or((rest, b""));
        out.extend_from_slice(if sound { sequence } else { b"?" });
        rest = behind;
    }
}

/// Converts UTF-8 to ISO 8859-1, with `_` for other characters. Bytes that are not UTF-8 become `_`
/// too: Exim reads beyond the end for some of them.
pub(crate) fn from_utf8(out: &mut Vec<u8>, part: Part) {
    let text = copy(out, part);
    for chunk in text.utf8_chunks() {
        out.extend(chunk.valid().chars().map(|c| u8::try_from(c).unwrap_or(b'_')));
        if !chunk.invalid().is_empty() {
            out.push(b'_');
        }
    }
}

/// Breaks lines at blanks before 80 columns, or another number: the next line begins with a tab,
/// which counts 8. No line is longer than 998 bytes, or another number.
pub(crate) fn header_wrap(
    out: &mut Vec<u8>,
    argument: Option<&str>,
    part: Part,
) -> Result<(), Problem> {
    let expected = Problem::Expected("columns and bytes after headerwrap_");
    let mut numbers = argument.into_iter().flat_map(|argument| argument.split('_'));
    let mut number = |default: usize| match numbers.next() {
        Some(digits) => digits.parse::<usize>().ok().filter(|n| *n > 9).ok_or(expected),
        None => Ok(default),
    };
    let (columns, most) = (number(80)?, number(998)?);
    let text = copy(out, part);
    let mut rest = text.get(..text.len().min(most)).unwrap_or_default();
    let mut width = columns;
    while rest.len() > width {
        let head = rest.get(..=width).unwrap_or_default();
        let Some(cut) = head.iter().rposition(|b| matches!(b, b' ' | b'\t')) else { break };
        let (line, behind) = rest.split_at_checked(cut).unwrap_or_default();
        out.extend_from_slice(line);
        out.extend_from_slice(b"\n\t");
        rest = behind.trim_ascii_start();
        width = columns - 8;
    }
    out.extend_from_slice(rest);
    Ok(())
}
