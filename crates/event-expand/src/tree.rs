//! A parsed template: nodes, arguments and conditions in arenas, children before parents.

pub(crate) mod condition;
pub(crate) mod lookup;
pub(crate) mod outline;

use crate::call::HostCall;
use crate::evaluate::text_condition::Comparison;
use crate::operators::json::JsonList;
use crate::operators::operator::Operator;
use crate::operators::pattern::{Fault, Pattern};
use crate::operators::quoting::Quoting;
use crate::stop::ExpandError;
use crate::tree::condition::{Condition, Test};
use crate::tree::lookup::Lookup;
use crate::variables::HeaderForm;

/// The arenas. Ids come from the parser, and are valid for their own tree only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) arguments: Vec<Sequence>,
    pub(crate) conditions: Vec<Condition>,
    patterns: Vec<Pattern>,
    /// The names of variables, each once, with the position of its first use.
    pub(crate) names: Vec<(Box<str>, usize)>,
    /// The positions of items that a skipped text must not contain.
    pub(crate) unskippable: Vec<u32>,
    pub(crate) root: Sequence,
}

impl Tree {
    pub(crate) fn nodes(&self, sequence: Sequence) -> &[Node] {
        let nodes = self.nodes.get(sequence.start as usize..sequence.end as usize);
        debug_assert!(nodes.is_some(), "{sequence:?} is of another tree");
        nodes.unwrap_or_default()
    }

    pub(crate) fn arguments(&self, arguments: Arguments) -> &[Sequence] {
        let found = self.arguments.get(arguments.0 as usize..arguments.1 as usize);
        debug_assert!(found.is_some(), "{arguments:?} are of another tree");
        found.unwrap_or_default()
    }

    pub(crate) fn add_condition(&mut self, condition: Condition) -> ConditionId {
        self.conditions.push(condition);
        ConditionId(index(self.conditions.len() - 1))
    }

    /// Returns a condition. An id of another tree is an error: it must not count as false.
    pub(crate) fn condition(&self, id: ConditionId) -> Result<&Condition, ExpandError> {
        let condition = self.conditions.get(id.0 as usize);
        debug_assert!(condition.is_some(), "{id:?} is of another tree");
        condition.ok_or(ExpandError::Operand { at: 0, expected: "a condition of this template" })
    }

    /// Adds the name of a variable once.
    pub(crate) fn add_name(&mut self, name: Box<str>, at: usize) -> NameId {
        let known = self.names.iter().position(|(known, _)| *known == name);
        NameId(index(known.unwrap_or_else(|| {
            self.names.push((name, at));
            self.names.len() - 1
        })))
    }

    /// Returns the name of a variable; an id of another tree has an empty one, which is unknown.
    pub(crate) fn name(&self, id: NameId) -> &str {
        let name = self.names.get(id.0 as usize);
        debug_assert!(name.is_some(), "{id:?} is of another tree");
        name.map_or("", |(name, _)| name)
    }

    /// Keeps a compiled pattern; `None` once those that are kept take too much memory.
    pub(crate) fn add_pattern(&mut self, pattern: impl FnOnce() -> Pattern) -> Option<PatternId> {
        let id = PatternId(index(self.patterns.len()));
        let size: usize = self.patterns.iter().map(Pattern::size).sum();
        (size < MOST_PATTERN_BYTES).then(|| {
            self.patterns.push(pattern());
            id
        })
    }

    pub(crate) fn pattern(&self, id: PatternId) -> Option<&Pattern> {
        let pattern = self.patterns.get(id.0 as usize);
        debug_assert!(pattern.is_some(), "{id:?} is of another tree");
        pattern
    }

    /// The first invalid pattern that has nothing to expand: the position of its item or condition, and its fault.
    pub(crate) fn invalid_pattern(&self) -> Option<(usize, Fault)> {
        let of_nodes = self.nodes.iter().filter_map(|node| match node.kind {
            NodeKind::Substitute(_, id) => Some((node.at, id?)),
            _ => None,
        });
        let of_conditions = self.conditions.iter().filter_map(|condition| match condition.test {
            Test::Match(_, _, id) => Some((condition.at, id?)),
            _ => None,
        });
        let fault = |(at, id)| Some((at as usize, self.pattern(id)?.fault()?));
        of_nodes.chain(of_conditions).filter_map(fault).min_by_key(|(at, _)| *at)
    }

    /// The position of such an item in this part of the template.
    pub(crate) fn unskippable(&self, from: u32, to: u32) -> Option<usize> {
        self.unskippable.iter().find(|at| (from..to).contains(*at)).map(|at| *at as usize)
    }

    /// The text of a sequence without expansions.
    pub(crate) fn literal(&self, sequence: Sequence) -> Option<&[u8]> {
        match self.nodes(sequence) {
            [] => Some(b""),
            [Node { kind: NodeKind::Text(text), .. }] => Some(text),
            _ => None,
        }
    }
}

/// A condition of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConditionId(u32);

/// The name of a variable in a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameId(u32);

/// A compiled pattern of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PatternId(u32);

/// Ids and positions are less than [`MOST_BYTES`](crate::parse::MOST_BYTES): a template has no more
/// nodes than bytes.
pub(crate) fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The size in bytes of compiled patterns above which a template keeps no more; others are compiled
/// when needed.
const MOST_PATTERN_BYTES: usize = 16 << 20;

/// Consecutive nodes, and the part of the template that they were parsed from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sequence {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// The bounds of a range in [`Tree::arguments`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arguments(pub(crate) u32, pub(crate) u32);

/// A piece of text, or an expansion.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its position, in bytes from the start of the template.
    pub(crate) at: u32,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Text(Box<[u8]>),
    /// An escape that makes a NUL: the sequence ends there.
    End,
    /// `$name`.
    Variable(NameId),
    /// `$value`.
    Value,
    /// `$item`.
    Item,
    /// `$h_name:`, in lower case.
    Header(HeaderForm, Box<str>),
    /// `$0` to `$9` and higher.
    Capture(u32),
    /// `${name_argument:operand}`.
    Operator(Operator, Option<Box<str>>, Sequence),
    /// `${quote_<lookup>:operand}`, of a known lookup.
    QuoteFor(Quoting, Sequence),
    /// `${if …}`.
    If(ConditionId, Choice),
    /// An item that needs no request.
    Function(Function, Arguments),
    /// `${sg{subject}{pattern}{replacement}}`, with the compiled pattern if it has no expansions.
    Substitute(Arguments, Option<PatternId>),
    Extract(Box<Extract>),
    /// `${listextract{number}{list}…}`.
    ListExtract(Sequence, Sequence, Choice),
    /// `${filter{list}{condition}}`.
    Filter(Sequence, ConditionId),
    /// `${map{list}{expression}}`.
    Map(Sequence, Sequence),
    /// `${reduce{list}{start}{expression}}`.
    Reduce(Sequence, Sequence, Sequence),
    /// `${sort{list}{comparison}{key}}`.
    Sort(Sequence, Comparison, Sequence),
    Lookup(Box<LookupItem>),
    /// An item that the program answers; with `${env`, `${certextract` and `${run` a choice.
    Call(HostCall, Arguments, Option<Choice>),
}

/// `${extract…}`: the number of arguments is known only when the first is expanded.
#[derive(Clone, Debug)]
pub(crate) struct Extract {
    pub(crate) json: Option<JsonList>,
    pub(crate) strings: Arguments,
    /// `fail` follows the strings.
    pub(crate) fail: bool,
}

/// `${lookup{key}type{file}…}` or `${lookup type{query}…}`.
#[derive(Clone, Debug)]
pub(crate) struct LookupItem {
    pub(crate) lookup: Lookup,
    pub(crate) key: Option<Sequence>,
    pub(crate) query: Sequence,
    pub(crate) choice: Choice,
}

/// The strings after a condition, a lookup or an extraction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// No strings.
    Implied,
    /// `{yes}`, `{yes}{no}` or `{yes}fail`.
    Given(Sequence, Otherwise),
}

/// The alternative after `{yes}`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Otherwise {
    Nothing,
    String(Sequence),
    Fail,
}

/// Items that need no request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Function {
    Hash,
    Hmac,
    ImapFolder,
    Length,
    ListQuote,
    NumericHash,
    Substring,
    Translate,
}
