//! Items that need no request.

use mail_types::exim::Trust;

use crate::evaluate::{Evaluation, Halt};
use crate::operators::list::push_doubled;
use crate::operators::substring;
use crate::stop::ExpandError;
use crate::tree::{Arguments, Function, Tree};

impl Evaluation<'_> {
    pub(crate) fn function(
        &mut self,
        tree: &Tree,
        at: usize,
        function: Function,
        strings: Arguments,
    ) -> Result<Trust, Halt> {
        let start = self.out.len();
        let (mut bounds, mut trust) = ([start; 4], Trust::Trusted);
        let strings = tree.arguments(strings);
        for (string, bound) in strings.iter().zip(bounds.iter_mut().skip(1)) {
            trust = trust.max(self.argument(tree, *string)?.1);
            *bound = self.out.len();
        }
        let end = self.out.len();
        let [_, first, second, third] = bounds;
        let out = &mut self.out;
        let done = match (function, strings.len()) {
            (Function::Hmac, _) => {
                crate::operators::digest::hmac(out, start..first, first..second, second..third)
            }
            (Function::ImapFolder, given) => {
                let separator = (given > 1).then_some(first..second);
                crate::operators::imap_folder::encode(
                    out,
                    start..first,
                    separator,
                    second..third.max(second),
                )
            }
            (Function::ListQuote, _) => {
                list_quote(out, start..first, first..second);
                Ok(())
            }
            (Function::Translate, _) => {
                translate(out, start..first, first..second, second..third);
                Ok(())
            }
            (Function::Length, _) => {
                substring::item(out, function, None, Some(start..first), first..second)
            }
            (Function::Hash | Function::NumericHash | Function::Substring, 2) => {
                substring::item(out, function, Some(start..first), None, first..second)
            }
            (Function::Hash | Function::NumericHash | Function::Substring, _) => {
                let second_number = Some(first..second);
                substring::item(out, function, Some(start..first), second_number, second..third)
            }
        };
        done.map_err(|problem| problem.at(at))?;
        self.out.drain(start..end);
        self.settle(start, at)?;
        self.mark(start, trust, None);
        Ok(trust)
    }
}

/// A fault in the argument of an operator or a function.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Problem {
    Expected(&'static str),
    Arithmetic {
        offset: usize,
        problem: &'static str,
    },
    TooDeep(usize),
    #[cfg_attr(all(feature = "hash", feature = "idna"), expect(dead_code, reason = "for the rest"))]
    Feature(&'static str),
}

impl Problem {
    pub(crate) fn at(self, at: usize) -> Halt {
        match self {
            Self::Expected(expected) => ExpandError::Operand { at, expected },
            Self::Arithmetic { offset, problem } => ExpandError::Arithmetic { at, offset, problem },
            Self::TooDeep(limit) => ExpandError::TooDeep { at, limit },
            Self::Feature(feature) => ExpandError::Feature { at, feature },
        }
        .into()
    }
}

impl From<&'static str> for Problem {
    fn from(expected: &'static str) -> Self {
        Self::Expected(expected)
    }
}

/// A part of the buffer.
pub(crate) type Part = std::ops::Range<usize>;

/// Copies a part out of the buffer, for work that cannot be done in place.
pub(crate) fn copy(out: &[u8], part: Part) -> Vec<u8> {
    out.get(part).unwrap_or_default().to_vec()
}

/// Doubles the separator in an item; an empty item becomes a blank.
fn list_quote(out: &mut Vec<u8>, separator: Part, item: Part) {
    let separator = out.get(separator).and_then(|text| text.first().copied());
    let item = copy(out, item);
    match separator {
        _ if item.is_empty() => out.push(b' '),
        Some(separator) => push_doubled(out, &item, separator),
        None => out.extend_from_slice(&item),
    }
}

/// Replaces each character of a set by its counterpart; surplus characters by the last one.
fn translate(out: &mut Vec<u8>, text: Part, from: Part, to: Part) {
    let (from, to) = (copy(out, from), copy(out, to));
    for at in text {
        let Some(&byte) = out.get(at) else { break };
        let place = from.iter().rposition(|b| *b == byte);
        let other = place.and_then(|place| to.get(place).or(to.last()));
        out.push(other.copied().unwrap_or(byte));
    }
}
