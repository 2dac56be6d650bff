//! The lists of rules that the actions of events call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_expand::{Ask, EventVariables, HeaderForm, Variables};
use mail_types::exim::{Value, Variable};

use super::context::Context;
use super::named_rules::NamedRules;
use super::services::Services;
use super::stage::Stage;
use super::state::{PolicyState, Snapshot};
use super::variable::{Seen, is_acl};
use crate::gateway::events::action_lists::{ActionCalls, ActionLists, Calling};
use crate::gateway::events::raised_event::RaisedEvent;
use crate::gateway::lookups::asking::{Answering, Answers};
use crate::gateway::lookups::engines::{Answer, Engines};
use crate::gateway::lookups::language::NamedLists;
use crate::gateway::telemetry::log::{self, Limiter};

/// The lists of a configuration, for all events.
#[derive(Debug)]
pub(crate) struct EventLists {
    host: String,
    services: Services,
    /// The limit of log lines that clients can cause.
    limiter: Arc<Limiter>,
    /// An action names no list of hosts or domains.
    names: NamedLists,
}

impl EventLists {
    /// The lists of the services, for the events of a host of this name.
    pub(crate) fn new(host: &str, services: Services, limiter: Arc<Limiter>) -> Self {
        Self { host: host.to_owned(), services, limiter, names: NamedLists::default() }
    }

    /// Returns those that actions call.
    pub(crate) fn named(&self) -> &NamedRules {
        &self.services.named
    }
}

impl ActionLists for EventLists {
    fn begin<'a>(&'a self, raised: &'a RaisedEvent) -> Box<dyn ActionCalls + 'a> {
        let state = PolicyState::default();
        Box::new(EventCalls { lists: self, raised, state, earlier: Vec::new() })
    }
}

/// The calls of one action.
struct EventCalls<'a> {
    lists: &'a EventLists,
    raised: &'a RaisedEvent,
    state: PolicyState,
    /// The variables before the answers with these numbers.
    earlier: Vec<(usize, Snapshot)>,
}

impl EventCalls<'_> {
    /// Writes the lines of rules, as far as the client of the event may cause some.
    fn write_log(&mut self) {
        let (name, host) = (self.raised.name(), self.raised.client());
        for line in self.state.take_log() {
            log::event_rule(&self.lists.limiter, host, name.as_str(), &line);
        }
    }
}

impl ActionCalls for EventCalls<'_> {
    fn call<'a>(&'a mut self, number: usize, arguments: &'a [Value<'static>]) -> Calling<'a> {
        self.earlier.push((number, self.state.snapshot()));
        Box::pin(async move {
            let EventLists { host, services, .. } = self.lists;
            let mut context = Context {
                stage: Stage::Event,
                now: Instant::now(),
                host,
                client: None,
                greeting: None,
                event: Some(EventVariables::new(&self.raised.event, self.raised)),
                given: None,
                transaction: None,
                recipient: None,
                recipient_number: None,
                command: b"",
                message: b"",
                state: &mut self.state,
                services,
                patience: None,
            };
            let found = services.named.call(&mut context, arguments).await;
            self.write_log();
            found
        })
    }

    fn variables(&self) -> Box<dyn Variables + '_> {
        Box::new(Seen::new(self, &self.lists.names, &self.earlier))
    }
}

impl Variables for EventCalls<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        let set = if is_acl(name) { self.state.variable(name) } else { self.state.published(name) };
        match set {
            Some(value) => value.into(),
            None => self.raised.variable(name),
        }
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        self.raised.header(name, form)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.raised.certificate(name)
    }
}

/// The lookups of rules that actions call: as in the action itself, U+FFFD replaces octets that a database
/// cannot hold.
#[derive(Debug)]
pub(crate) struct ActionEngines(pub(crate) Arc<Engines>);

impl Answers for ActionEngines {
    fn answer<'a>(&'a self, request: &'a Ask, _: Duration) -> Answering<'a> {
        // The action has its own time limit for all its lookups.
        Box::pin(async move {
            let Answer { found, why } = self.0.answer(request).await;
            (found, why)
        })
    }
}
