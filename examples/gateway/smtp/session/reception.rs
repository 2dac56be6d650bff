//! The reception of the message: `DATA` and `BDAT`.

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::{Session, SessionState};
use crate::cases::count::counted;
use crate::gateway::smtp::framing::{Body, Data, DataEnd, has_bare_line_end};
use crate::gateway::smtp::replies::{
    bad_sequence, bare_line_end, header_too_large, no_room, say, too_large, unsynchronized,
};
use crate::gateway::smtp::transaction::{header_is_longer, hops};

impl Session {
    pub(super) fn data(&mut self) {
        let limit = self.settings.message_size_limit;
        let Some(transaction) = &mut self.transaction else {
            return self.error(&bad_sequence("MAIL and RCPT required before DATA"));
        };
        if transaction.body.is_some() {
            return self.error(&bad_sequence("DATA not allowed after BDAT")); // RFC 3030 section 2
        }
        if transaction.recipients.is_empty() {
            let text = "DATA: no valid recipients";
            return self.error(&say(
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 5, 1>(),
                text,
            ));
        }
        if !self.input.is_empty() {
            return self.violate(&unsynchronized()); // The client must wait for 354 (RFC 2920 section 3.1).
        }
        transaction.body = Some(Body::new(limit));
        self.state = SessionState::Data(Data::default());
        self.answer(&Reply::new(ReplyCode::START_MAIL, "send the message, end it with a dot"));
    }

    /// Consumes data; tells whether the session continues without further input.
    pub(super) fn data_read(&mut self) -> bool {
        let body = self.transaction.as_mut().and_then(|t| t.body.as_mut());
        let (SessionState::Data(data), Some(body)) = (&mut self.state, body) else {
            self.state = SessionState::Ready;
            return true;
        };
        match data.read(&mut self.input, body) {
            DataEnd::Incomplete if body.is_hopeless() => {
                self.unasked.refuse_message(&too_large());
                self.fail(&too_large());
            }
            DataEnd::Incomplete => return false,
            DataEnd::Complete => self.message_end(),
            DataEnd::Bare => {
                self.unasked.refuse_message(&bare_line_end());
                self.violate(&bare_line_end());
            }
        }
        true
    }

    /// Starts a chunk. Even the octets of a refused chunk must be read (RFC 3030 section 2), up to a
    /// limit.
    pub(super) fn bdat(&mut self, size: u64, last: bool) {
        let limit = self.settings.message_size_limit;
        let refusal = match &mut self.transaction {
            None => Some(bad_sequence("MAIL and RCPT required before BDAT")),
            Some(transaction) if transaction.recipients.is_empty() => Some(say(
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 5, 1>(),
                "BDAT: no valid recipients",
            )),
            Some(transaction) => {
                transaction.body.get_or_insert_with(|| Body::new(limit));
                None
            }
        };
        self.start_chunk(size, last, refusal);
    }

    /// Starts a chunk; one with a `refusal` is read and dropped. All chunks of a refused message together are read up to the
    /// limit of one chunk.
    pub(super) fn start_chunk(&mut self, size: u64, last: bool, refusal: Option<Reply>) {
        let dropped = self.refused_chunks.unwrap_or_default();
        let most = self.settings.message_size_limit.saturating_mul(2).max(MOST_DROPPED);
        if size.saturating_add(dropped) > most {
            return self.fail(&too_large());
        }
        if refusal.is_some() {
            let cost = size.max(CHUNK_COST);
            self.refused_chunks = self.refused_chunks.map(|dropped| dropped.saturating_add(cost));
        }
        self.state = SessionState::Chunk { left: size, last, refusal };
    }

    /// Consumes octets of a chunk; tells whether there were any.
    pub(super) fn chunk_read(&mut self) -> bool {
        let SessionState::Chunk { left, refusal, .. } = &mut self.state else { return false };
        let octets = self.input.rest();
        let count = usize::try_from(*left).unwrap_or(usize::MAX).min(octets.len());
        let body = self.transaction.as_mut().and_then(|t| t.body.as_mut());
        if let (Some(body), None) = (body, &refusal) {
            body.push(octets.get(..count).unwrap_or_default());
        }
        *left = left.saturating_sub(count as u64);
        self.input.take(count);
        count > 0
    }

    pub(super) fn chunk_end(&mut self) {
        let SessionState::Chunk { last, refusal, .. } = &mut self.state else { return };
        let (last, refusal) = (*last, refusal.take());
        self.state = SessionState::Ready;
        // The client sent this chunk before it knew that the last one was refused.
        let expected = self.refused_chunks.take();
        if let Some(refusal) = refusal {
            self.refused_chunks = (!last).then(|| expected.unwrap_or_default());
            if self.received().is_some() {
                self.unasked.refuse_message(&refusal);
            }
            self.drop_transaction();
            return if expected.is_some() { self.answer(&refusal) } else { self.error(&refusal) };
        }
        let body = self.transaction.as_ref().and_then(|t| t.body.as_ref());
        let refusal = body.and_then(|body| match body {
            _ if body.is_over() => Some(too_large()),
            _ if body.is_given_up() => Some(no_room()),
            _ => None,
        });
        if let Some(refusal) = refusal {
            self.refused_chunks = (!last).then_some(0);
            return self.refuse(&refusal);
        }
        match body {
            Some(body) if !last => {
                let text = format!("{} received", counted(body.len(), "octet"));
                self.answer(&say(ReplyCode::OK, EnhancedCode::SUCCESS, &text));
            }
            // The size of a chunk is explicit, but a next hop may need DATA, where its end would be ambiguous.
            Some(body) if has_bare_line_end(&[body.bytes()]) => self.refuse(&bare_line_end()),
            _ => self.message_end(),
        }
    }

    fn message_end(&mut self) {
        let Some(transaction) = &mut self.transaction else { return };
        transaction.complete();
        let Some(body) = &mut transaction.body else { return };
        if body.is_over() {
            return self.refuse(&too_large());
        }
        if body.is_given_up() {
            return self.refuse(&no_room());
        }
        // Every condition and DKIM read the header section: its size limits their time.
        if header_is_longer(body.bytes(), self.settings.header_maxsize) {
            return self.refuse(&header_too_large());
        }
        if hops(body.bytes()) > self.settings.received_headers_max {
            return self.refuse(&say(
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::of::<5, 4, 6>(),
                "too many hops",
            ));
        }
        self.reply_to_message();
    }

    /// Refuses the message; the connection goes on.
    fn refuse(&mut self, reply: &Reply) {
        self.state = SessionState::Ready;
        self.unasked.refuse_message(reply);
        self.end_transaction(reply);
    }
}

/// The least octets that each chunk after a refused one counts for.
const CHUNK_COST: u64 = 4096;
/// The most octets that are read of an oversized chunk to keep the session, unless twice the largest
/// message is more.
const MOST_DROPPED: u64 = 64 << 20;
