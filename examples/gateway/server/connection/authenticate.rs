//! The examination of a message by SPF, DKIM and DMARC, before its verdicts.

use std::time::{Instant, SystemTime};

use dmarc_policy::{Discovery, DiscoveryMethod};
use mail_types::results::AuthResult;
use mail_types::smtp::{EnhancedCode, Header, Reply, ReplyCode, Severity};

use super::{Connection, measure};
use crate::gateway::authentication::dmarc::Treatment;
use crate::gateway::authentication::examination::Examination;
use crate::gateway::message::id::MessageId;
use crate::gateway::policy::conditions::dmarc::{
    DISABLE_VERIFY, ENABLE_FORENSIC, keep, overridden, publish_off,
};
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::Lasts;
use crate::gateway::reports::{Account, Incident};
use crate::gateway::smtp::replies::say;
use crate::gateway::smtp::transaction::Transaction;
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::metrics::words::MessageResult;

/// The progress of the current message.
#[derive(Debug, Default)]
pub(super) struct MessageProgress {
    /// Whether the examination is done, or not wanted.
    examined: bool,
    /// Whether a recipient accepts it.
    taken: bool,
    /// Whether a recipient defers it.
    deferred: bool,
    incident: Option<Incident>,
    /// The time of its `MAIL`.
    pub(super) begun: Option<Instant>,
    /// The result of its delivery, once it is handed over.
    pub(super) taken_as: Option<MessageResult>,
    /// Its identifier in the store, once it has one.
    pub(super) id: Option<MessageId>,
}

impl MessageProgress {
    /// The progress of a message whose `MAIL` was at this time.
    pub(super) fn begin(now: Instant) -> Self {
        Self { begun: Some(now), ..Self::default() }
    }
}

impl Connection {
    /// Evaluates SPF, DKIM and DMARC, once for a message.
    pub(super) async fn examine(&mut self) {
        if std::mem::replace(&mut self.progress.examined, true) {
            return;
        }
        let wanted = &self.live.settings.clients.dmarc_verify_hosts;
        let wanted = self.live.is_in(wanted, &self.client, &self.gateway.limiter).await;
        if !wanted || self.state.has_control(DISABLE_VERIFY) {
            return publish_off(&mut self.state);
        }
        let (live, context) = self.context(Stage::Data, None);
        let Some(envelope) = context.envelope() else {
            return debug_assert!(false, "a message has a sender");
        };
        let examination = Examination {
            envelope,
            message: context.message,
            settings: &live.settings.dmarc,
            spf: &live.settings.spf,
            spf_questions: context.state.spf_questions_left(),
            resolver: &*context.services.resolver,
        };
        let (mut examined, spf) = examination.run(context.state.authentication.spf.as_ref()).await;
        let Self { gateway, live, session, client, state, progress, message, .. } = self;
        let (metrics, dmarc) = (&gateway.metrics, &live.settings.dmarc);
        if let Some((report, questions)) = spf {
            metrics.spf.count_named(report.outcome().result().as_str());
            state.count_spf_questions(questions);
            state.authentication.spf = Some(report);
        }
        examined.overridden = overridden(state);
        measure::examined(metrics, &examined, dmarc);
        let verdict = &examined.verdict;
        if !matches!(verdict.result, AuthResult::Pass | AuthResult::None) {
            log::rule(&gateway.limiter, session, client, *message, &format!("DMARC: {verdict}"));
        }
        if let Some(field) = examined.quarantine(dmarc) {
            state.quarantine(field, Lasts::Message);
        }
        let forensic = ENABLE_FORENSIC.iter().any(|control| state.has_control(control));
        if let Some(transaction) = session.transaction().filter(|_| forensic) {
            let header = Header::of(session.message());
            progress.incident = Incident::of(&examined, &transaction.sender, header.text);
        }
        keep(examined, &live.session.primary_hostname, state);
    }

    /// Records the verdict of a recipient. If no recipient accepts the message, the reports are written.
    pub(super) fn judged(&mut self, at: usize, reply: &Reply) {
        match reply.code().severity() {
            Severity::Completed => self.progress.taken = true,
            Severity::Permanent => {}
            _ => self.progress.deferred = true,
        }
        let recipients = self.session.transaction().map_or(0, |t| t.recipients.len());
        if at + 1 != recipients || self.progress.taken {
            return;
        }
        let deferred = self.progress.deferred;
        let severity = if deferred { Severity::Transient } else { Severity::Permanent };
        let result = self.refused_as(severity);
        self.metrics().messages.count(result);
        if !deferred {
            self.conclude(reply);
        }
    }

    /// Writes the reports of a message; a deferred one has none.
    pub(super) fn conclude(&mut self, reply: &Reply) {
        let Self { gateway, live, session, client, state, progress, .. } = self;
        let rejected = match reply.code().severity() {
            Severity::Completed => false,
            Severity::Permanent => true,
            _ => return,
        };
        let quarantined = state.quarantined().is_some();
        let (Some(transaction), Some(examined)) =
            (session.transaction(), state.authentication.dmarc.as_ref())
        else {
            return;
        };
        let account = Account {
            examined: examined.clone(),
            client: client.address,
            sender: transaction.sender.clone(),
            received: SystemTime::now(),
            id: progress.id,
            rejected,
            quarantined,
        };
        let host = &live.session.primary_hostname;
        let discovery = match live.settings.dmarc.discovery {
            Discovery::Psl(_) => DiscoveryMethod::Psl,
            _ => DiscoveryMethod::TreeWalk,
        };
        gateway.reporter.tell(&account, host, discovery);
        if let Some(incident) = progress.incident.take() {
            let resolver = &live.services.resolver;
            gateway.failures.report(&gateway.reporter, resolver, account, incident);
        }
    }

    /// Returns the reply to all recipients of a message that is refused for DMARC, or for a missing header
    /// section.
    pub(super) fn dmarc_refusal(&mut self) -> Option<Reply> {
        let Self { live, state, session, .. } = self;
        let headless = session.transaction().is_some_and(Transaction::is_headless);
        if headless && live.settings.dmarc.of_fault() == Treatment::Reject {
            let text = "message does not begin with a header field";
            return Some(say(ReplyCode::TRANSACTION_FAILED, EnhancedCode::of::<5, 6, 0>(), text));
        }
        state.authentication.dmarc.as_ref()?.refusal(&live.settings.dmarc)
    }
}
