//! Files in which schedules outlive a restart.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/data.rs"]
mod data;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use data::file;
use ocsp_staple::{Certificate, Saved, SavedError, Store, StoreError, replace_file};

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ocsp-store-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

const LEAF: &str = "certificates/leaf.der";

#[test]
fn what_is_saved_is_there_again() {
    let directory = directory("saved").join("new");
    let store = Store::new(&directory);
    let (leaf, other) = (file(LEAF), file("certificates/leafms.der"));
    let (leaf, other) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&other).unwrap());
    assert_eq!(store.load(&leaf).unwrap(), None);
    let text = b"ocsp-staple 1\nsince 5 failures 0 next 9\nresponse 3\nabc";
    let saved = Saved::parse(text).unwrap();
    store.save(&leaf, &saved).unwrap();
    assert_eq!(store.load(&leaf).unwrap(), Some(saved.clone()));
    assert_eq!(store.load(&other).unwrap(), None);
    // Nothing but the file is left, and it is named by the certificate.
    let entries: Vec<_> = fs::read_dir(&directory).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(entries, [store.path(&leaf)]);
    // Cut off, as by a full disk, it is an error that names the file.
    fs::write(store.path(&leaf), &text[..text.len() - 1]).unwrap();
    let error = store.load(&leaf).unwrap_err();
    let damaged = SavedError::Length { said: 3, found: 2 };
    assert!(matches!(&error, StoreError::Format { source, .. } if *source == damaged));
    assert!(error.to_string().ends_with(".ocsp is damaged"));
    // Where nothing can be written what was there stays.
    let blocked = directory.join("blocked");
    fs::write(&blocked, "a file").unwrap();
    let error = Store::new(&blocked).save(&leaf, &saved).unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }));
    assert_eq!(fs::read(&blocked).unwrap(), b"a file");
}

#[test]
fn every_part_of_the_format_is_checked() {
    for bad in [
        &b""[..],
        b"ocsp-staple 1\n",
        b"ocsp-staple 2\nsince 5 failures 0 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince 5 failures 0 next\nresponse 0\n",
        b"ocsp-staple 1\nsince 05 failures 0 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince +5 failures 0 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince 5 failures 4294967296 next 9\nresponse 0\n",
        b"ocsp-staple 1\nsince 5 failures 0 next 9\nresponse -1\n",
        b"ocsp-staple 1\nsince 5 failures 0 next 9\nresponse 0",
    ] {
        assert_eq!(Saved::parse(bad), Err(SavedError::Format), "{}", bad.escape_ascii());
    }
}

/// Each saved response can be loaded.
#[test]
fn more_than_a_mebibyte_is_neither_saved_nor_loaded() {
    let store = Store::new(directory("large"));
    let leaf = file(LEAF);
    let leaf = Certificate::parse(&leaf).unwrap();
    let first = "ocsp-staple 1\nsince 5 failures 0 next 9\nresponse ";
    let of = |length: usize| {
        let text = format!("{first}{length}\n");
        Saved::parse(&[text.as_bytes(), &vec![7; length]].concat()).unwrap()
    };
    let most = (1 << 20) - (first.len() + "1048525\n".len());
    let largest = of(most);
    assert_eq!(largest.to_bytes().len(), 1 << 20);
    store.save(&leaf, &largest).unwrap();
    assert_eq!(store.load(&leaf).unwrap(), Some(largest.clone()));
    let Err(StoreError::Write { source, .. }) = store.save(&leaf, &of(most + 1)) else { panic!() };
    assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge);
    assert_eq!(store.load(&leaf).unwrap(), Some(largest));
    fs::write(store.path(&leaf), of(most + 1).to_bytes()).unwrap();
    let Err(StoreError::Read { source, .. }) = store.load(&leaf) else { panic!() };
    assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let store = Store::new(directory("pipe"));
    let leaf = file(LEAF);
    let path = store.path(&Certificate::parse(&leaf).unwrap());
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (done, loaded) = mpsc::channel();
    thread::spawn(move || {
        let loaded = store.load(&Certificate::parse(&leaf).unwrap());
        done.send(loaded.map_err(|error| match error {
            StoreError::Read { source, .. } => source.to_string(),
            other => panic!("{other}"),
        }))
    });
    let loaded = loaded.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(loaded, Err("it is not a regular file".to_owned()));
}

/// In a directory where others may write, a link of theirs could be at the name of the new file.
#[cfg(unix)]
#[test]
fn a_file_is_replaced_by_a_new_one_of_a_name_that_nobody_can_foresee() {
    let directory = directory("link");
    let (path, victim) = (directory.join("x.ocsp"), directory.join("victim"));
    fs::write(&victim, "of another").unwrap();
    for count in 0..200 {
        let name = format!(".x.ocsp.{}.{count}.new", std::process::id());
        std::os::unix::fs::symlink(&victim, directory.join(name)).unwrap();
    }
    replace_file(&path, b"new").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"of another");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 202, "nothing is left over");
    // What cannot be replaced leaves nothing over either.
    replace_file(&directory, b"new").unwrap_err();
    assert!(replace_file(Path::new("/"), b"new").is_err());
}

/// The directory is opened before anything is replaced: without that, the new file might be lost again.
#[cfg(unix)]
#[test]
fn where_the_directory_cannot_be_read_the_old_file_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = directory("unreadable");
    let path = directory.join("x.ocsp");
    replace_file(&path, b"old").unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o300)).unwrap();
    // The system's administrator can read it all the same.
    let readable = fs::File::open(&directory).is_ok();
    let replaced = replace_file(&path, b"new");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(replaced.is_ok(), readable);
    assert_eq!(fs::read(&path).unwrap(), if readable { b"new" } else { b"old" });
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}
