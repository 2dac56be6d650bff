//! The commands of a session, and its loss.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{Client, ClientStep, Due, Lost};

impl Client {
    /// Begins an operation that consists of this command.
    pub(super) fn operate(&mut self, due: Due) {
        if self.begin() {
            self.command(due);
        }
    }

    /// Begins an operation; tells whether the session can continue.
    pub(super) fn begin(&mut self) -> bool {
        let busy = !self.due.is_empty() || !self.output.is_empty() || self.transfer.is_some();
        if busy && self.lost.is_none() {
            self.lose(Lost::Interrupted);
        }
        self.lost.is_none()
    }

    /// Adds a command to the output.
    pub(super) fn command(&mut self, due: Due) {
        self.describe(due);
        self.output.extend_from_slice(self.stage.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.await_reply(due);
    }

    /// Awaits the reply to what is in the output.
    pub(super) fn await_reply(&mut self, due: Due) {
        self.due.push_back(due);
        self.unsent += 1;
    }

    /// Writes the text of a command into `stage`.
    pub(super) fn describe(&mut self, due: Due) {
        let transaction = &self.transaction;
        self.stage.clear();
        let helo = &self.settings.helo;
        // Writing to memory cannot fail.
        let _ = match due {
            Due::Greeting => self.stage.write_str("initial connection"),
            Due::Ehlo => write!(self.stage, "EHLO {helo}"),
            Due::Helo => write!(self.stage, "HELO {helo}"),
            Due::StartTls => self.stage.write_str("STARTTLS"),
            Due::Reset => self.stage.write_str("RSET"),
            Due::Mail => {
                let parameter = if transaction.prdr { " PRDR" } else { "" };
                write!(self.stage, "{}{parameter}", transaction.mail)
            }
            Due::Recipient(at) => {
                let taker = self.transfer.as_ref().and_then(|transfer| transfer.taker(at));
                let named = taker.and_then(|taker| transaction.recipients.get(taker));
                let named = named.or(transaction.candidate.as_ref());
                named.map_or(Ok(()), |recipient| write!(self.stage, "RCPT TO:<{recipient}>"))
            }
            Due::Data => self.stage.write_str("DATA"),
            Due::Message => self.stage.write_str("end of data"),
            Due::Quit => self.stage.write_str("QUIT"),
        };
    }

    /// Tells whether the server is silent, where no reply is due: an earlier reply cannot be to the
    /// output. If not, the session is lost.
    pub(super) fn may_send(&mut self) -> bool {
        let awaited = self.due.len() > self.unsent;
        if !awaited && !self.input.is_empty() {
            self.lose(Lost::OutOfTurn);
        } else if self.ended {
            self.lose(Lost::Closed);
        }
        self.lost.is_none()
    }

    /// Tells whether the output may be sent, and time is left.
    pub(super) fn may_go_on(&mut self, now: Instant) -> bool {
        if self.settings.until.is_some_and(|until| now >= until) {
            self.lose(Lost::Slow);
        }
        self.lost.is_none() && (self.output.is_empty() || self.may_send())
    }

    /// Returns the step that sends the output, or reads the next reply.
    pub(super) fn next_step(&self, now: Instant) -> ClientStep {
        let limits = &self.settings.limits;
        match self.due.front() {
            _ if self.output.is_empty() => ClientStep::Read(self.reply_by),
            Some(Due::Quit) => ClientStep::Send(self.by(now, limits.quit)),
            _ => ClientStep::Send(self.by(now, limits.block)),
        }
    }

    /// Sets the time limit of the next reply.
    pub(super) fn expect_next(&mut self, now: Instant) {
        let limits = &self.settings.limits;
        let limit = match self.due.front() {
            Some(Due::Greeting) => limits.greeting,
            Some(Due::Data) => limits.data,
            Some(Due::Message) => limits.end,
            Some(Due::Quit) => limits.quit,
            Some(_) | None => limits.command,
        };
        self.reply_by = self.by(now, limit);
    }

    /// Returns the end of a time, at most the end of the whole session.
    pub(super) fn by(&self, now: Instant, time: Duration) -> Instant {
        let end = now.checked_add(time).unwrap_or(now);
        self.settings.until.map_or(end, |until| until.min(end))
    }

    /// Ends the session; the first reason counts.
    pub(super) fn lose(&mut self, lost: Lost) {
        if self.lost.is_some() {
            return;
        }
        if let Some(&due) = self.due.front() {
            self.describe(due);
        }
        self.lost = Some(lost);
    }

    /// Returns the result of a lost session: for each recipient first, if a message was being sent.
    pub(super) fn finish_lost(&mut self, lost: Lost) -> ClientStep {
        let ended = self.due.contains(&Due::Message);
        self.output = Vec::new();
        self.due.clear();
        self.unsent = 0;
        match self.transfer.take() {
            Some(transfer) => ClientStep::Finished(transfer.lost(lost, ended)),
            None => ClientStep::Lost(lost),
        }
    }
}
