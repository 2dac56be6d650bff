//! The account of a message for reports, after its acceptance or refusal.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use dmarc_policy::{DiscoveryMethod, FeedbackRow, History, OverrideKind, Policy};
use mail_types::results::AuthResult;
use mail_types::smtp::{Domain, Mailbox, ReversePath};

use crate::cases::dmarc_rows::Row;
use crate::gateway::authentication::dmarc::Examined;
use crate::gateway::message::id::MessageId;

/// A message that was accepted or refused permanently.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) examined: Examined,
    pub(crate) client: SocketAddr,
    pub(crate) sender: ReversePath,
    pub(crate) received: SystemTime,
    /// Its identifier, if it was accepted.
    pub(crate) id: Option<MessageId>,
    pub(crate) rejected: bool,
    pub(crate) quarantined: bool,
}

impl Account {
    /// The time of its reception, in seconds since 1970-01-01 00:00:00 UTC.
    pub(crate) fn second(&self) -> u64 {
        self.received.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// The row for aggregate reports; `None` without a record, or if the result is unknown (RFC 9989
    /// section 5.3.6).
    pub(crate) fn row(&self, discovery: DiscoveryMethod) -> Option<Row> {
        let Examined { verdict, spf, dkim, .. } = &self.examined;
        if verdict.result == AuthResult::TempError {
            return None;
        }
        let applied = match (self.rejected, self.quarantined) {
            (true, _) => Policy::Reject,
            (false, true) => Policy::Quarantine,
            (false, false) => Policy::None,
        };
        let source = self.client.ip();
        let mut feedback = FeedbackRow::of_verdict(source, verdict, applied, spf.as_ref(), dkim)?;
        if let Some(kind) = self.examined.overridden.filter(|_| applied == Policy::None) {
            let reasons = feedback.reasons.iter_mut();
            let ours = reasons.filter(|reason| reason.kind == OverrideKind::LocalPolicy);
            ours.for_each(|reason| reason.kind = kind);
        }
        Some(Row {
            received: self.second(),
            // A report is a mail to a domain; other names cannot receive one.
            policy_domain: Domain::try_from(verdict.policy_domain.as_ref()?).ok()?.to_string(),
            record: verdict.record()?.to_string(),
            discovery,
            feedback: feedback.with_envelope_from(self.sender_domain()),
        })
    }

    /// The lines of the history file; `None` without a record.
    pub(crate) fn history(&self, host: &str) -> Option<String> {
        let Examined { verdict, spf, dkim, .. } = &self.examined;
        // A refused message has no identifier, but the file requires one.
        let job = self.id.unwrap_or_else(|| MessageId::next(self.received)).to_string();
        let (source, from) = (self.client.ip(), self.sender_domain());
        let history = History::new(verdict, &job, host, self.second(), source, from)?;
        let history = history.with_dkim(dkim);
        Some(match spf {
            Some(spf) => history.with_spf(spf).to_string(),
            None => history.to_string(),
        })
    }

    fn sender_domain(&self) -> &str {
        let domain = self.sender.mailbox().and_then(Mailbox::domain);
        domain.map(Domain::as_str).unwrap_or_default()
    }
}
