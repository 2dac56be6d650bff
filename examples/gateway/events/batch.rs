//! Runs actions, with their lookups.

use std::time::Duration;

use event_expand::{
    Action, ActionOutcome, ActionStep, Ask, ExpandFailure, HostCall, Journal, OnFailure, Options,
    Request, Template, Variables,
};
use mail_types::exim::LookupResult;
use tokio::time::timeout;
use tracing::error;

use super::action_lists::{ActionCalls, ActionLists};
use super::dispatcher::Hearing;
use super::ledger::Ledger;
use super::raised_event::RaisedEvent;
use crate::gateway::lookups::certificate;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::telemetry::log;

/// Actions that run one after the other.
#[derive(Debug)]
pub(crate) struct Batch<'e> {
    engines: &'e Engines,
    lists: &'e dyn ActionLists,
    timeout: Duration,
    on_failure: OnFailure,
    /// The database for rows, if not the lookup engines write them.
    ledger: Option<&'e mut Ledger>,
}

/// The outcome of an action, and the reason of a failed lookup.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: ActionOutcome,
    pub(crate) why: Option<String>,
}

impl Done {
    /// Tells whether the expansion failed; a `fail` in the action is not a failure.
    pub(crate) fn has_failed(&self) -> bool {
        self.outcome.stop.as_ref().is_some_and(|stop| !matches!(stop, ExpandFailure::Forced { .. }))
    }
}

impl<'e> Batch<'e> {
    pub(super) fn new(hearing: &'e Hearing) -> Self {
        let Hearing { settings, engines, lists, .. } = hearing;
        let (timeout, on_failure) = (settings.timeout, settings.on_failure);
        Self { engines, lists: &**lists, timeout, on_failure, ledger: None }
    }

    /// Writes rows to `ledger`, in this thread.
    pub(crate) fn with_ledger(self, ledger: &'e mut Ledger) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// Runs an action, within its time limit.
    pub(crate) async fn act(&mut self, template: &Template, raised: &RaisedEvent) -> Done {
        let (limit, on_failure) = (self.timeout, self.on_failure);
        let (mut journal, mut why) = (Journal::default(), None);
        let mut calls = None::<Box<dyn ActionCalls>>;
        let work = async {
            loop {
                let step = match &calls {
                    None => self.step(template, raised, raised, &mut journal),
                    Some(calls) => self.step(template, raised, &*calls.variables(), &mut journal),
                };
                let request = match step {
                    ActionStep::Done(outcome) => return outcome,
                    ActionStep::Request(request) => request,
                };
                let error = if let Ask::Call { call: HostCall::Acl, arguments } = &request.ask {
                    // Lookups of the list must see the written rows, and must not wait.
                    self.commit();
                    let calls = calls.get_or_insert_with(|| self.lists.begin(raised));
                    let number = journal.found().len() + 1;
                    let (verdict, error) = calls.call(number, arguments).await;
                    journal.handle_found(verdict);
                    error
                } else {
                    let (found, error) = self.answer(&request, raised).await;
                    journal.handle_found(found);
                    error
                };
                why = error.or(why.take());
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

    fn step(
        &self,
        template: &Template,
        raised: &RaisedEvent,
        variables: &dyn Variables,
        journal: &mut Journal,
    ) -> ActionStep {
        let (event, options) = (&raised.event, self.engines.options());
        let mut action = Action::new(template, event, variables, options, self.on_failure)
            .with_journal(std::mem::take(journal));
        let step = action.poll();
        *journal = action.into_journal();
        step
    }

    async fn answer(
        &mut self,
        request: &Request,
        raised: &RaisedEvent,
    ) -> (LookupResult, Option<String>) {
        if let Ask::Call { call: HostCall::CertExtract, arguments } = &request.ask {
            return certificate::answer(raised, arguments);
        }
        if let Some(ledger) = &mut self.ledger {
            match ledger.change(request) {
                Some(Ok(found)) => return (found, None),
                Some(Err(error)) => return (LookupResult::Deferred, Some(error.to_string())),
                None => {}
            }
        }
        // Other users of the database must see the written rows, and must not wait.
        self.commit();
        let answer = self.engines.answer(&request.ask).await;
        (answer.found, answer.why)
    }

    /// Tells whether the last action could not write its row in time.
    pub(crate) fn gave_up(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.gave_up())
    }

    /// Commits a transaction that is old enough.
    pub(crate) fn commit_old(&mut self) {
        if self.ledger.as_ref().is_some_and(|ledger| ledger.is_old()) {
            self.commit();
        }
    }

    /// Commits the rows of the actions.
    pub(crate) fn commit(&mut self) {
        if let Some(Err(error)) = self.ledger.as_mut().map(|ledger| ledger.commit()) {
            error!(event = "events_lost", "cannot write events: {}", log::chain(&error));
        }
    }
}
