//! Base64, hexadecimal and xtext.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use crate::function::{Part, Problem, copy};

pub(crate) fn base64(out: &mut Vec<u8>, part: Part) {
    let text = copy(out, part);
    push_base64(out, &text);
}

/// Blanks and line ends between the characters do not count.
pub(crate) fn base64_decode(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let mut text = copy(out, part);
    text.retain(|b| !crate::list::is_blank(*b));
    out.extend(decoded(&text).ok_or("base64")?);
    Ok(())
}

/// Decodes base64; bits that are left over in the last character do not count.
pub(crate) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut encoding = BASE64.specification();
    encoding.check_trailing_bits = false;
    encoding.encoding().ok()?.decode(text).ok()
}

pub(crate) fn hex_to_base64(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let bytes = HEXLOWER_PERMISSIVE.decode(&copy(out, part));
    let bytes = bytes.map_err(|_| Problem::Expected("pairs of hexadecimal digits"))?;
    push_base64(out, &bytes);
    Ok(())
}

/// RFC 3461, section 4: `+` and two digits in upper case are a byte; they may be in lower case here.
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
            return Err("two hexadecimal digits behind each +".into());
        };
        out.push((high << 4 | low).to_le_bytes()[0]);
        rest = rest.get(2..).unwrap_or_default();
    }
    Ok(())
}

fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + BASE64.encode_len(bytes.len()), 0);
    if let Some(room) = out.get_mut(start..) {
        BASE64.encode_mut(bytes, room);
    }
}
