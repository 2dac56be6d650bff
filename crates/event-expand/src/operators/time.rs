//! Time intervals: `1w2d3h4m5s`.

use crate::evaluate::function::{Part, Problem, copy};
use crate::operators::text::push_number;

/// Writes the seconds of an interval. Each number needs its letter.
pub(crate) fn evaluate(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let expected = Problem::Expected("a time interval such as 1h30m");
    let text = copy(out, part);
    let (mut rest, mut total) = (&text[..], 0_i64);
    while total == 0 || !rest.is_empty() {
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, behind) = rest.split_at_checked(length).ok_or(expected)?;
        let digits = std::str::from_utf8(digits).map_err(|_| expected)?;
        let number: i64 = digits.parse().map_err(|_| expected)?;
        let (letter, behind) = behind.split_first().ok_or(expected)?;
        let seconds = match letter {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return Err(expected),
        };
        let seconds = number.checked_mul(seconds).and_then(|span| span.checked_add(total));
        total = seconds.filter(|total| *total <= i64::from(i32::MAX)).ok_or(expected)?;
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    push_number(out, total);
    Ok(())
}

/// Writes an interval for a number of seconds. The number is cut to 32 bits.
pub(crate) fn interval(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let text = out.get(part).unwrap_or_default();
    let seconds = text.iter().try_fold(0_i32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i32::from(digit - b'0'))?;
        Some(number.wrapping_mul(10).wrapping_add(digit))
    });
    let seconds = seconds.ok_or("a non-negative number")?;
    if seconds < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut rest = seconds.unsigned_abs();
    for (span, letter) in [(604_800, b'w'), (86_400, b'd'), (3600, b'h'), (60, b'm')] {
        // For the least number, which has no positive counterpart, Exim omits the weeks.
        if rest >= span && (seconds != i32::MIN || letter != b'w') {
            push_number(out, rest / span);
            out.push(letter);
        }
        rest %= span;
    }
    if rest > 0 || out.len() == start {
        push_number(out, rest);
        out.push(b's');
    }
    Ok(())
}
