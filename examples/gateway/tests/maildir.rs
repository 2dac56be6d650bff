//! Files and directories of a Maildir.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use super::scratch::Scratch;
use crate::gateway::message::id::MessageId;
use crate::gateway::store::Message;
use crate::gateway::store::maildir::Maildir;
use crate::gateway::store::store_error::StoreError;

fn message(text: &'static str) -> Message {
    Message { id: MessageId::next(SystemTime::now()), parts: vec!["".into(), text.into()] }
}

fn deliver(maildir: &Maildir, message: &Message) {
    maildir.write(message).unwrap();
    maildir.publish(message.id).unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_message_is_a_private_file_named_after_its_time_id_and_host() {
    let scratch = Scratch::new();
    let maildir = Maildir::open(scratch.path(), "mx/1:2.example").unwrap();
    let message = message("Subject: a\r\n\r\nb\r\n");
    deliver(&maildir, &message);

    let id = message.id;
    let name = format!("{}.{id}.mx\\0571\\0722.example", id.seconds());
    assert_eq!(names(&scratch.path().join("new")), [name.as_str()]);
    assert_eq!(names(&scratch.path().join("tmp")), [""; 0]);
    let path = scratch.path().join("new").join(name);
    assert_eq!(fs::read(&path).unwrap(), b"Subject: a\r\n\r\nb\r\n");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&scratch.path().join("new")), 0o700);
}

#[test]
fn a_message_is_found_wherever_a_reader_put_it() {
    let scratch = Scratch::new();
    let maildir = Maildir::open(scratch.path(), "mx.example").unwrap();
    let [fresh, seen, gone] = [message("a"), message("b"), message("c")];
    for message in [&fresh, &seen] {
        deliver(&maildir, message);
    }
    let name = format!("{}.{}.mx.example", seen.id.seconds(), seen.id);
    let (new, cur) = (scratch.path().join("new"), scratch.path().join("cur"));
    fs::rename(new.join(&name), cur.join(format!("{name}:2,RS"))).unwrap();
    fs::write(cur.join("1.2.elsewhere:2,S"), "of another program").unwrap();

    let wanted = HashSet::from([fresh.id, seen.id, gone.id]);
    let found = maildir.find(&wanted).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(fs::read(&found[&fresh.id]).unwrap(), b"a");
    assert_eq!(fs::read(&found[&seen.id]).unwrap(), b"b");
}

#[test]
fn what_is_written_is_undelivered_until_it_is_published_or_swept() {
    let scratch = Scratch::new();
    let maildir = Maildir::open(scratch.path(), "mx.example").unwrap();
    fs::write(scratch.path().join("tmp/1.M2P3.elsewhere"), "of another program").unwrap();
    let [first, second] = [message("a"), message("b")];
    for message in [&first, &second] {
        maildir.write(message).unwrap();
    }
    assert_eq!(names(&scratch.path().join("new")), [""; 0]);
    assert_eq!(maildir.undelivered().unwrap(), HashSet::from([first.id, second.id]));
    maildir.publish(first.id).unwrap();
    assert_eq!(maildir.undelivered().unwrap(), HashSet::from([second.id]));
    maildir.sweep().unwrap();
    assert_eq!(names(&scratch.path().join("tmp")), ["1.M2P3.elsewhere"]);
}

#[test]
fn a_maildir_is_for_one_gateway() {
    let scratch = Scratch::new();
    let first = Maildir::open(scratch.path(), "mx.example").unwrap();
    let second = Maildir::open(scratch.path(), "mx.example").unwrap_err();
    assert!(matches!(&second, StoreError::Locked { path } if path == scratch.path()), "{second}");
    drop(first);
    Maildir::open(scratch.path(), "mx.example").unwrap();
}

#[test]
fn a_path_that_cannot_be_a_maildir_is_named() {
    let scratch = Scratch::new();
    let path = scratch.path().join("file");
    fs::write(&path, "").unwrap();
    let error = Maildir::open(&path, "mx.example").unwrap_err();
    assert_eq!(error.to_string(), format!("cannot make the directory {}/tmp", path.display()));
}
