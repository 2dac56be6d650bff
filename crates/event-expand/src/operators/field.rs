//! Fields of a text: by number between separators, or by key.

use crate::operators::list::is_blank;

/// A number with an optional `-`, as `extract` reads it; `None` for other characters. An empty text
/// is valid.
pub(crate) fn number(text: &[u8]) -> Option<i64> {
    let (digits, sign) = match text.strip_prefix(b"-") {
        Some(digits) => (digits, -1),
        None => (text, 1),
    };
    if text.is_empty() {
        return None;
    }
    digits
        .iter()
        .try_fold(0_i64, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
            Some(number.saturating_mul(10).saturating_add(digit))
        })
        .map(|number| number * sign)
}

/// The field with a number, from 1; counted from the right if negative; the whole text for 0.
pub(crate) fn by_number<'t>(text: &'t [u8], separators: &[u8], number: i64) -> Option<&'t [u8]> {
    let mut fields = text.split(|byte| separators.contains(byte));
    match number {
        0 => Some(text),
        1.. => fields.nth(usize::try_from(number - 1).ok()?),
        _ => fields.rev().nth(usize::try_from(number.checked_add(1)?.checked_neg()?).ok()?),
    }
}

/// The value of a key in `key=value key="some value"`; the case of keys does not matter.
pub(crate) fn by_key(text: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut rest = skip_blanks(text);
    while !rest.is_empty() {
        let length = rest.iter().take_while(|b| **b != b'=' && !is_blank(**b)).count();
        let (name, behind) = rest.split_at_checked(length)?;
        rest = skip_blanks(behind);
        rest = rest.strip_prefix(b"=").map_or(rest, skip_blanks);
        let value = unquoted(&mut rest);
        if name.eq_ignore_ascii_case(key) {
            return Some(value);
        }
        rest = skip_blanks(rest);
    }
    None
}

/// Takes a word, or a text in double quotes with its escapes decoded.
fn unquoted(rest: &mut &[u8]) -> Vec<u8> {
    let Some(mut quoted) = rest.strip_prefix(b"\"") else {
        let length = rest.iter().take_while(|b| !is_blank(**b)).count();
        let (word, behind) = rest.split_at_checked(length).unwrap_or_default();
        *rest = behind;
        return word.to_vec();
    };
    let mut text = Vec::new();
    while let Some((&byte, behind)) = quoted.split_first() {
        quoted = behind;
        match byte {
            b'"' => break,
            b'\\' => text.push(escaped(&mut quoted)),
            _ => text.push(byte),
        }
    }
    *rest = quoted;
    text
}

/// Takes the text after a backslash.
fn escaped(rest: &mut &[u8]) -> u8 {
    let Some((&byte, behind)) = rest.split_first() else { return b'\\' };
    *rest = behind;
    let mut digits = |radix: u32, most: usize, first: u32| {
        let mut value = first;
        for _ in 0..most {
            let digit = rest.first().and_then(|b| char::from(*b).to_digit(radix));
            let Some(digit) = digit else { break };
            value = value * radix + digit;
            *rest = rest.get(1..).unwrap_or_default();
        }
        value.to_le_bytes()[0]
    };
    match byte {
        b'0'..=b'7' => digits(8, 2, u32::from(byte - b'0')),
        b'x' => digits(16, 2, 0),
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => byte,
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    text.get(text.iter().take_while(|b| is_blank(**b)).count()..).unwrap_or_default()
}
