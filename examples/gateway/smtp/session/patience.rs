//! The limit of refused recipients, and of transactions without a message.
//!
//! A temporary refusal (4yz) does not count, nor does a recipient beyond `recipients_max`. Beyond the
//! limit the connection ends with 421. While the transaction has an accepted recipient, it continues,
//! so that the message can follow, but each reply to a refused recipient is delayed longer.

use std::time::Duration;

use mail_types::smtp::{EnhancedCode, Reply, Severity};

use super::{Session, SessionState};
use crate::gateway::smtp::replies::{going, write};
use crate::gateway::smtp::transaction::InVain;

impl Session {
    /// Replies to a refused recipient.
    pub(super) fn refuse_recipient(&mut self, reply: &Reply) {
        let permanent = reply.code().severity() == Severity::Permanent;
        let Some(transaction) = self.transaction.as_mut() else { return self.answer(reply) };
        transaction.rcpts.refuse(reply);
        transaction.in_vain = Some(if permanent { InVain::Refused } else { InVain::Deferred });
        let has_recipient = !transaction.recipients.is_empty();
        match self.count_refusal(permanent) {
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

    /// Replies, and ends the transaction. One without a message counts, unless it was deferred or one
    /// of its recipients has counted already.
    pub(super) fn end_transaction(&mut self, reply: &Reply) {
        let Some(transaction) = self.transaction.take() else { return self.answer(reply) };
        let put_off = reply.code().severity() == Severity::Transient;
        let beyond = self.count_refusal(!put_off && transaction.in_vain.is_none());
        write(reply, transaction.utf8, &mut self.output);
        if beyond.is_some() {
            self.lose_patience();
        }
    }

    /// Ends the transaction because of a refused chunk, which counts as an error by itself.
    pub(super) fn drop_transaction(&mut self) {
        self.transaction = None;
    }

    /// Adds to the count if `counts` is set; returns by how many it exceeds the limit, if it does.
    pub(super) fn count_refusal(&mut self, counts: bool) -> Option<u32> {
        self.counts.refused = self.counts.refused.saturating_add(u32::from(counts));
        let most = self.settings.smtp_max_refused;
        let beyond = self.counts.refused.checked_sub(most).filter(|&beyond| beyond > 0);
        beyond.filter(|_| counts && most > 0)
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

/// The increase of the delay with each reply beyond the limit.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest delay.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
