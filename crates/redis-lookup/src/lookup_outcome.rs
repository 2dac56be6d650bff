//! The outcome of a lookup.

use std::fmt;
use std::time::Duration;

use mail_types::exim::{LookupResult, Trust, Value};

use crate::Refusal;

/// The outcome of a lookup. It converts into a [`LookupResult`] for expansions.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the three outcomes of a lookup")]
#[must_use]
pub enum LookupOutcome {
    /// The text that was found.
    Found(Vec<u8>),
    /// The server answered that there is no value.
    NotFound,
    /// The answer is unknown for now.
    Deferred(DeferReason),
}

impl fmt::Display for LookupOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(text) => {
                write!(f, "found: {}", Value::new(text.as_slice(), Trust::Untrusted))
            }
            Self::NotFound => f.write_str("not found"),
            Self::Deferred(reason) => write!(f, "deferred: {reason}"),
        }
    }
}

impl From<LookupOutcome> for LookupResult {
    fn from(outcome: LookupOutcome) -> Self {
        match outcome {
            LookupOutcome::Found(text) => Self::Value(text),
            LookupOutcome::NotFound => Self::Nothing,
            LookupOutcome::Deferred(_) => Self::Deferred,
        }
    }
}

/// The cause of a deferred lookup. Its text never contains a password.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DeferReason {
    /// The server answered with an error.
    Refused(Refusal),
    /// The reply has a type that no command returns.
    NoAnswer,
    /// The result has more octets than [`Limits::reply`](crate::Limits::reply).
    TooLong {
        /// The limit, in octets.
        limit: usize,
    },
    /// The result has more elements than [`Limits::elements`](crate::Limits::elements).
    TooManyElements {
        /// The limit.
        limit: usize,
    },
    /// Arrays are nested deeper than [`Limits::depth`](crate::Limits::depth).
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// An element has a line break, so that lines and elements would differ.
    LineBreak {
        /// The number of the element, from 1.
        element: usize,
    },
    /// The list of servers is empty.
    NoServer,
    /// No connection could be opened, so nothing was sent.
    Unreachable {
        /// The server, as in the configuration.
        server: String,
        /// The cause of the last failure.
        why: String,
    },
    /// The connection closed after the command was sent; the command may have been executed.
    Cut {
        /// The server.
        server: String,
    },
    /// The reply was so long that the connection was closed; the command may have been executed.
    Flood {
        /// The limit of a reply on the wire, in octets.
        limit: usize,
    },
    /// The deadline has passed.
    TimedOut {
        /// The time limit.
        limit: Duration,
        /// Whether the command was sent; then it may have been executed, or may still be.
        sent: bool,
    },
    /// The cluster redirected the command from node to node.
    Redirects {
        /// The limit of redirections.
        limit: usize,
    },
}

impl DeferReason {
    /// Tells whether the command may have been executed.
    ///
    /// ```
    /// use redis_lookup::{DeferReason, Refusal};
    ///
    /// assert!(DeferReason::Cut { server: "192.0.2.1:6379/0".into() }.is_in_doubt());
    /// assert!(!DeferReason::Refused(Refusal::new(b"WRONGTYPE")).is_in_doubt());
    /// ```
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Cut { .. } | Self::Flood { .. } | Self::TimedOut { sent: true, .. })
    }
}

impl fmt::Display for DeferReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "the server answered {refusal}"),
            Self::NoAnswer => f.write_str("the server sent a reply of an unexpected type"),
            Self::TooLong { limit } => write!(f, "the result has more than {limit} octets"),
            Self::TooManyElements { limit } => {
                write!(f, "the result has more than {limit} elements")
            }
            Self::TooDeep { limit } => {
                write!(f, "the result has arrays nested more than {limit} deep")
            }
            Self::LineBreak { element } => {
                write!(f, "element {element} of the result has a line break")
            }
            Self::NoServer => f.write_str("redis_servers is empty"),
            Self::Unreachable { server, why } => write!(f, "{server} cannot be reached: {why}"),
            Self::Cut { server } => {
                write!(f, "{server} closed the connection before the reply")
            }
            Self::Flood { limit } => write!(f, "the reply has more than {limit} octets"),
            Self::TimedOut { limit, sent: true } => write!(f, "no reply within {limit:?}"),
            Self::TimedOut { limit, sent: false } => write!(f, "no connection within {limit:?}"),
            Self::Redirects { limit } => {
                write!(f, "the cluster redirected the command more than {limit} times")
            }
        }
    }
}
