//! The store: accepted, kept and replayed messages.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{MemfdFlags, SealFlags};

use super::scratch::Scratch;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::maildir::Maildir;
use crate::gateway::store::progress::Progress;
use crate::gateway::store::replay::Recovery;
use crate::gateway::store::segment::{JournalPosition, Segment};
use crate::gateway::store::settings::{StoreLimits, StoreSettings};
use crate::gateway::store::store_error::StoreError;
use crate::gateway::store::{Message, Store};

fn limits() -> StoreLimits {
    StoreLimits { segment_bytes: 64 << 10, batch_bytes: 16 << 10, ..StoreLimits::default() }
}

fn settings(root: &Path, limits: StoreLimits) -> StoreSettings {
    let (maildir, journal) = (root.join("Maildir"), root.join("journal"));
    StoreSettings::Maildir { maildir, journal, host: "mx.example".to_owned(), limits }
}

fn open(root: &Path) -> (Store, Recovery) {
    Store::open(&settings(root, limits())).unwrap()
}

fn message(text: impl Into<bytes::Bytes>) -> Message {
    Message { id: MessageId::next(SystemTime::now()), parts: vec!["X: y\r\n".into(), text.into()] }
}

/// Returns the files in `new/` and `cur/` by the id in their names.
fn delivered(root: &Path) -> BTreeMap<MessageId, (PathBuf, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for directory in ["new", "cur"] {
        for entry in fs::read_dir(root.join("Maildir").join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let id = name.split('.').nth(1).unwrap().parse().unwrap();
            let bytes = fs::read(&path).unwrap();
            assert!(found.insert(id, (path, bytes)).is_none(), "delivered twice: {id}");
        }
    }
    found
}

fn texts(root: &Path) -> Vec<Vec<u8>> {
    delivered(root).into_values().map(|(_, bytes)| bytes).collect()
}

/// Leaves messages in a journal as a killed process does, all of them undelivered.
fn leave_in_journal(root: &Path, messages: &[Message]) {
    fs::create_dir(root.join("journal")).unwrap();
    let path = root.join("journal/segment-0");
    let mut segment = Segment::open(&path, limits().segment_bytes).unwrap();
    segment.begin(1).unwrap();
    for message in messages {
        segment.append([message].into_iter()).unwrap();
    }
}

fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let journal = fs::read_dir(root.join("journal")).unwrap();
    journal.map(|e| e.unwrap().path()).map(|p| (p.clone(), fs::read(p).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_many_senders_are_all_delivered() {
    let scratch = Scratch::new();
    let (store, recovery) = open(scratch.path());
    assert_eq!(recovery, Recovery::default());
    let senders = (0..20_u8).map(|sender| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..50_u8 {
                let text = vec![b'a' + sender; 100 * usize::from(number)];
                store.keep(message(text)).await.unwrap();
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    store.close().await.unwrap();
    let texts = texts(scratch.path());
    assert_eq!(texts.len(), 1000);
    let bytes: usize = texts.iter().map(Vec::len).sum();
    assert_eq!(bytes, 1000 * 6 + 20 * (0..50).map(|number| 100 * number).sum::<usize>());
}

#[tokio::test]
async fn a_closed_store_has_an_empty_journal_and_can_be_opened_again() {
    let scratch = Scratch::new();
    let (store, _) = open(scratch.path());
    let left = store.clone();
    store.keep(message("a")).await.unwrap();
    store.close().await.unwrap();
    let refused = left.keep(message("b")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Stopped), "{refused}");

    let (store, recovery) = open(scratch.path());
    assert_eq!(recovery, Recovery::default());
    store.close().await.unwrap();
    assert_eq!(texts(scratch.path()), [b"X: y\r\na"]);
}

#[tokio::test]
async fn what_a_reader_took_is_not_delivered_again() {
    let scratch = Scratch::new();
    let (store, _) = open(scratch.path());
    let taken = message("taken");
    store.keep(taken.clone()).await.unwrap();
    let path = loop {
        if let Some((path, _)) = delivered(scratch.path()).remove(&taken.id) {
            break path;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    let crashed = tree(scratch.path());
    store.close().await.unwrap();
    for (path, bytes) in crashed {
        fs::write(path, bytes).unwrap();
    }
    fs::remove_file(path).unwrap();

    let (store, recovery) = open(scratch.path());
    assert_eq!(recovery, Recovery::default());
    store.close().await.unwrap();
    assert_eq!(delivered(scratch.path()).len(), 0);
}

/// The mark is set before the rename: what is under `tmp/` tells on which side a crash was.
#[tokio::test]
async fn a_crash_at_the_rename_neither_loses_nor_doubles() {
    for (renamed, expected) in [(false, 2), (true, 1)] {
        let scratch = Scratch::new();
        let messages = ["before", "at the rename", "after"].map(message);
        leave_in_journal(scratch.path(), &messages);
        let position = JournalPosition { sequence: 1, record: 1 };
        Progress::open(&scratch.path().join("journal")).unwrap().advance(position).unwrap();
        let maildir = Maildir::open(&scratch.path().join("Maildir"), "old.example").unwrap();
        maildir.write(&messages[1]).unwrap();
        if renamed {
            maildir.publish(messages[1].id).unwrap();
            // The worst case: a reader has taken it before the next start.
            let (path, _) = delivered(scratch.path()).remove(&messages[1].id).unwrap();
            fs::remove_file(path).unwrap();
        }
        drop(maildir);

        let (store, recovery) = open(scratch.path());
        assert_eq!(recovery, Recovery { delivered: expected, ..Recovery::default() });
        store.close().await.unwrap();
        let ids: Vec<_> = delivered(scratch.path()).into_keys().collect();
        let first = messages.len() - usize::try_from(expected).unwrap();
        let wanted: Vec<_> = messages[first..].iter().map(|message| message.id).collect();
        assert_eq!(ids, wanted, "renamed: {renamed}");
        assert_eq!(fs::read_dir(scratch.path().join("Maildir/tmp")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn the_journal_is_delivered_once_however_often_the_start_fails() {
    let scratch = Scratch::new();
    let messages = ["a", "b", "c"].map(message);
    leave_in_journal(scratch.path(), &messages);
    let crashed = tree(scratch.path());
    for round in 0..3 {
        let (store, recovery) = open(scratch.path());
        let expected = if round == 0 { 3 } else { 0 };
        assert_eq!(recovery, Recovery { delivered: expected, ..Recovery::default() });
        store.close().await.unwrap();
        assert_eq!(
            texts(scratch.path()),
            ["X: y\r\na", "X: y\r\nb", "X: y\r\nc"].map(str::as_bytes)
        );
        // As if the crash had come before the journal was emptied, and the mark were lost.
        fs::remove_file(scratch.path().join("journal/progress")).unwrap();
        for (path, bytes) in &crashed {
            fs::write(path, bytes).unwrap();
        }
    }
}

#[tokio::test]
async fn a_file_that_a_power_loss_emptied_is_written_again_where_it_is() {
    let scratch = Scratch::new();
    let [emptied, seen] = ["emptied", "seen"].map(message);
    leave_in_journal(scratch.path(), &[emptied.clone(), seen.clone()]);
    for directory in ["new", "cur"] {
        fs::create_dir_all(scratch.path().join("Maildir").join(directory)).unwrap();
    }
    let new = format!("Maildir/new/{}.{}.old.example", emptied.id.seconds(), emptied.id);
    let cur = format!("Maildir/cur/{}.{}.mx.example:2,S", seen.id.seconds(), seen.id);
    fs::write(scratch.path().join(&new), b"").unwrap();
    fs::write(scratch.path().join(&cur), b"X: y\r\nseen").unwrap();

    let (store, recovery) = open(scratch.path());
    assert_eq!(recovery, Recovery { restored: 1, ..Recovery::default() });
    store.close().await.unwrap();
    let found = delivered(scratch.path());
    let expected = |path: &str, text: &[u8]| (scratch.path().join(path), text.to_vec());
    assert_eq!(found[&emptied.id], expected(&new, b"X: y\r\nemptied"));
    assert_eq!(found[&seen.id], expected(&cur, b"X: y\r\nseen"));
}

#[tokio::test]
async fn after_a_failed_checkpoint_the_next_start_writes_everything_anew() {
    let scratch = Scratch::new();
    let message = message("a");
    leave_in_journal(scratch.path(), std::slice::from_ref(&message));
    let crashed = tree(scratch.path());
    open(scratch.path()).0.close().await.unwrap();
    for (path, bytes) in crashed {
        fs::write(path, bytes).unwrap();
    }
    let journal = scratch.path().join("journal");
    Progress::open(&journal).unwrap().distrust().unwrap();

    let (store, recovery) = open(scratch.path());
    assert_eq!(recovery, Recovery { restored: 1, ..Recovery::default() });
    store.close().await.unwrap();
    assert!(!Progress::open(&journal).unwrap().is_distrusted());
}

#[tokio::test]
async fn a_damaged_record_is_counted_and_a_damaged_file_set_aside() {
    let scratch = Scratch::new();
    leave_in_journal(scratch.path(), &["a", "b"].map(message));
    let path = scratch.path().join("journal/segment-0");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 + 66] ^= 1;
    fs::write(&path, &bytes).unwrap();
    bytes[0] = b'?';
    fs::write(scratch.path().join("journal/segment-5"), &bytes).unwrap();

    let (store, recovery) = open(scratch.path());
    assert_eq!(recovery, Recovery { delivered: 1, missing: 1, ..Recovery::default() });
    store.close().await.unwrap();
    assert_eq!(texts(scratch.path()), [b"X: y\r\nb"]);
    assert_eq!(fs::read(scratch.path().join("journal/segment-5.damaged")).unwrap(), bytes);
}

#[tokio::test]
async fn a_journal_is_for_one_gateway() {
    let scratch = Scratch::new();
    let (store, _) = open(scratch.path());
    let error = Store::open(&settings(scratch.path(), limits())).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_long_message_is_refused_and_one_at_the_limit_is_kept() {
    let scratch = Scratch::new();
    let limits = StoreLimits { message_bytes: 200_000, queue_bytes: 4096, ..limits() };
    let (store, _) = Store::open(&settings(scratch.path(), limits)).unwrap();
    let error = store.keep(message(vec![b'x'; 199_995])).await.unwrap_err();
    let refused = matches!(error, StoreError::TooLong { bytes: 200_001, limit: 200_000 });
    assert!(refused, "{error}");
    // Longer than the queue, a batch and a segment.
    for _ in 0..3 {
        store.keep(message(vec![b'x'; 199_994])).await.unwrap();
    }
    store.close().await.unwrap();
    let kept = [b"X: y\r\n".to_vec(), vec![b'x'; 199_994]].concat();
    assert_eq!(texts(scratch.path()), [kept.clone(), kept.clone(), kept]);
}

#[tokio::test]
async fn a_full_queue_waits_and_loses_nothing() {
    let scratch = Scratch::new();
    let limits = StoreLimits { queue_bytes: 2100, segments: 2, ..limits() };
    let (store, _) = Store::open(&settings(scratch.path(), limits)).unwrap();
    let senders = (0..100).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.keep(message(vec![b'x'; 3000])).await })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap().unwrap();
    }
    store.close().await.unwrap();
    assert_eq!(texts(scratch.path()).len(), 100);
}

#[tokio::test]
async fn a_maildir_that_takes_nothing_stops_the_store_until_it_does() {
    let scratch = Scratch::new();
    let (store, _) = open(scratch.path());
    let new = scratch.path().join("Maildir/new");
    fs::remove_dir(&new).unwrap();
    // Durable in the journal, so that it may be acknowledged.
    store.keep(message("a")).await.unwrap();
    let error = loop {
        if let Err(error) = store.keep(message("refused or kept")).await {
            break error;
        }
    };
    assert!(error.to_string().starts_with("cannot deliver into"), "{error}");
    fs::create_dir(&new).unwrap();
    while store.keep(message("b")).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.close().await.unwrap();
    let texts = texts(scratch.path());
    assert_eq!(texts.first().unwrap(), b"X: y\r\na");
    assert_eq!(texts.last().unwrap(), b"X: y\r\nb");
}

#[tokio::test]
async fn a_store_closed_in_trouble_delivers_at_the_next_start() {
    let scratch = Scratch::new();
    let (store, _) = open(scratch.path());
    let new = scratch.path().join("Maildir/new");
    fs::remove_dir(&new).unwrap();
    store.keep(message("a")).await.unwrap();
    while store.keep(message("b")).await.is_ok() {}
    let error = store.close().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot deliver into"), "{error}");

    let (store, recovery) = open(scratch.path());
    assert!(recovery.delivered >= 1, "{recovery:?}");
    store.close().await.unwrap();
    assert_eq!(texts(scratch.path()).first().unwrap(), b"X: y\r\na");
}

#[tokio::test]
async fn a_journal_file_that_cannot_be_written_is_given_up_and_its_batch_refused() {
    let scratch = Scratch::new();
    let journal = scratch.path().join("journal");
    fs::create_dir(&journal).unwrap();
    // A file that can be kept from growing: so a batch that is longer fails.
    let file = rustix::fs::memfd_create("segment", MemfdFlags::ALLOW_SEALING).unwrap();
    let target = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    std::os::unix::fs::symlink(target, journal.join("segment-0")).unwrap();
    let limits = StoreLimits { segments: 1, ..limits() };
    let (store, _) = Store::open(&settings(scratch.path(), limits)).unwrap();
    rustix::fs::fcntl_add_seals(&file, SealFlags::GROW).unwrap();
    store.keep(message("short")).await.unwrap();
    let error = store.keep(message(vec![b'x'; 100_000])).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot write and sync the journal"), "{error}");
    store.keep(message(vec![b'y'; 100_000])).await.unwrap();
    store.close().await.unwrap();
    let long = [b"X: y\r\n".to_vec(), vec![b'y'; 100_000]].concat();
    assert_eq!(texts(scratch.path()), [b"X: y\r\nshort".to_vec(), long]);
    let left = tree(scratch.path()).into_keys();
    assert!(left.into_iter().all(|path| !path.is_symlink()));
}

#[test]
fn a_disk_that_is_full_at_the_start_is_named() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path().join("journal")).unwrap();
    let path = scratch.path().join("journal/segment-0");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let error = Store::open(&settings(scratch.path(), limits())).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot prepare the journal {}", path.display()));
    let StoreError::Io { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}

#[tokio::test]
async fn discard_takes_everything_and_makes_nothing() {
    let (store, recovery) = Store::open(&StoreSettings::Discard).unwrap();
    assert_eq!(recovery, Recovery::default());
    store.keep(message(vec![b'x'; 100_000])).await.unwrap();
    store.close().await.unwrap();
}
