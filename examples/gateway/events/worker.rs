//! The threads that handle events, apart from mail.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tracing::{error, warn};

use super::batch::{Batch, Done};
use super::dispatcher::Hearing;
use super::ledger::Ledger;
use super::queue::QueuedWork;
use super::raised_event::RaisedEvent;
use crate::cases::count::counted;
use crate::gateway::telemetry::log::{self, Limiter};
use crate::gateway::telemetry::metrics::words::EventResult;

/// The state of the thread.
pub(super) struct Worker {
    pub(super) hearing: Arc<Hearing>,
    pub(super) runtime: Handle,
    /// The path of the database.
    pub(super) database: PathBuf,
}

impl Worker {
    /// Starts the thread that runs actions, and the one that writes the overflow file.
    pub(super) fn start(self) -> io::Result<()> {
        let hearing = Arc::clone(&self.hearing);
        let overflow = thread::Builder::new().name("events-aside".to_owned());
        let overflow = overflow.spawn(move || {
            hearing.queue.put_aside(|counts| {
                error!(
                    event = "events_lost",
                    lost = counts.lost,
                    "{} lost so far: the queue and the overflow file are full",
                    counted(counts.lost, "event")
                );
            });
        })?;
        thread::Builder::new().name("events".to_owned()).spawn(move || {
            self.run();
            // A panic has its own message.
            let _ = overflow.join();
            self.hearing.ended.close();
        })?;
        Ok(())
    }

    fn run(&self) {
        let Hearing { settings, queue, ready, .. } = &*self.hearing;
        let mut ledger = Ledger::new(self.database.clone(), Arc::clone(queue));
        if settings.shipped
            && let Err(error) = ledger.prepare(TABLE)
        {
            warn!("cannot make the table events: {}", log::chain(&error));
        }
        ready.close();
        loop {
            match queue.next() {
                QueuedWork::Events(events) => self.work_off(&events, &mut ledger),
                QueuedWork::Overflow(read) => {
                    if read.damaged {
                        warn!("damaged overflow file: its events are lost");
                    }
                    self.work_off(&read.events, &mut ledger);
                    if !queue.forget(&read) {
                        warn!(
                            "cannot update the overflow file: the next start may repeat its events"
                        );
                    }
                }
                QueuedWork::End => break,
            }
        }
        queue.finish();
        let lost = queue.counts().lost;
        if lost > 0 {
            let told = counted(lost, "event");
            error!(event = "events_lost", lost, "{told} lost since the start");
        }
    }

    fn work_off(&self, events: &[RaisedEvent], ledger: &mut Ledger) {
        let Hearing { settings, queue, engines, limiter, .. } = &*self.hearing;
        let mut batch = Batch::new(&self.hearing).with_ledger(ledger);
        let mut failures = 0_usize;
        for (at, raised) in events.iter().enumerate() {
            if queue.is_late() {
                queue.append(events.get(at..).unwrap_or_default());
                break;
            }
            let transport = raised.transport();
            let action = settings.action(raised.name(), transport.as_deref());
            let Some(template) = action else { continue };
            let done = self.runtime.block_on(batch.act(template, raised));
            batch.commit_old();
            if batch.gave_up() {
                queue.append(events.get(at..).unwrap_or_default());
                break;
            }
            engines.metrics().events.count(result(&done));
            if done.has_failed() {
                failures += 1;
                if failures <= REPORTED {
                    report(limiter, raised, &done);
                }
            }
        }
        batch.commit();
        if let Some(more @ 1..) = failures.checked_sub(REPORTED) {
            error!(event = "event_action", more, "failed to expand {more} more event_actions");
        }
    }
}

/// The result of an action, for metrics.
pub(super) fn result(done: &Done) -> EventResult {
    if done.has_failed() { EventResult::Failed } else { EventResult::Done }
}

/// Logs a failed action; a `fail` in the action is not a failure.
pub(super) fn report(limiter: &Limiter, raised: &RaisedEvent, done: &Done) {
    let Some(stop) = done.outcome.stop.as_ref().filter(|_| done.has_failed()) else { return };
    let (name, transport) = (raised.name().as_str(), raised.transport());
    let place = transport.as_deref().unwrap_or("main");
    let why = done.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let why = mail_types::exim::Value::trusted(&why).to_string();
    log::failed_action(limiter, raised.client(), name, &format!("in {place}: {stop}{why}"));
}

/// The most failures of a batch that are logged one by one.
const REPORTED: usize = 3;
/// The table of the default action, which keeps the last million rows.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, time TEXT, event TEXT, \
    message_id TEXT, sender TEXT, local_part TEXT, domain TEXT, router TEXT, transport TEXT, \
    host TEXT, host_address TEXT, host_port INTEGER, data TEXT, defer_errno INTEGER); \
    CREATE TRIGGER IF NOT EXISTS events_kept AFTER INSERT ON events BEGIN \
    DELETE FROM events WHERE id <= NEW.id - 1000000; END";
