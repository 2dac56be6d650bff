//! The events of messages, recipients and connections, and the actions that are expanded for them.
//!
//! `event_action` of the main section is for what happens to a message as a whole and to clients, the
//! one of a transport for deliveries by it; `$event_name` says what happened:
//!
//! ```toml
//! event_action = '''${if eq{$event_name}{msg:complete}{${lookup sqlite{INSERT INTO done \
//!     VALUES ('${quote_sqlite:$message_exim_id}')}{}}}}'''
//! event_profile = "current"  # or "2014": the nine events of then
//! event_select = "msg:* tcp:connect"  # of them, those that actions are for
//! event_failure = "proceed"  # or "refuse": where an action has no result, but one is waited for
//! event_timeout = "5s"  # for one action
//! event_queue_max = 2000  # events in memory
//! event_overflow_limit = "16M"  # events on the disk, when the memory's share is used up
//!
//! [remote_smtp]  # to the next hop
//! event_action = "${if eq{$event_name}{tcp:connect}{${if match_ip{$host_address}{192.0.2.0/24}{no}}}}"
//!
//! [local_delivery]  # into the Maildir
//! event_action = ""
//! ```
//!
//! A configuration without `event_action` has [`SHIPPED`] for all: each of the nine events of 2014
//! becomes a row of the table `events` in `sqlite_dbfile`, `gateway.sqlite` under `spool_directory`
//! unless that says otherwise; it keeps the last million. `event_action = ""` turns it off, and with
//! an `event_action` of the main section a transport has none but its own.
//!
//! A lookup that changes rows finds how many, and a result forces something at `tcp:connect` and
//! `smtp:connect`: an action that only records has `{}` behind its query, as the shipped one has.
//!
//! # What happens here
//!
//! | event | `$event_data` | raised when |
//! |---|---|---|
//! | `tcp:connect` | | a next hop's address is about to be tried; a result forbids it |
//! | `smtp:connect` | its banner | that has come; a result has the connection closed |
//! | `smtp:ehlo` | its reply | that has come |
//! | `tcp:close` | | the connection is closed; what became of recipients is told after it |
//! | `msg:delivery` | the confirmation | the next hop has taken a recipient's copy, or the Maildir has it |
//! | `msg:fail:delivery` | the error | the next hop has refused a recipient or the message for good |
//! | `msg:host:defer`, `msg:defer` | the error | an attempt at an address failed; no other is left |
//! | `msg:rcpt:host:defer`, `msg:rcpt:defer` | the error | the next hop has put a recipient off, at `RCPT` or with PRDR |
//! | `msg:defer` | the error | it has put the message off |
//! | `msg:complete` | | a message was accepted: recipients who were put off are the client's to try again |
//! | `smtp:fail:protocol`, `smtp:fail:syntax` | our reply | a client has made a mistake |
//! | `tls:fail:connect` | the error | a client's handshake failed |
//! | `dns:fail` | outcome, name, type | the name of a client or the next hop was not found |
//!
//! A certificate is asked of nobody and TLS spoken to no next hop, so that `tls:cert` and `dane:fail`
//! never come; neither do `auth:fail`, without `AUTH`, nor `msg:fail:internal`, without filters and
//! a queue to cancel. Variables of the moment, `$tod_log` and its like, are those of the event, in UTC.
//!
//! # What is promised
//!
//! Mail does not wait for an event that decides nothing: it is queued in memory, and its action
//! expanded by a thread of its own. Where the result of `tcp:connect`, `smtp:connect` and `tls:cert`
//! is wanted they are not queued: their actions are expanded at once, for at most `event_timeout`, and
//! then it goes on as `event_failure` says. The shipped action, which decides nothing, is queued for
//! these as well.
//!
//! If more events wait than `event_queue_max`, the others are put aside into a file, for later or the
//! next start: a database that is slow, or locked, for a while costs none, until the file is full.
//! Those that are put aside come later than those that happened after them. What there is no room for
//! is counted, and logged. An action that fails is logged, and not tried again.
//!
//! A server that stops works off what waits for at most five seconds, and puts the rest aside. A
//! process that is killed loses the events in its memory, and may have those of one batch come again;
//! it loses no mail.

pub(crate) mod batch;
pub(crate) mod delivery_attempt;
pub(crate) mod ledger;
mod moment;
pub(crate) mod origin;
pub(crate) mod overflow;
pub(crate) mod queue;
pub mod raised_event;
pub mod record;
pub(crate) mod settings;
pub mod variables;
mod worker;

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

use self::batch::Batch;
use self::overflow::Aside;
#[cfg(test)]
use self::queue::Counts;
use self::queue::Queue;
use self::raised_event::Occurrence;
use self::settings::{EventSettings, SHIPPED};
use self::worker::Worker;
use crate::gateway::lookups::engines::Engines;

/// Where events go; all clones are of the same. The default hears nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Option<Arc<Hearing>>);

#[derive(Debug)]
struct Hearing {
    settings: EventSettings,
    engines: Arc<Engines>,
    queue: Arc<Queue>,
    /// Closed when actions can be expanded.
    ready: Semaphore,
    /// Closed when the threads have ended.
    ended: Semaphore,
}

impl Events {
    /// Starts, with what an earlier process has put aside in `directory`; `database` is the one that
    /// the engines have for `sqlite`.
    ///
    /// # Errors
    ///
    /// [`EventsStart`] if the file for events put aside, or a thread, cannot be made.
    pub(crate) fn start(
        settings: &EventSettings,
        directory: &Path,
        database: &Path,
        engines: &Arc<Engines>,
    ) -> Result<Self, EventsStart> {
        if settings.is_off() {
            return Ok(Self::default());
        }
        if settings.shipped {
            info!("events are rows of the table events in {}", database.display());
        }
        let aside = Aside::open(directory, settings.overflow).map_err(EventsStart::Aside)?;
        let queue = Arc::new(Queue::new(settings.queue, aside));
        let (settings, engines) = (settings.clone(), Arc::clone(engines));
        let (ready, ended) = (Semaphore::new(0), Semaphore::new(0));
        let hearing = Arc::new(Hearing { settings, engines, queue, ready, ended });
        let (runtime, database) = (Handle::current(), database.to_owned());
        let worker = Worker { hearing: Arc::clone(&hearing), runtime, database };
        worker.start().map_err(EventsStart::Thread)?;
        Ok(Self(Some(hearing)))
    }

    /// Tells whether an event would have an action, with a transport at work or none.
    pub(crate) fn hears(&self, name: EventName, transport: Option<&str>) -> bool {
        self.0.as_ref().is_some_and(|h| h.settings.action(name, transport).is_some())
    }

    /// Tells whether anything has an action.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Has the action of an event expanded some time. It never waits.
    pub(crate) fn raise(&self, occurrence: Occurrence) {
        if let Some(hearing) = &self.0 {
            hearing.queue.put(occurrence);
        }
    }

    /// Expands the action of an event now, and says what comes of it: of one that takes too long, or
    /// fails, what the configuration says.
    pub(crate) async fn ask(&self, occurrence: Occurrence) -> Effect {
        let Some(Hearing { settings, engines, ready, .. }) = self.0.as_deref() else {
            return Effect::Ignored;
        };
        let transport = occurrence.transport();
        let Some(template) = settings.action(occurrence.name(), transport.as_deref()) else {
            return Effect::Ignored;
        };
        if template.text() == SHIPPED.as_bytes() {
            // It decides nothing, so that there is nothing to wait for.
            self.raise(occurrence);
            return Effect::Ignored;
        }
        // Nothing is ever added: this ends when the semaphore is closed. If it is not, the action fails.
        let _ = timeout(settings.timeout, ready.acquire()).await;
        let mut batch = Batch::new(engines, settings.timeout, settings.on_failure);
        let done = batch.act(template, &occurrence).await;
        worker::report(&occurrence, &done);
        if done.outcome.effect != Effect::Ignored {
            let (name, text) = (occurrence.name().as_str(), &done.outcome.text);
            info!(event = "event_action", name, "{name} event requests alternate response: {text}");
        }
        done.outcome.effect
    }

    /// Returns what became of events so far.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> Counts {
        self.0.as_ref().map(|hearing| hearing.queue.counts()).unwrap_or_default()
    }

    /// Works off what waits, for at most `patience`, and puts the rest aside for the next start.
    pub(crate) async fn close(&self, patience: Duration) {
        let Some(hearing) = &self.0 else { return };
        hearing.queue.end(Instant::now() + patience);
        // Nothing is ever added: this ends when the semaphore is closed. The last action may take its
        // whole time.
        let patience = patience + hearing.settings.timeout + Duration::from_secs(1);
        let _ = timeout(patience, hearing.ended.acquire()).await;
    }

    fn open(&self) {
        if let Some(hearing) = &self.0 {
            hearing.queue.open();
        }
    }

    fn shut(&self) {
        if let Some(hearing) = &self.0 {
            hearing.queue.close();
        }
    }
}

/// Why there are no events.
#[derive(Debug, Error)]
pub(crate) enum EventsStart {
    #[error("the file for events put aside cannot be opened: {0}")]
    Aside(#[source] io::Error),
    #[error("their thread cannot be started: {0}")]
    Thread(#[source] io::Error),
}
