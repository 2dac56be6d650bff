//! Parts of a text, and its old hashes.

use std::io::Write as _;

use crate::evaluate::function::{Part, Problem, copy};
use crate::operators::list::is_blank;
use crate::tree::Function;

/// `${substr{first}{second}{text}}` and similar items, with numbers in texts.
pub(crate) fn item(
    out: &mut Vec<u8>,
    function: Function,
    first: Option<Part>,
    second: Option<Part>,
    text: Part,
) -> Result<(), Problem> {
    let first = first.map(|part| number(out, part)).transpose()?.unwrap_or(0);
    let second = second.map(|part| number(out, part)).transpose()?;
    if second.is_some_and(|second| second < 0) {
        return Err("a non-negative number".into());
    }
    apply(out, function, first, second, text)
}

/// `${substr_1_2:text}` and similar operators, with numbers after the name.
pub(crate) fn operator(
    out: &mut Vec<u8>,
    function: Function,
    argument: Option<&str>,
    text: Part,
) -> Result<(), Problem> {
    let expected = Problem::Expected("numbers after the operator's name, with _ between them,");
    let argument = argument.ok_or(expected)?;
    let (negative, numbers) = match argument.strip_prefix('-') {
        Some(numbers) if function == Function::Substring => (true, numbers),
        _ => (false, argument),
    };
    let parse = |digits: &str| {
        let value = digits.bytes().try_fold(0_i64, |value, b| {
            let digit = b.is_ascii_digit().then(|| i64::from(b - b'0'));
            digit.map(|digit| value.saturating_mul(10).saturating_add(digit))
        });
        value.map(|value| value.min(i64::from(i32::MAX))).ok_or(expected)
    };
    let (first, second) = match numbers.split_once('_') {
        _ if function == Function::Length => (0, Some(parse(numbers)?)),
        // A `_` needs digits on both sides.
        Some((first, second)) if !first.is_empty() && !second.is_empty() => {
            (parse(first)?, Some(parse(second)?))
        }
        _ => (parse(numbers)?, None),
    };
    apply(out, function, if negative { -first } else { first }, second, text)
}

fn number(out: &[u8], part: Part) -> Result<i64, Problem> {
    let expected = Problem::Expected("a number");
    let text = out.get(part).unwrap_or_default();
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    let text = text.get(blanks..).unwrap_or_default();
    if text.is_empty() && blanks == 0 {
        return Ok(0);
    }
    let (number, rest) = crate::operators::number::leading(text).ok_or(expected)?;
    // A number is cut to 32 bits.
    let cut = |number: i64| i64::from(i32::from_le_bytes(low(number)));
    let saturated = if text.starts_with(b"-") { i64::MIN } else { i64::MAX };
    if rest.is_empty() { Ok(cut(number.unwrap_or(saturated))) } else { Err(expected) }
}

fn low(number: i64) -> [u8; 4] {
    let [a, b, c, d, ..] = number.to_le_bytes();
    [a, b, c, d]
}

fn apply(
    out: &mut Vec<u8>,
    function: Function,
    first: i64,
    second: Option<i64>,
    text: Part,
) -> Result<(), Problem> {
    match function {
        Function::Hash => hash(out, first, second, text),
        Function::NumericHash => numeric_hash(out, first, second, text),
        _ => {
            let bounds = bounds(text.len(), first, second);
            let part = text.start + bounds.start..text.start + bounds.end;
            out.extend_from_within(part);
            Ok(())
        }
    }
}

/// The bounds of a substring: from an offset, counted from the right if negative; without a length
/// to the end, or to the start.
fn bounds(length: usize, offset: i64, count: Option<i64>) -> Part {
    let from_left = usize::try_from(offset).ok();
    let count = count.map(|count| usize::try_from(count).unwrap_or(0));
    match from_left {
        Some(from) if from > length => length..length,
        Some(from) => from..count.map_or(length, |count| from.saturating_add(count).min(length)),
        None => {
            let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            match (length.checked_sub(back), count) {
                (Some(from), Some(count)) => from..from.saturating_add(count).min(length),
                (Some(from), None) => 0..from,
                (None, count) => {
                    // The part before the start is cut off.
                    let count = count.unwrap_or(0).saturating_sub(back - length);
                    0..count.min(length)
                }
            }
        }
    }
}

/// Folds a text into this many characters, out of the first of 62.
fn hash(out: &mut Vec<u8>, length: i64, codes: Option<i64>, text: Part) -> Result<(), Problem> {
    let codes = usize::try_from(codes.unwrap_or(26)).unwrap_or(0);
    if codes > CODES.len() {
        return Err("a count of at most 62 characters".into());
    }
    let length = usize::try_from(length).map_err(|_| Problem::Expected("a non-negative length"))?;
    if length >= text.len() {
        out.extend_from_within(text);
        return Ok(());
    }
    let mut hash = copy(out, text.start..text.start + length);
    let rest = copy(out, text.start + length..text.end);
    if length > 0 && codes == 0 {
        return Err("a positive number of characters".into());
    }
    // With length 0 every byte would go to a place that does not exist.
    for ((place, byte), at) in (0..length.max(1)).cycle().zip(rest).zip(length..) {
        let shift = (usize::from(byte) + at) & 7;
        let wide = u16::from(byte);
        let rotated = (wide << shift) | (wide >> (8 - shift));
        if let Some(target) = hash.get_mut(place) {
            *target ^= rotated.to_le_bytes()[0];
        }
    }
    let code = |byte: u8| CODES.get(usize::from(byte) % codes).copied();
    out.extend(hash.into_iter().filter_map(code));
    Ok(())
}

/// Computes the sum of a text, and writes the remainder, or two of them.
fn numeric_hash(
    out: &mut Vec<u8>,
    first: i64,
    second: Option<i64>,
    text: Part,
) -> Result<(), Problem> {
    let primes = PRIMES.iter().rev().cycle();
    let text = out.get(text).unwrap_or_default();
    let total = primes.zip(text).fold(0_u64, |total, (prime, byte)| {
        total.wrapping_add(u64::from(*prime) * u64::from(*byte))
    });
    let least = Problem::Expected("positive divisors, with a product of at most 31 bits,");
    let divisor = |number: i64| u64::try_from(number).ok().filter(|n| *n > 0).ok_or(least);
    let written = match second {
        None => write!(out, "{}", total % divisor(first)?),
        Some(second) => {
            let (first, second) = (divisor(first)?, divisor(second)?);
            let product = first.checked_mul(second).filter(|p| *p <= 0x7fff_ffff).ok_or(least)?;
            let total = total % product;
            write!(out, "{}/{}", total / second, total % second)
        }
    };
    written.map_err(|_| least)
}

const CODES: &[u8; 62] = b"abcdefghijklmnopqrtsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Exim's table begins with 2, but its loop never reaches it.
const PRIMES: [u32; 29] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113,
];
