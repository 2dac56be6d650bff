//! Why an expansion has no text.

use thiserror::Error;

use crate::match_list::MatchListError;
use crate::template::TemplateError;
use crate::{Capability, HostCall};

/// Why an expansion has no text.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever expands must treat all three")]
pub enum ExpandFailure {
    /// The template says `fail`: a result of its own, not an error. An option of Exim's then counts
    /// as not set.
    #[error("byte {at}: the template says fail")]
    Forced {
        /// Where the item stands that failed, in bytes from the start of the template.
        at: usize,
    },
    /// A lookup, or something else that the program was asked for, cannot be told now.
    #[error("byte {at}: there is no telling now")]
    Deferred {
        /// Where it stands, in bytes from the start of the template.
        at: usize,
    },
    /// It could not be done.
    #[error(transparent)]
    Error(#[from] ExpandError),
}

/// Why a template could not be expanded. Positions are in bytes from its start.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ExpandError {
    /// There is no variable of this name.
    #[error("byte {at}: no variable is named {name:?}")]
    UnknownVariable {
        /// Where.
        at: usize,
        /// The name.
        name: Box<str>,
    },
    /// What an item, an operator or a condition was given is not what it takes.
    #[error("byte {at}: {expected} expected")]
    Operand {
        /// Where the item, operator or condition stands.
        at: usize,
        /// What it takes.
        expected: &'static str,
    },
    /// The expression of an `eval` is none, or has no value.
    #[error("byte {at}: after {offset} bytes of the expression: {problem}")]
    Arithmetic {
        /// Where the operator stands.
        at: usize,
        /// How far into the expression.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A number is beyond 64 bits.
    #[error("byte {at}: a number of more than 64 bits")]
    Overflow {
        /// Where what takes it stands.
        at: usize,
    },
    /// A regular expression is none, or is larger than
    /// [`Limits::regex_size`](crate::Limits::regex_size).
    #[error("byte {at}: no regular expression, after {offset} bytes of it")]
    Regex {
        /// Where what takes it stands.
        at: usize,
        /// How far into the expression, as far as that is known.
        offset: usize,
    },
    /// A text that `expand` or `sg` expands again is no template.
    #[error("byte {at}: a text to be expanded again is no template")]
    Template {
        /// Where the item or operator stands.
        at: usize,
        /// Why not, with positions in that text.
        #[source]
        error: TemplateError,
    },
    /// A text that `expand` or `sg` expands again has no expansion.
    #[error("byte {at}: a text cannot be expanded again")]
    Inner {
        /// Where the item or operator stands.
        at: usize,
        /// Why not, with positions in that text.
        #[source]
        error: Box<Self>,
    },
    /// A text that would be expanded again, the number of a field or the name of a file comes from
    /// outside.
    #[error("byte {at}: what comes from outside is not to be used here")]
    Untrusted {
        /// Where the item or operator stands.
        at: usize,
    },
    /// What comes from outside stands in a query, and was not quoted for this lookup.
    #[error("byte {at}: an untrusted value in the query: write ${{quote_{lookup}:…}} around it")]
    Unquoted {
        /// Where the lookup stands.
        at: usize,
        /// The lookup.
        lookup: &'static str,
    },
    /// Something is asked for that is off.
    #[error("byte {at}: needs the capability {}", .capability.as_str())]
    Denied {
        /// Where.
        at: usize,
        /// What must be on for it.
        capability: Capability,
    },
    /// An operator is there only with a feature of this crate.
    #[error("byte {at}: needs the crate's feature {feature}")]
    Feature {
        /// Where.
        at: usize,
        /// The feature.
        feature: &'static str,
    },
    /// The program could not do what an item asked for.
    #[error("byte {at}: {} failed", .call.as_str())]
    Failed {
        /// Where the item stands.
        at: usize,
        /// What was asked for.
        call: HostCall,
    },
    /// The program must be asked for something, and
    /// [`Template::expand`](crate::Template::expand) asks for nothing.
    #[error("byte {at}: a lookup, or another request to the program")]
    Request {
        /// Where it stands.
        at: usize,
    },
    /// Texts are expanded in each other more deeply than
    /// [`Limits::depth`](crate::Limits::depth).
    #[error("byte {at}: more than {limit} levels deep")]
    TooDeep {
        /// Where.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// More bytes than [`Limits::output`](crate::Limits::output).
    #[error("byte {at}: more than {limit} bytes of output")]
    TooLong {
        /// Where the limit was reached.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// More steps than [`Limits::steps`](crate::Limits::steps).
    #[error("byte {at}: more than {limit} steps")]
    TooManySteps {
        /// Where the limit was reached.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// A list has more items than [`Limits::items`](crate::Limits::items).
    #[error("byte {at}: more than {limit} items in a list")]
    TooManyItems {
        /// Where what goes through the list stands.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// An item of a list cannot be matched.
    #[error("byte {at}: in the list: {error}")]
    List {
        /// Where the condition stands.
        at: usize,
        /// Which item, and why not.
        error: MatchListError,
    },
    /// A match takes more work than
    /// [`Limits::regex_backtracks`](crate::Limits::regex_backtracks). Exim takes that for no match.
    #[error("byte {at}: a regular expression went back more than {limit} times")]
    RegexWork {
        /// Where what takes the expression stands.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// More requests than [`Limits::requests`](crate::Limits::requests).
    #[error("byte {at}: more than {limit} requests")]
    TooManyRequests {
        /// Where the first too many stands.
        at: usize,
        /// The limit.
        limit: usize,
    },
}

impl ExpandError {
    /// Returns where, in bytes from the start of the template.
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
    /// Returns where, in bytes from the start of the template.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::Forced { at } | Self::Deferred { at } => *at,
            Self::Error(error) => error.at(),
        }
    }
}
