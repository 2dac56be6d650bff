//! The requests of a template to the program, as far as known before its expansion.

use crate::call::HostCall;
use crate::operators::operator::Operator;
use crate::tree::condition::Test;
use crate::tree::lookup::Lookup;
use crate::tree::{Arguments, Node, NodeKind, Sequence, Tree};

/// A request of a template that only the program can answer: see
/// [`Template::needs`](crate::Template::needs).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Need<'t> {
    /// Header fields of this name, in lower case.
    Header(&'t str),
    /// A lookup.
    Lookup {
        /// Its type.
        lookup: &'t Lookup,
        /// The file to search, if its name contains nothing to expand.
        file: Option<&'t [u8]>,
    },
    /// A file whose lines are items of a list.
    ListFile(&'t [u8]),
    /// A list of rules, in an item or a condition, with its name if that contains nothing to expand.
    Acl(Option<&'t [u8]>),
    /// A field of a certificate.
    CertExtract {
        /// The field, if its name contains nothing to expand.
        field: Option<&'t [u8]>,
        /// The name of the variable that stands for the certificate, if it contains nothing to expand.
        variable: Option<&'t [u8]>,
    },
    /// Another request, in an item or a condition.
    Call(HostCall),
    /// A text that `expand` or `sg` expands again: its needs are known only then.
    Again,
}

/// Walks a tree; each need comes with its position.
pub(crate) fn needs(tree: &Tree) -> impl Iterator<Item = (usize, Need<'_>)> {
    let of_nodes = tree.nodes.iter().filter_map(|node| {
        let need = match &node.kind {
            NodeKind::Header(_, name) => Need::Header(name),
            NodeKind::Lookup(item) => {
                let file = tree.literal(item.query).filter(|_| item.lookup.is_file());
                Need::Lookup { lookup: &item.lookup, file: file.map(<[u8]>::trim_ascii) }
            }
            NodeKind::Call(call, strings, _) => of_call(tree, *call, *strings),
            NodeKind::Operator(Operator::RandomInteger, ..) => Need::Call(HostCall::RandInt),
            NodeKind::Operator(Operator::Stat, ..) => Need::Call(HostCall::Stat),
            NodeKind::Operator(Operator::Expand, ..) => Need::Again,
            NodeKind::Substitute(strings, _) if !has_plain_replacement(tree, *strings) => {
                Need::Again
            }
            _ => return None,
        };
        Some((node.at as usize, need))
    });
    let of_conditions = tree.conditions.iter().filter_map(|condition| {
        let need = match &condition.test {
            Test::DefinedHeader(name) => Need::Header(name),
            Test::Call(call, strings) => of_call(tree, *call, *strings),
            _ => return None,
        };
        Some((condition.at as usize, need))
    });
    let of_lists = tree.conditions.iter().flat_map(|condition| {
        let list = match &condition.test {
            Test::MatchList(_, list) => Some(&list.list),
            _ => None,
        };
        let at = condition.at as usize;
        list.into_iter().flat_map(|list| list.needs()).map(move |need| (at, need))
    });
    of_nodes.chain(of_conditions).chain(of_lists)
}

fn of_call(tree: &Tree, call: HostCall, strings: Arguments) -> Need<'_> {
    let strings = tree.arguments(strings);
    let literal = |at: usize| strings.get(at).and_then(|string| tree.literal(*string));
    match call {
        HostCall::Acl => Need::Acl(literal(0)),
        HostCall::CertExtract => Need::CertExtract { field: literal(0), variable: literal(1) },
        _ => Need::Call(call),
    }
}

/// Tells whether a replacement is known and has no item, so that expanding it again asks for nothing.
fn has_plain_replacement(tree: &Tree, strings: Arguments) -> bool {
    let replacement = tree.arguments(strings).last().and_then(|last| tree.literal(*last));
    replacement.is_some_and(|text| !text.contains(&b'{'))
}

/// Walks the equations of a variable and a text without expansions, each with its position.
pub(crate) fn compared<'t>(
    tree: &'t Tree,
    variable: &'t str,
) -> impl Iterator<Item = (usize, &'t [u8])> {
    let is_variable = move |sequence: Sequence| match tree.nodes(sequence) {
        [Node { kind: NodeKind::Variable(name), .. }] => tree.name(*name) == variable,
        _ => false,
    };
    tree.conditions.iter().filter_map(move |condition| {
        let Test::Compare(comparison, a, b) = &condition.test else { return None };
        let text = match (is_variable(*a), is_variable(*b)) {
            (true, false) => b,
            (false, true) => a,
            _ => return None,
        };
        let text = tree.literal(*text).filter(|_| comparison.is_equation())?;
        Some((condition.at as usize, text))
    })
}
