//! Maildirs beside the one of the store, and messages in them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::SystemTime;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::scratch::Scratch;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::Message;
use crate::gateway::store::folder::{FolderMessage, deliver};
use crate::gateway::store::store_error::StoreError;
use crate::gateway::store::writers::WriterJob;

fn file(maildir: &Path, number: usize) -> FolderMessage {
    let id = MessageId::next(SystemTime::now());
    let message = Message { id, parts: vec!["X: y\r\n".into(), "text".into()] };
    FolderMessage { maildir: maildir.to_owned(), parent: None, number, message }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_maildir_is_made_for_its_first_message() {
    let scratch = Scratch::new();
    let maildir = scratch.path().join("a/b");
    let message = file(&maildir, 0);
    let id = message.message.id;
    assert!(deliver(&[message], true, "mx.example", &WriterJob::default())[0].is_ok());
    assert_eq!(names(&maildir), ["cur", "new", "tmp"]);
    let name = format!("{}.{id}.mx.example", id.seconds());
    assert_eq!(names(&maildir.join("new")), [name.as_str()]);
    assert_eq!(fs::read(maildir.join("new").join(&name)).unwrap(), b"X: y\r\ntext");
    assert!(names(&maildir.join("tmp")).is_empty());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&maildir), 0o700);
    assert_eq!(mode(&maildir.join("new").join(name)), 0o600);
}

#[test]
fn a_folder_of_a_maildir_is_marked() {
    let scratch = Scratch::new();
    let inbox = scratch.path().join("inbox");
    let folder = inbox.join(".Quarantine");
    let message = FolderMessage { parent: Some(inbox.clone()), ..file(&folder, 0) };
    assert!(deliver(&[message], true, "mx.example", &WriterJob::default())[0].is_ok());
    assert_eq!(names(&folder), ["cur", "maildirfolder", "new", "tmp"]);
    assert_eq!(names(&inbox), [".Quarantine", "cur", "new", "tmp"]);
    // What is not within a Maildir is no folder of one.
    let hidden = scratch.path().join(".mail");
    assert!(deliver(&[file(&hidden, 0)], true, "mx.example", &WriterJob::default())[0].is_ok());
    assert_eq!(names(&hidden), ["cur", "new", "tmp"]);
}

#[test]
fn the_files_of_a_message_can_be_in_one_maildir() {
    let scratch = Scratch::new();
    let first = file(scratch.path(), 0);
    let second =
        FolderMessage { number: 1, message: first.message.clone(), ..file(scratch.path(), 1) };
    let id = first.message.id;
    let results = deliver(&[first, second], true, "mx.example", &WriterJob::default());
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let (seconds, new) = (id.seconds(), names(&scratch.path().join("new")));
    assert_eq!(new, [format!("{seconds}.{id}.mx.example"), format!("{seconds}.{id}_1.mx.example")]);
}

/// A file in the place of a Maildir, or of its `new`, is a failure for everybody or for its recipient.
#[test]
fn a_failure_is_of_all_or_of_one() {
    for place in ["bad", "bad/new"] {
        for together in [true, false] {
            let scratch = Scratch::new();
            let [good, bad, other] = ["good", "bad", "other"].map(|name| scratch.path().join(name));
            if place == "bad" {
                fs::write(&bad, "").unwrap();
            } else {
                fs::create_dir_all(bad.join("tmp")).unwrap();
                fs::write(bad.join("new"), "").unwrap();
            }
            let messages = [file(&good, 0), file(&bad, 1), file(&other, 2)];
            let results = deliver(&messages, together, "mx.example", &WriterJob::default());
            let is_ok: Vec<_> = results.iter().map(Result::is_ok).collect();
            assert_eq!(is_ok, if together { [false; 3] } else { [true, false, true] }, "{place}");
            let error = results[1].clone().unwrap_err().to_string();
            assert!(error.contains("/bad"), "{error}");
            let delivered = names(&good.join("new")).len();
            assert_eq!(delivered, usize::from(!together), "{place}");
            assert!(names(&good.join("tmp")).is_empty(), "{place}");
        }
    }
}

/// A file that cannot be moved into its place takes back those of the same message: the client sends it again.
#[test]
fn what_fails_at_last_is_taken_back_from_all() {
    for together in [true, false] {
        let scratch = Scratch::new();
        let [good, bad] = ["good", "bad"].map(|name| scratch.path().join(name));
        let messages = [file(&good, 0), file(&bad, 1)];
        let id = messages[1].message.id;
        let name = format!("{}.{id}_1.mx.example", id.seconds());
        // A folder is in the place of the file.
        fs::create_dir_all(bad.join("new").join(name)).unwrap();
        let results = deliver(&messages, together, "mx.example", &WriterJob::default());
        let is_ok: Vec<_> = results.iter().map(Result::is_ok).collect();
        assert_eq!(is_ok, [!together, false]);
        assert_eq!(names(&good.join("new")).len(), usize::from(!together));
        assert!(names(&good.join("tmp")).is_empty() && names(&bad.join("tmp")).is_empty());
    }
}

/// Delivers as a user without privileges: root reads every directory.
fn deliver_unprivileged(
    messages: [FolderMessage; 3],
    together: bool,
) -> Vec<Result<(), StoreError>> {
    let work = move || {
        // They are those of this thread alone.
        let mut own = capabilities(None).unwrap();
        own.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
        set_capabilities(None, own).unwrap();
        deliver(&messages, together, "mx.example", &WriterJob::default())
    };
    thread::spawn(work).join().unwrap()
}

/// A file that was moved into its place is there, durably or not, though its client gets 451 and sends it again.
#[test]
fn a_file_whose_directory_cannot_be_synced_is_taken_back() {
    for together in [true, false] {
        for at in 0..3 {
            let scratch = Scratch::new();
            let maildirs = ["a", "b", "c"].map(|name| scratch.path().join(name));
            let files = || [0, 1, 2].map(|number| file(&maildirs[number], number));
            assert!(deliver_unprivileged(files(), together).iter().all(Result::is_ok));
            // A file can be moved there and removed, but to sync it the directory must be read.
            let new = maildirs[at].join("new");
            fs::set_permissions(&new, Permissions::from_mode(0o300)).unwrap();
            let results = deliver_unprivileged(files(), together);
            fs::set_permissions(&new, Permissions::from_mode(0o700)).unwrap();
            let error = results[at].clone().unwrap_err().to_string();
            assert_eq!(error, format!("cannot sync the directory {}", new.display()));
            for (number, (maildir, result)) in maildirs.iter().zip(results).enumerate() {
                assert_eq!(result.is_ok(), number != at && !together, "{at} {number}");
                // The first message is there, and the second if its client has 250.
                let count = names(&maildir.join("new")).len();
                assert_eq!(count, 1 + usize::from(result.is_ok()), "{at} {number}");
                assert!(names(&maildir.join("tmp")).is_empty(), "{at} {number}");
            }
        }
    }
}

/// A crash may leave a part of a Maildir, and a user may remove one.
#[test]
fn a_part_of_a_maildir_is_completed() {
    for parts in [&["tmp"][..], &["new"], &["cur"], &["tmp", "cur"], &["new", "cur"]] {
        let scratch = Scratch::new();
        let maildir = scratch.path().join("half");
        for part in parts {
            fs::create_dir_all(maildir.join(part)).unwrap();
        }
        let results = deliver(&[file(&maildir, 0)], true, "mx.example", &WriterJob::default());
        assert!(results[0].is_ok(), "{parts:?}: {results:?}");
        assert_eq!(names(&maildir), ["cur", "new", "tmp"], "{parts:?}");
        assert_eq!(names(&maildir.join("new")).len(), 1, "{parts:?}");
    }
}
