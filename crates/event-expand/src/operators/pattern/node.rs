//! The parts of an expression.

use super::byte_set::ByteSet;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Empty,
    /// Never matches.
    Fail,
    Set(ByteSet),
    Sequence(Vec<Self>),
    /// The first that leads to a match.
    Either(Vec<Self>),
    /// `(…)`, with its number.
    Group(usize, Box<Self>),
    /// `(?>…)`
    Atomic(Box<Self>),
    Repeat(Box<Self>, Count),
    Assertion(Assertion),
    Look(Look, Box<Self>),
    Reference(Reference),
    /// `(?(…)…|…)`
    Conditional(Condition, Box<Self>, Box<Self>),
    /// `\K`
    Keep,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) least: u32,
    /// `None` is any number.
    pub(super) most: Option<u32>,
    pub(super) greed: Greed,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Assertion {
    /// `\A`, and `^`
    Start,
    /// `\z`
    End,
    /// `\Z`, and `$`: also before a line end at the end.
    LastLineEnd,
    /// `^` with `(?m)`
    LineStart,
    /// `$` with `(?m)`
    LineEnd,
    /// `\b`
    WordEdge,
    /// `\B`
    NoWordEdge,
    /// `\G`
    SearchStart,
}

impl Assertion {
    /// Tells whether it holds at a position of a subject, in a search from another one.
    pub(super) fn holds(self, subject: &[u8], position: usize, from: usize) -> bool {
        let before = position.checked_sub(1).and_then(|before| subject.get(before));
        let after = subject.get(position);
        let is_word =
            |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        match self {
            Self::Start => before.is_none(),
            Self::End => after.is_none(),
            Self::LastLineEnd => {
                subject.get(position..).is_some_and(|rest| matches!(rest, [] | [b'\n']))
            }
            Self::LineStart => before.is_none() || before == Some(&b'\n') && after.is_some(),
            Self::LineEnd => after.is_none_or(|byte| *byte == b'\n'),
            Self::WordEdge => is_word(before) != is_word(after),
            Self::NoWordEdge => is_word(before) == is_word(after),
            Self::SearchStart => position == from,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) behind: bool,
    pub(super) negative: bool,
    /// The position of the assertion in the pattern.
    pub(super) at: usize,
}

/// A back-reference.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) target: Target,
    pub(super) folded: bool,
}

/// A group, or all groups with a name, as written at a position of the pattern.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) group: Named,
    pub(super) at: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Named {
    Number(usize),
    Name(Box<[u8]>),
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A group has matched.
    Matched(Target),
    /// A look-around.
    Look(Look, Box<Node>),
}

impl Node {
    pub(super) fn sequence(mut nodes: Vec<Self>) -> Self {
        match nodes.len() {
            0 => Self::Empty,
            1 => nodes.pop().unwrap_or(Self::Empty),
            _ => Self::Sequence(nodes),
        }
    }

    pub(super) fn either(mut branches: Vec<Self>) -> Self {
        let sets = branches.iter().map(|node| match node {
            Self::Set(set) => Some(*set),
            _ => None,
        });
        if let Some(sets) = sets.collect::<Option<Vec<_>>>() {
            return Self::Set(sets.into_iter().fold(ByteSet::EMPTY, ByteSet::union));
        }
        match branches.len() {
            1 => branches.pop().unwrap_or(Self::Empty),
            _ => Self::Either(branches),
        }
    }

    /// Tells whether it can match without a byte; true if that is not known.
    pub(super) fn can_be_empty(&self) -> bool {
        match self {
            Self::Fail | Self::Set(_) => false,
            Self::Sequence(nodes) => nodes.iter().all(Self::can_be_empty),
            Self::Either(branches) => branches.iter().any(Self::can_be_empty),
            Self::Group(_, node) | Self::Atomic(node) => node.can_be_empty(),
            Self::Repeat(node, count) => count.least == 0 || node.can_be_empty(),
            Self::Conditional(_, yes, no) => yes.can_be_empty() || no.can_be_empty(),
            Self::Empty | Self::Assertion(_) | Self::Look(..) | Self::Reference(_) | Self::Keep => {
                true
            }
        }
    }

    /// The number of bytes of all its matches, if they have the same.
    pub(super) fn width(&self) -> Option<u32> {
        match self {
            Self::Empty | Self::Assertion(_) | Self::Look(..) | Self::Keep => Some(0),
            Self::Set(_) => Some(1),
            Self::Sequence(nodes) => {
                nodes.iter().try_fold(0_u32, |sum, node| sum.checked_add(node.width()?))
            }
            Self::Either(branches) => {
                let mut widths = branches.iter().map(Self::width);
                let first = widths.next()??;
                widths.all(|width| width == Some(first)).then_some(first)
            }
            Self::Group(_, node) | Self::Atomic(node) => node.width(),
            Self::Repeat(node, count) if count.most == Some(count.least) => {
                node.width()?.checked_mul(count.least)
            }
            Self::Conditional(_, yes, no) => yes.width().filter(|width| no.width() == Some(*width)),
            Self::Repeat(..) | Self::Reference(_) | Self::Fail => None,
        }
    }
}
