//! The gateway is killed under load, again and again, and keeps every acknowledged message.
//!
//! `CRASH_KILLS` says how often (50 if it does not), `CRASH_SEED` repeats a run's numbers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod load {
    pub(crate) mod program;
    pub(crate) mod sender;
    pub(crate) mod sent;
    pub(crate) mod whole_name;
}

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use load::program::{Files, Program};
use load::sender::Numbers;
use load::sent::{Sent, send};
use load::whole_name::whole_name;

#[test]
fn no_message_that_was_answered_250_is_lost_and_none_is_cut_or_doubled() {
    let kills = number_of("CRASH_KILLS").unwrap_or(50);
    let seed = number_of("CRASH_SEED").unwrap_or_else(|| u64::from(process::id()));
    eprintln!("CRASH_KILLS={kills} CRASH_SEED={seed}");
    let files = Files::new("crash");
    let (mut ledger, mut numbers) = (Ledger::default(), Numbers::new(seed));
    for kill in 0..kills {
        let mut program = files.start(&[]);
        if numbers.below(5) == 0 {
            // While it starts, perhaps in the midst of its replay.
            thread::sleep(Duration::from_micros(numbers.below(20_000)));
            drop(program);
            continue;
        }
        let address = program.address();
        ledger.note_replay(&program);
        ledger.check(&files.path("mail"));
        ledger.sent.extend(load_until_killed(program, &address, kill, &files, &mut numbers));
    }
    let mut program = files.start(&[]);
    program.address();
    ledger.note_replay(&program);
    assert!(program.stop().success());
    ledger.check(&files.path("mail"));
    ledger.report(kills);
    check_events(&files.path("spool/gateway.sqlite"));
}

/// A Maildir of a recipient is written without the journal.
#[test]
fn no_message_for_a_maildir_of_a_recipient_is_lost_or_cut() {
    let mut numbers = Numbers::new(7);
    let files = Files::with_maildir("crash-each", "each/$local_part");
    let mut sent = Vec::new();
    for kill in 0..KILLS_OF_EACH {
        let mut program = files.start(&[]);
        let address = program.address();
        sent.extend(load_until_killed(program, &address, kill, &files, &mut numbers));
    }
    let new = files.path("each/b/new");
    let come: HashSet<_> = names(&new).iter().map(|name| read_whole(&new.join(name))).collect();
    let answered = sent.iter().filter(|sent| sent.id.is_some());
    assert!(answered.clone().count() as u64 > KILLS_OF_EACH, "too few messages to show anything");
    for Sent { name, .. } in answered {
        assert!(come.contains(name), "{name} is lost");
    }
}

const KILLS_OF_EACH: u64 = 10;

/// What was killed lost the last of its events, perhaps, but their log is sound.
fn check_events(file: &Path) {
    let database = rusqlite::Connection::open(file).unwrap();
    let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_ne!(text("SELECT CAST(count(*) AS TEXT) FROM events"), "0");
}

/// Sends from eight clients, while a reader takes messages away, until a moment that nobody chose.
fn load_until_killed(
    program: Program,
    address: &str,
    kill: u64,
    files: &Files,
    numbers: &mut Numbers,
) -> Vec<Sent> {
    let wait = Duration::from_micros(numbers.below(300_000));
    let clients = (0..8).map(|client| {
        let name = format!("{kill}-{client}");
        let (address, mut numbers) = (address.to_owned(), Numbers::new(numbers.below(u64::MAX)));
        thread::spawn(move || send(&address, &name, usize::MAX, LINES, &mut numbers))
    });
    let clients: Vec<_> = clients.collect();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| read_mail(&files.path("mail"), &ended));
        thread::sleep(wait);
        drop(program);
        ended.store(true, Ordering::Relaxed);
    });
    clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
}

/// Does what a reader does with some of the messages: marks them as seen, or moves them elsewhere.
/// Looks a last time when the gateway is gone.
fn read_mail(mail: &Path, ended: &AtomicBool) {
    let (new, mut known, mut last) = (mail.join("new"), HashSet::new(), false);
    while !last {
        last = ended.load(Ordering::Relaxed);
        for name in names(&new) {
            if !known.insert(name.clone()) {
                continue;
            }
            let from = new.join(&name);
            read_whole(&from);
            match crc32c::crc32c(name.as_bytes()) % 4 {
                0 => fs::rename(from, mail.join("cur").join(format!("{name}:2,S"))).unwrap(),
                1 => fs::rename(from, taken(mail).join(&name)).unwrap(),
                _ => {}
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the name of a message in the Maildir, which is whole.
fn read_whole(path: &Path) -> String {
    let name = whole_name(&fs::read(path).unwrap());
    name.unwrap_or_else(|| panic!("{} is not whole", path.display()))
}

fn taken(mail: &Path) -> PathBuf {
    let folder = mail.with_file_name("taken");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What was sent and what has come.
#[derive(Default)]
struct Ledger {
    sent: Vec<Sent>,
    /// The file of each message, by its client's name for it, without the folder and the flags.
    come: HashMap<String, String>,
    replays: usize,
}

impl Ledger {
    fn note_replay(&mut self, program: &Program) {
        self.replays += usize::from(program.log().contains("delivered from the journal"));
    }

    /// Reads what has come since the last time, and looks for what is missing.
    fn check(&mut self, mail: &Path) {
        let known: HashSet<_> = self.come.values().cloned().collect();
        for folder in [mail.join("new"), mail.join("cur"), taken(mail)] {
            let mut here = HashSet::new();
            for name in names(&folder) {
                let file = name.split(':').next().unwrap().to_owned();
                assert!(here.insert(file.clone()), "{file} is there twice");
                if known.contains(&file) {
                    continue;
                }
                let path = folder.join(&name);
                let other = self.come.insert(read_whole(&path), file.clone());
                assert!(other.is_none(), "{file} came as {other:?} before");
            }
        }
        self.look_for_doubles(mail);
        for Sent { name, id } in &self.sent {
            let Some(id) = id else { continue };
            let file = self.come.get(name);
            assert!(file.is_some_and(|file| file.contains(id.as_str())), "{name}, {id} is lost");
        }
    }

    /// A message is in one folder alone, even if it was taken from another.
    fn look_for_doubles(&self, mail: &Path) {
        let folders = [mail.join("new"), mail.join("cur"), taken(mail)];
        let mut seen = HashSet::new();
        for name in folders.iter().flat_map(|folder| names(folder)) {
            let file = name.split(':').next().unwrap().to_owned();
            assert!(seen.insert(file.clone()), "{file} came again");
        }
        assert_eq!(seen.len(), self.come.len());
    }

    fn report(&self, kills: u64) {
        let answered = self.sent.iter().filter(|sent| sent.id.is_some()).count();
        eprintln!(
            "{kills} kills: {answered} messages answered, {} more came, {} starts had some to replay",
            self.come.len() - answered,
            self.replays
        );
        assert!(answered as u64 > kills, "too few messages to show anything");
    }
}

/// The longest message, in lines: more than fits a socket, and than one batch of the journal.
const LINES: u64 = 30_000;

fn number_of(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}
