//! A gateway and its clients, before, during and after a fault.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use super::clients::{Answer, Attempt, Load, Mail, mail};
use crate::load::memory::memory;
use crate::load::program::{Files, Program};

/// A gateway with options.
pub(crate) struct Gateway {
    pub(crate) program: Program,
    pub(crate) address: String,
    pub(crate) files: Files,
}

impl Gateway {
    /// Starts one; `options` come behind those of all.
    pub(crate) fn start(name: &str, options: &str) -> Self {
        Self::start_in(Files::new(name), options)
    }

    pub(crate) fn start_in(files: Files, options: &str) -> Self {
        let file = files.path("gateway.toml");
        let own = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{own}smtp_accept_max_nonmail = 1000\n{options}\n")).unwrap();
        let mut program = files.start(&[]);
        let address = program.address();
        Self { program, address, files }
    }

    /// Stops it, and starts it again with its files.
    pub(crate) fn restart(self) -> Self {
        let Self { program, files, .. } = self;
        assert!(program.stop().success());
        let mut program = files.start(&[]);
        let address = program.address();
        Self { program, address, files }
    }

    /// The messages in the Maildir: the file of each, by its name.
    pub(crate) fn mail(&self) -> HashMap<String, String> {
        mail(&self.files.path("mail"))
    }

    /// The resident memory, in KiB.
    pub(crate) fn memory(&self) -> usize {
        memory(self.program.pid())
    }
}

/// The outcomes of all messages.
pub(crate) struct Told {
    pub(crate) all: Vec<Attempt>,
    /// Those that began after the fault and ended before its end.
    pub(crate) during: Vec<Attempt>,
}

/// Has clients send while `begin` and `end` make a fault, and checks that all goes on afterwards.
pub(crate) fn under_load(
    address: &str,
    mails: &[Mail],
    begin: impl FnOnce(),
    end: impl FnOnce(),
) -> Told {
    let load = Load::start(address, mails);
    load.wait_for_an_end();
    begin();
    // Messages that began before the fault have ended.
    thread::sleep(SETTLED);
    let from = Instant::now();
    thread::sleep(lasting());
    let until = Instant::now();
    end();
    load.wait_for_an_end();
    let recovered = Instant::now();
    thread::sleep(SETTLED);
    let all = load.end();
    for attempt in all.iter().filter(|attempt| attempt.begun > recovered) {
        let is_over = matches!(attempt.answer, Answer::Taken(_) | Answer::Refused(_));
        assert!(is_over, "it has not recovered: {attempt:?}");
    }
    let during = |attempt: &&Attempt| attempt.begun >= from && attempt.ended <= until;
    let during: Vec<_> = all.iter().filter(during).cloned().collect();
    eprintln!("fault: {} messages, {} of them while it lasted", all.len(), during.len());
    Told { all, during }
}

/// Has clients send for as long as a fault lasts that is there from the start.
pub(crate) fn during(address: &str, mail: &Mail) -> Vec<Attempt> {
    let load = Load::start(address, slice::from_ref(mail));
    thread::sleep(lasting());
    let all = load.end();
    eprintln!("fault: {} messages while it lasted", all.len());
    assert!(!all.is_empty());
    all
}

/// Every message that was answered 250 comes; no other does, unless its client never got the last reply.
pub(crate) fn check_mail(come: impl Fn() -> HashMap<String, String>, attempts: &[Attempt]) {
    let is_here = |come: &HashMap<String, String>, Attempt { name, answer, .. }: &Attempt| {
        let Answer::Taken(id) = answer else { return true };
        come.get(name).is_some_and(|file| file.contains(id))
    };
    // Messages in the journal are delivered soon.
    let end = Instant::now() + Duration::from_secs(20);
    let mut here = come();
    while let Some(lost) = attempts.iter().find(|attempt| !is_here(&here, attempt)) {
        assert!(Instant::now() < end, "lost: {lost:?}");
        thread::sleep(Duration::from_millis(20));
        here = come();
    }
    for Attempt { name, answer, .. } in attempts {
        if let Answer::Deferred(reply) | Answer::Refused(reply) = answer {
            assert!(!here.contains_key(name), "{name} has come, and was answered {reply}");
        }
    }
}

/// How long each fault lasts.
pub(crate) fn lasting() -> Duration {
    let seconds = env::var("FAULT_SECONDS").map_or(2, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// Longer than a message takes while nothing fails.
const SETTLED: Duration = Duration::from_millis(300);
