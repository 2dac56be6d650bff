//! Expands a tree: one run from the beginning.

pub(crate) mod answered_query;
pub(crate) mod condition;
pub(crate) mod function;
pub(crate) mod iteration;
pub(crate) mod list_condition;
pub(crate) mod substitution;
pub(crate) mod text_condition;

use std::rc::Rc;

use answered_query::LookupPlace;
use mail_types::exim::{LookupResult, Query, Trust, Variable};

use crate::answered::Answered;
use crate::expansion::{Ask, Journal, Options, Request};
use crate::stop::{ExpandError, ExpandFailure};
use crate::tree::{NameId, Node, NodeKind, Sequence, Tree};
use crate::variables::Variables;

/// A run. The output, and every argument under computation, is in one buffer, the innermost last:
/// an expansion allocates once, unless it sets a text aside.
pub(crate) struct Evaluation<'e> {
    pub(crate) variables: &'e dyn Variables,
    pub(crate) options: &'e Options,
    journal: &'e Journal,
    next: usize,
    /// The place of the lookup that is waited for, if it is to be found again without its query.
    pub(crate) place: Option<LookupPlace>,
    pub(crate) out: Vec<u8>,
    /// The parts of the buffer that are values, during the output of a query.
    marks: Vec<Mark>,
    pub(crate) querying: bool,
    pub(crate) captures: Option<Rc<Captures>>,
    pub(crate) value: Option<Rc<Kept>>,
    pub(crate) item: Option<Rc<Kept>>,
    steps: usize,
    depth: usize,
}

/// The reason why a run stops early. It is boxed to keep results small at every level.
pub(crate) enum Halt {
    Stop(Box<ExpandFailure>),
    Waiting(Box<Request>),
}

/// `$value` or `$item`.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    pub(crate) trust: Trust,
}

/// The numbered variables.
#[derive(Debug)]
pub(crate) struct Captures {
    pub(crate) subject: Rc<Kept>,
    pub(crate) groups: Vec<Option<(usize, usize)>>,
}

/// A part of the buffer that is a value.
#[derive(Clone, Copy, Debug)]
struct Mark {
    from: usize,
    to: usize,
    trust: Trust,
    quoted: Option<&'static str>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(
        variables: &'e dyn Variables,
        options: &'e Options,
        journal: &'e Journal,
        length: usize,
    ) -> Self {
        variables.handle_answers(0);
        Self {
            variables,
            options,
            journal,
            next: 0,
            place: None,
            out: Vec::with_capacity(2 * length.min(options.limits.output) + 64),
            marks: Vec::new(),
            querying: false,
            captures: None,
            value: None,
            item: None,
            steps: 0,
            depth: 0,
        }
    }

    /// Writes a sequence, and returns the trust of all of it.
    pub(crate) fn sequence(&mut self, tree: &Tree, sequence: Sequence) -> Result<Trust, Halt> {
        self.enter(sequence.from)?;
        let (mut trust, mut end) = (Trust::Trusted, None);
        for node in tree.nodes(sequence) {
            self.charge(1, node.at as usize)?;
            trust = trust.max(match &node.kind {
                NodeKind::End => {
                    end.get_or_insert(self.out.len());
                    Trust::Trusted
                }
                NodeKind::Text(text) => {
                    self.push(text, node.at as usize)?;
                    Trust::Trusted
                }
                _ => self.node(tree, node)?,
            });
        }
        if let Some(end) = end {
            self.truncate(end);
        }
        self.depth -= 1;
        Ok(trust)
    }

    fn node(&mut self, tree: &Tree, node: &Node) -> Result<Trust, Halt> {
        let at = node.at as usize;
        match &node.kind {
            NodeKind::End | NodeKind::Text(_) => Ok(Trust::Trusted),
            NodeKind::Variable(name) => self.variable(tree, *name, at),
            NodeKind::Header(form, name) => {
                let variables = self.variables;
                self.push_variable(variables.header(name, *form), at)
            }
            NodeKind::Value => match self.value.clone() {
                None => self.push_variable(self.variables.variable("value"), at),
                value => self.push_kept(value, at),
            },
            NodeKind::Item => self.push_kept(self.item.clone(), at),
            NodeKind::Capture(number) => self.push_capture(*number as usize, at),
            NodeKind::Operator(operator, argument, operand) => {
                self.operate(tree, at, *operator, argument.as_deref(), *operand)
            }
            NodeKind::QuoteFor(quoting, operand) => self.quote_for(tree, at, *quoting, *operand),
            NodeKind::If(condition, choice) => self.branch(tree, at, *condition, *choice),
            NodeKind::Function(function, strings) => self.function(tree, at, *function, *strings),
            NodeKind::Substitute(strings, pattern) => self.substitute(tree, at, *strings, *pattern),
            NodeKind::Extract(extract) => self.extract(tree, at, extract),
            NodeKind::ListExtract(number, list, choice) => {
                self.list_extract(tree, at, *number, *list, *choice)
            }
            NodeKind::Filter(list, condition) => self.filter(tree, at, *list, *condition),
            NodeKind::Map(list, body) => self.map(tree, at, *list, *body),
            NodeKind::Reduce(list, start, body) => self.reduce(tree, at, *list, *start, *body),
            NodeKind::Sort(list, order, key) => self.sort(tree, at, *list, *order, *key),
            NodeKind::Lookup(item) => self.lookup(tree, at, item),
            NodeKind::Call(call, strings, choice) => {
                self.call_item(tree, at, *call, *strings, *choice)
            }
        }
    }

    fn variable(&mut self, tree: &Tree, name: NameId, at: usize) -> Result<Trust, Halt> {
        let name = tree.name(name);
        let variables = self.variables;
        match variables.variable(name) {
            Variable::Unknown => Err(ExpandError::UnknownVariable { at, name: name.into() }.into()),
            variable => self.push_variable(variable, at),
        }
    }

    fn push_variable(&mut self, variable: Variable<'_>, at: usize) -> Result<Trust, Halt> {
        let start = self.out.len();
        let Variable::Value(value) = variable else {
            self.mark(start, Trust::Trusted, None);
            return Ok(Trust::Trusted);
        };
        self.push(value.as_bytes(), at)?;
        self.mark(start, value.trust(), None);
        Ok(value.trust())
    }

    pub(crate) fn push_kept(&mut self, kept: Option<Rc<Kept>>, at: usize) -> Result<Trust, Halt> {
        let start = self.out.len();
        let Some(kept) = kept else { return Ok(Trust::Trusted) };
        self.push(&kept.bytes, at)?;
        self.mark(start, kept.trust, None);
        Ok(kept.trust)
    }

    fn push_capture(&mut self, number: usize, at: usize) -> Result<Trust, Halt> {
        let start = self.out.len();
        let Some(captures) = self.captures.clone() else {
            let variables = self.variables;
            let name = [b'0' + u8::try_from(number).unwrap_or(u8::MAX).min(10)];
            return match std::str::from_utf8(&name) {
                Ok(name) if number < 10 => self.push_variable(variables.variable(name), at),
                _ => Ok(Trust::Trusted),
            };
        };
        let group = captures.groups.get(number).copied().flatten();
        let text = group.and_then(|(from, to)| captures.subject.bytes.get(from..to));
        self.push(text.unwrap_or_default(), at)?;
        let trust = captures.subject.trust;
        self.mark(start, trust, None);
        Ok(trust)
    }

    /// Writes an argument at the end of the buffer; returns its start. The caller removes it.
    pub(crate) fn argument(
        &mut self,
        tree: &Tree,
        sequence: Sequence,
    ) -> Result<(usize, Trust), Halt> {
        let start = self.out.len();
        let querying = std::mem::replace(&mut self.querying, false);
        let trust = self.sequence(tree, sequence)?;
        self.querying = querying;
        Ok((start, trust))
    }

    /// Removes an argument from the buffer, and returns it.
    pub(crate) fn kept_argument(&mut self, tree: &Tree, sequence: Sequence) -> Result<Kept, Halt> {
        let (start, trust) = self.argument(tree, sequence)?;
        Ok(Kept { bytes: self.out.split_off(start), trust })
    }

    /// Writes a query, separate from the rest.
    pub(crate) fn query(&mut self, tree: &Tree, sequence: Sequence) -> Result<Query, Halt> {
        let (start, marks) = (self.out.len(), self.marks.len());
        let querying = std::mem::replace(&mut self.querying, true);
        self.sequence(tree, sequence)?;
        self.querying = querying;
        let marked = self.marks.get(marks..).unwrap_or_default();
        let mut query = Query::with_capacity(self.out.len() - start, 2 * marked.len() + 1);
        let mut end = start;
        for mark in marked {
            query.push_literal(self.out.get(end..mark.from).unwrap_or_default());
            let bytes = self.out.get(mark.from..mark.to).unwrap_or_default();
            match mark.quoted {
                Some(lookup) => query.push_quoted(bytes, mark.trust, lookup),
                None => query.push_value(bytes, mark.trust),
            }
            end = mark.to;
        }
        query.push_literal(self.out.get(end..).unwrap_or_default());
        self.out.truncate(start);
        self.marks.truncate(marks);
        Ok(query)
    }

    /// Marks everything after `from` as one value, if a query is being written.
    pub(crate) fn mark(&mut self, from: usize, trust: Trust, quoted: Option<&'static str>) {
        if self.querying {
            self.marks.push(Mark { from, to: self.out.len(), trust, quoted });
        }
    }

    /// Removes everything after `start` from the buffer.
    pub(crate) fn truncate(&mut self, start: usize) {
        self.out.truncate(start);
        while self.marks.pop_if(|mark| mark.to > start).is_some() {}
    }

    pub(crate) fn push(&mut self, bytes: &[u8], at: usize) -> Result<(), Halt> {
        let limit = self.options.limits.output;
        if self.out.len() + bytes.len() > limit {
            return Err(ExpandError::TooLong { at, limit }.into());
        }
        self.charge(bytes.len() / 64, at)?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Counts the output that an operator has written directly.
    pub(crate) fn settle(&mut self, start: usize, at: usize) -> Result<(), Halt> {
        let limit = self.options.limits.output;
        if self.out.len() > limit {
            return Err(ExpandError::TooLong { at, limit }.into());
        }
        self.charge((self.out.len() - start) / 64, at)
    }

    pub(crate) fn charge(&mut self, steps: usize, at: usize) -> Result<(), Halt> {
        let limit = self.options.limits.steps;
        self.steps = self.steps.saturating_add(steps);
        if self.steps > limit {
            Err(ExpandError::TooManySteps { at, limit }.into())
        } else {
            Ok(())
        }
    }

    pub(crate) fn steps_left(&self) -> usize {
        self.options.limits.steps.saturating_sub(self.steps)
    }

    pub(crate) fn enter(&mut self, at: u32) -> Result<(), Halt> {
        self.depth += 1;
        let (at, limit) = (at as usize, self.options.limits.depth);
        if self.depth > limit { Err(ExpandError::TooDeep { at, limit }.into()) } else { Ok(()) }
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Returns the result of the next request, or stops to wait for it. A verdict is not a result.
    pub(crate) fn ask(
        &mut self,
        at: usize,
        ask: impl FnOnce() -> Ask,
    ) -> Result<&'e LookupResult, Halt> {
        match self.answer(at, ask)? {
            Answered::Found(found) => Ok(found),
            Answered::Verdict(_) => Err(ExpandFailure::Deferred { at }.into()),
        }
    }

    /// Returns the answer to the next request, or stops to wait for it.
    pub(crate) fn answer(
        &mut self,
        at: usize,
        ask: impl FnOnce() -> Ask,
    ) -> Result<&'e Answered, Halt> {
        let limit = self.options.limits.requests;
        if self.next >= limit {
            return Err(ExpandError::TooManyRequests { at, limit }.into());
        }
        let journal = self.journal;
        let found = journal.found.get(self.next);
        self.next += 1;
        match found {
            Some(Answered::Found(LookupResult::Deferred)) => {
                Err(ExpandFailure::Deferred { at }.into())
            }
            Some(found) => {
                self.variables.handle_answers(self.next);
                Ok(found)
            }
            None => Err(Halt::Waiting(Box::new(Request { at, ask: ask() }))),
        }
    }

    /// Fails if this part of a template must not be skipped.
    pub(crate) fn skip(tree: &Tree, from: u32, to: u32) -> Result<(), Halt> {
        match tree.unskippable(from, to) {
            Some(at) => {
                let expected = "{ directly after json in a skipped text";
                Err(ExpandError::Operand { at, expected }.into())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn skip_sequence(tree: &Tree, sequence: Sequence) -> Result<(), Halt> {
        Self::skip(tree, sequence.from, sequence.to)
    }
}

impl From<ExpandFailure> for Halt {
    fn from(stop: ExpandFailure) -> Self {
        Self::Stop(Box::new(stop))
    }
}

impl From<ExpandError> for Halt {
    fn from(error: ExpandError) -> Self {
        Self::Stop(Box::new(ExpandFailure::Error(error)))
    }
}
