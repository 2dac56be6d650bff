//! The limit of refused recipients, and of transactions without a message.
//!
//! Of temporary refusals (4yz), those of recipients beyond `recipients_max` too, [`DEFERRALS`] count as one: a
//! client may send many at once, but not for ever. Beyond the limit the connection ends with 421. While the
//! transaction has an accepted recipient, it continues, so that the message can follow, but each reply to
//! a refused recipient that counts is delayed longer.

use std::time::Duration;

use mail_types::smtp::{EnhancedCode, Reply, Severity};

use super::{Session, SessionState};
use crate::gateway::smtp::replies::{going, write};
use crate::gateway::smtp::transaction::InVain;

impl Session {
    /// Replies to a refused recipient.
    pub(super) fn refuse_recipient(&mut self, reply: &Reply) {
        let permanent = reply.code().severity() == Severity::Permanent;
        if let Some(transaction) = &mut self.transaction {
            transaction.in_vain = Some(if permanent { InVain::Refused } else { InVain::Deferred });
        }
        self.count_recipient(reply);
    }

    /// Replies to a recipient beyond `recipients_max`: those before it were accepted.
    pub(super) fn defer_recipient(&mut self, reply: &Reply) {
        self.unasked.rcpt(reply);
        self.count_recipient(reply);
    }

    fn count_recipient(&mut self, reply: &Reply) {
        let Some(transaction) = self.transaction.as_mut() else { return self.answer(reply) };
        transaction.rcpts.refuse(reply);
        let has_recipient = !transaction.recipients.is_empty();
        match self.count_refusal(reply.code().severity()) {
            Some(beyond) if has_recipient => {
                let wait = PAUSE.saturating_mul(beyond).min(LONGEST_PAUSE);
                self.state = SessionState::Pausing { wait, reply: reply.clone() };
            }
            Some(_) => {
                self.answer(reply);
                self.lose_patience();
            }
            None => self.answer(reply),
        }
    }

    /// Replies, and ends the transaction. One without a message counts, unless one of its recipients has counted
    /// already.
    pub(super) fn end_transaction(&mut self, reply: &Reply) {
        let Some(transaction) = self.transaction.take() else { return self.answer(reply) };
        // RSET without a message counts as a permanent refusal.
        let refusal = match reply.code().severity() {
            Severity::Transient => Severity::Transient,
            _ => Severity::Permanent,
        };
        let is_known = transaction.in_vain.is_some();
        let beyond = if is_known { None } else { self.count_refusal(refusal) };
        write(reply, transaction.utf8, &mut self.output);
        if beyond.is_some() {
            self.lose_patience();
        }
    }

    /// Ends the transaction because of a refused chunk, which counts as an error by itself.
    pub(super) fn drop_transaction(&mut self) {
        self.transaction = None;
    }

    /// Counts a refusal; returns by how many the count exceeds the limit, if this one does.
    pub(super) fn count_refusal(&mut self, severity: Severity) -> Option<u32> {
        if severity == Severity::Transient {
            self.counts.deferred = self.counts.deferred.wrapping_add(1);
            if !self.counts.deferred.is_multiple_of(DEFERRALS) {
                return None;
            }
        }
        self.counts.refused = self.counts.refused.saturating_add(1);
        let most = self.settings.smtp_max_refused;
        let beyond = self.counts.refused.checked_sub(most).filter(|&beyond| beyond > 0);
        beyond.filter(|_| most > 0)
    }

    /// The time of [`SessionStep::Pause`](super::SessionStep::Pause) has passed.
    pub fn handle_pause_end(&mut self) {
        if let SessionState::Pausing { reply, .. } = &self.state {
            let reply = reply.clone();
            self.state = SessionState::Ready;
            self.answer(&reply);
        }
    }

    pub(super) fn lose_patience(&mut self) {
        self.fail(&going(
            EnhancedCode::of::<4, 7, 0>(),
            "too many refused recipients or transactions without a message",
        ));
    }
}

/// The temporary refusals that count as one.
const DEFERRALS: u32 = 50;
/// The increase of the delay with each reply beyond the limit.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest delay.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
