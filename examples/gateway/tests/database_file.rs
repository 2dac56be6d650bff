//! Databases that are removed or replaced while in use.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_expand::{Event, EventName};
use mail_types::exim::{LookupResult, Trust};
use rusqlite::Connection;

use super::engines::ask;
use super::scenario::no_lists;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::events::Events;
use crate::gateway::events::raised_event::{Facts, RaisedEvent};
use crate::gateway::lookups::engines::Engines;

fn config(folder: &Path) -> Config {
    Config::parse(&format!("spool_directory = '{}'", folder.display())).unwrap()
}

#[tokio::test]
async fn a_lookup_finds_what_is_in_the_file_of_now() {
    let scratch = Scratch::new();
    let path = scratch.path().join("gateway.sqlite");
    let engines = Engines::new(&config(scratch.path()).server.live.lookups).unwrap();
    let make = |path: &Path, value: &str| {
        let file = Connection::open(path).unwrap();
        file.execute_batch(&format!("CREATE TABLE t (a); INSERT INTO t VALUES ('{value}')"))
            .unwrap();
    };
    let select = "${lookup sqlite{SELECT a FROM t}}";
    make(&path, "old");
    for _ in 0..2 {
        assert_eq!(ask(&engines, select, b"").await.0, LookupResult::Value(b"old".into()));
    }
    let other = scratch.path().join("other");
    make(&other, "new");
    fs::rename(&other, &path).unwrap();
    assert_eq!(ask(&engines, select, b"").await.0, LookupResult::Value(b"new".into()), "replaced");
    fs::remove_file(&path).unwrap();
    let (found, why) = ask(&engines, select, b"").await;
    assert_eq!(found, LookupResult::Deferred);
    assert!(why.contains("no such table"), "{why}");
}

/// Events, in the table that the program makes itself.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_written_where_they_are_looked_for() {
    let scratch = Scratch::new();
    let path = scratch.path().join("gateway.sqlite");
    let config = config(scratch.path());
    let engines = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    let events = Events::start(
        &config.server.startup.events,
        scratch.path(),
        &config.server.live.lookups.sqlite_dbfile,
        &engines,
        no_lists(),
        &Arc::default(),
    )
    .unwrap();
    let seen = || {
        let file = Connection::open(&path).unwrap();
        let mut select = file.prepare("SELECT data FROM events ORDER BY id").ok()?;
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        Some(rows.collect::<Result<Vec<String>, _>>().unwrap())
    };
    let raise = |data: &str| {
        let event = Event::new(EventName::MsgDelivery).data(data.as_bytes(), Trust::Untrusted);
        events.raise(RaisedEvent::new(event, Facts::default()));
    };
    let written = async |expected: &[&str]| {
        for _ in 0..100 {
            if seen().is_some_and(|seen| seen == expected) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{expected:?}: {:?}", seen());
    };
    raise("1");
    written(&["1"]).await;
    fs::remove_file(&path).unwrap();
    raise("2");
    written(&["2"]).await;
    fs::rename(&path, scratch.path().join("away")).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    raise("3");
    raise("4");
    written(&["3", "4"]).await;
    events.close(Duration::from_secs(20)).await;
}
