//! The reading of the store, beside its files.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::scratch::Scratch;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::settings::{StoreLimits, StoreSettings};
use crate::gateway::store::{Message, Store};
use crate::gateway::telemetry::metrics::readings::JournalReading;

fn open(root: &Path) -> Store {
    let limits = StoreLimits { segment_bytes: 64 << 10, segments: 3, ..StoreLimits::default() };
    let (maildir, journal) = (root.join("Maildir"), root.join("journal"));
    let host = "mx.example".to_owned();
    Store::open(&StoreSettings::Maildir { maildir, journal, host, limits }).unwrap().0
}

fn message(octets: usize) -> Message {
    Message { id: MessageId::next(SystemTime::now()), parts: vec![vec![b'x'; octets].into()] }
}

/// The number of the journal's files, and their octets.
fn on_disk(root: &Path) -> (u64, u64) {
    let files = fs::read_dir(root.join("journal")).unwrap().map(Result::unwrap);
    let segments = files.filter(|file| file.file_name().to_str().unwrap().starts_with("segment-"));
    let lengths: Vec<_> = segments.map(|file| file.metadata().unwrap().len()).collect();
    (lengths.len() as u64, lengths.iter().sum())
}

async fn wait_for(store: &Store, is_so: impl Fn(JournalReading) -> bool) -> JournalReading {
    for _ in 0..1000 {
        let reading = store.reading();
        if is_so(reading) {
            return reading;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", store.reading());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_the_files_and_the_messages_that_are_not_in_the_maildir() {
    let scratch = Scratch::new();
    let store = open(scratch.path());
    let files = on_disk(scratch.path());
    assert_eq!(files, (2, 128 << 10));
    let JournalReading { accepts, segments, octets, undelivered } = store.reading();
    assert_eq!((accepts, segments, octets, undelivered), (true, files.0, files.1, 0));
    // Each is longer than a file of the journal, which grows.
    for octets in [100 << 10, 300 << 10, 200 << 10] {
        store.keep(message(octets)).await.unwrap();
    }
    let reading = wait_for(&store, |reading| reading.undelivered == 0).await;
    assert_eq!((reading.segments, reading.octets), on_disk(scratch.path()));
    assert!(reading.octets > 500 << 10, "{reading:?}");
    // Where it cannot be written, a message stays in the journal.
    let tmp = scratch.path().join("Maildir/tmp");
    fs::remove_dir_all(&tmp).unwrap();
    store.keep(message(10)).await.unwrap();
    wait_for(&store, |reading| reading.undelivered == 1 && !reading.accepts).await;
    fs::create_dir(&tmp).unwrap();
    wait_for(&store, |reading| reading.undelivered == 0 && reading.accepts).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn one_that_keeps_nothing_has_no_journal() {
    let (store, _) = Store::open(&StoreSettings::Discard).unwrap();
    let expected = JournalReading { accepts: true, ..JournalReading::default() };
    assert_eq!(store.reading(), expected);
}
