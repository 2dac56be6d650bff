//! The lines of the log that the actions of events cause.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use event_expand::{Effect, Event, EventName};
use mail_types::exim::Trust;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::gateway::Running;
use super::scenario::no_lists;
use super::scratch::Scratch;
use crate::gateway::events::Events;
use crate::gateway::events::raised_event::{Facts, RaisedEvent};
use crate::gateway::lookups::engines::Engines;
use crate::gateway::telemetry::repeats::Repeats;

/// The number of lines with this text after so many events of these facts.
async fn lines(folder: &Path, action: &str, facts: &Facts, count: u32, text: &str) -> usize {
    let log = folder.join("log");
    let config = Running::config(folder, &format!("event_action = '{action}'\n"));
    let engines = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    let events = Events::start(
        &config.server.startup.events,
        folder,
        &config.server.live.lookups.sqlite_dbfile,
        &engines,
        no_lists(),
        &Arc::default(),
    )
    .unwrap();
    let file = Arc::new(File::create(&log).unwrap());
    let kept = tracing_subscriber::fmt().with_writer(file).finish().set_default();
    for _ in 0..count {
        let event = Event::new(EventName::TlsCert).data(b"0", Trust::Trusted);
        let effect = events.ask(RaisedEvent::new(event, facts.clone())).await;
        assert_eq!(effect == Effect::RefuseVerification, action == "no");
    }
    drop(kept);
    fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains(text)).count()
}

/// Each handshake may raise an event, so the lines of a client are limited as those of its rules are.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_fill_the_log_by_events() {
    let scratch = Scratch::new();
    let client = Facts::default().with("sender_host_address", b"192.0.2.1", Trust::Untrusted);
    for (action, text) in [
        ("no", "tls:cert event requests alternate response: no"),
        ("${eval:x}", "failed to expand event_action tls:cert in main: "),
    ] {
        for (facts, count) in [(&client, Repeats::RULES), (&Facts::default(), Repeats::RULES + 2)] {
            let found = lines(scratch.path(), action, facts, Repeats::RULES + 2, text).await;
            assert_eq!(found, usize::try_from(count).unwrap(), "{action}");
        }
    }
}
