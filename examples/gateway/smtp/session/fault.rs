//! The client's mistakes, for whoever wants to hear of them.

use std::mem;

use mail_types::smtp::{Reply, ReplyCode};

use super::Session;

/// What kind of mistake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// A command, or bytes, where they must not come.
    Protocol,
    /// A command that is none, or that is not written as it must be.
    Syntax,
}

impl Fault {
    /// The kind that a reply is for: one that says no for another reason is for none.
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
    /// Takes the mistakes since the last call, with what was said to them.
    pub(crate) fn take_faults(&mut self) -> Vec<(Fault, Reply)> {
        mem::take(&mut self.faults)
    }

    /// Notes a mistake. There are never many: each brings the end of the connection nearer.
    pub(super) fn note(&mut self, reply: &Reply) {
        if let Some(fault) = Fault::of(reply) {
            self.faults.push((fault, reply.clone()));
        }
    }

    /// Notes a mistake after which nothing means anything any more.
    pub(super) fn violate(&mut self, reply: &Reply) {
        self.note(reply);
        self.fail(reply);
    }
}
