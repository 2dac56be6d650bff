//! The contents of a session: the client's greeting, the envelope and the message.

use mail_types::smtp::Mailbox;

use super::{Greeting, Session, SessionState};
use crate::gateway::smtp::framing::Body;
use crate::gateway::smtp::transaction::Transaction;

impl Session {
    /// Returns the memory, in octets, for commands, recipients and the message.
    pub fn held(&self) -> usize {
        self.input.capacity() + self.transaction.as_ref().map_or(0, Transaction::held)
    }

    /// Returns the number of octets received of the current message, if any.
    pub(crate) fn received(&self) -> Option<u64> {
        let within = matches!(
            self.state,
            SessionState::Data(_) | SessionState::Chunk { .. } | SessionState::Ready
        );
        let body = self.transaction.as_ref().and_then(|transaction| transaction.body.as_ref());
        body.filter(|_| within).map(Body::seen)
    }

    /// Tells whether the session is over.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, SessionState::Closed)
    }

    /// Returns the client's greeting; while it is decided on, the new one.
    pub(crate) fn greeting(&self) -> &Greeting {
        self.offered.as_ref().unwrap_or(&self.greeting)
    }

    /// Returns the transaction, from `MAIL` to its final reply.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transaction> {
        self.transaction.as_ref()
    }

    /// Returns the recipient to decide on.
    #[must_use]
    pub fn candidate(&self) -> Option<&Mailbox> {
        self.candidate.as_ref()
    }

    /// Returns the current command, as received, without its CRLF.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Returns the message to decide on; its last line may lack its CRLF.
    pub(crate) fn message(&self) -> &[u8] {
        self.transaction.as_ref().and_then(|t| t.body.as_ref()).map_or(&[], Body::bytes)
    }

    /// Takes the message to decide on.
    pub fn take_message(&mut self) -> Vec<u8> {
        let body = self.transaction.as_mut().and_then(|t| t.body.as_mut());
        body.map(Body::finish).unwrap_or_default()
    }
}
