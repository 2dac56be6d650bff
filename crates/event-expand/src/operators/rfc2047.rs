//! Encoded words: RFC 2047.

use crate::evaluate::function::{Part, copy};
use crate::operators::list::is_blank;

/// Encodes a text as UTF-8 if it has characters other than letters, digits, blanks and some signs.
pub(crate) fn encode(out: &mut Vec<u8>, part: Part) {
    let text = copy(out, part);
    let plain = |b: &u8| *b == b' ' || is_plain(*b);
    if text.iter().all(plain) {
        out.extend_from_slice(&text);
        return;
    }
    out.extend_from_slice(START);
    let (mut word, mut half) = (out.len(), false);
    for byte in text {
        // Exim takes two consecutive encoded bytes for one character, and does not separate them.
        if out.len() - word > LONGEST && !half {
            out.extend_from_slice(b"?= ");
            word = out.len();
            out.extend_from_slice(START);
        }
        half = !half && byte != b' ' && !is_plain(byte);
        match byte {
            b' ' => out.push(b'_'),
            byte if is_plain(byte) => out.push(byte),
            byte => out.extend_from_slice(format!("={byte:02X}").as_bytes()),
        }
    }
    out.extend_from_slice(b"?=");
}

/// Decodes the words of a text to UTF-8, those in the character sets UTF-8, US-ASCII and ISO
/// 8859-1; the bytes of other sets are unchanged. Blanks between two words are dropped, and an
/// invalid word is unchanged.
pub(crate) fn decode(out: &mut Vec<u8>, part: Part) {
    let text = copy(out, part);
    let (mut rest, mut after_word) = (&text[..], false);
    while let Some((at, word)) = Word::find(rest) {
        let before = rest.get(..at).unwrap_or_default();
        if !after_word || !before.iter().all(|b| is_blank(*b)) {
            out.extend_from_slice(before);
        }
        word.push(out);
        rest = rest.get(at + word.length..).unwrap_or_default();
        after_word = true;
    }
    out.extend_from_slice(rest);
}

/// A decoded word.
struct Word<'t> {
    charset: &'t [u8],
    bytes: Vec<u8>,
    length: usize,
}

impl<'t> Word<'t> {
    /// Finds the first word, and its position.
    fn find(text: &'t [u8]) -> Option<(usize, Self)> {
        let mut from = 0;
        loop {
            let rest = text.get(from..)?;
            let at = from + rest.windows(2).position(|pair| pair == b"=?")?;
            if let Some(word) = Self::parse(text.get(at..)?) {
                return Some((at, word));
            }
            from = at + 2;
        }
    }

    fn parse(text: &'t [u8]) -> Option<Self> {
        // RFC 2047, section 2: a word has at most 75 characters. Many starts of words would else each
        // search the whole text for an end.
        let behind = text.get(..LONGEST_WORD).unwrap_or(text).get(2..)?;
        let mut parts = behind.splitn(3, |b| *b == b'?');
        let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let end = rest.windows(2).position(|pair| pair == b"?=")?;
        let data = rest.get(..end)?;
        let length = 2 + charset.len() + 1 + encoding.len() + 1 + end + 2;
        let bytes = match encoding {
            b"B" | b"b" => crate::operators::codec::decoded(data)?,
            b"Q" | b"q" => from_q(data)?,
            _ => return None,
        };
        Some(Self { charset, bytes, length })
    }

    fn push(&self, out: &mut Vec<u8>) {
        // RFC 2231 section 5: a language may follow the name.
        let charset = self.charset.split(|b| *b == b'*').next().unwrap_or_default();
        // A NUL would end the text for programs in C.
        let bytes = self.bytes.iter().map(|b| if *b == 0 { b'?' } else { *b });
        if charset.eq_ignore_ascii_case(b"iso-8859-1") {
            let text: String = bytes.map(char::from).collect();
            out.extend_from_slice(text.as_bytes());
        } else {
            out.extend(bytes);
        }
    }
}

fn from_q(data: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), data);
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match byte {
            b'_' => b' ',
            b' ' | b'\t' => return None,
            b'=' => {
                let digit = |at| rest.get(at).and_then(|b| char::from(*b).to_digit(16));
                let byte = digit(0)? << 4 | digit(1)?;
                rest = rest.get(2..)?;
                byte.to_le_bytes()[0]
            }
            byte => byte,
        });
    }
    Some(bytes)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"?=()<>@,;:\\\".[]_".contains(&byte)
}

const START: &[u8] = b"=?UTF-8?Q?";

/// The most characters of a word that is decoded.
const LONGEST_WORD: usize = 75;
/// The most characters of an encoded word; the start of the first word is not counted.
const LONGEST: usize = 67;
