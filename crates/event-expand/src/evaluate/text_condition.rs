//! Comparisons of texts and numbers.

use std::cmp::Ordering;

use crate::operators::list::trim;

/// A comparison, by its word in a template.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) order: Order,
    pub(crate) kind: OperandType,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum OperandType {
    /// Signed numbers.
    Number,
    /// Bytes.
    Text,
    /// Bytes, ASCII letters without case.
    Folded,
}

impl Comparison {
    /// Tells whether equal texts are what it looks for.
    pub(crate) fn is_equation(self) -> bool {
        self.order == Order::Equal && self.kind != OperandType::Number
    }

    pub(crate) fn find(word: &str) -> Option<Self> {
        let (kind, order) = match word {
            "<" => (OperandType::Number, Order::Less),
            "<=" => (OperandType::Number, Order::LessOrEqual),
            "=" | "==" => (OperandType::Number, Order::Equal),
            ">=" => (OperandType::Number, Order::GreaterOrEqual),
            ">" => (OperandType::Number, Order::Greater),
            _ => {
                let (kind, word) = match word.strip_suffix('i') {
                    Some(word) => (OperandType::Folded, word),
                    None => (OperandType::Text, word),
                };
                let order = match word {
                    "lt" => Order::Less,
                    "le" => Order::LessOrEqual,
                    "eq" => Order::Equal,
                    "ge" => Order::GreaterOrEqual,
                    "gt" => Order::Greater,
                    _ => return None,
                };
                (kind, order)
            }
        };
        Some(Self { order, kind })
    }

    /// Tells whether a list can be sorted by it.
    pub(crate) fn sorts(self) -> bool {
        self.order != Order::Equal
    }

    pub(crate) fn texts(self, a: &[u8], b: &[u8]) -> bool {
        self.order.holds(match self.kind {
            OperandType::Folded => folded_order(a, b),
            OperandType::Number | OperandType::Text => a.cmp(b),
        })
    }

    pub(crate) fn numbers(self, a: i64, b: i64) -> bool {
        self.order.holds(a.cmp(&b))
    }
}

impl Order {
    fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Equal => found.is_eq(),
            Self::GreaterOrEqual => found.is_ge(),
            Self::Greater => found.is_gt(),
        }
    }
}

/// Exim's order without case: of two texts with a common start the shorter one is greater.
fn folded_order(a: &[u8], b: &[u8]) -> Ordering {
    let lower = u8::to_ascii_lowercase;
    let differs = a.iter().map(lower).zip(b.iter().map(lower)).find(|(a, b)| a != b);
    match differs {
        Some((a, b)) => a.cmp(&b),
        None if a.len() == b.len() => Ordering::Equal,
        None => Ordering::Greater,
    }
}

/// Returns the truth value of a text, as in the condition `bool` and in Exim's options called
/// `condition`: an empty text, `no`, `false` and zero are false; `yes`, `true` and any other
/// integer are true. `None` for any other text, which is an error there. Surrounding blanks and
/// case do not matter.
///
/// ```
/// use event_expand::truth;
///
/// assert_eq!(["", "No", "0", "-7", "yes"].map(|text| truth(text.as_bytes())), [
///     Some(false), Some(false), Some(false), Some(true), Some(true)
/// ]);
/// assert_eq!(truth(b"1.5"), None);
/// ```
#[must_use]
pub fn truth(text: &[u8]) -> Option<bool> {
    judge(text, false)
}

/// As [`truth`]; with `lax`, as the condition `bool_lax`, for which other texts are true.
pub(crate) fn judge(text: &[u8], lax: bool) -> Option<bool> {
    let text = trim(text);
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if text.is_empty() {
        Some(false)
    } else if digits.iter().all(u8::is_ascii_digit) {
        // A number beyond 64 bits becomes the greatest, whose low 32 bits are not 0.
        let number = digits.iter().try_fold(0_i64, |number, digit| {
            number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        });
        let is_zero = number.is_some_and(|number| number.trailing_zeros() >= 32);
        Some(!is_zero || (lax && text.len() > 1))
    } else if text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"yes") {
        Some(true)
    } else if text.eq_ignore_ascii_case(b"false") || text.eq_ignore_ascii_case(b"no") {
        Some(false)
    } else {
        lax.then_some(true)
    }
}
