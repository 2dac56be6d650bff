//! `eval`: expressions of 64-bit numbers.
//!
//! Products and shifts wrap, as does a multiplier after a number; sums are refused if one side
//! exceeds half of the range.

use crate::evaluate::function::{Part, Problem, copy};
use crate::operators::list::is_blank;
use crate::operators::text::push_number;

pub(crate) fn evaluate(
    out: &mut Vec<u8>,
    part: Part,
    decimal: bool,
    deepest: usize,
) -> Result<(), Problem> {
    let text = copy(out, part);
    let mut expression = Expression { text: &text, pos: 0, decimal, depth: 0, deepest };
    let value = expression.binary(0)?;
    if expression.peek().is_some() {
        return Err(expression.problem("operator expected"));
    }
    push_number(out, value);
    Ok(())
}

struct Expression<'t> {
    text: &'t [u8],
    pos: usize,
    decimal: bool,
    depth: usize,
    deepest: usize,
}

impl Expression<'_> {
    /// Reads the operators of this level of [`LEVELS`] and their operands, which bind more tightly.
    fn binary(&mut self, level: usize) -> Result<i64, Problem> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut value = self.binary(level + 1)?;
        loop {
            let rest = self.text.get(self.pos..).unwrap_or_default();
            let found = operators.iter().find(|(word, _)| rest.starts_with(word));
            let Some((word, operator)) = found else { return Ok(value) };
            self.pos += word.len();
            let other = self.binary(level + 1)?;
            value = operator(value, other).map_err(|problem| self.problem(problem))?;
        }
    }

    fn unary(&mut self) -> Result<i64, Problem> {
        self.skip_blanks();
        let Some(sign @ (b'+' | b'-' | b'~')) = self.peek() else { return self.operand() };
        self.pos += 1;
        self.enter()?;
        let value = self.unary()?;
        self.depth -= 1;
        Ok(match sign {
            b'-' => value.wrapping_neg(),
            b'~' => !value,
            _ => value,
        })
    }

    fn operand(&mut self) -> Result<i64, Problem> {
        let value = match self.peek() {
            Some(b'0'..=b'9') => self.number(),
            Some(b'(') => {
                self.pos += 1;
                self.enter()?;
                let value = self.binary(0)?;
                self.depth -= 1;
                if self.peek() != Some(b')') {
                    return Err(self.problem("closing parenthesis expected"));
                }
                self.pos += 1;
                value
            }
            _ => return Err(self.problem("number or opening parenthesis expected")),
        };
        self.skip_blanks();
        Ok(value)
    }

    /// Reads a number; a number out of range becomes the greatest.
    fn number(&mut self) -> i64 {
        let rest = self.text.get(self.pos..).unwrap_or_default();
        let (radix, prefix) = match rest {
            _ if self.decimal => (10, 0),
            [b'0', b'x' | b'X', ..] => (16, 2),
            [b'0', ..] => (8, 0),
            _ => (10, 0),
        };
        let mut value = Some(0_i64);
        self.pos += prefix;
        while let Some(digit) = self.peek().and_then(|b| char::from(b).to_digit(radix)) {
            let more =
                |value: i64| value.checked_mul(i64::from(radix))?.checked_add(i64::from(digit));
            value = value.and_then(more);
            self.pos += 1;
        }
        let value = value.unwrap_or(i64::MAX);
        let shift = match self.peek().map(|b| b.to_ascii_lowercase()) {
            Some(b'k') => 10,
            Some(b'm') => 20,
            Some(b'g') => 30,
            _ => return value,
        };
        self.pos += 1;
        value.wrapping_shl(shift)
    }

    fn enter(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > self.deepest { Err(Problem::TooDeep(self.deepest)) } else { Ok(()) }
    }

    fn skip_blanks(&mut self) {
        let rest = self.text.get(self.pos..).unwrap_or_default();
        self.pos += rest.iter().take_while(|b| is_blank(**b)).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    fn problem(&self, problem: &'static str) -> Problem {
        Problem::Arithmetic { offset: self.pos, problem }
    }
}

type Binary = fn(i64, i64) -> Result<i64, &'static str>;

/// Operators, from the loosest to the tightest.
const LEVELS: &[&[(&[u8], Binary)]] = &[
    &[(b"|", |a, b| Ok(a | b))],
    &[(b"^", |a, b| Ok(a ^ b))],
    &[(b"&", |a, b| Ok(a & b))],
    &[
        (b"<<", |a, b| Ok(a.wrapping_shl(b.cast_unsigned().to_le_bytes()[0].into()))),
        (b">>", |a, b| Ok(a.wrapping_shr(b.cast_unsigned().to_le_bytes()[0].into()))),
    ],
    &[(b"+", |a, b| sum(a, b, i64::wrapping_add)), (b"-", |a, b| sum(a, b, i64::wrapping_sub))],
    &[
        (b"*", |a, b| Ok(a.wrapping_mul(b))),
        (b"/", |a, b| quotient(a, b, i64::wrapping_div)),
        (b"%", |a, b| quotient(a, b, i64::wrapping_rem)),
    ],
];

/// Exim's check, which looks only at the first number if both are large.
fn sum(a: i64, b: i64, operator: fn(i64, i64) -> i64) -> Result<i64, &'static str> {
    const HALF: i64 = i64::MAX / 2;
    if a >= HALF || (a <= -HALF && b <= -HALF) { Err("overflow") } else { Ok(operator(a, b)) }
}

fn quotient(a: i64, b: i64, operator: fn(i64, i64) -> i64) -> Result<i64, &'static str> {
    match (a, b) {
        (_, 0) => Err("division by zero"),
        (i64::MIN, -1) => Ok(i64::MAX),
        _ => Ok(operator(a, b)),
    }
}
