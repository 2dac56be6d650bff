//! The threads that write into Maildirs, and Maildirs that do not answer: an open of a FIFO waits in the system
//! until somebody reads from it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::time::sleep;

use super::scratch::Scratch;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::folder::{FolderMessage, deliver};
use crate::gateway::store::settings::{StoreLimits, StoreSettings};
use crate::gateway::store::store_error::StoreError;
use crate::gateway::store::writers::{WriterJob, Writers};
use crate::gateway::store::{Message, Store};

const TIME: Duration = Duration::from_millis(400);

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn message() -> Message {
    let id = MessageId::next(SystemTime::now());
    Message { id, parts: vec!["X: y\r\n".into(), "text".into()] }
}

fn file(maildir: &Path, message: Message) -> FolderMessage {
    FolderMessage { maildir: maildir.to_owned(), parent: None, number: 0, message }
}

/// Writes into a Maildir whose disk answers when somebody reads from the FIFO.
async fn write_behind(writers: &Writers, maildir: &Path, gate: PathBuf) -> Result<(), StoreError> {
    let file = file(maildir, message());
    let work = move |job: &WriterJob| {
        drop(File::options().write(true).open(gate));
        deliver(&[file], true, "mx.example", job)
    };
    writers.run(vec![maildir.to_owned()], work).await.pop().unwrap()
}

async fn write(writers: &Writers, maildir: &Path) -> Result<(), StoreError> {
    let file = file(maildir, message());
    let work = move |job: &WriterJob| deliver(&[file], true, "mx.example", job);
    writers.run(vec![maildir.to_owned()], work).await.pop().unwrap()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_message_that_is_given_up_is_held_until_its_disk_answers() {
    let scratch = Scratch::new();
    let [gate, ann] = ["gate", "ann"].map(|name| scratch.path().join(name));
    fifo(&gate);
    let writers = Writers::new(TIME);
    let (share, behind) = (Arc::new(()), gate.clone());
    let work = {
        let share = Arc::clone(&share);
        move |job: &WriterJob| {
            drop(File::options().write(true).open(behind));
            let results = deliver(&[], true, "mx.example", job);
            drop(share);
            results
        }
    };
    writers.run(vec![ann], work).await;
    assert_eq!(Arc::strong_count(&share), 2, "the thread has the message");
    drop(File::open(gate).unwrap());
    let start = Instant::now();
    while Arc::strong_count(&share) > 1 {
        assert!(start.elapsed() < Duration::from_secs(20), "the share is kept");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_maildir_that_does_not_answer_is_given_up_and_holds_up_no_other() {
    let scratch = Scratch::new();
    let [gate, ann, bob] = ["gate", "ann", "bob"].map(|name| scratch.path().join(name));
    fifo(&gate);
    let writers = Writers::new(TIME);
    let start = Instant::now();
    let error = write_behind(&writers, &ann, gate.clone()).await.unwrap_err();
    assert!(start.elapsed() >= TIME && start.elapsed() < TIME * 10);
    assert_eq!(error.to_string(), format!("{} does not answer within 0s", ann.display()));
    // The next message for it does not wait, and one for another Maildir is stored.
    let start = Instant::now();
    let error = write(&writers, &ann).await.unwrap_err();
    assert!(matches!(&error, StoreError::Stuck { path } if *path == ann), "{error}");
    assert!(start.elapsed() < TIME);
    write(&writers, &bob).await.unwrap();
    // It answers again, and what was given up is not stored: the client has sent it again.
    drop(File::open(&gate).unwrap());
    let start = Instant::now();
    while write(&writers, &ann).await.is_err() {
        assert!(start.elapsed() < TIME * 20);
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((count(&ann.join("new")), count(&ann.join("tmp"))), (1, 0));
}

/// More recipients than there are threads, whose Maildirs do not answer.
#[tokio::test]
async fn many_maildirs_that_do_not_answer_leave_room_for_others() {
    let scratch = Scratch::new();
    let gate = scratch.path().join("gate");
    fifo(&gate);
    let writers = Writers::new(TIME);
    let mut waiting = Vec::new();
    for number in 0..20 {
        let (writers, gate) = (writers.clone(), gate.clone());
        let maildir = scratch.path().join(format!("stuck-{number}"));
        waiting.push(tokio::spawn(async move { write_behind(&writers, &maildir, gate).await }));
    }
    for task in waiting {
        assert!(matches!(task.await.unwrap(), Err(StoreError::Slow { .. })));
    }
    let start = Instant::now();
    write(&writers, &scratch.path().join("good")).await.unwrap();
    assert!(start.elapsed() < TIME);
    drop(File::open(&gate).unwrap());
}

/// Many messages for one Maildir do not take all threads even before it is known that it does not answer.
#[tokio::test]
async fn one_maildir_has_a_share_of_the_threads() {
    let scratch = Scratch::new();
    let [gate, one, good] = ["gate", "one", "good"].map(|name| scratch.path().join(name));
    fifo(&gate);
    let writers = Writers::new(TIME * 5);
    for _ in 0..40 {
        let (writers, one, gate) = (writers.clone(), one.clone(), gate.clone());
        tokio::spawn(async move { write_behind(&writers, &one, gate).await });
    }
    sleep(TIME / 4).await;
    let start = Instant::now();
    write(&writers, &good).await.unwrap();
    assert!(start.elapsed() < TIME * 4);
    drop(File::open(&gate).unwrap());
}

/// Whenever the deadline passes, a message whose client was told that is not in the Maildir, and another one is.
#[test]
fn a_message_behind_its_deadline_is_taken_back() {
    let scratch = Scratch::new();
    let (mut taken_back, mut stored) = (0, 0);
    for round in 0..400_u64 {
        let maildir = scratch.path().join(round.to_string());
        fs::create_dir_all(maildir.join("tmp")).unwrap();
        fs::create_dir_all(maildir.join("new")).unwrap();
        let (job, file) = (Arc::new(WriterJob::default()), file(&maildir, message()));
        let own = Arc::clone(&job);
        let thread = std::thread::spawn(move || deliver(&[file], true, "mx.example", &own));
        std::thread::sleep(Duration::from_micros(round * 10));
        let is_given_up = job.abandon();
        thread.join().unwrap();
        assert_eq!(count(&maildir.join("new")), usize::from(!is_given_up), "{round}");
        assert_eq!(count(&maildir.join("tmp")), 0);
        *(if is_given_up { &mut taken_back } else { &mut stored }) += 1;
    }
    assert!(taken_back > 0 && stored > 0, "{taken_back} {stored}");
}

#[test]
fn a_fifo_among_the_files_of_a_maildir_holds_up_nothing() {
    let scratch = Scratch::new();
    let folder = scratch.path().join(".Quarantine");
    fs::create_dir_all(scratch.path().join("cur")).unwrap();
    fs::create_dir(&folder).unwrap();
    fifo(&folder.join("maildirfolder"));
    let (told, ended) = std::sync::mpsc::channel();
    let file = file(&folder, message());
    std::thread::spawn(move || {
        let results = deliver(&[file], true, "mx.example", &WriterJob::default());
        told.send(results[0].is_ok()).unwrap();
    });
    assert!(ended.recv_timeout(Duration::from_secs(20)).unwrap());
    assert_eq!(count(&folder.join("new")), 1);
}

/// The Maildir of all recipients: what is in the journal is stored, and what finds no room is deferred.
#[tokio::test]
async fn a_full_queue_before_a_maildir_that_does_not_answer_is_no_wait_without_end() {
    let scratch = Scratch::new();
    let maildir = scratch.path().join("maildir");
    let limits = StoreLimits { queue_bytes: 1500, time: TIME, ..StoreLimits::default() };
    let settings = StoreSettings::Maildir {
        maildir: maildir.clone(),
        journal: scratch.path().join("journal"),
        host: "mx.example".to_owned(),
        limits,
    };
    let (store, _) = Store::open(&settings).unwrap();
    let (first, second) = (message(), message());
    let name = format!("{}.{}.mx.example", first.id.seconds(), first.id);
    let gate = maildir.join("tmp").join(name);
    fifo(&gate);
    store.keep(first).await.unwrap();
    let start = Instant::now();
    let error = store.keep(second.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Slow { .. }), "{error}");
    assert!(start.elapsed() >= TIME && start.elapsed() < TIME * 10);
    // It answers again.
    let mut reader = File::open(&gate).unwrap();
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    store.keep(second).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(count(&maildir.join("new")), 2);
}
