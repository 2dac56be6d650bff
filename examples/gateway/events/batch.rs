//! Actions at work: what they ask for is done, and they go on with what was found.

use std::time::Duration;

use event_expand::{
    Action, ActionOutcome, ActionStep, ExpandFailure, Journal, OnFailure, Options, Request,
    Template,
};
use mail_types::exim::LookupResult;
use tokio::time::timeout;
use tracing::error;

use super::ledger::Ledger;
use super::raised_event::RaisedEvent;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::telemetry::log;

/// Actions that are expanded one after the other.
#[derive(Debug)]
pub(crate) struct Batch<'e> {
    engines: &'e Engines,
    timeout: Duration,
    on_failure: OnFailure,
    /// Where rows are written, if not by the engines.
    ledger: Option<&'e mut Ledger>,
}

/// What an action came to, and why a lookup of it failed.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: ActionOutcome,
    pub(crate) why: Option<String>,
}

impl Done {
    /// Tells whether the action could not be expanded; one that says `fail` itself could.
    pub(crate) fn has_failed(&self) -> bool {
        self.outcome.stop.as_ref().is_some_and(|stop| !matches!(stop, ExpandFailure::Forced { .. }))
    }
}

impl<'e> Batch<'e> {
    pub(crate) fn new(engines: &'e Engines, timeout: Duration, on_failure: OnFailure) -> Self {
        Self { engines, timeout, on_failure, ledger: None }
    }

    /// Has rows written there, by this thread.
    pub(crate) fn with_ledger(self, ledger: &'e mut Ledger) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// Expands an action, for as long as one may take.
    pub(crate) async fn act(&mut self, template: &Template, raised: &RaisedEvent) -> Done {
        let (limit, on_failure) = (self.timeout, self.on_failure);
        let (mut journal, mut why) = (Journal::default(), None);
        let work = async {
            loop {
                match self.step(template, raised, &mut journal) {
                    ActionStep::Done(outcome) => return outcome,
                    ActionStep::Request(request) => {
                        let (found, error) = self.answer(&request).await;
                        why = error.or(why.take());
                        journal.handle_found(found);
                    }
                }
            }
        };
        if let Ok(outcome) = timeout(limit, work).await {
            return Done { outcome, why };
        }
        let options = Options::default();
        let action = Action::new(template, &raised.event, raised, &options, on_failure);
        let why = Some(format!("more than {}s", limit.as_secs()));
        Done { outcome: action.handle_timeout(), why }
    }

    fn step(&self, template: &Template, raised: &RaisedEvent, journal: &mut Journal) -> ActionStep {
        let (event, options) = (&raised.event, self.engines.options());
        let mut action = Action::new(template, event, raised, options, self.on_failure)
            .with_journal(std::mem::take(journal));
        let step = action.poll();
        *journal = action.into_journal();
        step
    }

    async fn answer(&mut self, request: &Request) -> (LookupResult, Option<String>) {
        if let Some(ledger) = &mut self.ledger {
            match ledger.change(request) {
                Some(Ok(found)) => return (found, None),
                Some(Err(error)) => return (LookupResult::Deferred, Some(error.to_string())),
                None => {}
            }
        }
        // Whoever else asks the database must find what was written, and must not wait for us.
        self.commit();
        let answer = self.engines.answer(&request.ask).await;
        (answer.found, answer.why)
    }

    /// Tells whether the last action could not write its row until the end.
    pub(crate) fn gave_up(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.gave_up())
    }

    /// Commits what is old enough for others to wait for.
    pub(crate) fn commit_old(&mut self) {
        if self.ledger.as_ref().is_some_and(|ledger| ledger.is_old()) {
            self.commit();
        }
    }

    /// Commits what the actions have written.
    pub(crate) fn commit(&mut self) {
        if let Some(Err(error)) = self.ledger.as_mut().map(|ledger| ledger.commit()) {
            error!(event = "events_lost", "events could not be written: {}", log::chain(&error));
        }
    }
}
