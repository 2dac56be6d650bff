//! The destination of a transaction: local for all recipients, or the next hop for all.

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode, Severity};

use super::mailboxes::{MailboxFile, Mailboxes, OwnMaildirs};
use super::message_outcome::MessageOutcome;
use super::next_hop::RouteData;
use super::proxied_client::ProxiedClient;
use super::relay::Relay;
use super::remote::{Demands, Remote, TlsDemand};
use super::routing::Route;
use super::withheld::Withheld;
use crate::gateway::events::origin::Origin;
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::client::Declared;
use crate::gateway::smtp::replies::say;
use crate::gateway::smtp::transaction::Transaction;
use crate::gateway::store::store_error::StoreError;
use crate::gateway::store::{Message, Store};
use crate::gateway::telemetry::log;

/// The destination of the recipients so far.
#[derive(Debug, Default)]
pub(crate) enum Destination {
    /// No recipient yet.
    #[default]
    Open,
    /// All are local; the Maildirs of each, if they have their own.
    Local(Vec<OwnMaildirs>),
    /// All are at the next hop, which has accepted each of them.
    Relay(Box<Relay>),
    /// All are at the next hop, which a policy for TLS keeps the message from, unless it waives that.
    Withheld(Box<Withheld>),
}

impl Destination {
    /// Adds a recipient; returns the reply for the client.
    ///
    /// A message for both destinations would need two replies: the client must send recipients of the
    /// other one separately.
    pub(crate) async fn add(
        &mut self,
        route: Route,
        remote: &Remote,
        (transaction, client): (&Transaction, ProxiedClient),
        recipient: &Mailbox,
        origin: impl FnOnce() -> Origin,
    ) -> Reply {
        match (route, &mut *self) {
            (Route::Local(maildirs), Self::Open) => {
                let own = maildirs.is_own().then_some(maildirs);
                *self = Self::Local(own.into_iter().collect());
                say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "recipient ok")
            }
            (Route::Local(maildirs), Self::Local(own)) => {
                own.extend(maildirs.is_own().then_some(maildirs));
                say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "recipient ok")
            }
            (Route::Relay(route), Self::Open) => {
                // Where nothing is relayed, no connection needs room for it.
                let opened =
                    Box::pin(open((remote, route), (transaction, client), recipient, &origin()))
                        .await;
                let (destination, reply) = opened;
                *self = destination;
                reply
            }
            (Route::Relay(route), Self::Withheld(withheld))
                if withheld.takes(&route, recipient, remote) =>
            {
                withheld.add(recipient.clone());
                say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "recipient ok")
            }
            (Route::Relay(route), Self::Relay(relay)) if relay.takes(&route, recipient, remote) => {
                relay.rcpt(recipient).await
            }
            (Route::Local(_) | Route::Relay(_), Self::Relay(_) | Self::Withheld(_))
            | (Route::Relay(_), Self::Local(_)) => {
                let text = "recipient with another destination, send a separate message";
                say(ReplyCode::INSUFFICIENT_STORAGE, EnhancedCode::of::<4, 5, 3>(), text)
            }
        }
    }

    /// Tells whether this host is the final destination.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Open | Self::Local(_))
    }

    /// Tells whether the delivery has a result for each recipient.
    pub(crate) fn has_results(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Local(own) => !own.is_empty(),
            Self::Relay(_) | Self::Withheld(_) => true,
        }
    }

    /// Returns the files of a message that is delivered here but not into the store.
    ///
    /// # Errors
    ///
    /// The reply if a recipient has no Maildir.
    pub(crate) fn files(
        &self,
        mailboxes: &Mailboxes,
        takers: &[usize],
        quarantined: bool,
    ) -> Result<Option<Vec<MailboxFile>>, Reply> {
        match self {
            Self::Open => mailboxes.files(&[], takers, quarantined),
            Self::Local(own) => mailboxes.files(own, takers, quarantined),
            Self::Relay(_) | Self::Withheld(_) => Ok(None),
        }
    }

    /// Delivers to the recipients with the numbers in `takers`, in the order of `RCPT` and from 0. Only
    /// 2yz means that the message is durable, or accepted by the next hop.
    pub(crate) async fn deliver(
        self,
        (store, remote): (&Store, &Remote),
        message: Message,
        takers: &[usize],
        (waives_tls, origin): (impl FnOnce() -> bool, impl FnOnce() -> Origin),
    ) -> MessageOutcome {
        let id = message.id;
        let reply = match self {
            Self::Open | Self::Local(_) => stored(id, &store.keep(message).await),
            Self::Withheld(withheld) => {
                let waived = (waives_tls(), &origin());
                return Box::pin(withheld.deliver(remote, &message, takers, waived)).await;
            }
            Self::Relay(mut relay) => {
                let passed = relay.message(&message, takers).await;
                tokio::spawn(relay.quit());
                return passed;
            }
        };
        MessageOutcome::all(takers.len(), reply)
    }
}

/// Returns the reply to a message, once it is stored or cannot be stored, which is logged.
pub(crate) fn stored(id: MessageId, result: &Result<(), StoreError>) -> Reply {
    match result {
        Ok(()) => say(ReplyCode::OK, EnhancedCode::SUCCESS, &format!("OK id={id}")),
        Err(error) => {
            tracing::error!("cannot store message {id}: {}", log::chain(error));
            let text = "cannot store the message, try again later";
            say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 3, 0>(), text)
        }
    }
}

/// Opens a connection to the next hop for the first recipient; returns the destination, and the reply for the client.
async fn open(
    (remote, route): (&Remote, RouteData),
    (transaction, client): (&Transaction, ProxiedClient),
    recipient: &Mailbox,
    origin: &Origin,
) -> (Destination, Reply) {
    let Transaction { size, eight_bit, utf8, prdr, require_tls, .. } = *transaction;
    // RFC 1870 section 6: the size of what is sent, with the fields that are added here.
    let size = if size > 0 { size.saturating_add(SIZE_ADDITION) } else { size };
    let declared = Declared { size, eight_bit, utf8, prdr, require_tls };
    let sender = &transaction.sender;
    let tls = TlsDemand::of(require_tls, sender);
    let demands = Demands { tls, needs: declared.needs(sender), client: Some(client) };
    let mail = (sender, recipient);
    let mut relay = match Relay::connect(remote, &route, demands, mail, origin).await {
        Ok(relay) => relay,
        Err(failure) if failure.is_policy() && !require_tls => {
            let mail = (sender.clone(), declared);
            let to = (client, recipient.clone());
            let withheld = Withheld::new(route, mail, to, failure.reply);
            let reply = say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "recipient ok");
            return (Destination::Withheld(Box::new(withheld)), reply);
        }
        Err(failure) => return (Destination::Open, failure.reply),
    };
    let reply = relay.mail(sender, declared).await;
    if reply.code().severity() != Severity::Completed {
        relay.refused(recipient, &reply);
        return (Destination::Open, reply);
    }
    let reply = relay.rcpt(recipient).await;
    let is_accepted = reply.code().severity() == Severity::Completed;
    let relay = || Destination::Relay(Box::new(relay));
    (if is_accepted { relay() } else { Destination::Open }, reply)
}

/// The octets of the header fields that are added to a message, `Received` and the results of its checks; Exim's
/// `size_addition` has the same default.
const SIZE_ADDITION: u64 = 1024;
