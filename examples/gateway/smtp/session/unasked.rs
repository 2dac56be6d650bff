//! The decisions of the session that it asks nobody about, for metrics.

use std::mem;

use mail_types::smtp::{Reply, Severity};

use super::Session;

/// The decisions since the last call of `take_unasked`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Unasked {
    /// Recipients put off.
    pub(crate) deferred: u32,
    /// Recipients refused.
    pub(crate) refused: u32,
    /// The end of a message that did not come to a question.
    pub(crate) message: Option<MessageEnd>,
}

/// The end of a message that did not come to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MessageEnd {
    /// A reply refused it.
    Refused(Severity),
    /// The connection ended within it.
    BrokenOff,
}

impl Unasked {
    /// Counts the reply to a recipient.
    pub(super) fn rcpt(&mut self, reply: &Reply) {
        match reply.code().severity() {
            Severity::Transient => self.deferred += 1,
            _ => self.refused += 1,
        }
    }

    /// Takes note that a message was refused.
    pub(super) fn refuse_message(&mut self, reply: &Reply) {
        self.message = Some(MessageEnd::Refused(reply.code().severity()));
    }
}

impl Session {
    /// Takes the decisions since the last call. There is at most one end of a message: the next one begins with a
    /// question.
    pub(crate) fn take_unasked(&mut self) -> Unasked {
        mem::take(&mut self.unasked)
    }

    /// Takes note that the connection ends; a message under way is broken off, unless a reply has refused it.
    pub(super) fn note_end(&mut self) {
        if self.received().is_some() {
            self.unasked.message.get_or_insert(MessageEnd::BrokenOff);
        }
    }
}
