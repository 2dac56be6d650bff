//! Base64, hexadecimal and xtext.

use crate::evaluate::function::{Part, Problem, copy};

pub(crate) fn base64(out: &mut Vec<u8>, part: Part) {
    let text = copy(out, part);
    push_base64(out, &text);
}

/// Blanks and line ends between the characters are ignored.
pub(crate) fn base64_decode(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let mut text = copy(out, part);
    text.retain(|b| !crate::operators::list::is_blank(*b));
    out.extend(decoded(&text).ok_or("base64")?);
    Ok(())
}

/// Decodes padded base64; surplus bits in the last character are ignored.
pub(crate) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.get(..text.len() - padding)? {
        let place = DIGITS.iter().position(|digit| digit == byte)?;
        bits = bits << 6 | u32::try_from(place).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_le_bytes()[0]);
        }
    }
    Some(bytes)
}

pub(crate) fn hex_to_base64(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let expected = Problem::Expected("pairs of hexadecimal digits");
    let mut bytes = Vec::new();
    for pair in copy(out, part).chunks(2) {
        let [high, low] = pair else { return Err(expected) };
        let digit = |byte: &u8| char::from(*byte).to_digit(16).ok_or(expected);
        bytes.push((digit(high)? << 4 | digit(low)?).to_le_bytes()[0]);
    }
    push_base64(out, &bytes);
    Ok(())
}

/// RFC 3461 section 4: `+` and two upper-case digits are a byte; lower-case digits are accepted
/// too.
pub(crate) fn xtext_decode(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let text = copy(out, part);
    let mut rest = &text[..];
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'+' {
            out.push(byte);
            continue;
        }
        let digit = |at| rest.get(at).and_then(|b| char::from(*b).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err("two hexadecimal digits after each +".into());
        };
        out.push((high << 4 | low).to_le_bytes()[0]);
        rest = rest.get(2..).unwrap_or_default();
    }
    Ok(())
}

fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    push_digits(out, bytes, DIGITS);
    out.extend(std::iter::repeat_n(b'=', (3 - bytes.len() % 3) % 3));
}

/// Writes six bits per digit, without padding.
pub(crate) fn push_digits(out: &mut Vec<u8>, bytes: &[u8], digits: &[u8; 64]) {
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            out.extend(digits.get(bits >> (18 - 6 * place) & 63));
        }
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
