//! The relay to the next hop, while the client waits.
//!
//! Nothing is stored: the client gets the replies of the next hop, and a message is accepted only after
//! the next hop's positive reply to the end of the data. Any failure of the connection is a temporary
//! failure: the client tries again, so that the next hop may get a message twice (RFC 5321 section
//! 4.5.3.2.6), but no message is lost.
//!
//! PRDR is requested from the next hop if it offers the extension and the client requested it. Without
//! the request of the client, a refusal by one recipient could not be passed on: its message would be
//! lost, or the others would get it twice. Then the next hop replies for all recipients at once.

mod connecting;
mod delivery_log;

use std::mem;
use std::time::Instant;

use mail_types::smtp::{EnhancedCode, MailHost, Mailbox, Reply, ReplyCode, ReversePath};

use self::delivery_log::DeliveryLog;
use super::attempts::Opened;
use super::connection::CommandError;
use super::lost_reply::lost_reply;
use super::message_outcome::MessageOutcome;
use super::next_hop::RouteData;
use super::outcome::LineDetails;
use super::remote::Remote;
use crate::gateway::smtp::client::{Declared, Lost};
use crate::gateway::smtp::replies::say;
use crate::gateway::store::Message;

/// A session with the next hop.
///
/// Each command returns the reply that the client should get. Once the connection is lost, every
/// further command returns the same temporary failure.
#[derive(Debug)]
pub(crate) struct Relay {
    route: RouteData,
    /// The host of the first recipient.
    domain: MailHost,
    opened: Opened,
    /// The parts of the log's lines that do not depend on a recipient.
    details: LineDetails,
    log: DeliveryLog,
}

impl Relay {
    /// Tells whether it may take another recipient.
    pub(crate) fn takes(&self, route: &RouteData, recipient: &Mailbox, remote: &Remote) -> bool {
        self.route == *route && remote.may_share(&self.domain, recipient.host())
    }

    /// Starts a transaction.
    pub(crate) async fn mail(&mut self, sender: &ReversePath, declared: Declared) -> Reply {
        passed_back(self.opened.connection.mail(sender, declared).await)
    }

    /// Adds a recipient.
    pub(crate) async fn rcpt(&mut self, recipient: &Mailbox) -> Reply {
        passed_back(self.opened.connection.rcpt(recipient).await)
    }

    /// Reports that a recipient does not get the message, by the reply to the last command.
    pub(crate) fn refused(&mut self, recipient: &Mailbox, reply: &Reply) {
        self.opened.connection.refused(recipient, reply);
    }

    /// Sends the message for the accepted recipients with the numbers in `takers`, in the order of `RCPT`
    /// and from 0.
    pub(crate) async fn message(&mut self, message: &Message, takers: &[usize]) -> MessageOutcome {
        let begun = Instant::now();
        let delivery = match self.opened.connection.message(&message.parts, takers).await {
            Ok(delivery) => delivery,
            Err(reason) => return MessageOutcome::all(takers.len(), reason.reply()),
        };
        let (size, took) = (Some(message.len()), Some(begun.elapsed()));
        self.details = LineDetails { size, took, ..mem::take(&mut self.details) };
        self.log(message.id, takers, &delivery);
        if let Some(lost) = &delivery.lost {
            return MessageOutcome::all(takers.len(), lost_reply(lost));
        }
        let replies = delivery.recipients.iter().map(|result| result.reply().cloned());
        let in_doubt = || lost_reply(&Lost::Malformed);
        MessageOutcome {
            recipients: replies.map(|reply| reply.unwrap_or_else(in_doubt)).collect(),
            last: delivery.last.unwrap_or_else(no_valid_recipients),
        }
    }

    /// Sends `QUIT`, and ignores the reply.
    pub(crate) async fn quit(self) {
        self.opened.connection.quit().await;
    }
}

fn passed_back(reply: Result<Reply, CommandError>) -> Reply {
    reply.unwrap_or_else(|error| match error {
        CommandError::CannotTake(reason) => reason.reply(),
        CommandError::Lost(lost) => lost_reply(&lost),
    })
}

fn no_valid_recipients() -> Reply {
    say(ReplyCode::TRANSACTION_FAILED, EnhancedCode::of::<5, 5, 1>(), "no valid recipients")
}
