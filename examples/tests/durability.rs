//! Every 250 follows the sync of its message. A kill cannot show this, since the system keeps the
//! written data of a dead program: the test reads the system calls of the program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod load {
    pub(crate) mod program;
    pub(crate) mod sender;
    pub(crate) mod sent;
}

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use load::program::Files;
use load::sender::Numbers;
use load::sent::{Sent, send};

const CLIENTS: u64 = 8;
const MESSAGES: usize = 25;
/// The longest message, in lines of 20 to 50 octets.
const LINES: u64 = 100;

#[test]
fn a_250_is_written_after_the_sync_of_its_message() {
    if !have_strace() {
        return;
    }
    let files = Files::new("durability");
    let trace = files.path("trace");
    let trace_path = trace.to_str().unwrap();
    // `-D` leaves the gateway our child; the strings are as long as a batch of all clients' messages.
    let strace = ["strace", "-D", "-f", "-q", "-s", "100000", "-e", CALLS, "-o", trace_path];
    let mut program = files.start(&strace);
    let address = program.address();
    let clients = (0..CLIENTS).map(|client| {
        let (address, mut numbers) = (address.clone(), Numbers::new(client));
        thread::spawn(move || send(&address, &client.to_string(), MESSAGES, LINES, &mut numbers))
    });
    let clients: Vec<_> = clients.collect();
    let sent = clients.into_iter().flat_map(|client| client.join().unwrap());
    let id = |sent: Sent| sent.id.unwrap_or_else(|| panic!("{} was not answered", sent.name));
    let ids: HashSet<_> = sent.map(id).collect();
    assert_eq!(ids.len() as u64, CLIENTS * MESSAGES as u64);
    assert!(program.stop().success());
    let summary = check(&ended(&trace)).unwrap();
    assert_eq!(summary.answered, ids);
    eprintln!("{} messages, {} syncs before their answers", ids.len(), summary.syncs);
    assert!(summary.syncs > 0);
}

/// A file for one recipient and the directory that has its name are synced in their order.
#[test]
fn a_250_follows_the_syncs_of_a_file_of_a_recipient() {
    if !have_strace() {
        return;
    }
    let files = Files::with_maildir("durability-each", "each/$local_part");
    let trace = files.path("trace");
    let calls = "openat,fsync,rename,sendto,write,writev";
    let trace_path = trace.to_str().unwrap();
    let strace = ["strace", "-D", "-f", "-q", "-y", "-s", "200", "-e", calls, "-o", trace_path];
    let mut program = files.start(&strace);
    let address = program.address();
    // The Maildir is made for the first one.
    let sent = send(&address, "a", 2, LINES, &mut Numbers::new(1));
    let id = sent[1].id.as_ref().unwrap();
    assert!(program.stop().success());
    let trace = ended(&trace);
    let place = |after: usize, words: &[&str]| {
        let has = |line: &str| words.iter().all(|word| line.contains(word));
        let found = trace.lines().skip(after).position(has);
        after + found.unwrap_or_else(|| panic!("{words:?}: {trace}"))
    };
    let opened = place(0, &["openat(", "/each/b/tmp/", id]);
    let synced = place(opened, &["fsync(", "/each/b/tmp/", id]);
    let moved = place(synced, &["rename(", "/each/b/new/", id]);
    let named = place(moved, &["fsync(", "/each/b/new>"]);
    place(named, &["250 2.0.0 OK id=", id]);
    let first = trace.lines().position(|line| line.contains(&format!("250 2.0.0 OK id={id}")));
    assert!(first.unwrap() > named, "{trace}");
}

#[test]
fn an_answer_before_its_sync_is_found_out() {
    let sound = [
        r#"1 pwrite64(9, "..0000000000001-aaaaaaaaaa.."..., 4096, 4096) = 4096"#,
        r"1 fdatasync(9 <unfinished ...>",
        r#"2 pwrite64(9, "..0000000000002-aaaaaaaaaa.."..., 4096, 8192) = 4096"#,
        r"1 <... fdatasync resumed>) = 0",
        r#"2 sendto(5, "250 2.0.0 OK id=0000000000001-aaaaaaaaaa\r\n", 40, 0, NULL, 0) = 40"#,
        r"1 fdatasync(9) = 0",
        r#"2 write(5, "250 2.0.0 OK id=0000000000002-aaaaaaaaaa\r\n", 40) = 40"#,
    ];
    let summary = check(&sound.join("\n")).unwrap();
    assert_eq!((summary.answered.len(), summary.syncs), (2, 2));

    let first = "0000000000001-aaaaaaaaaa";
    let second = "0000000000002-aaaaaaaaaa";
    for (order, early) in [
        // Before the write, before the sync begins, before it returns, and with another's sync.
        ([4, 0, 1, 3, 2, 5, 6], first),
        ([0, 4, 1, 3, 2, 5, 6], first),
        ([0, 1, 4, 3, 2, 5, 6], first),
        ([0, 1, 2, 3, 4, 6, 5], second),
    ] {
        let trace: Vec<_> = order.into_iter().map(|line| sound[line]).collect();
        assert_eq!(check(&trace.join("\n")).unwrap_err(), early, "{order:?}");
    }
    let failed = sound.join("\n").replacen("resumed>) = 0", "resumed>) = -1 EIO", 1);
    assert_eq!(check(&failed).unwrap_err(), first);
    let elsewhere = sound.join("\n").replace("fdatasync(9)", "fdatasync(8)");
    assert_eq!(check(&elsewhere).unwrap_err(), second);
}

/// Reads the trace once strace, which outlives the program, has written all of it.
fn ended(trace: &Path) -> String {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let text = String::from_utf8_lossy(&fs::read(trace).unwrap()).into_owned();
        if text.ends_with(" +++ exited with 0 +++\n") {
            return text;
        }
        assert!(Instant::now() < end, "strace has not ended");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a sound trace shows.
#[derive(Debug)]
struct Summary {
    answered: HashSet<String>,
    syncs: usize,
}

/// Reads a trace, in which a call's end is before whatever that end made possible; returns the id
/// that was answered too early, if one was.
fn check(trace: &str) -> Result<Summary, String> {
    let mut calls: HashMap<&str, Call> = HashMap::new();
    let mut written: HashMap<String, HashSet<String>> = HashMap::new();
    let (mut synced, mut answered, mut syncs) = (HashSet::new(), HashSet::new(), 0);
    for line in trace.lines() {
        let Some((thread, event)) = line.split_once(' ') else { continue };
        let event = event.trim_start();
        if !event.starts_with("<...") {
            let Some(call) = Call::parse(event) else { continue };
            for id in call.answers() {
                if !synced.contains(&id) {
                    return Err(id);
                }
                answered.insert(id);
            }
            calls.insert(thread, call.covering(&written));
        }
        if event.ends_with("<unfinished ...>") {
            continue;
        }
        let Some(call) = calls.remove(thread) else { continue };
        let result = event.rsplit_once(" = ").map_or("", |(_, result)| result);
        match call.name.as_str() {
            "fdatasync" if result == "0" => {
                syncs += 1;
                synced.extend(call.covered);
            }
            "pwrite64" if !result.starts_with('-') => {
                written.entry(call.file).or_default().extend(ids(&call.text));
            }
            _ => {}
        }
    }
    Ok(Summary { answered, syncs })
}

/// A system call that has begun.
struct Call {
    name: String,
    /// The number of the file.
    file: String,
    text: String,
    /// Of a sync: the messages that were written to the file before it began.
    covered: HashSet<String>,
}

impl Call {
    fn parse(event: &str) -> Option<Self> {
        let (name, text) = event.split_once('(')?;
        let file = text.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { name: name.into(), file, text: text.into(), covered: HashSet::new() })
    }

    fn covering(mut self, written: &HashMap<String, HashSet<String>>) -> Self {
        if self.name == "fdatasync" {
            self.covered = written.get(&self.file).cloned().unwrap_or_default();
        }
        self
    }

    /// The ids that the call tells a client.
    fn answers(&self) -> Vec<String> {
        if !matches!(self.name.as_str(), "sendto" | "write" | "writev" | "sendmsg") {
            return Vec::new();
        }
        let answers = self.text.split(ANSWER).skip(1);
        answers.filter_map(|text| text.get(..ID).map(str::to_owned)).collect()
    }
}

/// All that looks like an id: 13 letters or digits, a hyphen and 10 more.
fn ids(text: &str) -> HashSet<String> {
    let hyphens =
        text.match_indices('-').filter_map(|(at, _)| text.get(at.checked_sub(13)?..at + 11));
    let id = |text: &&str| {
        text.chars().all(|c| c == '-' || c.is_ascii_digit() || c.is_ascii_lowercase())
    };
    hyphens.filter(id).map(str::to_owned).collect()
}

fn have_strace() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| folder.join("strace").is_file()) {
        return true;
    }
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "strace is missing");
    eprintln!("SKIPPED: strace is missing");
    false
}

const CALLS: &str = "trace=fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg";
const ANSWER: &str = "250 2.0.0 OK id=";
const ID: usize = 24;
