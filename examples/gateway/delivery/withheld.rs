//! Recipients whose hosts TLS keeps the message from: the message may still waive that.
//!
//! A policy of the recipient's domain does not count for a message with `TLS-Required: No` (RFC 8689 section 4.2.2),
//! and the field comes after the recipients.

use mail_types::smtp::{Mailbox, Reply, ReversePath, Severity};

use super::message_outcome::MessageOutcome;
use super::next_hop::RouteData;
use super::proxied_client::ProxiedClient;
use super::relay::Relay;
use super::remote::{Demands, Remote, TlsDemand};
use crate::gateway::events::origin::Origin;
use crate::gateway::smtp::client::Declared;
use crate::gateway::store::Message;

/// The recipients of one next hop, accepted for now.
#[derive(Debug)]
pub(crate) struct Withheld {
    route: RouteData,
    sender: ReversePath,
    declared: Declared,
    client: ProxiedClient,
    recipients: Vec<Mailbox>,
    /// The reply to a message that waives nothing.
    refusal: Reply,
}

impl Withheld {
    pub(super) fn new(
        route: RouteData,
        (sender, declared): (ReversePath, Declared),
        (client, recipient): (ProxiedClient, Mailbox),
        refusal: Reply,
    ) -> Self {
        Self { route, sender, declared, client, recipients: vec![recipient], refusal }
    }

    /// Tells whether it may take another recipient.
    pub(super) fn takes(&self, route: &RouteData, recipient: &Mailbox, remote: &Remote) -> bool {
        let mut hosts = self.recipients.iter().map(Mailbox::host);
        self.route == *route && hosts.all(|host| remote.may_share(host, recipient.host()))
    }

    pub(super) fn add(&mut self, recipient: Mailbox) {
        self.recipients.push(recipient);
    }

    /// Delivers to the recipients with the numbers in `takers` if the message waives the policies, and refuses it
    /// else. A recipient that the next hop refuses now was accepted before: then nobody gets the message.
    pub(super) async fn deliver(
        self,
        remote: &Remote,
        message: &Message,
        takers: &[usize],
        (waives, origin): (bool, &Origin),
    ) -> MessageOutcome {
        let refused = |reply| MessageOutcome::all(takers.len(), reply);
        let recipients: Vec<_> =
            takers.iter().filter_map(|&taker| self.recipients.get(taker)).collect();
        let Some(first) = recipients.first().filter(|_| waives) else {
            return refused(self.refusal);
        };
        let declared = Declared { size: message.len() as u64, ..self.declared };
        let needs = declared.needs(&self.sender);
        let demands = Demands { tls: TlsDemand::Waived, needs, client: Some(self.client) };
        let mail = (&self.sender, *first);
        let relay = Relay::connect(remote, &self.route, demands, mail, origin).await;
        let mut relay = match relay {
            Ok(relay) => relay,
            Err(failure) => return refused(failure.reply),
        };
        let mut reply = relay.mail(&self.sender, declared).await;
        for recipient in &recipients {
            if reply.code().severity() != Severity::Completed {
                break;
            }
            reply = relay.rcpt(recipient).await;
        }
        let outcome = if reply.code().severity() == Severity::Completed {
            let all: Vec<_> = (0..recipients.len()).collect();
            relay.message(message, &all).await
        } else {
            refused(reply)
        };
        tokio::spawn(relay.quit());
        outcome
    }
}
