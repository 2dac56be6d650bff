//! The replies after a message: one, or with PRDR one for each recipient and a final one.

use mail_types::smtp::{Mailbox, Reply, ReplyCode, Severity};
use prdr::{DataPhase, DataStep};

use super::{Question, Session, SessionState};
use crate::gateway::smtp::replies::write;
use crate::gateway::smtp::transaction::Transaction;

/// The replies to a complete message.
#[derive(Debug)]
pub(super) struct Verdicts {
    phase: DataPhase,
    asked: Option<Question>,
    disposition: Disposition,
    /// Whether the client takes UTF-8 in replies.
    utf8: bool,
    /// Whether the connection ends after them.
    leaving: bool,
}

/// The result of the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Disposition {
    /// No recipient accepts it.
    Refused,
    /// The client is to send it again for a recipient.
    Deferred,
    Taken,
}

impl Verdicts {
    /// Starts for a transaction with recipients; `None` for one without.
    fn new(transaction: &Transaction) -> Option<Self> {
        let codes = transaction.codes.iter().copied();
        let phase = DataPhase::new(codes, transaction.prdr).ok()?;
        let utf8 = transaction.utf8;
        Some(Self { phase, asked: None, disposition: Disposition::Refused, utf8, leaving: false })
    }

    /// Ends the connection after the last reply.
    pub(super) fn leave(&mut self) {
        self.leaving = true;
    }

    /// Writes the known replies, and returns the next question; `None` at the end.
    fn poll(&mut self, output: &mut Vec<u8>) -> Option<Question> {
        loop {
            self.asked = match self.phase.poll() {
                DataStep::Send(reply) => {
                    self.leaving |= reply.code() == ReplyCode::NOT_AVAILABLE;
                    write(&reply, self.utf8, output);
                    continue;
                }
                DataStep::Recipient(at) => Some(Question::Verdict(at)),
                DataStep::Message => Some(Question::Message),
                DataStep::Done => None,
            };
            return self.asked;
        }
    }

    /// Keeps only the recipients that accept the message.
    fn retain_accepted(&self, recipients: &mut Vec<Mailbox>) {
        let (mut accepted, mut at) = (self.phase.accepted().peekable(), 0..);
        recipients.retain(|_| at.next().is_some_and(|at| accepted.next_if_eq(&at).is_some()));
    }
}

impl Session {
    /// Begins to reply to the message.
    pub(super) fn reply_to_message(&mut self) {
        let verdicts = self.transaction.as_ref().and_then(Verdicts::new);
        self.state = verdicts.map_or(SessionState::Ready, SessionState::Replying);
    }

    /// Continues with the replies, and returns the next question; `None` at the end.
    pub(super) fn poll_verdicts(&mut self) -> Option<Question> {
        let SessionState::Replying(verdicts) = &mut self.state else { return None };
        let before = verdicts.asked;
        let asked = verdicts.poll(&mut self.output);
        if let (Some(Question::Message), Some(transaction)) = (asked, &mut self.transaction)
            && asked != before
        {
            verdicts.retain_accepted(&mut transaction.recipients);
        }
        asked
    }

    pub(super) fn handle_verdict(&mut self, reply: &Reply) {
        let SessionState::Replying(verdicts) = &mut self.state else { return };
        let Some(question) = verdicts.asked.take() else { return };
        match reply.code().severity() {
            Severity::Completed if question == Question::Message => {
                verdicts.disposition = Disposition::Taken;
            }
            Severity::Transient => verdicts.disposition = Disposition::Deferred,
            _ => {}
        }
        verdicts.phase.handle_verdict(reply.clone());
    }

    /// Ends the transaction, whose last reply is written.
    pub(super) fn replied(&mut self) {
        let SessionState::Replying(verdicts) = &self.state else { return };
        if verdicts.leaving {
            return self.handle_end();
        }
        let disposition = verdicts.disposition;
        self.counts.nonmail = 0;
        let known =
            self.transaction.take().is_some_and(|transaction| transaction.in_vain.is_some());
        self.state = SessionState::Ready;
        let refusal = match disposition {
            Disposition::Taken => {
                self.counts.messages += 1;
                (self.counts.refused, self.counts.deferred, self.counts.commands) = (0, 0, 0);
                return;
            }
            Disposition::Refused => Severity::Permanent,
            Disposition::Deferred => Severity::Transient,
        };
        if !known && self.count_refusal(refusal).is_some() {
            self.lose_patience();
        }
    }

    /// Replies to each waiting recipient that it should try again later.
    pub(super) fn stop_replying(&mut self) {
        let SessionState::Replying(verdicts) = &mut self.state else { return };
        verdicts.phase.handle_shutdown();
        verdicts.poll(&mut self.output);
    }
}
