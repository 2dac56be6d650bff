//! Evaluates conditions.

use std::rc::Rc;

use mail_types::exim::{LookupResult, Variable};

use crate::call::HostCall;
use crate::evaluate::text_condition::{Comparison, OperandType, judge};
use crate::evaluate::{Captures, Evaluation, Halt, Kept};
use crate::operators::ip::{self, Family};
use crate::operators::json::{self, JsonList};
use crate::operators::list;
use crate::operators::number;
use crate::operators::pattern::{Groups, MatchError, Pattern};
use crate::stop::ExpandError;
use crate::tree::condition::Test;
use crate::tree::{Arguments, ConditionId, NameId, PatternId, Sequence, Tree};
use crate::variables::HeaderForm;

impl Evaluation<'_> {
    pub(crate) fn condition(&mut self, tree: &Tree, condition: ConditionId) -> Result<bool, Halt> {
        let condition = tree.condition(condition)?;
        self.enter(condition.at)?;
        let at = condition.at as usize;
        self.charge(1, at)?;
        let holds = self.holds(tree, at, &condition.test)?;
        self.leave();
        Ok(holds != condition.negated)
    }

    pub(crate) fn skip_condition(tree: &Tree, condition: ConditionId) -> Result<(), Halt> {
        let condition = tree.condition(condition)?;
        Self::skip(tree, condition.at, condition.end)
    }

    fn holds(&mut self, tree: &Tree, at: usize, asked: &Test) -> Result<bool, Halt> {
        let variables = self.variables;
        match asked {
            Test::Defined(name) => self.is_defined(tree, *name, at),
            Test::DefinedValue => Ok(match (&self.value, variables.variable("value")) {
                (Some(value), _) => !value.bytes.is_empty(),
                (None, Variable::Value(value)) => !value.as_bytes().is_empty(),
                (None, _) => false,
            }),
            Test::DefinedItem => Ok(self.item.as_ref().is_some_and(|v| !v.bytes.is_empty())),
            Test::DefinedHeader(name) => {
                let header = variables.header(name, HeaderForm::Raw);
                Ok(matches!(header, Variable::Value(_)))
            }
            Test::State(state) => Ok(variables.is_in(*state)),
            Test::Compare(comparison, a, b) => self.compare(tree, at, *comparison, *a, *b),
            Test::Match(subject, pattern, known) => {
                self.matches(tree, at, *subject, *pattern, *known)
            }
            Test::MatchList(subject, list) => {
                let subject = self.kept_argument(tree, *subject)?;
                self.match_list(at, &subject, &list.list)
            }
            Test::InList { folded, text, list } => self.in_list(tree, at, *folded, *text, *list),
            Test::IsIp([v4, v6], text) => {
                let (start, _) = self.argument(tree, *text)?;
                let family = ip::family(self.out.get(start..).unwrap_or_default(), false);
                self.out.truncate(start);
                Ok(match family {
                    Some((Family::V4, _)) => *v4,
                    Some((Family::V6, _)) => *v6,
                    None => false,
                })
            }
            Test::All(conditions) => self.group(tree, conditions, true),
            Test::Any(conditions) => self.group(tree, conditions, false),
            Test::ForEach { any, json, list, condition } => {
                self.for_each(tree, at, *any, *json, *list, *condition)
            }
            Test::Bool { lax, text } => {
                let (start, _) = self.argument(tree, *text)?;
                let truth = judge(self.out.get(start..).unwrap_or_default(), *lax);
                self.out.truncate(start);
                let expected = "true, yes, false, no or a number";
                truth.ok_or_else(|| ExpandError::Operand { at, expected }.into())
            }
            Test::Call(call, strings) => self.call_condition(tree, at, *call, *strings),
        }
    }

    fn is_defined(&mut self, tree: &Tree, name: NameId, at: usize) -> Result<bool, Halt> {
        let name = tree.name(name);
        match self.variables.variable(name) {
            Variable::Unknown => Err(ExpandError::UnknownVariable { at, name: name.into() }.into()),
            Variable::Unset => Ok(false),
            Variable::Value(value) => Ok(!value.as_bytes().is_empty()),
        }
    }

    fn compare(
        &mut self,
        tree: &Tree,
        at: usize,
        comparison: Comparison,
        a: Sequence,
        b: Sequence,
    ) -> Result<bool, Halt> {
        let (from, _) = self.argument(tree, a)?;
        let (between, _) = self.argument(tree, b)?;
        let a = self.out.get(from..between).unwrap_or_default();
        let b = self.out.get(between..).unwrap_or_default();
        let holds = if comparison.kind == OperandType::Number {
            let number = |text| number::integer(text).map_err(|error| Halt::from(error.at(at)));
            comparison.numbers(number(a)?, number(b)?)
        } else {
            comparison.texts(a, b)
        };
        self.out.truncate(from);
        Ok(holds)
    }

    fn matches(
        &mut self,
        tree: &Tree,
        at: usize,
        subject: Sequence,
        pattern: Sequence,
        known: Option<PatternId>,
    ) -> Result<bool, Halt> {
        let (from, trust) = self.argument(tree, subject)?;
        let (between, _) = self.argument(tree, pattern)?;
        let compiled;
        let pattern = if let Some(pattern) = known.and_then(|known| tree.pattern(known)) {
            pattern
        } else {
            let pattern = self.out.get(between..).unwrap_or_default();
            compiled = Pattern::new(pattern, &self.options.limits);
            self.charge(compiled.steps(), at)?;
            &compiled
        };
        let subject = self.out.get(from..between).unwrap_or_default();
        let searched = pattern.matcher(subject).and_then(|mut matcher| {
            Ok((matcher.search(0, false, self.steps_left())?, matcher.take_steps()))
        });
        let (found, steps) = searched.map_err(|error| self.regex_error(error, at))?;
        let holds = found.is_some();
        if let Some(groups) = found {
            self.capture(Rc::new(Kept { bytes: subject.to_vec(), trust }), groups);
        }
        self.charge(steps + (self.out.len() - from) / 16, at)?;
        self.out.truncate(from);
        Ok(holds)
    }

    pub(crate) fn capture(&mut self, subject: Rc<Kept>, groups: Groups) {
        self.captures = Some(Rc::new(Captures { subject, groups }));
    }

    pub(crate) fn regex_error(&self, error: MatchError, at: usize) -> Halt {
        match error {
            MatchError::Pattern(fault) => fault.error(at).into(),
            MatchError::Steps => {
                ExpandError::TooManySteps { at, limit: self.options.limits.steps }.into()
            }
            MatchError::Work => {
                ExpandError::RegexWork { at, limit: self.options.limits.regex_backtracks }.into()
            }
        }
    }

    fn in_list(
        &mut self,
        tree: &Tree,
        at: usize,
        folded: bool,
        text: Sequence,
        list: Sequence,
    ) -> Result<bool, Halt> {
        let text = self.kept_argument(tree, text)?;
        let (list, named) = self.list_argument(tree, list)?;
        let mut count = 0;
        for item in list::items(&list.bytes, named) {
            self.count_item(&mut count, at)?;
            let is_same =
                if folded { item.eq_ignore_ascii_case(&text.bytes) } else { *item == *text.bytes };
            if is_same {
                let kept = Kept { bytes: item.into_owned(), trust: list.trust };
                self.value = Some(Rc::new(kept));
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn group(&mut self, tree: &Tree, conditions: &[ConditionId], all: bool) -> Result<bool, Halt> {
        let mut holds = all;
        for condition in conditions {
            if holds == all {
                holds = self.condition(tree, *condition)?;
            } else {
                Self::skip_condition(tree, *condition)?;
            }
        }
        Ok(holds)
    }

    fn for_each(
        &mut self,
        tree: &Tree,
        at: usize,
        any: bool,
        json: Option<JsonList>,
        list: Sequence,
        condition: ConditionId,
    ) -> Result<bool, Halt> {
        Self::skip_condition(tree, condition)?;
        let (text, named) = self.list_argument(tree, list)?;
        let array = match json {
            Some(_) => json::unwrap(&text.bytes, b'[', b']').map(|(array, _)| array),
            None => Some(&b""[..]),
        };
        let expected = "a JSON array";
        let mut array = array.ok_or(ExpandError::Operand { at, expected })?;
        let mut items = list::items(&text.bytes, named);
        let outer = self.item.clone();
        // As in Exim, both are false for an empty list.
        let (mut holds, mut count) = (false, 0);
        loop {
            let item = match json {
                None => items.next().map(std::borrow::Cow::into_owned),
                Some(JsonList::Items) => json::next_item(&mut array).map(<[u8]>::to_vec),
                Some(JsonList::Strings) => match json::next_item(&mut array) {
                    Some(item) => {
                        let string = json::unwrap(item, b'"', b'"');
                        let expected = "a JSON string";
                        let (string, _) = string.ok_or(ExpandError::Operand { at, expected })?;
                        Some(string.to_vec())
                    }
                    None => None,
                },
            };
            let Some(bytes) = item else { break };
            self.count_item(&mut count, at)?;
            self.item = Some(Rc::new(Kept { bytes, trust: text.trust }));
            holds = self.condition(tree, condition)?;
            if holds == any {
                break;
            }
        }
        self.item = outer;
        Ok(holds)
    }

    fn call_condition(
        &mut self,
        tree: &Tree,
        at: usize,
        call: HostCall,
        strings: Arguments,
    ) -> Result<bool, Halt> {
        let strings = tree.arguments(strings);
        if call == HostCall::Acl {
            let (accepts, message) = self.acl(tree, at, strings)?;
            self.value = Some(Rc::new(message));
            return Ok(accepts);
        }
        Ok(matches!(self.call(tree, at, call, strings)?, LookupResult::Value(_)))
    }
}
