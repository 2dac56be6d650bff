//! What became of a message, for its client to hear.

use mail_types::smtp::Reply;

/// What became of a message that was delivered, handed on or refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MessageOutcome {
    /// A reply for each recipient that the message was for. Those with a positive one have it if the last
    /// reply is positive, and nobody else has.
    pub(crate) recipients: Vec<Reply>,
    /// The last reply, positive if anybody has the message.
    pub(crate) last: Reply,
}

impl MessageOutcome {
    /// Says the same to all.
    pub(crate) fn all(count: usize, reply: Reply) -> Self {
        Self { recipients: vec![reply.clone(); count], last: reply }
    }
}
