//! The server's side of the data phase: draft-hall-prdr-00 sections 4.4 and 4.5.

use std::collections::VecDeque;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode, Severity};
use thiserror::Error;

/// The replies of one transaction, from the end of the message's data to its final reply.
///
/// It is a state machine without I/O, the same for `DATA` and the last `BDAT`. Make it at the end
/// of the data, then perform each step of [`poll`](Self::poll) until [`DataStep::Done`]: send a reply,
/// or find a verdict. No order of calls panics; a verdict too many changes nothing.
///
/// With a request for the extension and several recipients it sends the block: 353, a reply for
/// each recipient, the final reply. The verdict on a single recipient is the final reply, requested
/// or not, so that no policy is skipped. For several recipients without a request it sends the
/// final reply alone, and asks for no verdict on a recipient.
///
/// ```
/// use mail_types::smtp::{Reply, ReplyCode};
/// use prdr::{DataPhase, DataStep};
///
/// let mut phase = DataPhase::new([ReplyCode::OK; 2], true)?;
/// let mut sent = Vec::new();
/// loop {
///     match phase.poll() {
///         DataStep::Send(reply) => sent.push(reply.to_string()),
///         DataStep::Recipient(0) => phase.handle_verdict(Reply::new(ReplyCode::OK, "ann takes it")),
///         DataStep::Recipient(_) => phase.handle_verdict("550 5.7.1 bob does not".parse()?),
///         DataStep::Message => phase.handle_verdict("250 2.6.0 queued".parse()?),
///         DataStep::Done => break,
///     }
/// }
/// assert_eq!(sent, [
///     "353 content analysis has started",
///     "250 2.1.5 ann takes it",
///     "550 5.7.1 bob does not",
///     "250 2.6.0 queued",
/// ]);
/// assert_eq!(phase.accepted().collect::<Vec<_>>(), [0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DataPhase {
    /// The code of the reply to each recipient's `RCPT`.
    recipients: Vec<ReplyCode>,
    form: Form,
    verdicts: Vec<Reply>,
    replies: VecDeque<Reply>,
    ended: bool,
    /// Whether the message as a whole was deferred or refused.
    refused: bool,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Form {
    /// 353, a reply for each, the final one.
    Block,
    /// One recipient, one reply.
    Single,
    /// Several recipients, one reply, no verdict on each.
    Whole,
}

/// The next action in the data phase.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a server must handle all four")]
pub enum DataStep {
    /// Send this reply.
    Send(Reply),
    /// Find the verdict on this recipient: its number, from 0, among the recipients whose `RCPT`
    /// was accepted, in that order. Answer with [`DataPhase::handle_verdict`].
    Recipient(usize),
    /// Find the verdict on the message as a whole, for the recipients that have
    /// [accepted](DataPhase::accepted) it; if it is positive, take responsibility for the message.
    /// Answer with [`DataPhase::handle_verdict`].
    Message,
    /// The data phase is over.
    Done,
}

impl DataPhase {
    /// Starts the phase for the accepted recipients, given by the codes of the replies to their
    /// `RCPT`; `requested` says whether the client requested the extension. A recipient whose code is
    /// not positive has no verdict (section 4.5.2), and no number here.
    ///
    /// # Errors
    ///
    /// [`NoRecipients`] without an accepted recipient: such a transaction has no data phase.
    pub fn new(
        recipients: impl IntoIterator<Item = ReplyCode>,
        requested: bool,
    ) -> Result<Self, NoRecipients> {
        let is_accepted = |code: &ReplyCode| code.severity() == Severity::Completed;
        let recipients: Vec<_> = recipients.into_iter().filter(is_accepted).collect();
        let form = match recipients.len() {
            0 => return Err(NoRecipients),
            1 => Form::Single,
            _ if requested => Form::Block,
            _ => Form::Whole,
        };
        let mut replies = VecDeque::new();
        if form == Form::Block {
            // As soon as possible, and without an enhanced code (section 4.5.1).
            replies.push_back(Reply::new(ReplyCode::PER_RECIPIENT, "content analysis has started"));
        }
        Ok(Self { recipients, form, verdicts: Vec::new(), replies, ended: false, refused: false })
    }

    /// Starts a phase that ends with this reply: the message was refused before any verdict, for
    /// example as too large.
    #[must_use]
    pub fn refused(reply: Reply) -> Self {
        let replies = VecDeque::from([data_reply(negative(reply))]);
        Self {
            recipients: Vec::new(),
            form: Form::Whole,
            verdicts: Vec::new(),
            replies,
            ended: true,
            refused: true,
        }
    }

    /// Returns the next step.
    pub fn poll(&mut self) -> DataStep {
        if let Some(reply) = self.replies.pop_front() {
            return DataStep::Send(reply);
        }
        match self.awaiting() {
            Some(recipient) => DataStep::Recipient(recipient),
            None if self.ended => DataStep::Done,
            None => DataStep::Message,
        }
    }

    /// Takes the verdict that [`poll`](Self::poll) asked for last, as a reply: 2yz accepts the
    /// message, 4yz defers it, 5yz refuses it; 3yz is not a verdict, and defers. A reply without an
    /// enhanced code gets one.
    pub fn handle_verdict(&mut self, reply: Reply) {
        if self.ended {
            return;
        }
        let reply = if reply.code().severity() == Severity::Intermediate {
            Reply::new(ReplyCode::LOCAL_ERROR, "no verdict available, try again later")
        } else {
            reply
        };
        if self.awaiting().is_none() {
            self.ended = true;
            self.refused = reply.code().severity() != Severity::Completed;
            self.replies.push_back(data_reply(reply));
            return;
        }
        if self.form == Form::Block {
            let before = self.recipients.get(self.verdicts.len()).copied();
            self.replies.push_back(recipient_reply(reply.clone(), before));
        }
        self.verdicts.push(reply);
        if self.awaiting().is_none() && self.accepted().next().is_none() {
            self.ended = true;
            self.replies.push_back(self.nobody());
        }
    }

    /// Ends the phase because the server shuts down: the recipients without a verdict and the
    /// message are deferred, and the whole sequence is sent (section 4.5.3).
    ///
    /// ```
    /// use mail_types::smtp::ReplyCode;
    /// use prdr::{DataPhase, DataStep};
    ///
    /// let mut phase = DataPhase::new([ReplyCode::OK, ReplyCode::OK], true)?;
    /// phase.handle_shutdown();
    /// let mut codes = Vec::new();
    /// while let DataStep::Send(reply) = phase.poll() {
    ///     codes.push(reply.code().get());
    /// }
    /// assert_eq!(codes, [353, 451, 451, 450]);
    ///
    /// // A message that is refused before any verdict has one reply.
    /// let mut phase = DataPhase::refused("552 5.3.4 too large".parse()?);
    /// assert!(matches!(phase.poll(), DataStep::Send(reply) if reply.code().get() == 552));
    /// assert!(matches!(phase.poll(), DataStep::Done));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handle_shutdown(&mut self) {
        let later = || Reply::new(ReplyCode::LOCAL_ERROR, "server shutting down, try again later");
        while !self.ended {
            self.handle_verdict(with_enhanced(later(), 3, 2));
        }
    }

    /// Returns the recipients that have accepted the message so far: all of them if none is asked, and
    /// no recipient once the message as a whole is deferred or refused.
    pub fn accepted(&self) -> impl Iterator<Item = usize> {
        let takes = |at: usize| match self.verdicts.get(at) {
            _ if self.refused => false,
            Some(reply) => reply.code().severity() == Severity::Completed,
            None => self.form == Form::Whole,
        };
        (0..self.recipients.len()).filter(move |&at| takes(at))
    }

    fn awaiting(&self) -> Option<usize> {
        let wanted =
            !self.ended && self.form != Form::Whole && self.verdicts.len() < self.recipients.len();
        wanted.then_some(self.verdicts.len())
    }

    /// The final reply if no recipient accepts the message: temporary if at least one recipient
    /// deferred it, else permanent (section 4.5.3).
    fn nobody(&self) -> Reply {
        if let (Form::Single, Some(only)) = (self.form, self.verdicts.first()) {
            return data_reply(only.clone());
        }
        let transient = |reply: &Reply| reply.code().severity() == Severity::Transient;
        if self.verdicts.iter().any(transient) {
            let reply =
                Reply::new(ReplyCode::BUSY, "no recipient accepted the message, try again later");
            with_enhanced(reply, 0, 0)
        } else {
            let reply =
                Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, "message refused for all recipients");
            with_enhanced(reply, 7, 1)
        }
    }
}

/// A data phase needs at least one recipient.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("data phase without a recipient")]
#[non_exhaustive]
pub struct NoRecipients;

/// Gives a reply an enhanced code of its own class, if it has none (RFC 2034 section 4).
pub(crate) fn with_enhanced(reply: Reply, subject: u16, detail: u16) -> Reply {
    let class = match reply.code().severity() {
        Severity::Completed => 2,
        Severity::Intermediate | Severity::Transient => 4,
        Severity::Permanent => 5,
    };
    match (reply.enhanced(), EnhancedCode::new(class, subject, detail)) {
        (None, Ok(enhanced)) => reply.with_enhanced(enhanced),
        _ => reply,
    }
}

/// A reply for a recipient: its code is one of those for `RCPT` (RFC 5321 section 4.3.2), and keeps the
/// detail of the reply to `RCPT` (section 4.5.2).
fn recipient_reply(reply: Reply, before: Option<ReplyCode>) -> Reply {
    let class = reply.code().severity();
    let codes = [250, 251, 450, 451, 452, 550, 551, 552, 553];
    let mut reply = recode(reply, &codes, ReplyCode::MAILBOX_UNAVAILABLE);
    if let (ReplyCode::OK, Some(before)) = (reply.code(), before)
        && codes.contains(&before.get())
    {
        reply = with_code(&reply, before);
    }
    if class == Severity::Completed {
        with_enhanced(reply, 1, 5)
    } else {
        with_enhanced(reply, 7, 0)
    }
}

/// A final reply: its code is one of those for the end of data (RFC 5321 section 4.3.2), or 421 of a
/// server that shuts down.
fn data_reply(reply: Reply) -> Reply {
    let codes = [250, 421, 450, 451, 452, 550, 552, 554];
    with_enhanced(recode(reply, &codes, ReplyCode::TRANSACTION_FAILED), 0, 0)
}

/// Gives a reply the general code of its class if its own is not among `codes`.
fn recode(reply: Reply, codes: &[u16], permanent: ReplyCode) -> Reply {
    if codes.contains(&reply.code().get()) {
        return reply;
    }
    let code = match reply.code().severity() {
        Severity::Completed => ReplyCode::OK,
        Severity::Intermediate | Severity::Transient => ReplyCode::LOCAL_ERROR,
        Severity::Permanent => permanent,
    };
    with_code(&reply, code)
}

fn with_code(reply: &Reply, code: ReplyCode) -> Reply {
    let mut lines = reply.lines();
    let first = Reply::new(code, lines.next().unwrap_or_default());
    let recoded = lines.fold(first, Reply::with_line);
    match reply.enhanced() {
        Some(enhanced) => recoded.with_enhanced(enhanced),
        None => recoded,
    }
}

/// Makes a reply negative: a positive one would accept a message that is not stored.
fn negative(reply: Reply) -> Reply {
    match reply.code().severity() {
        Severity::Transient | Severity::Permanent => reply,
        Severity::Completed | Severity::Intermediate => {
            Reply::new(ReplyCode::LOCAL_ERROR, "message not accepted, try again later")
        }
    }
}
