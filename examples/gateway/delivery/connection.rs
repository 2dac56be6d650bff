//! A connection to a server that takes mail: the octets between the session and the network, and the events.

mod failure;
mod open_error;
mod opening;
mod secured;
mod target;
mod wire;

use bytes::Bytes;
use mail_types::smtp::{Mailbox, Reply, ReversePath, Severity};
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

use self::failure::failure;
pub(crate) use self::open_error::{HandshakeError, OpenError};
pub(crate) use self::secured::Secured;
pub(crate) use self::target::{Target, TlsClient, TlsPlan};
use self::wire::Wire;
use super::settings::RemoteLimits;
use crate::gateway::events::delivery_attempt::DeliveryAttempt;
use crate::gateway::smtp::client::{
    CannotTake, Client, ClientStep, Declared, Delivery, Lost, RecipientResult,
};

/// A connection whose server has replied to `EHLO`.
///
/// Once it is lost, every further command has the same error. A dropped future of a command loses it too.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    wire: Wire,
    limits: RemoteLimits,
    secured: Option<Secured>,
    /// After the wire, so that its drop reports the end of the connection.
    attempt: DeliveryAttempt,
}

/// The reason why a command has no reply.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum CommandError {
    /// Nothing was sent, since the server lacks an extension or room.
    #[error(transparent)]
    CannotTake(#[from] CannotTake),
    /// The connection is lost.
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl Connection {
    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no reply.
    pub(crate) async fn mail(
        &mut self,
        sender: &ReversePath,
        declared: Declared,
    ) -> Result<Reply, CommandError> {
        self.client.mail(sender, declared)?;
        Ok(self.reply().await?)
    }

    /// Adds a recipient; a refusal is reported.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no reply.
    pub(crate) async fn rcpt(&mut self, recipient: &Mailbox) -> Result<Reply, CommandError> {
        if let Err(reason) = self.client.rcpt(recipient) {
            self.refused(recipient, &reason.reply());
            return Err(CommandError::CannotTake(reason));
        }
        let reply = self.reply().await?;
        if reply.code().severity() != Severity::Completed {
            self.refused(recipient, &reply);
        }
        Ok(reply)
    }

    /// Reports that a recipient does not get the message, by the reply to the last command. The loss of the
    /// connection was reported already.
    pub(crate) fn refused(&mut self, recipient: &Mailbox, reply: &Reply) {
        if !self.client.is_lost() {
            self.attempt.refused(recipient, reply, self.client.stage());
        }
    }

    /// Sends the message for the accepted recipients with the numbers in `takers`, in the order of `RCPT`
    /// and from 0.
    ///
    /// # Errors
    ///
    /// The reason why the server cannot take the message; nothing is sent.
    pub(crate) async fn message(
        &mut self,
        parts: &[Bytes],
        takers: &[usize],
    ) -> Result<Delivery, CannotTake> {
        let begun = self.client.message(parts, takers);
        self.finish(begun, takers).await
    }

    /// Sends a message to these recipients, by as few exchanges as the server allows.
    ///
    /// # Errors
    ///
    /// The reason why the server cannot take the message; nothing is sent.
    pub(crate) async fn transact(
        &mut self,
        (sender, recipients): (&ReversePath, Vec<Mailbox>),
        declared: Declared,
        parts: &[Bytes],
    ) -> Result<Delivery, CannotTake> {
        let takers: Vec<_> = (0..recipients.len()).collect();
        let begun = self.client.transact((sender, recipients), declared, parts);
        self.finish(begun, &takers).await
    }

    /// Sends `QUIT`, ignores the reply, and closes the connection.
    pub(crate) async fn quit(mut self: Box<Self>) {
        self.client.quit();
        let _ = timeout(self.limits.session.quit, async {
            self.run().await;
            self.wire.close().await;
        })
        .await;
    }

    /// Tells whether the server passes REQUIRETLS on.
    pub(crate) fn offers_require_tls(&self) -> bool {
        self.client.offers().require_tls
    }

    /// Tells whether messages go by `BDAT`.
    pub(crate) fn uses_chunking(&self) -> bool {
        self.client.uses_chunking()
    }

    /// Returns the recipients with these numbers, as in [`message`](Self::message).
    pub(crate) fn recipients(&self, takers: &[usize]) -> Vec<&Mailbox> {
        named(&self.client, takers)
    }

    /// Returns the facts of TLS, if it is on.
    pub(crate) fn secured(&self) -> Option<&Secured> {
        self.secured.as_ref()
    }

    /// Waits for the result of a message, and reports it.
    async fn finish(
        &mut self,
        begun: Result<(), CannotTake>,
        takers: &[usize],
    ) -> Result<Delivery, CannotTake> {
        if let Err(reason) = begun {
            let reply = reason.reply();
            let replies = vec![reply.clone(); takers.len()];
            let recipients = named(&self.client, takers);
            self.attempt.passed(&recipients, &replies, &reply, "", false);
            return Err(reason);
        }
        let ClientStep::Finished(delivery) = self.run().await else {
            // A message always has a result, that of a lost session too.
            return Ok(Delivery::untried(takers.len(), Lost::Interrupted));
        };
        self.report(takers, &delivery);
        Ok(delivery)
    }

    /// Reports the result of a message.
    fn report(&mut self, takers: &[usize], delivery: &Delivery) {
        let (mut left, mut replies) = (Vec::new(), Vec::new());
        for (recipient, result) in named(&self.client, takers).into_iter().zip(&delivery.recipients)
        {
            match result {
                RecipientResult::Refused(reply) => {
                    let stage = format!("RCPT TO:<{recipient}>");
                    self.attempt.refused(recipient, reply, &stage);
                }
                RecipientResult::Message(_) | RecipientResult::Untried => {
                    left.push(recipient);
                    replies.extend(result.reply().cloned());
                }
            }
        }
        if let Some(last) = &delivery.last {
            self.attempt.passed(&left, &replies, last, self.client.stage(), delivery.prdr);
        }
    }

    /// Waits for the reply to a command.
    async fn reply(&mut self) -> Result<Reply, Lost> {
        match self.run().await {
            ClientStep::Replied(reply) => Ok(reply),
            ClientStep::Lost(lost) => Err(lost),
            _ => Err(Lost::Interrupted),
        }
    }

    /// Moves octets until the operation has a result; the loss of the connection is reported.
    async fn run(&mut self) -> ClientStep {
        let step = loop {
            self.listen().await;
            match self.client.poll(now()) {
                ClientStep::Send(by) => {
                    let sent = self.wire.write(self.client.output());
                    match timeout_at(Instant::from_std(by), sent).await {
                        Ok(Ok(())) => self.client.handle_sent(now()),
                        Ok(Err(_)) => self.client.handle_end(),
                        Err(_) => self.client.handle_timeout(),
                    }
                }
                ClientStep::Read(by) => {
                    let client = &mut self.client;
                    let read = self.wire.read(|octets| client.handle_bytes(octets));
                    match timeout_at(Instant::from_std(by), read).await {
                        Ok(Ok(1..)) => {}
                        Ok(Ok(0) | Err(_)) => self.client.handle_end(),
                        Err(_) => self.client.handle_timeout(),
                    }
                }
                step => break step,
            }
        };
        let lost = match &step {
            ClientStep::Lost(lost) => Some(lost),
            ClientStep::Finished(delivery) => delivery.lost.as_ref(),
            _ => None,
        };
        if let Some(failure) = lost.and_then(|lost| failure(lost, self.client.stage())) {
            self.attempt.deferred(&failure);
        }
        step
    }

    /// Takes the octets that have arrived, without waiting.
    async fn listen(&mut self) {
        while self.client.has_room() {
            match self.wire.read_now(|octets| self.client.handle_bytes(octets)).await {
                Some(Ok(1..)) => {}
                Some(Ok(0) | Err(_)) => self.client.handle_end(),
                None => return,
            }
        }
    }
}

/// Returns the recipients with these numbers.
fn named<'a>(client: &'a Client, takers: &[usize]) -> Vec<&'a Mailbox> {
    takers.iter().filter_map(|&taker| client.recipients().get(taker)).collect()
}

/// The time by the clock of the runtime, which a test may stop.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
