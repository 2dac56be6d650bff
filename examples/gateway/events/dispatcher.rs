//! The dispatcher of events to the threads that run their actions.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_expand::{Effect, EventName};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::info;

use super::action_lists::ActionLists;
use super::batch::Batch;
use super::overflow::Overflow;
#[cfg(test)]
use super::queue::Counts;
use super::queue::Queue;
use super::raised_event::RaisedEvent;
use super::settings::{EventSettings, SHIPPED};
use super::worker::Worker;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::telemetry::line_limit::cut;
use crate::gateway::telemetry::log::{self, Limiter};
use crate::gateway::telemetry::metrics::readings::EventsReading;

/// The dispatcher; its clones share the queue. The default ignores all events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Option<Arc<Hearing>>);

#[derive(Debug)]
pub(super) struct Hearing {
    pub(super) settings: EventSettings,
    pub(super) engines: Arc<Engines>,
    pub(super) lists: Arc<dyn ActionLists>,
    pub(super) queue: Arc<Queue>,
    /// The limit of log lines that clients can cause.
    pub(super) limiter: Arc<Limiter>,
    /// Closed when actions can run.
    pub(super) ready: Semaphore,
    /// Closed when the threads have ended.
    pub(super) ended: Semaphore,
}

impl Events {
    /// Starts, with the events that an earlier process left in `directory`; `database` is that of
    /// `sqlite` lookups, `lists` are those that actions call, and `limiter` limits the log.
    ///
    /// # Errors
    ///
    /// [`EventsStart`] if the overflow file cannot be opened, or a thread not started.
    pub(crate) fn start(
        settings: &EventSettings,
        directory: &Path,
        database: &Path,
        engines: &Arc<Engines>,
        lists: Arc<dyn ActionLists>,
        limiter: &Arc<Limiter>,
    ) -> Result<Self, EventsStart> {
        if settings.is_off() {
            return Ok(Self::default());
        }
        if settings.shipped {
            info!("events are logged in the table events of {}", database.display());
        }
        let overflow =
            Overflow::open(directory, settings.overflow).map_err(EventsStart::Overflow)?;
        let queue = Arc::new(Queue::new(settings.queue, overflow));
        let (settings, engines) = (settings.clone(), Arc::clone(engines));
        let limiter = Arc::clone(limiter);
        let (ready, ended) = (Semaphore::new(0), Semaphore::new(0));
        let hearing = Hearing { settings, engines, lists, queue, limiter, ready, ended };
        let hearing = Arc::new(hearing);
        let (runtime, database) = (Handle::current(), database.to_owned());
        let worker = Worker { hearing: Arc::clone(&hearing), runtime, database };
        worker.start().map_err(EventsStart::Thread)?;
        Ok(Self(Some(hearing)))
    }

    /// Returns the state of the queue.
    pub(crate) fn reading(&self) -> EventsReading {
        self.0.as_ref().map(|hearing| hearing.queue.reading()).unwrap_or_default()
    }

    /// Tells whether an event has an action, with or without a transport.
    pub(crate) fn hears(&self, name: EventName, transport: Option<&str>) -> bool {
        self.0.as_ref().is_some_and(|h| h.settings.action(name, transport).is_some())
    }

    /// Tells whether any event has an action.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells whether an action may ask for the certificate that this host has shown to a client.
    pub(crate) fn reads_own_certificate(&self) -> bool {
        self.0.as_ref().is_some_and(|hearing| hearing.settings.reads_own_certificate)
    }

    /// Queues the action of an event, without waiting.
    pub(crate) fn raise(&self, raised: RaisedEvent) {
        if let Some(hearing) = &self.0 {
            hearing.queue.put(raised);
        }
    }

    /// Runs the action of an event now, and returns its effect; after a failure or a timeout, that of
    /// the configuration.
    pub(crate) async fn ask(&self, raised: RaisedEvent) -> Effect {
        let Some(hearing) = self.0.as_deref() else { return Effect::Ignored };
        let Hearing { settings, ready, engines, limiter, .. } = hearing;
        let transport = raised.transport();
        let Some(template) = settings.action(raised.name(), transport.as_deref()) else {
            return Effect::Ignored;
        };
        if template.text() == SHIPPED.as_bytes() {
            // It has no effect: do not wait for it.
            self.raise(raised);
            return Effect::Ignored;
        }
        // The semaphore never has permits: the wait ends when it closes. If it does not, the action fails.
        let _ = timeout(settings.timeout, ready.acquire()).await;
        let mut batch = Batch::new(hearing);
        let done = batch.act(template, &raised).await;
        super::worker::report(limiter, &raised, &done);
        engines.metrics().events.count(super::worker::result(&done));
        if done.outcome.effect != Effect::Ignored {
            let text = cut(done.outcome.text.to_string());
            log::alternate_response(limiter, raised.client(), raised.name().as_str(), &text);
        }
        done.outcome.effect
    }

    /// Returns the numbers of events that overflowed or were lost.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> Counts {
        self.0.as_ref().map(|hearing| hearing.queue.counts()).unwrap_or_default()
    }

    /// Handles waiting events for at most `patience`, and writes the rest to the overflow file.
    pub(crate) async fn close(&self, patience: Duration) {
        let Some(hearing) = &self.0 else { return };
        hearing.queue.end(Instant::now() + patience);
        // The semaphore never has permits: the wait ends when it closes. The last action may take its
        // whole time.
        let patience = patience + hearing.settings.timeout + Duration::from_secs(1);
        let _ = timeout(patience, hearing.ended.acquire()).await;
    }

    pub(super) fn open(&self) {
        if let Some(hearing) = &self.0 {
            hearing.queue.open();
        }
    }

    pub(super) fn shut(&self) {
        if let Some(hearing) = &self.0 {
            hearing.queue.close();
        }
    }
}

/// The events cannot be started.
#[derive(Debug, Error)]
pub(crate) enum EventsStart {
    #[error("cannot open the overflow file: {0}")]
    Overflow(#[source] io::Error),
    #[error("cannot start the thread: {0}")]
    Thread(#[source] io::Error),
}
