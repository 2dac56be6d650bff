//! Numbers in base 32 and base 62.

use crate::evaluate::function::{Part, Problem, copy};
use crate::operators::list::is_blank;
use crate::operators::text::push_number;

pub(crate) fn encode_32(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let mut number = unsigned(&copy(out, part))?;
    let start = out.len();
    while number > 0 {
        out.extend(digit(DIGITS_32, number % 32));
        number /= 32;
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
    Ok(())
}

pub(crate) fn decode_32(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    decode(out, part, DIGITS_32, "a base-32 number")
}

/// Six digits; higher digits are lost.
pub(crate) fn encode_62(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let mut number = unsigned(&copy(out, part))?;
    let mut digits = [0; 6];
    for place in digits.iter_mut().rev() {
        *place = digit(DIGITS_62, number % 62).unwrap_or(b'0');
        number /= 62;
    }
    out.extend_from_slice(&digits);
    Ok(())
}

pub(crate) fn decode_62(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    decode(out, part, DIGITS_62, "a base-62 number")
}

fn decode(
    out: &mut Vec<u8>,
    part: Part,
    digits: &[u8],
    expected: &'static str,
) -> Result<(), Problem> {
    let base = u64::try_from(digits.len()).unwrap_or(1);
    let mut number = 0_u64;
    for byte in copy(out, part) {
        let digit = digits.iter().position(|digit| *digit == byte);
        let digit = digit.and_then(|digit| u64::try_from(digit).ok()).ok_or(expected)?;
        number = number.wrapping_mul(base).wrapping_add(digit);
    }
    push_number(out, number.cast_signed());
    Ok(())
}

fn digit(digits: &[u8], place: u64) -> Option<u8> {
    usize::try_from(place).ok().and_then(|place| digits.get(place)).copied()
}

/// Reads as C's `strtoul`: a negative number wraps, a number out of range becomes the greatest.
fn unsigned(text: &[u8]) -> Result<u64, Problem> {
    if text.is_empty() {
        return Ok(0);
    }
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    let (negative, digits) = match text.get(blanks..).unwrap_or_default() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("a decimal number".into());
    }
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    Ok(match number {
        Some(number) if negative => number.wrapping_neg(),
        number => number.unwrap_or(u64::MAX),
    })
}

const DIGITS_32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
const DIGITS_62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
