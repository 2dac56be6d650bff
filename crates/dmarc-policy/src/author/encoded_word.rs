//! Encoded words: RFC 2047 section 2, as mail programs accept them.

use crate::author::charset;

/// Decodes the encoded words of a field's body at any position; returns `None` without one.
///
/// A word may be longer than allowed, may contain blanks, and needs no padding. The decoded text
/// cannot open or close a quoted string or a comment: blanks replace such octets.
pub(crate) fn decoded(body: &[u8]) -> Option<Vec<u8>> {
    find(body, b"=?")?;
    let (mut text, mut rest, mut found) = (Vec::with_capacity(body.len()), body, false);
    while let Some(at) = find(rest, b"=?") {
        let (before, from) = rest.split_at_checked(at)?;
        // Blanks between two words are not shown.
        if !found || !before.iter().all(u8::is_ascii_whitespace) || before.is_empty() {
            text.extend_from_slice(before);
        }
        match word(from.get(2..)?) {
            Word::Whole(decoded, behind) => {
                text.extend(decoded);
                rest = behind;
                found = true;
            }
            Word::Broken => {
                text.extend_from_slice(b"=?");
                rest = from.get(2..)?;
            }
            Word::Endless => {
                rest = from;
                break;
            }
        }
    }
    text.extend_from_slice(rest);
    found.then_some(text)
}

/// Tells whether a word has a charset that is not based on ASCII: its text cannot be read.
pub(crate) fn has_opaque_word(body: &[u8]) -> bool {
    charsets(body).any(charset::is_opaque)
}

/// Tells whether a word has a charset of an unknown name, which may not be based on ASCII.
pub(crate) fn has_unknown_word(body: &[u8]) -> bool {
    charsets(body).any(|name| !charset::is_known(name))
}

/// Returns the charsets of all words.
fn charsets(mut body: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let at = find(body, b"=?")?;
        body = body.get(at + 2..)?;
        Some(charset(body).unwrap_or(US_ASCII))
    })
}

/// Returns a body without the escape sequences of ISO 2022; `None` if it has none. U+FFFD replaces
/// text in a charset other than ASCII.
///
/// Some programs read a field with such a sequence as if it were an encoded word.
pub(crate) fn without_escapes(body: &[u8]) -> Option<Vec<u8>> {
    let mut parts = body.split(|octet| matches!(*octet, ESCAPE | SHIFT_OUT | SHIFT_IN));
    let mut text = parts.next()?.to_vec();
    let mut at = text.len();
    if at == body.len() {
        return None;
    }
    for part in parts {
        let shift = body.get(at).copied();
        let (begin, is_ascii) = if shift == Some(ESCAPE) {
            let middle = part.iter().take_while(|octet| matches!(octet, b' '..=b'/')).count();
            let begin = (middle + 1).min(part.len());
            // ASCII, and ISO 646 as Japan has it.
            (begin, matches!(part.get(..begin), Some(b"(B" | b"(J")))
        } else {
            (0, shift == Some(SHIFT_IN))
        };
        let shown = part.get(begin..).unwrap_or_default();
        if is_ascii {
            text.extend_from_slice(shown);
        } else if !shown.is_empty() {
            text.extend_from_slice("\u{fffd}".as_bytes());
        }
        at += 1 + part.len();
    }
    Some(text)
}

/// Tells whether a part of a field has the start or the end of a word.
pub(crate) fn is_in_encoded_word(piece: &[u8]) -> bool {
    find(piece, b"=?").or(find(piece, b"?=")).is_some()
}

/// Returns the charset of a word, given the text after its `=?`.
fn charset(text: &[u8]) -> Option<&[u8]> {
    text.split_at_checked(find(text, b"?")?).map(|(charset, _)| charset)
}

enum Word<'a> {
    /// The decoded text, and the text after the word.
    Whole(Vec<u8>, &'a [u8]),
    Broken,
    /// The rest contains no end of a word.
    Endless,
}

/// Reads a word, given the text after its `=?`.
fn word(text: &[u8]) -> Word<'_> {
    let Some(charset) = charset(text) else { return Word::Broken };
    let rest = text.get(charset.len()..).unwrap_or_default();
    let (Some(&[_, encoding, b'?']), Some(rest)) = (rest.get(..3), rest.get(3..)) else {
        return Word::Broken;
    };
    let decode = match encoding {
        b'q' | b'Q' => quoted_printable,
        b'b' | b'B' => base64,
        // Before the search for the end: many such words would each search the whole rest.
        _ => return Word::Broken,
    };
    let Some(end) = find(rest, b"?=") else { return Word::Endless };
    let (inner, behind) = rest.split_at(end);
    let octets = decode(inner);
    let mut shown = in_utf8(octets, charset);
    for octet in &mut shown {
        if matches!(octet, b'"' | b'(' | b')' | b'\\') {
            *octet = b' ';
        }
    }
    Word::Whole(shown, behind.get(2..).unwrap_or_default())
}

/// Western European charsets have the characters below U+0100 at their numbers, or nearly so. For
/// all others only ASCII is decoded: other characters, and those after an escape, become U+FFFD.
fn in_utf8(octets: Vec<u8>, charset: &[u8]) -> Vec<u8> {
    let western = [&b"iso-8859-1"[..], b"iso-8859-15", b"latin1", b"us-ascii", b"windows-1252"];
    let name = charset.split(|&octet| octet == b'*').next().unwrap_or_default();
    let is = |charset: &&[u8]| charset.eq_ignore_ascii_case(name);
    let is_hz = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"hz"));
    if western.iter().any(is) {
        if str::from_utf8(&octets).is_ok() {
            return octets;
        }
        return octets.into_iter().map(char::from).collect::<String>().into_bytes();
    }
    let has_shifts = octets.contains(&ESCAPE) || is_hz;
    if [&b"utf-8"[..], b"utf8"].iter().any(is) || octets.is_ascii() && !has_shifts {
        return octets;
    }
    let read = |octet: u8| match octet {
        0x80.. | ESCAPE => char::REPLACEMENT_CHARACTER,
        b'~' if has_shifts => char::REPLACEMENT_CHARACTER,
        octet => octet.into(),
    };
    octets.into_iter().map(read).collect::<String>().into_bytes()
}

fn quoted_printable(mut text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|d| u8::try_from(d).ok());
    loop {
        let (octet, rest) = match text {
            [] => return octets,
            [b'=', high, low, rest @ ..] => match digit(*high).zip(digit(*low)) {
                Some((high, low)) => (16 * high + low, rest),
                None => (b'=', text.get(1..).unwrap_or_default()),
            },
            [b'_', rest @ ..] => (b' ', rest),
            [octet, rest @ ..] => (*octet, rest),
        };
        octets.push(octet);
        text = rest;
    }
}

/// Octets outside the alphabet are skipped. Padding that completes a group of four ends it, and the
/// next group begins.
fn base64(text: &[u8]) -> Vec<u8> {
    let sextet = |octet: &u8| {
        Some(match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let (mut octets, mut held, mut bits) = (Vec::with_capacity(text.len()), 0_u32, 0);
    let (mut group, mut pads) = (0, 0);
    for octet in text {
        if *octet == b'=' {
            pads += 1;
            if group >= 2 && group + pads >= 4 {
                (held, bits, group, pads) = (0, 0, 0, 0);
            }
        }
        let Some(sextet) = sextet(octet) else { continue };
        (group, pads) = ((group + 1) % 4, 0);
        held = held << 6 | u32::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let [.., octet] = (held >> bits).to_be_bytes();
            octets.push(octet);
            held &= (1 << bits) - 1;
        }
    }
    octets
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

/// It switches to other characters in the charsets of ISO 2022.
const ESCAPE: u8 = 0x1b;
/// These switch to another charset and back.
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;
const US_ASCII: &[u8] = b"us-ascii";
