//! The hand-over of messages to the store or to the next hop.

use std::iter;
use std::mem;
use std::time::SystemTime;

use bytes::Bytes;
use mail_types::smtp::{EnhancedCode, MailHost, Mailbox, ReplyCode, Severity};

use super::Connection;
use crate::gateway::delivery::destination::stored;
use crate::gateway::delivery::mailboxes::MailboxFile;
use crate::gateway::delivery::message_outcome::MessageOutcome;
use crate::gateway::events::origin::Origin;
use crate::gateway::message::forged::without_forged;
use crate::gateway::message::id::MessageId;
use crate::gateway::message::tls_required::waives_tls;
use crate::gateway::message::trace_fields::{self, Received};
use crate::gateway::policy::stage::Stage;
use crate::gateway::smtp::peer::protocol;
use crate::gateway::smtp::replies::{fault, say};
use crate::gateway::store::Message;
use crate::gateway::store::folder::FolderMessage;
use crate::gateway::telemetry::log;

impl Connection {
    /// Evaluates each recipient's rules, and hands the message over for those that accept it.
    pub(super) async fn hand_over_for_each(&mut self) -> MessageOutcome {
        let count = self.session.transaction().map_or(0, |t| t.recipients.len());
        let (mut recipients, mut takers) = (Vec::new(), Vec::new());
        for at in 0..count {
            match self.own_verdict(at).await {
                Ok(reply) => {
                    takers.push(at);
                    recipients.push(reply);
                }
                Err(reply) => recipients.push(reply),
            }
        }
        if takers.is_empty() {
            let last = say(
                ReplyCode::TRANSACTION_FAILED,
                EnhancedCode::REFUSED_BY_POLICY,
                "all recipients refused the message",
            );
            return MessageOutcome { recipients, last };
        }
        let outcome = self.hand_over(&takers).await;
        for (at, reply) in takers.into_iter().zip(outcome.recipients) {
            if let Some(own) = recipients.get_mut(at) {
                *own = reply;
            }
        }
        MessageOutcome { recipients, last: outcome.last }
    }

    /// Evaluates the rules on the whole message, and hands it over for the recipients with the numbers in
    /// `takers`.
    pub(super) async fn hand_over(&mut self, takers: &[usize]) -> MessageOutcome {
        if let Some(refusal) = self.judge(Stage::Data, None).await.refusal {
            let accepted = say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "content ok");
            return MessageOutcome { recipients: vec![accepted; takers.len()], last: refusal };
        }
        let now = SystemTime::now();
        let id = self.message.take().unwrap_or_else(|| MessageId::next(now));
        self.progress.id = Some(id);
        let body = Bytes::from(self.session.take_message());
        let Some(recipients) = self.recipients(takers) else {
            return MessageOutcome::all(takers.len(), fault("no recipient"));
        };
        let is_final = self.delivery.is_final();
        let own = |host: &MailHost| self.live.settings.routing.may_be_local(host);
        let rest = without_forged(&body, &own, is_final);
        let quarantined = self.state.quarantined().is_some();
        let (size, outcome) = match self.delivery.files(&self.live.mailboxes, takers, quarantined) {
            Ok(Some(files)) => self.put(files, (id, now), rest).await,
            Ok(None) => {
                let Some(head) = self.head(id, &recipients, now) else {
                    return MessageOutcome::all(takers.len(), fault("no message"));
                };
                let parts = iter::once(head.into()).chain(rest).collect();
                self.pass_on(takers, Message { id, parts }, &body).await
            }
            Err(fault) => (0, MessageOutcome::all(takers.len(), fault)),
        };
        self.tell_outcome((id, size), recipients, is_final, &outcome);
        outcome
    }

    /// Hands the message over to the store or to the next hop; returns its size too.
    async fn pass_on(
        &mut self,
        takers: &[usize],
        message: Message,
        body: &Bytes,
    ) -> (usize, MessageOutcome) {
        let (id, size) = (message.id, message.len());
        let delivery = mem::take(&mut self.delivery);
        let Self { gateway, live, session, client, .. } = &*self;
        let host = &live.session.primary_hostname;
        let origin = || Origin::new(&gateway.events, host, client, session, Some(id));
        let to = (&gateway.store, &live.remote);
        let outcome = delivery.deliver(to, message, takers, (|| waives_tls(body), origin)).await;
        (size, outcome)
    }

    /// Writes the message into Maildirs beside the store's; returns the size of the largest file too. Without
    /// PRDR one reply is for all of them, so all or none have it.
    async fn put(
        &self,
        files: Vec<MailboxFile>,
        (id, now): (MessageId, SystemTime),
        rest: Vec<Bytes>,
    ) -> (usize, MessageOutcome) {
        let counts: Vec<_> = files.iter().map(|file| file.takers.len()).collect();
        let messages = files.into_iter().enumerate().map(|(number, file)| {
            let head = self.head(id, &self.recipients(&file.takers)?, now)?;
            let parts = iter::once(head.into()).chain(rest.iter().cloned()).collect();
            let (maildir, parent) = (file.maildir, file.parent);
            Some(FolderMessage { maildir, parent, number, message: Message { id, parts } })
        });
        let Some(messages) = messages.collect::<Option<Vec<_>>>() else {
            return (0, MessageOutcome::all(counts.iter().sum(), fault("no message")));
        };
        let size = messages.iter().map(|file| file.message.len()).max().unwrap_or_default();
        let together = self.session.transaction().is_none_or(|transaction| !transaction.prdr);
        let results = self.gateway.store.put(messages, together).await;
        let replies = results.iter().map(|result| stored(id, result));
        let replies = replies.zip(counts).flat_map(|(reply, count)| vec![reply; count]);
        (size, MessageOutcome::of(replies.collect()))
    }

    /// Logs the outcome, and raises the events of a delivery here.
    fn tell_outcome(
        &self,
        (id, size): (MessageId, usize),
        recipients: Vec<Mailbox>,
        is_final: bool,
        outcome: &MessageOutcome,
    ) {
        let Self { gateway, live, session, client, .. } = self;
        if outcome.last.code().severity() != Severity::Completed {
            let (what, why) = (format!("message {id}"), outcome.last.to_string());
            return log::refusal(&gateway.limiter, session, client, &what, &why);
        }
        let mut taken = Vec::new();
        for (recipient, reply) in recipients.into_iter().zip(&outcome.recipients) {
            if reply.code().severity() == Severity::Completed {
                taken.push(recipient);
            } else {
                let what = format!("message {id} for <{recipient}>");
                log::refusal(&gateway.limiter, session, client, &what, &reply.to_string());
            }
        }
        gateway.limiter.accept(client.address.ip());
        log::arrival(id, session, client, &taken, size, live.settings.log_proxy);
        if is_final {
            let host = &live.session.primary_hostname;
            Origin::new(&gateway.events, host, client, session, Some(id)).kept(&taken);
        }
    }

    /// Returns the recipients with these numbers; `None` if one is unknown.
    fn recipients(&self, numbers: &[usize]) -> Option<Vec<Mailbox>> {
        let transaction = self.session.transaction()?;
        numbers.iter().map(|&number| transaction.recipient(number).cloned()).collect()
    }

    /// Writes the header fields before the received message, for the recipients of a copy.
    fn head(&self, id: MessageId, recipients: &[Mailbox], now: SystemTime) -> Option<String> {
        let transaction = self.session.transaction()?;
        let host = &self.live.session.primary_hostname;
        let results = self.state.authentication.field(host);
        let greeting = self.session.greeting();
        let mut head = String::new();
        if self.delivery.is_final() {
            let envelope_to = self.live.settings.envelope_to_add;
            head = trace_fields::delivery(&transaction.sender, recipients, envelope_to);
        }
        head += &Received {
            host,
            id,
            client: self.client.address.ip(),
            client_name: self.client.host_name.as_ref(),
            helo: &greeting.name,
            protocol: protocol(greeting, transaction.utf8),
            recipients,
            now,
        }
        .to_field();
        if let Some(results) = results {
            head += &results;
            head += "\r\n";
        }
        for field in self.state.quarantined().into_iter().chain(self.state.headers()) {
            head += field;
            head += "\r\n";
        }
        Some(head)
    }
}
