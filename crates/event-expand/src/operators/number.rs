//! Numbers in conditions and arguments.

use crate::operators::list::{is_blank, trim};
use crate::stop::ExpandError;

/// The reason why a text is not a number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum NumberError {
    NotANumber,
    Overflow,
}

impl NumberError {
    pub(crate) fn at(self, at: usize) -> ExpandError {
        match self {
            Self::NotANumber => ExpandError::Operand { at, expected: "a whole number" },
            Self::Overflow => ExpandError::Overflow { at },
        }
    }
}

/// A decimal number of 64 bits, with a sign and with `k`, `m` or `g` for 1024 and its powers;
/// surrounding blanks are ignored. Only blanks are 0.
pub(crate) fn integer(text: &[u8]) -> Result<i64, NumberError> {
    if trim(text).is_empty() {
        return Ok(0);
    }
    let (number, rest) = leading(text).ok_or(NumberError::NotANumber)?;
    let (factor, rest) = match rest {
        [b'k' | b'K', rest @ ..] => (1 << 10, rest),
        [b'm' | b'M', rest @ ..] => (1 << 20, rest),
        [b'g' | b'G', rest @ ..] => (1 << 30, rest),
        _ => (1, rest),
    };
    let number = number.and_then(|number| number.checked_mul(factor));
    // The greatest numbers that Exim accepts with a multiplier are the bounds divided by it.
    let number = number.ok_or(NumberError::Overflow)?;
    if trim(rest).is_empty() { Ok(number) } else { Err(NumberError::NotANumber) }
}

/// The number at the start of a text, with an inner `None` beyond 64 bits, and the rest.
pub(crate) fn leading(text: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    let text = text.get(blanks..)?;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(length).filter(|_| length > 0)?;
    let number = digits.iter().try_fold(0_i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        number.checked_mul(10)?.checked_add(if negative { -digit } else { digit })
    });
    Some((number, rest))
}
