//! The client's side of the data phase: draft-hall-prdr-00 sections 4.4 and 4.5.

use std::fmt;
use std::time::{Duration, Instant};

use mail_types::smtp::{Reply, ReplyCode, Severity};

/// The least time that a client waits for each of the 353, a recipient's reply and the final reply
/// (sections 4.5.1 to 4.5.3).
pub const LEAST_PATIENCE: Duration = Duration::from_secs(600);

/// Computes the outcome for each recipient, from the end of the data to the final reply.
///
/// It is a state machine without I/O. Make it after the data was sent to a server that accepted
/// `PRDR` in `MAIL`, and hand in each reply. **No reply counts before a positive final reply.**
/// After an unexpected reply or a lost connection every recipient is in doubt, and must be tried
/// again: a message may arrive twice, but must not be lost. Send nothing to the server before the
/// [`outcomes`](Self::outcomes) are known. No order of calls panics.
///
/// ```
/// use std::time::Instant;
///
/// use prdr::{Client, RecipientOutcome};
///
/// let mut client = Client::new(3, Instant::now());
/// for reply in ["353 wait", "250 ann takes it", "550 bob does not", "450 carl, later", "250 ok"] {
///     assert_eq!(client.outcomes(), None);
///     client.handle_reply(reply.parse()?, 0, Instant::now());
/// }
/// let outcomes = client.outcomes().unwrap_or_default();
/// assert!(matches!(&outcomes[..], [
///     RecipientOutcome::Delivered(_), RecipientOutcome::Permanent(_), RecipientOutcome::Temporary(_),
/// ]));
/// # Ok::<(), mail_types::smtp::ReplyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    recipients: usize,
    patience: Duration,
    deadline: Option<Instant>,
    replies: Vec<Reply>,
    state: ClientState,
}

#[derive(Clone, Debug)]
enum ClientState {
    /// No reply has come.
    First,
    /// 353 has come.
    Block,
    /// The final reply, or `None` without a reliable one.
    Ended(Option<Reply>),
}

/// The outcome for one recipient.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "snake_case", try_from = "StoredOutcome")
)]
#[expect(clippy::exhaustive_enums, reason = "SMTP has just these")]
pub enum RecipientOutcome {
    /// The server has taken responsibility, with this reply.
    Delivered(Reply),
    /// Refused permanently, with this reply, for a notification to quote.
    Permanent(Reply),
    /// Deferred with this reply: try again.
    Temporary(Reply),
    /// It is unknown whether the server has the message: try again.
    InDoubt,
}

/// An outcome whose reply may be of another class: a queue that believed it would lose the message.
#[cfg(feature = "serde")]
#[derive(::serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOutcome {
    Delivered(Reply),
    Permanent(Reply),
    Temporary(Reply),
    InDoubt,
}

#[cfg(feature = "serde")]
impl TryFrom<StoredOutcome> for RecipientOutcome {
    type Error = String;

    fn try_from(stored: StoredOutcome) -> Result<Self, String> {
        let (outcome, expected) = match stored {
            StoredOutcome::Delivered(reply) => (Self::Delivered(reply), Severity::Completed),
            StoredOutcome::Permanent(reply) => (Self::Permanent(reply), Severity::Permanent),
            StoredOutcome::Temporary(reply) => (Self::Temporary(reply), Severity::Transient),
            StoredOutcome::InDoubt => return Ok(Self::InDoubt),
        };
        let (Self::Delivered(reply) | Self::Permanent(reply) | Self::Temporary(reply)) = &outcome
        else {
            return Ok(outcome);
        };
        if reply.code().severity() == expected {
            Ok(outcome)
        } else {
            Err(format!("the reply {} does not fit the outcome", reply.code()))
        }
    }
}

impl fmt::Display for RecipientOutcome {
    /// Writes a line for people, with the server's reply: `delivered: 250 2.1.5 ok`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered(reply) => write!(f, "delivered: {reply}"),
            Self::Permanent(reply) => write!(f, "refused: {reply}"),
            Self::Temporary(reply) => write!(f, "deferred: {reply}"),
            Self::InDoubt => {
                f.write_str("in doubt: the connection ended without a valid final reply")
            }
        }
    }
}

impl Client {
    /// Starts at the end of the data. `recipients` is the number of recipients that the server
    /// accepted; the outcomes are in the order of their `RCPT`.
    #[must_use]
    pub fn new(recipients: usize, now: Instant) -> Self {
        let (patience, deadline) = (LEAST_PATIENCE, now.checked_add(LEAST_PATIENCE));
        Self { recipients, patience, deadline, replies: Vec::new(), state: ClientState::First }
    }

    /// Sets the time to wait for each reply, at least [`LEAST_PATIENCE`].
    #[must_use]
    pub fn with_patience(mut self, patience: Duration, now: Instant) -> Self {
        self.patience = patience.max(LEAST_PATIENCE);
        self.deadline = now.checked_add(self.patience);
        self
    }

    /// Takes a reply. `unread` is the number of bytes received after it: a final reply must be the
    /// last, else the server counts its recipients differently.
    pub fn handle_reply(&mut self, reply: Reply, unread: usize, now: Instant) {
        let severity = reply.code().severity();
        let last = unread == 0;
        self.deadline = now.checked_add(self.patience);
        let going = reply.code() == ReplyCode::NOT_AVAILABLE;
        match (&self.state, severity) {
            (ClientState::Ended(_), _) => {} // Replies to later commands do not count.
            _ if going => self.end(None),
            (ClientState::First, _) if reply.code() == ReplyCode::PER_RECIPIENT => {
                self.state = ClientState::Block;
            }
            (_, Severity::Intermediate) => self.end(None),
            (ClientState::Block, _) if self.replies.len() < self.recipients => {
                self.replies.push(reply);
            }
            (ClientState::First | ClientState::Block, _) => self.end(Some(reply).filter(|_| last)),
        }
    }

    /// The connection has ended, or a reply was malformed.
    pub fn handle_end(&mut self) {
        if !matches!(self.state, ClientState::Ended(_)) {
            self.end(None);
        }
    }

    /// Hands in the time: from the [deadline](Self::deadline) on, the connection counts as
    /// ended.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use prdr::{Client, LEAST_PATIENCE, RecipientOutcome};
    ///
    /// let start = Instant::now();
    /// let mut client = Client::new(2, start).with_patience(2 * LEAST_PATIENCE, start);
    /// assert_eq!(client.deadline(), Some(start + 2 * LEAST_PATIENCE));
    /// client.handle_time(start + 2 * LEAST_PATIENCE);
    /// let outcomes = client.outcomes().unwrap_or_default();
    /// assert!(outcomes.len() == 2 && outcomes.iter().all(RecipientOutcome::is_to_be_retried));
    /// ```
    pub fn handle_time(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.handle_end();
        }
    }

    /// Returns the deadline of the next reply, or `None` after the end.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.filter(|_| !matches!(self.state, ClientState::Ended(_)))
    }

    /// Returns the outcome for each recipient in order, once all replies have come.
    ///
    /// A negative final reply applies to all recipients, whatever their own replies. After a
    /// positive one each recipient has its own.
    #[must_use]
    pub fn outcomes(&self) -> Option<Vec<RecipientOutcome>> {
        let ClientState::Ended(last) = &self.state else { return None };
        let positive = last.as_ref().is_some_and(|l| l.code().severity() == Severity::Completed);
        let of = |at| {
            let own = self.replies.get(at).filter(|_| positive);
            own.or(last.as_ref()).map_or(RecipientOutcome::InDoubt, RecipientOutcome::of)
        };
        Some((0..self.recipients).map(of).collect())
    }

    fn end(&mut self, last: Option<Reply>) {
        self.state = ClientState::Ended(last);
    }
}

impl RecipientOutcome {
    /// Returns the outcome that this last reply means; an intermediate one is no last reply.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        match reply.code().severity() {
            Severity::Completed => Self::Delivered(reply.clone()),
            Severity::Transient => Self::Temporary(reply.clone()),
            Severity::Permanent => Self::Permanent(reply.clone()),
            Severity::Intermediate => Self::InDoubt,
        }
    }

    /// Tells whether the client must try this recipient again.
    ///
    /// ```
    /// use prdr::RecipientOutcome;
    ///
    /// assert!(RecipientOutcome::of(&"450 later".parse()?).is_to_be_retried());
    /// assert!(!RecipientOutcome::of(&"550 never".parse()?).is_to_be_retried());
    /// # Ok::<(), mail_types::smtp::ReplyError>(())
    /// ```
    #[must_use]
    pub fn is_to_be_retried(&self) -> bool {
        matches!(self, Self::Temporary(_) | Self::InDoubt)
    }
}
