//! The conditions of a tree.

use std::sync::Arc;

use crate::call::HostCall;
use crate::evaluate::text_condition::Comparison;
use crate::match_list::MatchList;
use crate::operators::json::JsonList;
use crate::tree::{Arguments, ConditionId, NameId, PatternId, Sequence};
use crate::variables::ProgramState;

/// A condition, and whether an odd number of `!` precedes it.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The position of its word, in bytes from the start of the template.
    pub(crate) at: u32,
    /// Its end.
    pub(crate) end: u32,
    pub(crate) negated: bool,
    pub(crate) test: Test,
}

/// The list of a condition, as text and as a compiled list.
#[derive(Clone, Debug)]
pub(crate) struct ListText {
    pub(crate) text: Box<[u8]>,
    pub(crate) list: Arc<MatchList>,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// `def:name`: whether the variable has a non-empty value.
    Defined(NameId),
    /// `def:value` and `def:item`.
    DefinedValue,
    DefinedItem,
    /// `def:h_name:`: whether the message has such a field.
    DefinedHeader(Box<str>),
    State(ProgramState),
    Compare(Comparison, Sequence, Sequence),
    /// `match`, with the compiled pattern if it has no expansions.
    Match(Sequence, Sequence, Option<PatternId>),
    /// `match_domain` and similar conditions; the list is not expanded.
    MatchList(Sequence, Box<ListText>),
    /// `inlist`, or `inlisti` without case.
    InList {
        folded: bool,
        text: Sequence,
        list: Sequence,
    },
    /// `isip`, `isip4`, `isip6`: of these families, version 4 and 6.
    IsIp([bool; 2], Sequence),
    /// `and` and `or`.
    All(Box<[ConditionId]>),
    Any(Box<[ConditionId]>),
    /// `forall` and `forany`, also over JSON.
    ForEach {
        any: bool,
        json: Option<JsonList>,
        list: Sequence,
        condition: ConditionId,
    },
    /// `bool` and `bool_lax`.
    Bool {
        lax: bool,
        text: Sequence,
    },
    Call(HostCall, Arguments),
}
