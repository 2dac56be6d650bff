//! The transfer of the message, with a reply for all recipients or for each.

use std::time::Instant;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode, Severity};
use prdr::{Client, RecipientOutcome};

use super::lost::Lost;
use super::{Relay, not_intermediate};
use crate::gateway::delivery::message_outcome::MessageOutcome;
use crate::gateway::smtp::framing::has_bare_line_end;
use crate::gateway::smtp::replies::say;
use crate::gateway::smtp::stuffing::Stuffing;
use crate::gateway::store::Message;

impl Relay {
    /// Sends the message for the accepted recipients with the numbers in `takers`, in the order of `RCPT`
    /// and from 0.
    pub(crate) async fn message(&mut self, message: &Message, takers: &[usize]) -> MessageOutcome {
        self.stage.clear();
        if let Some(reply) = self.cannot_take(message) {
            let passed = MessageOutcome::all(takers.len(), reply);
            self.tell_passed(takers, &passed);
            return passed;
        }
        let began = self.begin();
        let passed = match began {
            Ok(()) => self.try_takers(message, takers).await,
            Err(lost) => Err(lost),
        };
        match passed {
            Ok(passed) => {
                self.lost = None;
                passed
            }
            Err(lost) => MessageOutcome::all(takers.len(), self.lose(lost).reply()),
        }
    }

    /// Returns the refusal of a message that this next hop cannot accept.
    fn cannot_take(&self, message: &Message) -> Option<Reply> {
        if has_bare_line_end(&message.parts) {
            return Some(say(
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 6, 0>(),
                "message has a line end other than CRLF",
            ));
        }
        if !self.offers.eight_bit && !message.parts.iter().all(|part| part.is_ascii()) {
            // RFC 6152 section 3: convert it, or refuse it.
            let text = "the next hop does not support 8-bit text";
            return Some(say(ReplyCode::TRANSACTION_FAILED, EnhancedCode::of::<5, 6, 3>(), text));
        }
        None
    }

    /// Reports the outcome of the message for these recipients.
    fn tell_passed(&mut self, takers: &[usize], passed: &MessageOutcome) {
        let Self { recipients, attempt, stage, prdr, .. } = self;
        let recipients: Vec<_> = takers.iter().filter_map(|&at| recipients.get(at)).collect();
        attempt.passed(&recipients, &passed.recipients, &passed.last, stage, *prdr);
    }

    /// Starts the transaction again if only some recipients accept the message: the next hop has all.
    async fn try_takers(
        &mut self,
        message: &Message,
        takers: &[usize],
    ) -> Result<MessageOutcome, Lost> {
        let mut refusals = vec![None; takers.len()];
        if takers.len() < self.recipients.len()
            && let Some(refusal) = self.restart(takers, &mut refusals).await?
        {
            let passed = MessageOutcome::all(takers.len(), refusal);
            self.tell_passed(takers, &passed);
            return Ok(passed);
        }
        let left = takers.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none());
        let left: Vec<_> = left.map(|(&taker, _)| taker).collect();
        let mut sent = if left.is_empty() {
            let none = say(
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 5, 1>(),
                "no valid recipients",
            );
            MessageOutcome::all(0, none)
        } else {
            let sent = self.try_message(message, left.len()).await?;
            self.tell_passed(&left, &sent);
            sent
        };
        let mut own = std::mem::take(&mut sent.recipients).into_iter();
        let last = sent.last;
        let reply = |refusal: Option<Reply>| {
            refusal.or_else(|| own.next()).unwrap_or_else(|| Lost::Malformed.reply())
        };
        Ok(MessageOutcome { recipients: refusals.into_iter().map(reply).collect(), last })
    }

    /// Starts the transaction again for these recipients; a reply refuses all of them.
    async fn restart(
        &mut self,
        takers: &[usize],
        refusals: &mut [Option<Reply>],
    ) -> Result<Option<Reply>, Lost> {
        self.prdr = self.prdr && prdr::pays(takers.len());
        for line in ["RSET".to_owned(), self.mail_line()] {
            let reply = self.command(&line, self.limits.command).await?;
            let reply = not_intermediate(reply)?;
            if reply.code().severity() != Severity::Completed {
                return Ok(Some(reply));
            }
        }
        for (&taker, refusal) in takers.iter().zip(refusals) {
            let Some(recipient) = self.recipients.get(taker).cloned() else {
                return Err(Lost::Malformed);
            };
            let line = format!("RCPT TO:<{recipient}>");
            let reply = not_intermediate(self.command(&line, self.limits.command).await?)?;
            if reply.code().severity() != Severity::Completed {
                self.attempt.refused(&recipient, &reply, &self.stage);
                *refusal = Some(reply);
            }
        }
        Ok(None)
    }

    async fn try_message(
        &mut self,
        message: &Message,
        count: usize,
    ) -> Result<MessageOutcome, Lost> {
        let reply = self.command("DATA", self.limits.data).await?;
        match reply.code().severity() {
            Severity::Intermediate if reply.code() == ReplyCode::START_MAIL => {}
            Severity::Transient | Severity::Permanent => {
                return Ok(MessageOutcome::all(count, reply));
            }
            Severity::Intermediate | Severity::Completed => return Err(Lost::Malformed),
        }
        let mut stuffing = Stuffing::default();
        let mut block = Vec::with_capacity(BLOCK);
        for piece in message.parts.iter().flat_map(|part| part.chunks(BLOCK / 2)) {
            stuffing.write(piece, &mut block);
            if block.len() >= BLOCK / 2 {
                self.send(&block).await?;
                block.clear();
            }
        }
        // A reply before the end of the message is not about it.
        self.expect_silence()?;
        stuffing.finish(&mut block);
        "end of data".clone_into(&mut self.stage);
        self.send(&block).await?;
        if self.prdr {
            return self.reply_for_each(count).await;
        }
        let reply = not_intermediate(self.reply(self.limits.end).await?)?;
        Ok(MessageOutcome::all(count, reply))
    }

    /// Reads the replies of PRDR. Before the final one nothing is sent, and no recipient counts as having
    /// the message.
    async fn reply_for_each(&mut self, count: usize) -> Result<MessageOutcome, Lost> {
        let mut client = Client::new(count, Instant::now());
        let mut last = None;
        let outcomes = loop {
            if let Some(outcomes) = client.outcomes() {
                break outcomes;
            }
            let reply = self.reply(self.limits.end).await?;
            client.handle_reply(reply.clone(), self.unread()?, Instant::now());
            last = Some(reply);
        };
        let Some(last) = last else { return Err(Lost::Malformed) };
        if outcomes.contains(&RecipientOutcome::InDoubt) {
            return Err(Lost::Malformed);
        }
        let recipients = outcomes.into_iter().filter_map(|outcome| match outcome {
            RecipientOutcome::Delivered(reply)
            | RecipientOutcome::Permanent(reply)
            | RecipientOutcome::Temporary(reply) => Some(reply),
            RecipientOutcome::InDoubt => None,
        });
        Ok(MessageOutcome { recipients: recipients.collect(), last })
    }

    /// Returns the number of received bytes after the last reply.
    fn unread(&mut self) -> Result<usize, Lost> {
        match self.stream.try_read_buf(&mut self.received) {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(Lost::Closed),
            // Octets before a close or an error count.
            Ok(_) | Err(_) => Ok(self.received.len()),
        }
    }
}

/// The size of one write, in octets.
const BLOCK: usize = 64 << 10;
