//! The client's mistakes, for the log and for events.

use std::mem;

use mail_types::smtp::{Reply, ReplyCode};

use super::Session;

/// The type of a mistake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// A command out of order, or input at a wrong time.
    Protocol,
    /// An unknown command, or a syntax error.
    Syntax,
}

impl Fault {
    /// Returns the type of mistake that a reply reports, if any.
    fn of(reply: &Reply) -> Option<Self> {
        match reply.code() {
            ReplyCode::BAD_SEQUENCE
            | ReplyCode::NOT_IMPLEMENTED
            | ReplyCode::TRANSACTION_FAILED => Some(Self::Protocol),
            ReplyCode::SYNTAX_ERROR | ReplyCode::ARGUMENT_ERROR | ReplyCode::PARAMETER_UNKNOWN => {
                Some(Self::Syntax)
            }
            code if code.get() == 521 => Some(Self::Syntax),
            _ => None,
        }
    }
}

impl Session {
    /// Takes the mistakes since the last call, with their replies.
    pub(crate) fn take_faults(&mut self) -> Vec<(Fault, Reply)> {
        mem::take(&mut self.faults)
    }

    /// Records a mistake. Their number is limited: too many end the connection.
    pub(super) fn note(&mut self, reply: &Reply) {
        if let Some(fault) = Fault::of(reply) {
            self.faults.push((fault, reply.clone()));
        }
    }

    /// Records a mistake after which the input cannot be interpreted, and closes.
    pub(super) fn violate(&mut self, reply: &Reply) {
        self.note(reply);
        self.fail(reply);
    }
}
