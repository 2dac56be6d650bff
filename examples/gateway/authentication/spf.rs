//! The SPF check of a sender: RFC 7208.

use std::sync::Arc;
use std::time::SystemTime;

use mail_types::dns::{Resolve, run_cached};
use mail_types::smtp::Helo;
use spf_result::{Check, MacroString, Options, Record, Report};

use super::envelope::Envelope;

/// The settings of SPF.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpfSettings {
    pub(crate) options: Options,
    /// The record of `spf_guess`; without it, the customary guess within the limits of RFC 7208.
    pub(crate) guess: Option<Arc<Record>>,
    /// The `$spf_smtp_comment` for a domain without an explanation.
    pub(crate) comment: Option<MacroString>,
}

/// Checks a sender with at most `questions` DNS questions; returns the report and their number.
pub(crate) async fn check(
    envelope: Envelope<'_>,
    settings: &SpfSettings,
    questions: usize,
    resolver: &dyn Resolve,
) -> (Report, usize) {
    let helo = Helo::new(envelope.helo);
    let mut options = settings.options.clone();
    let most = options.limits.questions.min(questions);
    options.limits.questions = most;
    let check = Check::mail_from(envelope.client, &helo, envelope.sender)
        .with_options(options)
        .with_receiver(envelope.receiver)
        .at(SystemTime::now());
    let mut session = check.session();
    let outcome = run_cached(&mut session, resolver, settings.options.limits.time, &|_| None).await;
    let asked = session.answers().len().min(most);
    let report = check.report(outcome);
    let report = match &settings.comment {
        Some(template) => report.with_smtp_comment_template(&check, template),
        None => report,
    };
    (report, asked)
}
