//! The hand-over of messages to the store or to the next hop.

use std::mem;
use std::time::SystemTime;

use bytes::Bytes;
use mail_types::smtp::{EnhancedCode, MailHost, Mailbox, ReplyCode, Severity};

use super::Connection;
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
        let Some(head) = self.head(id, &recipients, now) else {
            return MessageOutcome::all(takers.len(), fault("no message"));
        };
        let mut parts = vec![head.into()];
        let is_final = self.delivery.is_final();
        let own = |host: &MailHost| self.live.settings.routing.may_be_local(host);
        let edits = self.state.header_edits();
        parts.extend(edits.apply(without_forged(&body, &own, is_final)));
        let message = Message { id, parts };
        let size = message.len();
        let delivery = mem::take(&mut self.delivery);
        let Self { gateway, live, session, client, .. } = &*self;
        let host = &live.session.primary_hostname;
        let origin = || Origin::new(&gateway.events, host, client, session, Some(id));
        let to = (&gateway.store, &live.remote);
        let outcome = delivery.deliver(to, message, takers, (|| waives_tls(&body), origin)).await;
        let Self { gateway, live, session, client, .. } = self;
        if outcome.last.code().severity() == Severity::Completed {
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
        } else {
            log::refusal(
                &gateway.limiter,
                session,
                client,
                &format!("message {id}"),
                &outcome.last.to_string(),
            );
        }
        outcome
    }

    /// Returns the recipients with these numbers; `None` if one is unknown.
    fn recipients(&self, numbers: &[usize]) -> Option<Vec<Mailbox>> {
        let transaction = self.session.transaction()?;
        numbers.iter().map(|&number| transaction.recipient(number).cloned()).collect()
    }

    /// Writes the header fields before the received message.
    fn head(&self, id: MessageId, recipients: &[Mailbox], now: SystemTime) -> Option<String> {
        let transaction = self.session.transaction()?;
        let host = &self.live.session.primary_hostname;
        let results = self.state.authentication.field(host);
        let greeting = self.session.greeting();
        let mut head = String::new();
        if self.delivery.is_final() {
            head = trace_fields::delivery(&transaction.sender, recipients);
        }
        let edits = self.state.header_edits();
        head += &edits.at_start();
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
        if let Some(field) = self.state.quarantined() {
            head += field;
            head += "\r\n";
        }
        head += &edits.behind_ours();
        Some(head)
    }
}
