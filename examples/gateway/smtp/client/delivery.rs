//! The result of a message for each recipient.

use mail_types::smtp::Reply;
use prdr::RecipientOutcome;

use super::lost::Lost;

/// The result of a message that was sent, or of the attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The result for each recipient, in order.
    pub recipients: Vec<RecipientResult>,
    /// The reply about the message: the last one after its end, or the refusal of `RSET`, `MAIL` or
    /// `DATA`. `None` if there was no such reply, or no recipient to send the message for.
    pub last: Option<Reply>,
    /// Whether the server was asked for a reply for each recipient.
    pub prdr: bool,
    /// The reason, if the session was lost before the last reply.
    pub lost: Option<Lost>,
}

impl Delivery {
    /// Makes the result of a message that was not sent.
    pub(crate) fn untried(recipients: usize, lost: Lost) -> Self {
        let recipients = vec![RecipientResult::Untried; recipients];
        Self { recipients, last: None, prdr: false, lost: Some(lost) }
    }

    /// Tells whether the server may have the message without having said so. Then another server must not
    /// get it before the time to try again has come.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.recipients.contains(&RecipientResult::Message(RecipientOutcome::InDoubt))
    }
}

/// The result for a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecipientResult {
    /// Refused or deferred by this reply to its `RCPT`.
    Refused(Reply),
    /// The outcome of the message, by the replies about it; in doubt if the session was lost after its end.
    Message(RecipientOutcome),
    /// The message was not sent to its end, so that another server may get it.
    Untried,
}

impl RecipientResult {
    /// Tells whether the server has taken responsibility for this recipient's message.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Message(RecipientOutcome::Delivered(_)))
    }

    /// Returns the reply for this recipient; `None` if it is unknown whether the server has the message.
    pub(crate) fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused(reply)
            | Self::Message(
                RecipientOutcome::Delivered(reply)
                | RecipientOutcome::Permanent(reply)
                | RecipientOutcome::Temporary(reply),
            ) => Some(reply),
            Self::Message(RecipientOutcome::InDoubt) | Self::Untried => None,
        }
    }
}
