//! The configuration is read again, and again, under load: no connection is lost, each new one has the newest
//! configuration, and no memory is kept.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod load {
    pub(crate) mod memory;
    pub(crate) mod program;
}

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use load::memory::memory;
use load::program::Files;

const CLIENTS: usize = 3;
/// The parts of a run, the first of which is not judged.
const PARTS: usize = 4;
/// In KiB for each reload; an old configuration that is kept has some 20. The heap grows in steps, of some thousands on
/// a loaded machine: what is kept shows in every part of the run.
const GROWTH: usize = 8;

/// A session, which fails where the server ends it or does not answer.
struct Session(BufReader<TcpStream>);

impl Session {
    /// Connects; returns the number in the banner too.
    fn open(address: &str) -> (Self, usize) {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut session = Self(BufReader::new(stream));
        let banner = session.reply();
        let number = banner.rsplit_once(" r").and_then(|(_, number)| number.parse().ok());
        (session, number.unwrap_or_else(|| panic!("no number: {banner}")))
    }

    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.0.read_line(&mut line).unwrap() > 0,
                "the server has closed the connection"
            );
            if line.get(3..4) != Some("-") {
                return line.trim_end().to_owned();
            }
        }
    }

    fn say(&mut self, line: &str, code: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let reply = self.reply();
        assert!(reply.starts_with(code), "{line}: {reply}");
    }

    fn message(&mut self) {
        self.say("EHLO client.test", "250");
        self.say("MAIL FROM:<ann@client.test>", "250");
        self.say("RCPT TO:<bob@local.test>", "250");
        self.say("DATA", "354");
        self.say("Subject: a\r\n\r\nb\r\n.", "250");
    }
}

/// Sends a message over each of many connections, and over one that it keeps, until the end.
fn client(address: &str, newest: &AtomicUsize, ended: &AtomicBool) -> usize {
    let (mut kept, _) = Session::open(address);
    let mut count = 0;
    while !ended.load(Ordering::Acquire) {
        // A reload that was seen by anybody is for all that connect after it.
        let least = newest.load(Ordering::Acquire);
        let (mut session, number) = Session::open(address);
        assert!(number >= least, "{number} after {least}");
        session.message();
        session.say("QUIT", "221");
        kept.message();
        count += 2;
    }
    kept.say("QUIT", "221");
    count
}

/// A reading under way never sees a part of the file.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

/// Reloads until a new connection has the banner of this number.
fn reload(pid: Pid, address: &str, number: usize) {
    kill_process(pid, Signal::HUP).unwrap();
    let end = Instant::now() + Duration::from_mins(1);
    while Session::open(address).1 != number {
        assert!(Instant::now() < end, "reload {number} has no effect");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn reloads_under_load_lose_no_connection_and_keep_no_memory() {
    let reloads = env::var("RELOADS").map_or(250, |text| text.parse().unwrap());
    // After the first part the program has what it needs.
    let part = (reloads / PARTS).max(1);
    let files = Files::new("reloads");
    let file = files.path("gateway.toml");
    let options = fs::read_to_string(&file).unwrap();
    // The default limits the connections of a host.
    let options = format!("{options}smtp_accept_max_per_host = 1000\nevent_action = ''\n");
    let text = |number| format!("{options}smtp_banner = 'ESMTP r{number}'\n");
    replace(&file, &text(0));
    let mut gateway = files.start(&[]);
    let (address, pid) = (gateway.address(), gateway.pid());
    let (newest, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (mut used, mut messages) = (Vec::new(), 0);
    thread::scope(|scope| {
        let start = || scope.spawn(|| client(&address, &newest, &ended));
        let clients: Vec<_> = (0..CLIENTS).map(|_| start()).collect();
        for number in 1..=reloads {
            if number % 10 == 0 {
                // One with an error is told, and changes nothing.
                replace(&file, &format!("{}no_such_option = 1\n", text(number + reloads)));
                kill_process(pid, Signal::HUP).unwrap();
            }
            replace(&file, &text(number));
            reload(pid, &address, number);
            newest.store(number, Ordering::Release);
            if number % part == 0 {
                used.push(memory(pid));
            }
        }
        ended.store(true, Ordering::Release);
        messages = clients.into_iter().map(|client| client.join().unwrap()).sum();
    });
    let grown = used.windows(2).map(|of| of[1].saturating_sub(of[0])).min().unwrap();
    assert!(grown < GROWTH * part, "{grown} KiB more at least in {part} reloads: {used:?}");
    // A message is answered when it is in the journal; the end waits for its file.
    assert!(gateway.stop().success());
    let found = fs::read_dir(files.path("mail/new")).unwrap().count();
    assert_eq!(found, messages, "messages that were answered 250, and those in the Maildir");
    assert!(messages > 0);
}
