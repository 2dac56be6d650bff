//! The client's mistakes, for the log and for events.

use std::mem;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::Session;
use crate::gateway::smtp::command_error::CommandError;
use crate::gateway::smtp::replies::{going, say, wrong_argument};

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
            | ReplyCode::TLS_REQUIRED
            | ReplyCode::TRANSACTION_FAILED => Some(Self::Protocol),
            ReplyCode::SYNTAX_ERROR | ReplyCode::ARGUMENT_ERROR | ReplyCode::PARAMETER_UNKNOWN => {
                Some(Self::Syntax)
            }
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

    /// Replies to an invalid command line.
    pub(super) fn malformed(&mut self, error: &CommandError) {
        let text = error.to_string();
        let argument_error =
            |enhanced: EnhancedCode| say(ReplyCode::ARGUMENT_ERROR, enhanced, &text);
        let reply = match error {
            CommandError::Unknown(_) | CommandError::Octet { .. } => {
                say(ReplyCode::SYNTAX_ERROR, EnhancedCode::of::<5, 5, 2>(), &text)
            }
            CommandError::Argument(..) => wrong_argument(&text),
            CommandError::Sender(_) => argument_error(EnhancedCode::of::<5, 1, 7>()),
            CommandError::Recipient(_) => argument_error(EnhancedCode::of::<5, 1, 3>()),
            // The next command cannot be found.
            CommandError::ChunkSize => return self.violate(&wrong_argument(&text)),
            CommandError::ChunkEnd(size) => {
                return self.start_chunk(*size, false, Some(wrong_argument(&text)));
            }
        };
        if let (CommandError::Recipient(_) | CommandError::Argument("RCPT", _), Some(transaction)) =
            (error, &mut self.transaction)
        {
            transaction.rcpts.begin();
            transaction.rcpts.refuse(&reply);
            self.unasked.rcpt(&reply);
        }
        if !matches!(error, CommandError::Unknown(_)) {
            return self.error(&reply);
        }
        self.note(&reply);
        self.answer(&reply);
        self.counts.unknown += 1;
        if self.counts.unknown > self.settings.smtp_max_unknown_commands {
            self.fail(&going(EnhancedCode::of::<4, 7, 0>(), "too many unrecognized commands"));
        }
    }

    /// Records a mistake after which the input cannot be interpreted, and closes.
    pub(super) fn violate(&mut self, reply: &Reply) {
        self.note(reply);
        self.fail(reply);
    }
}
