//! Items that process a list.

use std::rc::Rc;

use mail_types::exim::Trust;

use crate::evaluate::text_condition::{Comparison, OperandType};
use crate::evaluate::{Evaluation, Halt, Kept};
use crate::operators::list::{self, push_item, trim};
use crate::operators::number;
use crate::stop::ExpandError;
use crate::tree::{ConditionId, Sequence, Tree};

impl Evaluation<'_> {
    pub(crate) fn filter(
        &mut self,
        tree: &Tree,
        at: usize,
        list: Sequence,
        condition: ConditionId,
    ) -> Result<Trust, Halt> {
        Self::skip_condition(tree, condition)?;
        self.new_list(tree, at, list, |run, item, start, separator| {
            if run.condition(tree, condition)? {
                push_item(&mut run.out, start, &item.bytes, separator);
                run.settle(run.out.len() - item.bytes.len().min(run.out.len()), at)?;
            }
            Ok(item.trust)
        })
    }

    pub(crate) fn map(
        &mut self,
        tree: &Tree,
        at: usize,
        list: Sequence,
        body: Sequence,
    ) -> Result<Trust, Halt> {
        Self::skip_sequence(tree, body)?;
        self.new_list(tree, at, list, |run, item, start, separator| {
            let querying = std::mem::replace(&mut run.querying, false);
            let from = run.out.len();
            let trust = run.sequence(tree, body)?;
            run.querying = querying;
            let text = run.out.split_off(from);
            push_item(&mut run.out, start, &text, separator);
            run.settle(from, at)?;
            Ok(trust.max(item.trust))
        })
    }

    /// Processes a list, and writes the resulting list.
    fn new_list(
        &mut self,
        tree: &Tree,
        at: usize,
        list: Sequence,
        mut each: impl FnMut(&mut Self, &Kept, usize, u8) -> Result<Trust, Halt>,
    ) -> Result<Trust, Halt> {
        let (text, named) = self.list_argument(tree, list)?;
        let (start, outer) = (self.out.len(), self.item.clone());
        let querying = std::mem::replace(&mut self.querying, false);
        let mut items = list::items(&text.bytes, named);
        let (mut count, mut trust) = (0, Trust::Trusted);
        while let Some(item) = items.next() {
            self.count_item(&mut count, at)?;
            let item = Rc::new(Kept { bytes: item.into_owned(), trust: text.trust });
            self.item = Some(Rc::clone(&item));
            trust = trust.max(each(self, &item, start, items.separator())?);
        }
        if self.out.len() > start {
            self.out.pop(); // The separator after the last.
        }
        self.item = outer;
        self.querying = querying;
        self.mark(start, trust, None);
        Ok(trust)
    }

    pub(crate) fn reduce(
        &mut self,
        tree: &Tree,
        at: usize,
        list: Sequence,
        first: Sequence,
        body: Sequence,
    ) -> Result<Trust, Halt> {
        Self::skip_sequence(tree, body)?;
        let (text, named) = self.list_argument(tree, list)?;
        let (item, value) = (self.item.clone(), self.value.clone());
        let first = self.kept_argument(tree, first)?;
        self.value = Some(Rc::new(first));
        let mut count = 0;
        for item in list::items(&text.bytes, named) {
            self.count_item(&mut count, at)?;
            self.item = Some(Rc::new(Kept { bytes: item.into_owned(), trust: text.trust }));
            let next = self.kept_argument(tree, body)?;
            self.value = Some(Rc::new(next));
        }
        let result = std::mem::replace(&mut self.value, value);
        self.item = item;
        self.push_kept(result, at)
    }

    pub(crate) fn sort(
        &mut self,
        tree: &Tree,
        at: usize,
        list: Sequence,
        order: Comparison,
        key: Sequence,
    ) -> Result<Trust, Halt> {
        Self::skip_sequence(tree, key)?;
        let (text, named) = self.list_argument(tree, list)?;
        let outer = self.item.clone();
        let mut items = list::items(&text.bytes, named);
        let mut sorted: Vec<(Vec<u8>, Rc<Kept>)> = Vec::new();
        let (mut count, mut trust) = (0, text.trust);
        for item in items.by_ref() {
            self.count_item(&mut count, at)?;
            let item = Rc::new(Kept { bytes: item.into_owned(), trust: text.trust });
            self.item = Some(Rc::clone(&item));
            let Kept { bytes: key, trust: from } = self.kept_argument(tree, key)?;
            trust = trust.max(from);
            if key.is_empty() {
                let expected = "a non-empty key";
                return Err(ExpandError::Operand { at, expected }.into());
            }
            let mut place = sorted.len();
            for (other, (known, _)) in sorted.iter().enumerate() {
                self.charge(1, at)?;
                if before(order, &key, known) {
                    place = other;
                    break;
                }
            }
            sorted.insert(place, (trim(&key).to_vec(), item));
        }
        self.item = outer;
        let start = self.out.len();
        for (_, item) in &sorted {
            push_item(&mut self.out, start, &item.bytes, items.separator());
        }
        if !sorted.is_empty() {
            self.out.pop();
        }
        self.settle(start, at)?;
        self.mark(start, trust, None);
        Ok(trust)
    }

    pub(crate) fn count_item(&mut self, count: &mut usize, at: usize) -> Result<(), Halt> {
        let limit = self.options.limits.items;
        *count += 1;
        if *count > limit {
            return Err(ExpandError::TooManyItems { at, limit }.into());
        }
        self.charge(1, at)
    }
}

/// Tells whether a key sorts before another; in a numeric comparison a key that is not a number
/// does not.
fn before(order: Comparison, a: &[u8], b: &[u8]) -> bool {
    if order.kind != OperandType::Number {
        return order.texts(a, b);
    }
    match (number::integer(a), number::integer(b)) {
        (Ok(a), Ok(b)) => order.numbers(a, b),
        _ => false,
    }
}
