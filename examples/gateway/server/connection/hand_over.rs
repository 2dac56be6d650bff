//! The hand-over of messages to the store or to the next hop.

use std::iter;
use std::mem;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use event_expand::HeaderForm;
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
use crate::gateway::policy::delay::Presence as _;
use crate::gateway::policy::field_text::field_text;
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::memory::MessageMemory;
use crate::gateway::smtp::peer::protocol;
use crate::gateway::smtp::replies::{fault, going, say};
use crate::gateway::store::Message;
use crate::gateway::store::folder::FolderMessage;
use crate::gateway::store::settings::StoreSettings;
use crate::gateway::telemetry::arrival::Arrival;
use crate::gateway::telemetry::local_delivery::LocalDelivery;
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::log_selector::LogWord;
use crate::gateway::telemetry::metrics::words::MessageResult;

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
        if self.wire.is_gone() {
            return self.lost(takers.len());
        }
        let now = SystemTime::now();
        let id = self.message.take().unwrap_or_else(|| MessageId::next(now));
        self.progress.id = Some(id);
        let before = self.session.held();
        let body = Bytes::from(self.session.take_message());
        let octets = before.saturating_sub(self.session.held());
        let Some(recipients) = self.recipients(takers) else {
            return MessageOutcome::all(takers.len(), fault("no recipient"));
        };
        let is_final = self.delivery.is_final();
        let own = |host: &MailHost| self.live.settings.routing.may_be_local(host);
        let rest = self.state.header_edits().apply(without_forged(&body, &own, is_final));
        let quarantined = self.state.quarantined().is_some();
        self.progress.taken_as = Some(match &self.gateway.startup.store {
            _ if !is_final => MessageResult::Relayed,
            StoreSettings::Discard => MessageResult::Discarded,
            StoreSettings::Maildir { .. } if quarantined => MessageResult::Quarantined,
            StoreSettings::Maildir { .. } => MessageResult::Accepted,
        });
        let begun = Instant::now();
        let handed = match self.delivery.files(&self.gateway.startup.mailboxes, takers, quarantined)
        {
            Ok(Some(files)) => {
                let memory = self.memory.split(octets);
                self.put(files, (id, now), rest, memory).await
            }
            Ok(None) => {
                let Some(head) = self.head(id, &recipients, now) else {
                    return MessageOutcome::all(takers.len(), fault("no message"));
                };
                let parts = iter::once(head.into()).chain(rest).collect();
                self.pass_on(takers, Message { id, parts }, &body).await
            }
            Err(fault) => HandedOver::whole(0, MessageOutcome::all(takers.len(), fault)),
        };
        let took = is_final.then(|| begun.elapsed());
        self.tell_outcome((id, &body), recipients, &handed, took);
        handed.outcome
    }

    /// Drops the message of a client that no reply can reach: it sends the message again (RFC 5321 section
    /// 4.1.1.10), and its recipients would have it twice.
    fn lost(&mut self, takers: usize) -> MessageOutcome {
        let lost =
            going(EnhancedCode::of::<4, 4, 2>(), "connection lost before the reply to the message");
        self.progress.taken_as = Some(MessageResult::BrokenOff);
        let Self { gateway, session, client, .. } = &*self;
        log::refusal(&gateway.limiter, session, client, "message", &lost.to_string());
        MessageOutcome::all(takers, lost)
    }

    /// Hands the message over to the store or to the next hop.
    async fn pass_on(&mut self, takers: &[usize], message: Message, body: &Bytes) -> HandedOver {
        let (id, size) = (message.id, message.len());
        let delivery = mem::take(&mut self.delivery);
        let Self { gateway, live, session, client, .. } = &*self;
        let host = &live.session.primary_hostname;
        let origin = || Origin::new(&gateway.events, host, client, session, Some(id));
        let to = (&gateway.store, &live.remote);
        let outcome = delivery.deliver(to, message, takers, (|| waives_tls(body), origin)).await;
        HandedOver::whole(size, outcome)
    }

    /// Writes the message into Maildirs beside the store's. Without PRDR one reply is for all of them, so all or
    /// none have it. Its memory counts as long as a thread has it, behind the reply too.
    async fn put(
        &self,
        files: Vec<MailboxFile>,
        (id, now): (MessageId, SystemTime),
        rest: Vec<Bytes>,
        memory: MessageMemory,
    ) -> HandedOver {
        let quarantined = self.state.quarantined().is_some();
        let count = files.iter().map(|file| file.takers.len()).sum();
        let mut places: Vec<_> = files
            .iter()
            .map(|file| Place {
                maildir: file.maildir.clone(),
                takers: file.takers.len(),
                quarantined,
                failure: None,
            })
            .collect();
        let messages = files.into_iter().enumerate().map(|(number, file)| {
            let head = self.head(id, &self.recipients(&file.takers)?, now)?;
            let parts = iter::once(head.into()).chain(rest.iter().cloned()).collect();
            let (maildir, parent) = (file.maildir, file.parent);
            Some(FolderMessage { maildir, parent, number, message: Message { id, parts } })
        });
        let Some(messages) = messages.collect::<Option<Vec<_>>>() else {
            return HandedOver::whole(0, MessageOutcome::all(count, fault("no message")));
        };
        let size = messages.iter().map(|file| file.message.len()).max().unwrap_or_default();
        let together = self.session.transaction().is_none_or(|transaction| !transaction.prdr);
        let results = self.gateway.store.put(messages, together, memory).await;
        let mut replies = Vec::with_capacity(count);
        for (place, result) in places.iter_mut().zip(&results) {
            place.failure = result.as_ref().err().map(|error| log::chain(error));
            replies.extend(vec![stored(id, result); place.takers]);
        }
        HandedOver { size, outcome: MessageOutcome::of(replies), places }
    }

    /// Logs the outcome, and raises the events of a delivery here, which `took` this time.
    fn tell_outcome(
        &self,
        (id, body): (MessageId, &[u8]),
        recipients: Vec<Mailbox>,
        handed: &HandedOver,
        took: Option<Duration>,
    ) {
        let Self { gateway, live, session, client, .. } = self;
        let HandedOver { size, outcome, places } = handed;
        if outcome.last.code().severity() != Severity::Completed {
            let (what, why) = (format!("message {id}"), outcome.last.to_string());
            log::refusal(&gateway.limiter, session, client, &what, &why);
            return self.tell_delivery(id, &recipients, handed, took);
        }
        let mut taken = Vec::new();
        // Of several files, each has its line.
        let all = if places.is_empty() { Vec::new() } else { recipients.clone() };
        for (recipient, reply) in recipients.into_iter().zip(&outcome.recipients) {
            if reply.code().severity() == Severity::Completed {
                taken.push(recipient);
            } else {
                let what = format!("message {id} for <{recipient}>");
                log::refusal(&gateway.limiter, session, client, &what, &reply.to_string());
            }
        }
        gateway.limiter.accept(client.address.ip());
        let selector = live.settings.log_selector;
        let field =
            |word, name, form| selector.has(word).then(|| field_text(body, name, form)).flatten();
        let subject = field(LogWord::Subject, "subject", HeaderForm::Decoded);
        let message_id = field(LogWord::MsgId, "message-id", HeaderForm::Raw);
        let (subject, message_id) = (subject.as_deref(), message_id.as_deref());
        let received = self.progress.begun.map(|begun| begun.elapsed());
        let (recipients, size) = (&*taken, *size);
        let metrics = self.metrics();
        metrics.message_sizes.observe((), size as u64);
        if let Some(took) = received {
            metrics.message_times.time((), took);
        }
        let arrival = Arrival { id, client, recipients, size, took: received, subject, message_id };
        arrival.log(session, selector);
        self.tell_delivery(id, if places.is_empty() { &taken } else { &all }, handed, took);
        if took.is_some() {
            let host = &live.session.primary_hostname;
            Origin::new(&gateway.events, host, client, session, Some(id)).kept(&taken);
        }
    }

    /// Logs the deliveries here, each with its Maildir if that is not the store's.
    fn tell_delivery(
        &self,
        id: MessageId,
        recipients: &[Mailbox],
        HandedOver { size, outcome, places }: &HandedOver,
        took: Option<Duration>,
    ) {
        let (Some(took), Some(transaction)) = (took, self.session.transaction()) else { return };
        let refusal =
            Some(&outcome.last).filter(|reply| reply.code().severity() != Severity::Completed);
        let refusal = refusal.map(ToString::to_string);
        let delivery = LocalDelivery {
            id,
            sender: &transaction.sender,
            size: *size,
            maildir: None,
            quarantined: false,
            took,
            failure: refusal.as_deref(),
        };
        if places.is_empty() {
            return self.tell_file(&delivery, recipients);
        }
        let mut rest = recipients;
        for Place { maildir, takers, quarantined, failure } in places {
            let (own, others) = rest.split_at(rest.len().min(*takers));
            let (maildir, failure) = (Some(maildir.as_path()), failure.as_deref());
            let quarantined = *quarantined;
            self.tell_file(&LocalDelivery { maildir, quarantined, failure, ..delivery }, own);
            rest = others;
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

/// A message that was handed over, or could not be.
struct HandedOver {
    /// The octets of the message, or of its largest file.
    size: usize,
    outcome: MessageOutcome,
    /// Its files in Maildirs beside the store's, in the order of the recipients.
    places: Vec<Place>,
}

impl HandedOver {
    fn whole(size: usize, outcome: MessageOutcome) -> Self {
        Self { size, outcome, places: Vec::new() }
    }
}

/// A file of the message.
struct Place {
    maildir: PathBuf,
    /// The number of its recipients.
    takers: usize,
    quarantined: bool,
    failure: Option<String>,
}
