//! Names of IMAP folders: RFC 3501, section 5.1.3, for the file system.

use crate::evaluate::function::{Part, Problem};
use crate::operators::codec::push_digits;

/// Encodes a name in UTF-8: its separators become dots; special and non-printable characters become
/// modified UTF-7.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    name: Part,
    separator: Option<Part>,
    specials: Part,
) -> Result<(), Problem> {
    let separator = match separator.map(|part| out.get(part).unwrap_or_default()) {
        None => b'/',
        Some([separator]) => *separator,
        Some(_) => return Err("a separator of one character".into()),
    };
    let specials = out.get(specials).unwrap_or_default().to_vec();
    let name = out.get(name).and_then(|name| std::str::from_utf8(name).ok());
    let name = name.ok_or("a UTF-8 name")?.to_owned();
    let name = name.strip_prefix(char::from(separator)).unwrap_or(&name);
    let is_plain = |c: char| {
        let byte = u8::try_from(c).ok().filter(|byte| matches!(byte, b' '..=b'~'));
        byte.is_some_and(|byte| byte == separator || !specials.contains(&byte))
    };
    let start = out.len();
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if !is_plain(c) {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
            continue;
        }
        shift_back(out, &mut shifted);
        match u8::try_from(c).unwrap_or(b'?') {
            byte if byte == separator => {
                if out.len() == start || out.last() != Some(&b'.') {
                    out.push(b'.');
                }
            }
            b'.' | b'/' => return Err("a name without dots and slashes".into()),
            b'&' => out.extend_from_slice(b"&-"),
            byte => out.push(byte),
        }
    }
    shift_back(out, &mut shifted);
    if out.len() > start {
        out.pop_if(|last| *last == b'.');
    }
    Ok(())
}

fn shift_back(out: &mut Vec<u8>, shifted: &mut Vec<u8>) {
    if shifted.is_empty() {
        return;
    }
    out.push(b'&');
    push_digits(out, shifted, DIGITS);
    out.push(b'-');
    shifted.clear();
}

/// With a comma in place of the slash.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
