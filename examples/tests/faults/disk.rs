//! A disk without room.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::clients::{Answer, MAIL};
use super::fault::{Gateway, check_mail, under_load};
use crate::load::program::Files;

/// A file system of its own; it goes with this.
struct Disk(PathBuf);

impl Disk {
    /// `None` if nobody here may mount one.
    fn mount(folder: PathBuf) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = "size=512m";
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", size, "tmpfs"], &folder);
        mounted.then_some(Self(folder))
    }

    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        for piece in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; piece];
            while file.write_all(&piece).is_ok() {}
        }
    }

    fn clear(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy"], &self.0);
    }
}

/// Runs a command as root, by sudo if this is another user.
fn as_root(words: &[&str], folder: &Path) -> bool {
    let sudo: &[&str] = if rustix::process::getuid().is_root() { &[] } else { &["sudo", "-n"] };
    let words = [sudo, words].concat();
    let output = Command::new(words[0]).args(&words[1..]).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_defers_mail_and_loses_none() {
    let files = Files::new("faults-disk");
    let folder = files.path("disk");
    let Some(disk) = Disk::mount(folder.clone()) else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no tmpfs can be mounted");
        eprintln!("SKIPPED: a disk of its own, which root or sudo can mount");
        return;
    };
    let file = files.path("gateway.toml");
    let options = fs::read_to_string(&file).unwrap();
    let here = files.path("").display().to_string();
    fs::write(&file, options.replace(&here, &format!("{here}disk/"))).unwrap();
    let gateway = Gateway::start_in(files, "");
    let told = under_load(&gateway.address, &[MAIL], || disk.fill(), || disk.clear());
    let is_deferred =
        |answer: &Answer| matches!(answer, Answer::Deferred(reply) if reply.starts_with("45"));
    let deferred = told.during.iter().filter(|attempt| is_deferred(&attempt.answer)).count();
    assert!(deferred > 0, "{:?}", told.during);
    // A message that has room may still be taken.
    let is_known = |answer: &Answer| is_deferred(answer) || answer.is_taken();
    assert!(told.during.iter().all(|attempt| is_known(&attempt.answer)), "{:?}", told.during);
    let mail = || super::clients::mail(&folder.join("mail"));
    check_mail(mail, &told.all);
    // It starts with what a full disk has left.
    let gateway = gateway.restart();
    check_mail(mail, &told.all);
    drop(gateway);
    drop(disk);
}
