//! A resolver whose answers are counted and timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mail_types::dns::{Answer, Question, Resolve, Resolving};

use super::Metrics;
use super::counts::Word as _;
use super::words::DnsOutcome;

/// Asks another resolver, and counts.
pub(crate) struct CountedResolver<R> {
    resolver: R,
    metrics: Arc<Metrics>,
}

impl<R> CountedResolver<R> {
    pub(crate) fn new(resolver: R, metrics: &Arc<Metrics>) -> Self {
        Self { resolver, metrics: Arc::clone(metrics) }
    }
}

impl<R: Resolve> Resolve for CountedResolver<R> {
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_> {
        let asked = self.resolver.answer(question, time);
        Box::pin(async move {
            let begun = Instant::now();
            let (question, answer) = asked.await;
            self.metrics.dns_times.time((), begun.elapsed());
            if let Some(outcome) = outcome(&answer) {
                self.metrics.dns_questions.count(outcome);
            }
            (question, answer)
        })
    }
}

fn outcome(answer: &Answer) -> Option<DnsOutcome> {
    match answer {
        Answer::Records { .. } => Some(DnsOutcome::Records),
        Answer::Absent { exists: true, .. } => Some(DnsOutcome::Nodata),
        Answer::Absent { exists: false, .. } => Some(DnsOutcome::Nxdomain),
        Answer::Failed(failure) => DnsOutcome::named(failure.as_str()),
    }
}
