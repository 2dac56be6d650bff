//! The connection to the next hop, to which mail is relayed while its client waits.
//!
//! Nothing is stored: the client gets the replies of the next hop, and a message is accepted only after
//! the next hop's positive reply to the end of the data. Any failure of the connection is a temporary
//! failure: the client tries again, so that the next hop may get a message twice (RFC 5321 section
//! 4.5.3.2.6), but no message is lost.
//!
//! PRDR is requested from the next hop if it offers the extension and the client requested it. Without
//! the request of the client, a refusal by one recipient could not be passed on: its message would be
//! lost, or the others would get it twice. Then the next hop replies for all recipients at once.

mod addresses;
mod connecting;
mod lost;
mod offers;
mod passing;

use std::io;
use std::time::Duration;

use mail_types::smtp::{
    EnhancedCode, Mailbox, Reply, ReplyCode, ReplyError, ReversePath, Severity,
};
use memchr::memchr2;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::lost::Lost;
use self::offers::Offers;
use super::settings::RelayLimits;
use crate::gateway::events::delivery_attempt::DeliveryAttempt;
use crate::gateway::smtp::replies::say;

/// The parameters of the client's `MAIL`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Declared {
    /// The announced size in octets; 0 without one.
    pub(crate) size: u64,
    /// Whether `BODY=8BITMIME` was given.
    pub(crate) eight_bit: bool,
    /// Whether `SMTPUTF8` was given.
    pub(crate) utf8: bool,
    /// Whether `PRDR` was given.
    pub(crate) prdr: bool,
}

/// A session with the next hop.
///
/// Each command returns the reply that the client should get. Once the connection is lost, every
/// further command returns the same temporary failure.
#[derive(Debug)]
pub(crate) struct Relay {
    stream: TcpStream,
    /// Received octets that are not parsed yet.
    received: Vec<u8>,
    offers: Offers,
    limits: RelayLimits,
    /// The `MAIL` command without `PRDR`, and the recipients accepted since.
    mail: String,
    recipients: Vec<Mailbox>,
    /// Whether a reply for each recipient was requested.
    prdr: bool,
    lost: Option<Lost>,
    /// The last text sent to the next hop; empty before the current command is sent.
    stage: String,
    /// Its reply that it accepts no mail, if any.
    unwilling: Option<Reply>,
    /// After the stream, so that its drop reports the end of the connection.
    attempt: DeliveryAttempt,
}

impl Relay {
    /// Starts a transaction.
    pub(crate) async fn mail(&mut self, sender: &ReversePath, declared: Declared) -> Reply {
        self.stage.clear();
        let utf8 = declared.utf8 || sender.mailbox().is_some_and(Mailbox::needs_utf8);
        if utf8 && !self.offers.utf8 {
            return needs_utf8();
        }
        if self.offers.size.is_some_and(|limit| limit > 0 && declared.size > limit) {
            let text = "message too large for the next hop";
            return say(ReplyCode::TOO_LARGE, EnhancedCode::of::<5, 3, 4>(), text);
        }
        let mut line = format!("MAIL FROM:{sender}");
        if self.offers.size.is_some() && declared.size > 0 {
            line.push_str(" SIZE=");
            line.push_str(&declared.size.to_string());
        }
        if self.offers.eight_bit && declared.eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if utf8 {
            line.push_str(" SMTPUTF8");
        }
        self.prdr = self.offers.prdr && declared.prdr;
        self.mail = line;
        self.final_reply(&self.mail_line()).await
    }

    /// Adds a recipient.
    pub(crate) async fn rcpt(&mut self, recipient: &Mailbox) -> Reply {
        self.stage.clear();
        let reply = if recipient.needs_utf8() && !self.offers.utf8 {
            needs_utf8()
        } else {
            self.final_reply(&format!("RCPT TO:<{recipient}>")).await
        };
        if reply.code().severity() == Severity::Completed {
            self.recipients.push(recipient.clone());
        } else {
            self.refused(recipient, &reply);
        }
        reply
    }

    /// Reports that a recipient does not get the message, by the reply to the last command.
    pub(crate) fn refused(&mut self, recipient: &Mailbox, reply: &Reply) {
        if self.lost.is_none() {
            self.attempt.refused(recipient, reply, &self.stage);
        }
    }

    /// Sends `QUIT`, and ignores the reply.
    pub(crate) async fn quit(mut self) {
        if self.begin().is_ok() {
            let wait = self.limits.quit;
            // The time limit holds for the sending too.
            let _ = timeout(wait, self.command("QUIT", wait)).await;
        }
    }

    fn mail_line(&self) -> String {
        let parameter = if self.prdr { " PRDR" } else { "" };
        format!("{}{parameter}", self.mail)
    }

    async fn final_reply(&mut self, line: &str) -> Reply {
        let began = self.begin();
        let reply = match began {
            Ok(()) => self.command(line, self.limits.command).await,
            Err(lost) => Err(lost),
        };
        self.end(reply.and_then(not_intermediate))
    }

    /// Marks the session as lost until [`end`](Self::end): if the caller drops the future in between, the
    /// state of the connection is unknown.
    fn begin(&mut self) -> Result<(), Lost> {
        match self.lost.replace(Lost::Interrupted) {
            None => Ok(()),
            Some(lost) => Err(lost),
        }
    }

    fn end(&mut self, result: Result<Reply, Lost>) -> Reply {
        match result {
            Ok(reply) => {
                self.lost = None;
                reply
            }
            Err(lost) => self.lose(lost).reply(),
        }
    }

    /// Closes the connection with an error.
    fn lose(&mut self, lost: Lost) -> Lost {
        self.lost = Some(lost);
        if let Some(failure) = lost.failure(&self.stage, self.unwilling.as_ref()) {
            self.attempt.deferred(&failure);
        }
        lost
    }

    async fn command(&mut self, line: &str, wait: Duration) -> Result<Reply, Lost> {
        self.expect_silence()?;
        line.clone_into(&mut self.stage);
        self.send(format!("{line}\r\n").as_bytes()).await?;
        self.reply(wait).await
    }

    /// Fails if the next hop has sent an unexpected reply.
    fn expect_silence(&mut self) -> Result<(), Lost> {
        let mut byte = [0];
        match self.stream.try_read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return Err(Lost::Closed),
            Ok(_) => return Err(Lost::OutOfTurn),
        }
        if self.received.is_empty() { Ok(()) } else { Err(Lost::OutOfTurn) }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        let written = timeout(self.limits.block, self.stream.write_all(bytes)).await;
        written.map_err(|_| Lost::Slow)?.map_err(|_| Lost::Closed)
    }

    async fn reply(&mut self, wait: Duration) -> Result<Reply, Lost> {
        let reply = timeout(wait, self.read_reply()).await.map_err(|_| Lost::Slow)??;
        if reply.code() == ReplyCode::NOT_AVAILABLE {
            Err(self.unwilling(reply))
        } else {
            Ok(reply)
        }
    }

    /// Records the reply of a next hop that accepts no mail.
    fn unwilling(&mut self, reply: Reply) -> Lost {
        self.unwilling = Some(reply);
        Lost::Unwilling
    }

    async fn read_reply(&mut self) -> Result<Reply, Lost> {
        let mut seen = 0;
        loop {
            // Parse again only after a line end, so that single octets do not cause a parse each.
            let news = self.received.get(seen..).unwrap_or_default();
            let ends = memchr2(b'\r', b'\n', news).is_some();
            if ends || news.len() > Reply::MAX_LINE_READ {
                seen = self.received.len();
                match Reply::parse(&self.received) {
                    Ok((rest, reply)) => {
                        let used = self.received.len() - rest.len();
                        self.received.drain(..used);
                        return Ok(reply);
                    }
                    Err(ReplyError::Incomplete) => {}
                    Err(_) => return Err(Lost::Malformed),
                }
            }
            // `Reply::parse` limits the length of a reply.
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) | Err(_) => return Err(Lost::Closed),
                Ok(_) => {}
            }
        }
    }
}

/// Refuses an intermediate reply such as 354.
fn not_intermediate(reply: Reply) -> Result<Reply, Lost> {
    let ends = reply.code().severity() != Severity::Intermediate;
    if ends { Ok(reply) } else { Err(Lost::Malformed) }
}

/// RFC 6531 section 3.5.
fn needs_utf8() -> Reply {
    say(
        ReplyCode::NAME_NOT_ALLOWED,
        EnhancedCode::of::<5, 6, 7>(),
        "the next hop does not support SMTPUTF8",
    )
}
