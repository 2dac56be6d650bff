//! The transaction with its message, and the replies to it: one for all recipients or one for each.
//!
//! Commands go out together where `PIPELINING` is offered (RFC 2920), each of them else after the reply to
//! the one before.

use std::time::Instant;

use bytes::Bytes;
use mail_types::smtp::{Mailbox, Reply, ReplyCode, ReversePath, Severity};
use prdr::RecipientOutcome;

use super::content::Content;
use super::{CannotTake, Client, Declared, Delivery, Due, Lost, Needs, RecipientResult};
use crate::gateway::smtp::framing::has_bare_line_end;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The numbers of its recipients among those of the transaction.
    takers: Vec<usize>,
    /// Their refusals by the replies to `RCPT`.
    refusals: Vec<Option<Reply>>,
    /// The command whose reply refuses the message for all, and the reply.
    refusal: Option<(Due, Reply)>,
    /// The next command, if there is one more.
    next: Option<Due>,
    /// Whether commands go out together.
    pipelined: bool,
    content: Content,
    /// Whether the content is being sent.
    sending: bool,
    prdr: bool,
    /// The replies to the message.
    replies: Option<prdr::Client>,
    last: Option<Reply>,
}

impl Client {
    /// Sends the message for the recipients of the transaction with the numbers in `takers`, in the order
    /// of [`Client::rcpt`] and from 0. If these are only some, the transaction begins again, since the
    /// server has accepted all.
    ///
    /// # Errors
    ///
    /// The reason why this server cannot take the message; nothing is sent.
    pub fn message(&mut self, parts: &[Bytes], takers: &[usize]) -> Result<(), CannotTake> {
        self.stage.clear();
        self.check(parts)?;
        let some = takers.len() < self.transaction.recipients.len();
        self.transaction.prdr &= !some || prdr::pays(takers.len());
        let first = if some { Due::Reset } else { Due::Data };
        self.transfer(first, false, takers.to_vec(), Content::new(parts));
        Ok(())
    }

    /// Sends a message to these recipients.
    ///
    /// # Errors
    ///
    /// The reason why this server cannot take the message; nothing is sent.
    pub fn transact(
        &mut self,
        (sender, recipients): (&ReversePath, Vec<Mailbox>),
        declared: Declared,
        parts: &[Bytes],
    ) -> Result<(), CannotTake> {
        self.stage.clear();
        self.check(parts)?;
        let declared = declared.for_addresses(sender, &recipients);
        self.transaction.mail = declared.command(sender, &self.offers)?;
        let takers: Vec<_> = (0..recipients.len()).collect();
        self.transaction.prdr = declared.prdr && self.offers.prdr && prdr::pays(takers.len());
        self.transaction.recipients = recipients;
        let first = if self.transaction.open { Due::Reset } else { Due::Mail };
        self.transfer(first, self.offers.pipelining, takers, Content::new(parts));
        Ok(())
    }

    fn check(&self, parts: &[Bytes]) -> Result<(), CannotTake> {
        if has_bare_line_end(parts) {
            return Err(CannotTake::BareLineEnd);
        }
        let eight_bit = !parts.iter().all(|part| part.is_ascii());
        let size = parts.iter().fold(0u64, |size, part| size.saturating_add(part.len() as u64));
        Needs { size, eight_bit, utf8: false }.check(&self.offers)
    }

    /// Begins; where the session is lost, the result follows at once.
    fn transfer(&mut self, first: Due, pipelined: bool, takers: Vec<usize>, content: Content) {
        self.begin();
        self.transfer = Some(Transfer {
            refusals: vec![None; takers.len()],
            takers,
            refusal: None,
            next: Some(first),
            pipelined,
            content,
            sending: false,
            prdr: self.transaction.prdr,
            replies: None,
            last: None,
        });
    }

    /// Writes the next commands, or the next block of the message.
    pub(super) fn prepare(&mut self) {
        let Some(transfer) = &mut self.transfer else { return };
        if transfer.sending {
            return self.prepare_block();
        }
        let window = if transfer.pipelined { WINDOW } else { 1 };
        let chunking = self.uses_chunking();
        while self.due.len() < window
            && let Some(transfer) = &mut self.transfer
            && let Some(next) = transfer.next
        {
            if next == Due::Data && chunking {
                // The chunk follows when a recipient is known to be accepted.
                if self.due.is_empty() {
                    let octets = transfer.content.as_chunk();
                    (transfer.next, transfer.sending) = (None, true);
                    self.stage = format!("BDAT {octets} LAST");
                    self.output.extend_from_slice(self.stage.as_bytes());
                    self.output.extend_from_slice(b"\r\n");
                    self.prepare_block();
                }
                return;
            }
            transfer.next = transfer.after(next);
            self.command(next);
        }
    }

    fn prepare_block(&mut self) {
        // A reply before the end of the message is not about it.
        if !self.may_send() {
            return;
        }
        let Some(transfer) = &mut self.transfer else { return };
        if transfer.content.fill(&mut self.output) {
            transfer.sending = false;
            self.describe(Due::Message);
            self.await_reply(Due::Message);
        }
    }

    /// Takes a reply to a command of the transfer.
    pub(super) fn handle_transfer_reply(&mut self, due: Due, reply: Reply, now: Instant) {
        self.describe(due);
        let unread = self.input.rest().len();
        let Some(transfer) = self.transfer.as_mut() else { return };
        let done = match due {
            Due::Message => transfer.handle_message_reply(reply, unread, now),
            Due::Data => transfer.handle_data_reply(reply).map(|()| true),
            due => transfer.handle_command_reply(due, reply).map(|()| true),
        };
        match done {
            Ok(true) => {
                self.due.pop_front();
                self.transaction.open = due != Due::Message && due != Due::Reset;
                self.expect_next(now);
            }
            Ok(false) => self.expect_next(now),
            Err(lost) => self.lose(lost),
        }
    }

    /// Ends the transfer if nothing remains to be sent; no reply is due.
    pub(super) fn take_finished(&mut self) -> Option<Delivery> {
        let transfer = self.transfer.take_if(|transfer| !transfer.goes_on())?;
        if let Some(&(due, _)) = transfer.refusal.as_ref() {
            self.describe(due);
        }
        Some(transfer.finished())
    }
}

impl Transfer {
    /// Returns the number of a recipient in the transaction.
    pub(super) fn taker(&self, at: usize) -> Option<usize> {
        self.takers.get(at).copied()
    }

    /// Returns the command after this one.
    fn after(&self, due: Due) -> Option<Due> {
        let next = match due {
            Due::Reset => return Some(Due::Mail),
            Due::Mail => 0,
            Due::Recipient(at) => at + 1,
            _ => return None,
        };
        Some(if next < self.takers.len() { Due::Recipient(next) } else { Due::Data })
    }

    /// Tells whether the server has accepted a recipient.
    fn has_recipient(&self) -> bool {
        self.refusals.iter().any(Option::is_none)
    }

    /// Tells whether commands or the message are to be sent.
    fn goes_on(&self) -> bool {
        let before_data = self.next.is_some_and(|next| next != Due::Data);
        let over = self.refusal.is_some() || self.takers.is_empty();
        let due = before_data || self.has_recipient();
        self.sending || (self.next.is_some() && due && !over)
    }

    fn handle_command_reply(&mut self, due: Due, reply: Reply) -> Result<(), Lost> {
        match (reply.code().severity(), due) {
            (Severity::Intermediate, _) => return Err(Lost::Malformed),
            (Severity::Completed, _) => {}
            (_, Due::Recipient(at)) => {
                if let Some(refusal) = self.refusals.get_mut(at) {
                    *refusal = Some(reply);
                }
            }
            _ => {
                self.refusal.get_or_insert((due, reply));
            }
        }
        Ok(())
    }

    fn handle_data_reply(&mut self, reply: Reply) -> Result<(), Lost> {
        let wanted = self.refusal.is_none() && self.has_recipient();
        match reply.code().severity() {
            Severity::Intermediate if reply.code() == ReplyCode::START_MAIL => {
                if !wanted && self.has_recipient() {
                    // Even an empty message would be delivered.
                    return Err(Lost::Malformed);
                }
                if !wanted {
                    // RFC 2920 section 3.1.
                    self.content.clear();
                }
                self.sending = true;
            }
            Severity::Transient | Severity::Permanent if !wanted => {}
            Severity::Transient | Severity::Permanent => self.refusal = Some((Due::Data, reply)),
            Severity::Intermediate | Severity::Completed => return Err(Lost::Malformed),
        }
        Ok(())
    }

    /// Takes a reply after the message; tells whether it was the last one. Before the last one nothing is
    /// sent, and no recipient counts as having the message.
    fn handle_message_reply(
        &mut self,
        reply: Reply,
        unread: usize,
        now: Instant,
    ) -> Result<bool, Lost> {
        let severity = reply.code().severity();
        if !self.has_recipient() {
            return Ok(true);
        }
        if !self.prdr && severity == Severity::Intermediate {
            return Err(Lost::Malformed);
        }
        let unread = if self.prdr { unread } else { 0 };
        let count = self.refusals.iter().filter(|refusal| refusal.is_none()).count();
        let replies = self.replies.get_or_insert_with(|| prdr::Client::new(count, now));
        replies.handle_reply(reply.clone(), unread, now);
        let Some(outcomes) = replies.outcomes() else { return Ok(false) };
        if outcomes.contains(&RecipientOutcome::InDoubt) {
            return Err(Lost::Malformed);
        }
        self.last = Some(reply);
        Ok(true)
    }

    fn finished(self) -> Delivery {
        let outcomes = self.replies.as_ref().and_then(prdr::Client::outcomes).unwrap_or_default();
        self.delivery(outcomes, &RecipientResult::Untried, None)
    }

    /// Returns the result of a lost session; `ended` tells whether the end of the message may have been
    /// sent.
    pub(super) fn lost(self, lost: Lost, ended: bool) -> Delivery {
        let in_doubt = RecipientResult::Message(RecipientOutcome::InDoubt);
        let without = if ended { in_doubt } else { RecipientResult::Untried };
        self.delivery(Vec::new(), &without, Some(lost))
    }

    /// Returns the result, by the outcomes for the accepted recipients, and `without` one.
    fn delivery(
        self,
        outcomes: Vec<RecipientOutcome>,
        without: &RecipientResult,
        lost: Option<Lost>,
    ) -> Delivery {
        let Self { refusals, refusal, last, prdr, .. } = self;
        let mut outcomes = outcomes.into_iter();
        // Without a sender, the replies to the recipients mean nothing.
        let no_sender = refusal.as_ref().is_some_and(|(due, _)| *due != Due::Data);
        let refusal = refusal.map(|(_, reply)| reply);
        let all = refusal.as_ref().map(RecipientOutcome::of);
        let result = |refused: Option<Reply>| match refused {
            Some(reply) if !no_sender => RecipientResult::Refused(reply),
            _ => {
                let outcome = all.clone().or_else(|| outcomes.next());
                outcome.map_or_else(|| without.clone(), RecipientResult::Message)
            }
        };
        let recipients = refusals.into_iter().map(result).collect();
        Delivery { recipients, last: refusal.or(last), prdr, lost }
    }
}

/// The most commands that go out together: their replies fit into the buffers of the connection, so that
/// neither side waits for the other (RFC 2920 section 3.1).
const WINDOW: usize = 100;
