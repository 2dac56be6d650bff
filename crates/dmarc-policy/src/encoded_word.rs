//! Encoded words: RFC 2047 section 2, as mail programs take them.

/// Decodes the encoded words of a field's body, wherever they stand; `None` if there is none.
///
/// A word may be longer than it should, may have blanks in it, and need not be padded. What is decoded
/// cannot open or close a quoted string or a comment: there are blanks in place of such octets.
pub(crate) fn decoded(body: &[u8]) -> Option<Vec<u8>> {
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

enum Word<'a> {
    /// What it says, and what stands behind it.
    Whole(Vec<u8>, &'a [u8]),
    Broken,
    /// There is no end of a word in the rest.
    Endless,
}

/// Reads a word behind its `=?`.
fn word(text: &[u8]) -> Word<'_> {
    let head = text.get(..text.len().min(MAX_CHARSET)).unwrap_or_default();
    let Some(mark) = head.iter().position(|&octet| octet == b'?') else { return Word::Broken };
    let (charset, rest) = text.split_at(mark);
    let (Some(&[_, encoding, b'?']), Some(rest)) = (rest.get(..3), rest.get(3..)) else {
        return Word::Broken;
    };
    let Some(end) = find(rest, b"?=") else { return Word::Endless };
    let (inner, behind) = rest.split_at(end);
    let octets = match encoding.to_ascii_lowercase() {
        b'q' => quoted_printable(inner),
        b'b' => base64(inner),
        _ => return Word::Broken,
    };
    let mut shown = in_utf8(octets, charset);
    for octet in &mut shown {
        if matches!(octet, b'"' | b'(' | b')' | b'\\') {
            *octet = b' ';
        }
    }
    Word::Whole(shown, behind.get(2..).unwrap_or_default())
}

/// The charsets of Western Europe have the characters below U+0100 at their numbers, or nearly so; of
/// the others only ASCII counts.
fn in_utf8(octets: Vec<u8>, charset: &[u8]) -> Vec<u8> {
    let western = [&b"iso-8859-1"[..], b"iso-8859-15", b"latin1", b"us-ascii", b"windows-1252"];
    let name = charset.split(|&octet| octet == b'*').next().unwrap_or_default();
    if str::from_utf8(&octets).is_err() && western.iter().any(|w| w.eq_ignore_ascii_case(name)) {
        return octets.into_iter().map(char::from).collect::<String>().into_bytes();
    }
    octets
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

/// Octets that are none of base64 are passed over.
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
    for sextet in text.iter().filter_map(sextet) {
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

/// A longer name of a charset is none.
const MAX_CHARSET: usize = 80;
