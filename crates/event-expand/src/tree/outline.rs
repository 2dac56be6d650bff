//! A template in a form for people.

use std::fmt;

use crate::tree::condition::Test;
use crate::tree::{Arguments, Choice, ConditionId, Node, NodeKind, Otherwise, Sequence, Tree};

/// A parsed template, line by line: see [`Template::outline`](crate::Template::outline).
#[derive(Clone, Copy, Debug)]
pub struct Outline<'t> {
    tree: &'t Tree,
}

impl<'t> Outline<'t> {
    pub(crate) fn new(tree: &'t Tree) -> Self {
        Self { tree }
    }

    fn sequence(
        self,
        f: &mut fmt::Formatter<'_>,
        depth: usize,
        label: &str,
        sequence: Sequence,
    ) -> fmt::Result {
        line(f, depth, sequence.from, label)?;
        self.tree.nodes(sequence).iter().try_for_each(|node| self.node(f, depth + 1, node))
    }

    fn sequences(
        self,
        f: &mut fmt::Formatter<'_>,
        depth: usize,
        arguments: Arguments,
    ) -> fmt::Result {
        let mut strings = self.tree.arguments(arguments).iter();
        strings.try_for_each(|string| self.sequence(f, depth, "string", *string))
    }

    fn node(self, f: &mut fmt::Formatter<'_>, depth: usize, node: &Node) -> fmt::Result {
        let own = match &node.kind {
            NodeKind::Text(text) => format!("text \"{}\"", text.escape_ascii()),
            NodeKind::End => "end".to_owned(),
            NodeKind::Variable(index) => format!("variable {}", self.tree.name(*index)),
            NodeKind::Value => "variable value".to_owned(),
            NodeKind::Item => "variable item".to_owned(),
            NodeKind::Header(form, name) => format!("header {name} {form:?}"),
            NodeKind::Capture(number) => format!("capture {number}"),
            NodeKind::Operator(operator, argument, _) => {
                format!("operator {operator:?} {}", argument.as_deref().unwrap_or_default())
            }
            NodeKind::QuoteFor(quoting, _) => format!("operator Quote {}", quoting.name()),
            NodeKind::If(..) => "if".to_owned(),
            NodeKind::Function(function, _) => format!("item {function:?}"),
            NodeKind::Substitute(..) => "item sg".to_owned(),
            NodeKind::Extract(extract) => match extract.json {
                Some(json) => format!("item extract {json:?}"),
                None => "item extract".to_owned(),
            },
            NodeKind::ListExtract(..) => "item listextract".to_owned(),
            NodeKind::Filter(..) => "item filter".to_owned(),
            NodeKind::Map(..) => "item map".to_owned(),
            NodeKind::Reduce(..) => "item reduce".to_owned(),
            NodeKind::Sort(_, order, _) => format!("item sort {:?} {:?}", order.kind, order.order),
            NodeKind::Lookup(item) => format!("lookup {}", item.lookup.name),
            NodeKind::Call(call, ..) => format!("call {}", call.as_str()),
        };
        line(f, depth, node.at, own.trim_end())?;
        self.below(f, depth + 1, &node.kind)
    }

    fn below(self, f: &mut fmt::Formatter<'_>, depth: usize, kind: &NodeKind) -> fmt::Result {
        match kind {
            NodeKind::Operator(_, _, operand) | NodeKind::QuoteFor(_, operand) => {
                self.sequence(f, depth, "operand", *operand)
            }
            NodeKind::If(condition, choice) => {
                self.condition(f, depth, *condition)?;
                self.choice(f, depth, *choice)
            }
            NodeKind::Function(_, strings) | NodeKind::Substitute(strings, _) => {
                self.sequences(f, depth, *strings)
            }
            NodeKind::Extract(extract) => self.sequences(f, depth, extract.strings),
            NodeKind::ListExtract(number, list, choice) => {
                self.sequence(f, depth, "number", *number)?;
                self.sequence(f, depth, "list", *list)?;
                self.choice(f, depth, *choice)
            }
            NodeKind::Filter(list, condition) => {
                self.sequence(f, depth, "list", *list)?;
                self.condition(f, depth, *condition)
            }
            NodeKind::Map(list, body) | NodeKind::Sort(list, _, body) => {
                self.sequence(f, depth, "list", *list)?;
                self.sequence(f, depth, "expression", *body)
            }
            NodeKind::Reduce(list, first, body) => {
                self.sequence(f, depth, "list", *list)?;
                self.sequence(f, depth, "first value", *first)?;
                self.sequence(f, depth, "expression", *body)
            }
            NodeKind::Lookup(item) => {
                if let Some(key) = item.key {
                    self.sequence(f, depth, "key", key)?;
                }
                self.sequence(f, depth, "query", item.query)?;
                self.choice(f, depth, item.choice)
            }
            NodeKind::Call(_, strings, choice) => {
                self.sequences(f, depth, *strings)?;
                choice.map_or(Ok(()), |choice| self.choice(f, depth, choice))
            }
            _ => Ok(()),
        }
    }

    fn choice(self, f: &mut fmt::Formatter<'_>, depth: usize, choice: Choice) -> fmt::Result {
        let Choice::Given(yes, otherwise) = choice else { return Ok(()) };
        self.sequence(f, depth, "yes", yes)?;
        match otherwise {
            Otherwise::Nothing => Ok(()),
            Otherwise::String(no) => self.sequence(f, depth, "no", no),
            Otherwise::Fail => line(f, depth, yes.to + 1, "fail"),
        }
    }

    fn condition(self, f: &mut fmt::Formatter<'_>, depth: usize, id: ConditionId) -> fmt::Result {
        let Ok(condition) = self.tree.condition(id) else {
            return f.write_str("condition of another tree");
        };
        let not = if condition.negated { "not " } else { "" };
        let own = match &condition.test {
            Test::Defined(name) => format!("defined {}", self.tree.name(*name)),
            Test::DefinedValue => "defined value".to_owned(),
            Test::DefinedItem => "defined item".to_owned(),
            Test::DefinedHeader(name) => format!("defined header {name}"),
            Test::State(state) => format!("{state:?}"),
            Test::Compare(comparison, ..) => {
                format!("compare {:?} {:?}", comparison.kind, comparison.order)
            }
            Test::Match(..) => "match".to_owned(),
            Test::MatchList(_, list) => {
                format!("match {:?} \"{}\"", list.list.kind(), list.text.escape_ascii())
            }
            Test::InList { .. } => "in list".to_owned(),
            Test::IsIp(..) => "is IP".to_owned(),
            Test::All(_) => "and".to_owned(),
            Test::Any(_) => "or".to_owned(),
            Test::ForEach { any, .. } => if *any { "for any" } else { "for all" }.to_owned(),
            Test::Bool { .. } => "bool".to_owned(),
            Test::Call(call, _) => format!("call {}", call.as_str()),
        };
        line(f, depth, condition.at, &format!("condition {not}{own}"))?;
        let depth = depth + 1;
        match &condition.test {
            Test::Compare(_, a, b)
            | Test::Match(a, b, _)
            | Test::InList { text: a, list: b, .. } => {
                self.sequence(f, depth, "string", *a)?;
                self.sequence(f, depth, "string", *b)
            }
            Test::MatchList(text, _) | Test::IsIp(_, text) | Test::Bool { text, .. } => {
                self.sequence(f, depth, "string", *text)
            }
            Test::All(conditions) | Test::Any(conditions) => {
                conditions.iter().try_for_each(|index| self.condition(f, depth, *index))
            }
            Test::ForEach { list, condition, .. } => {
                self.sequence(f, depth, "list", *list)?;
                self.condition(f, depth, *condition)
            }
            Test::Call(_, strings) => self.sequences(f, depth, *strings),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Outline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.nodes(self.tree.root).iter().try_for_each(|node| self.node(f, 0, node))
    }
}

fn line(f: &mut fmt::Formatter<'_>, depth: usize, at: u32, text: &str) -> fmt::Result {
    write!(f, "{at:>5}  ")?;
    // A width panics beyond a u16, and a template may be as deep as its limits say.
    (0..depth).try_for_each(|_| f.write_str("  "))?;
    writeln!(f, "{text}")
}
