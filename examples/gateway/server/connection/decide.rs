//! The answers to the session's questions: the rules, then the gateway's own checks.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode, Severity};
use tokio::task::coop::consume_budget;
use tokio::time::timeout_at;

use super::Connection;
use super::authenticate::MessageProgress;
use crate::gateway::delivery::destination::Destination;
use crate::gateway::delivery::proxied_client::ProxiedClient;
use crate::gateway::delivery::routing::Route;
use crate::gateway::events::origin::Origin;
use crate::gateway::message::id::MessageId;
use crate::gateway::policy::context::Context;
use crate::gateway::policy::decision::Decision;
use crate::gateway::policy::delay::Patience;
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::gateway::Live;
use crate::gateway::smtp::replies::{fault, no_room, say};
use crate::gateway::smtp::session::Question;
use crate::gateway::smtp::session::stray_header::begins_header;
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::metrics::words::RecipientResult;

impl Connection {
    pub(super) async fn decide(&mut self, question: Question) -> Reply {
        match question {
            Question::Connect => self.connect().await,
            Question::Greeting => self.greeting().await,
            Question::Mail => self.mail().await,
            Question::Recipient => {
                let reply = self.recipient().await;
                self.metrics().recipients.count(RecipientResult::of(&reply));
                reply
            }
            Question::Verdict(at) => {
                self.examine().await;
                let reply = self.verdict(at).await;
                self.judged(at, &reply);
                reply
            }
            Question::Message => {
                self.examine().await;
                let reply = self.message().await;
                if reply.code().severity() == Severity::Completed {
                    self.state.accept_message();
                }
                self.count_message(&reply);
                self.conclude(&reply);
                reply
            }
        }
    }

    async fn connect(&mut self) -> Reply {
        let decision = self.judge(Stage::Connect, None).await;
        // A client that talks first does not speak SMTP.
        let early = self.early().await;
        self.session.handle_bytes(&early);
        self.at_connect = self.state.notes();
        decision.refusal.unwrap_or_else(|| Reply::new(ReplyCode::READY, ""))
    }

    /// Takes octets that have arrived before the banner. The rest of the start of a PROXY header has a moment, so that
    /// the log tells the cause.
    async fn early(&mut self) -> Vec<u8> {
        let mut early = self.wire.pending();
        let end = tokio::time::Instant::now() + HEADER_REST;
        while !early.is_empty() && begins_header(&early).is_none() {
            let more = self.wire.read(|octets| early.extend_from_slice(octets));
            if !matches!(timeout_at(end, more).await, Ok(Ok(1..))) {
                break;
            }
        }
        early
    }

    /// A greeting that is refused changes nothing (RFC 5321 section 4.1.4): what its rules have noted is forgotten.
    async fn greeting(&mut self) -> Reply {
        let before = self.state.notes();
        let Some(refusal) = self.judge(Stage::Helo, None).await.refusal else {
            return Reply::new(ReplyCode::OK, "");
        };
        self.state.go_back(before);
        refusal
    }

    async fn mail(&mut self) -> Reply {
        let size = self.session.transaction().map_or(0, |transaction| transaction.size);
        if !self.gateway.memory.admits(size) {
            return no_room();
        }
        self.delivery = Destination::default();
        self.message = Some(MessageId::next(SystemTime::now()));
        self.outcome = None;
        self.progress = MessageProgress::begin(Instant::now());
        self.state.start_message();
        let decision = self.judge(Stage::Mail, None).await;
        decision
            .refusal
            .unwrap_or_else(|| say(ReplyCode::OK, EnhancedCode::ADDRESS_VALID, "sender ok"))
    }

    async fn recipient(&mut self) -> Reply {
        self.state.start_recipient();
        let decision = self.judge(Stage::Rcpt, None).await;
        if let Some(refusal) = decision.refusal {
            return refusal;
        }
        let gateway = Arc::clone(&self.gateway);
        let (live, mut context) = self.context(Stage::Rcpt, None);
        let Some(recipient) = context.recipient else { return fault("no recipient") };
        let route = match live.settings.routing.route(recipient, &mut context).await {
            Ok(Route::Local(_)) => {
                gateway.startup.mailboxes.of(&mut context).await.map(Route::Local)
            }
            other => other,
        };
        let Self { gateway, live, session, delivery, client, state, message, .. } = self;
        for line in state.take_log() {
            log::rule(&gateway.limiter, session, client, *message, &line);
        }
        let (Some(transaction), Some(recipient)) = (session.transaction(), session.candidate())
        else {
            return fault("no recipient");
        };
        let reply = match route {
            Ok(_) if !transaction.prdr && !state.profile_fits() => {
                let text = "recipient with another content filter, send a separate message";
                say(ReplyCode::INSUFFICIENT_STORAGE, EnhancedCode::of::<4, 5, 3>(), text)
            }
            Ok(route) => {
                let host = &live.session.primary_hostname;
                let origin = || Origin::new(&gateway.events, host, client, session, *message);
                let from = (transaction, ProxiedClient::of(client));
                delivery.add(route, &live.remote, from, recipient, origin).await
            }
            Err(reply) => reply,
        };
        if reply.code().severity() == Severity::Completed {
            state.accept_recipient();
        } else {
            log::refusal(&gateway.limiter, session, client, &rcpt(recipient), &reply.to_string());
        }
        reply
    }

    /// Decides for one recipient. If each has its result of the delivery, the message is handed over before
    /// the first reply.
    async fn verdict(&mut self, at: usize) -> Reply {
        if !self.delivery.has_results() && self.outcome.is_none() {
            return match self.own_verdict(at).await {
                Ok(reply) | Err(reply) => reply,
            };
        }
        if self.outcome.is_none() {
            let outcome = self.hand_over_for_each().await;
            self.outcome = Some(outcome);
        }
        let reply = self.outcome.as_ref().and_then(|outcome| outcome.recipients.get(at));
        reply.cloned().unwrap_or_else(|| fault("no recipient"))
    }

    async fn message(&mut self) -> Reply {
        if let Some(outcome) = self.outcome.take() {
            return outcome.last;
        }
        let Some(transaction) = self.session.transaction() else {
            return fault("no message");
        };
        let takers: Vec<_> = (0..transaction.recipients.len()).collect();
        if !transaction.prdr
            && takers.len() > 1
            && let Err(refusal) = self.verdict_of_all(&takers).await
        {
            return refusal;
        }
        self.hand_over(&takers).await.last
    }

    /// Evaluates a recipient's rules; `Err` refuses the message.
    ///
    /// A message is in quarantine for all its recipients or for none: a recipient that differs gets a
    /// separate message, if the client distinguishes recipients.
    pub(super) async fn own_verdict(&mut self, at: usize) -> Result<Reply, Reply> {
        if let Some(refusal) = self.dmarc_refusal() {
            return Err(refusal);
        }
        let decision = self.judge(Stage::Prdr, Some(at)).await;
        if let Some(refusal) = decision.refusal {
            return Err(refusal);
        }
        let apart = self.session.transaction().is_some_and(|transaction| transaction.prdr);
        if !self.state.agree_on_quarantine(decision.quarantine, apart) {
            let text = "recipient with another treatment, send a separate message";
            return Err(say(ReplyCode::BUSY, EnhancedCode::of::<4, 5, 3>(), text));
        }
        self.state.take_message(at);
        let otherwise = || say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "content ok");
        Ok(decision.acceptance.unwrap_or_else(otherwise))
    }

    /// Evaluates the rules of all recipients for a single reply: a temporary refusal precedes a permanent
    /// one, and that an acceptance.
    async fn verdict_of_all(&mut self, takers: &[usize]) -> Result<(), Reply> {
        let mut refusal: Option<Reply> = None;
        for &at in takers {
            let Err(reply) = self.own_verdict(at).await else { continue };
            let transient = |reply: &Reply| reply.code().severity() == Severity::Transient;
            if refusal.as_ref().is_none_or(|before| transient(&reply) && !transient(before)) {
                refusal = Some(reply);
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Evaluates the rules of a stage, and logs their texts.
    pub(super) async fn judge(&mut self, stage: Stage, number: Option<usize>) -> Decision {
        consume_budget().await; // Many evaluations may follow each other without a wait.
        let (live, mut context) = self.context(stage, number);
        let decision = live.settings.rules.judge(&mut context).await;
        let recipient = context.recipient.filter(|_| decision.refusal.is_some()).cloned();
        self.drops |= decision.drops;
        if let Some(refusal) = &decision.refusal {
            self.count_refusal(stage, refusal);
        }
        let Self { gateway, session, client, state, message, .. } = self;
        for line in state.take_log() {
            log::rule(&gateway.limiter, session, client, *message, &line);
        }
        if let Some(refusal) = &decision.refusal {
            let what = match (stage, &recipient) {
                (Stage::Connect, _) => "connection".into(),
                (Stage::Helo, _) => format!("HELO {}", session.greeting().name),
                (Stage::Mail, _) => "MAIL".into(),
                (Stage::Rcpt, Some(recipient)) => rcpt(recipient),
                (_, Some(recipient)) => format!("message for <{recipient}>"),
                (_, None) => "message".into(),
            };
            let why = decision.log_message.clone().unwrap_or_else(|| refusal.to_string());
            log::refusal(&gateway.limiter, session, client, &what, &why);
        }
        decision
    }

    /// The context of a stage, with the recipient of this number if it is one of several.
    pub(super) fn context(&mut self, stage: Stage, number: Option<usize>) -> (&Live, Context<'_>) {
        let Self { live, client, session, state, clock, wire, .. } = self;
        // A new greeting ends a transaction.
        let transaction = session.transaction().filter(|_| stage != Stage::Helo);
        let numbered = |at| transaction.and_then(|transaction| transaction.recipient(at));
        let recipient = match stage {
            Stage::Rcpt => session.candidate(),
            _ => number.and_then(numbered),
        };
        let context = Context {
            stage,
            now: Instant::now(),
            host: &live.session.primary_hostname,
            client: Some(client),
            greeting: Some(session.greeting()),
            event: None,
            given: None,
            transaction,
            recipient,
            recipient_number: number,
            command: session.line(),
            message: session.message(),
            state,
            services: &live.services,
            patience: Some(Patience { clock: &*clock, client: &*wire, left: Patience::MOST }),
        };
        (live, context)
    }
}

fn rcpt(recipient: &Mailbox) -> String {
    format!("RCPT <{recipient}>")
}

/// The time of the rest of a PROXY header's start.
const HEADER_REST: Duration = Duration::from_secs(1);
