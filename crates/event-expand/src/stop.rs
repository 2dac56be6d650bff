//! The reasons why an expansion has no text.

use thiserror::Error;

use crate::match_list::MatchListError;
use crate::template::TemplateError;
use crate::{Capability, HostCall};

/// The reason why an expansion has no text.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all three")]
pub enum ExpandFailure {
    /// The template has a `fail`: a result, not an error. An option of Exim then counts as unset.
    #[error("byte {at}: forced failure (fail)")]
    Forced {
        /// The position of the item that failed, in bytes from the start of the template.
        at: usize,
    },
    /// A lookup, or another request to the program, failed temporarily.
    #[error("byte {at}: lookup or request deferred")]
    Deferred {
        /// The position of the request, in bytes from the start of the template.
        at: usize,
    },
    /// The expansion failed.
    #[error(transparent)]
    Error(#[from] ExpandError),
}

/// The reason why a template could not be expanded. Positions are in bytes from its start.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ExpandError {
    /// No variable has this name.
    #[error("byte {at}: unknown variable {name:?}")]
    UnknownVariable {
        /// The position of the variable.
        at: usize,
        /// The name.
        name: Box<str>,
    },
    /// The argument of an item, an operator or a condition is invalid.
    #[error("byte {at}: {expected} expected")]
    Operand {
        /// The position of the item, operator or condition.
        at: usize,
        /// The valid arguments.
        expected: &'static str,
    },
    /// The expression of an `eval` is invalid, or has no value.
    #[error("byte {at}: {problem}, after {offset} bytes of the expression")]
    Arithmetic {
        /// The position of the operator.
        at: usize,
        /// The position in the expression.
        offset: usize,
        /// The fault.
        problem: &'static str,
    },
    /// A number exceeds 64 bits.
    #[error("byte {at}: number exceeds 64 bits")]
    Overflow {
        /// The position of the item, operator or condition.
        at: usize,
    },
    /// A regular expression is invalid, or larger than
    /// [`Limits::regex_size`](crate::Limits::regex_size).
    #[error("byte {at}: invalid regular expression: {problem}, after {offset} bytes of it")]
    Regex {
        /// The position of the item or condition.
        at: usize,
        /// The position in the expression, as far as known.
        offset: usize,
        /// The construct that is invalid or not supported.
        problem: &'static str,
    },
    /// A text that `expand` or `sg` expands again is not a valid template.
    #[error("byte {at}: invalid template in a text that is expanded again")]
    Template {
        /// The position of the item or operator.
        at: usize,
        /// The fault, with positions in that text.
        #[source]
        error: TemplateError,
    },
    /// The second expansion by `expand` or `sg` failed.
    #[error("byte {at}: second expansion failed")]
    Inner {
        /// The position of the item or operator.
        at: usize,
        /// The reason, with positions in that text.
        #[source]
        error: Box<Self>,
    },
    /// An untrusted value is used as a text to expand again, the number of a field, or the name of
    /// a file.
    #[error("byte {at}: untrusted value not allowed here")]
    Untrusted {
        /// The position of the item or operator.
        at: usize,
    },
    /// An untrusted value in a query is not quoted for this lookup.
    #[error("byte {at}: untrusted value in the query: use ${{quote_{lookup}:…}}")]
    Unquoted {
        /// The position of the lookup.
        at: usize,
        /// The lookup.
        lookup: &'static str,
    },
    /// An untrusted value is in the name of a command.
    #[error("byte {at}: untrusted value in the name of the {lookup} command")]
    CommandWord {
        /// The position of the lookup.
        at: usize,
        /// The lookup.
        lookup: &'static str,
    },
    /// A capability that the template needs is off.
    #[error("byte {at}: capability {} is off", .capability.as_str())]
    Denied {
        /// The position of the item or condition.
        at: usize,
        /// The capability.
        capability: Capability,
    },
    /// An operator needs a feature of this crate that is off.
    #[error("byte {at}: operator needs the feature {feature} of event-expand")]
    Feature {
        /// The position of the operator.
        at: usize,
        /// The feature.
        feature: &'static str,
    },
    /// The program could not answer the request of an item.
    #[error("byte {at}: {} failed", .call.as_str())]
    Failed {
        /// The position of the item.
        at: usize,
        /// The request.
        call: HostCall,
    },
    /// The template has a request, and [`Template::expand`](crate::Template::expand) answers none.
    #[error("byte {at}: lookup or other request not possible here")]
    Request {
        /// The position of the request.
        at: usize,
    },
    /// Texts are expanded in each other deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("byte {at}: nested deeper than {limit} levels")]
    TooDeep {
        /// The position.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The output exceeds [`Limits::output`](crate::Limits::output).
    #[error("byte {at}: more than {limit} bytes of output")]
    TooLong {
        /// The position where the limit was reached.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The expansion needs more steps than [`Limits::steps`](crate::Limits::steps).
    #[error("byte {at}: more than {limit} steps")]
    TooManySteps {
        /// The position where the limit was reached.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// A list has more items than [`Limits::items`](crate::Limits::items).
    #[error("byte {at}: more than {limit} items in a list")]
    TooManyItems {
        /// The position of the item or condition that processes the list.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// An item of a list cannot be matched.
    #[error("byte {at}: in the list: {error}")]
    List {
        /// The position of the condition.
        at: usize,
        /// The item and its fault.
        error: MatchListError,
    },
    /// A match needs more backtracks, or open choices, than
    /// [`Limits::regex_backtracks`](crate::Limits::regex_backtracks) allows. In Exim that is no
    /// match.
    #[error("byte {at}: regular expression needs more than {limit} backtracks")]
    RegexWork {
        /// The position of the item or condition.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The expansion makes more requests than [`Limits::requests`](crate::Limits::requests).
    #[error("byte {at}: more than {limit} requests")]
    TooManyRequests {
        /// The position of the first request beyond the limit.
        at: usize,
        /// The limit.
        limit: usize,
    },
}

impl ExpandError {
    /// Returns the position, in bytes from the start of the template.
    #[must_use]
    pub fn at(&self) -> usize {
        match *self {
            Self::UnknownVariable { at, .. }
            | Self::Operand { at, .. }
            | Self::Arithmetic { at, .. }
            | Self::Overflow { at }
            | Self::Regex { at, .. }
            | Self::Template { at, .. }
            | Self::Inner { at, .. }
            | Self::Untrusted { at }
            | Self::Unquoted { at, .. }
            | Self::CommandWord { at, .. }
            | Self::Denied { at, .. }
            | Self::Feature { at, .. }
            | Self::Failed { at, .. }
            | Self::Request { at }
            | Self::TooDeep { at, .. }
            | Self::TooLong { at, .. }
            | Self::TooManySteps { at, .. }
            | Self::TooManyItems { at, .. }
            | Self::List { at, .. }
            | Self::RegexWork { at, .. }
            | Self::TooManyRequests { at, .. } => at,
        }
    }
}

impl ExpandFailure {
    /// Returns the position, in bytes from the start of the template.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::Forced { at } | Self::Deferred { at } => *at,
            Self::Error(error) => error.at(),
        }
    }
}
