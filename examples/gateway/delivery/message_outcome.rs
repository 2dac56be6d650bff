//! The outcome of a message, for its client.

use mail_types::smtp::{Reply, Severity};

use crate::gateway::smtp::replies::fault;

/// The outcome of a message that was delivered, relayed or refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MessageOutcome {
    /// A reply for each recipient. A recipient has the message if its reply and the final one are
    /// positive.
    pub(crate) recipients: Vec<Reply>,
    /// The final reply, positive if a recipient has the message.
    pub(crate) last: Reply,
}

impl MessageOutcome {
    /// The same reply for all.
    pub(crate) fn all(count: usize, reply: Reply) -> Self {
        Self { recipients: vec![reply.clone(); count], last: reply }
    }

    /// One of deliveries that each have a result: the first success is the final reply.
    pub(crate) fn of(recipients: Vec<Reply>) -> Self {
        let is_success = |reply: &&Reply| reply.code().severity() == Severity::Completed;
        let last = recipients.iter().find(is_success).or(recipients.first()).cloned();
        let last = last.unwrap_or_else(|| fault("no recipient"));
        Self { recipients, last }
    }
}
