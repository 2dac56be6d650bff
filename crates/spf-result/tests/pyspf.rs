//! Agreement with pyspf, on generated zones and senders.
//!
//! `PYSPF_CASES` is their number (default: 400), `PYSPF_SEED` the first seed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, InquiryStep, Name, Note, Noted, Question, RecordType, Zone,
};
use serde_json::{Map, Value, json};
use spf_result::{Limits, Mechanism, Record, SpfOutcome};

#[path = "support/sender.rs"]
mod sender;

/// Debian's own, which has Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

/// pyspf in a process of its own.
struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    fn is_there() -> bool {
        let mut import = Command::new(PYTHON);
        let status = import.args(["-c", "import spf"]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
            && env::var_os("EXIMIA_PEERS").is_none_or(|wanted| wanted != "none")
    }

    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pyspf.py");
        let mut command = Command::new(PYTHON);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    fn ask(&mut self, case: &Value) -> String {
        writeln!(self.input, "{case}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn stop(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Numbers that depend on their seed alone (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap()
    }
}

/// Whether pyspf differs from RFC 7208 for a reason that is known; tests of `check.rs` have each.
fn is_excused(why: &str, outcome: &SpfOutcome, trace: &[Note]) -> bool {
    // Section 4.6: only errors of syntax are found in advance; pyspf finds an include or a redirect
    // of the domain itself, too.
    let recursion = why.contains("trivial recursion");
    // Section 5.5: after a DNS failure a `ptr` does not match, and a name of the client is skipped.
    let failed = |note: &Note| {
        let Noted::Answer { answer, .. } = &note.noted else { return false };
        matches!(**answer, Answer::Failed(_))
    };
    let ptr = why.contains("DNS timeout") && trace.iter().any(failed);
    // Section 5.4: the hosts of an `mx` are tried one after the other; pyspf asks for all of them.
    let matched = outcome.cause().directive().map(|directive| &directive.mechanism);
    let later = why.contains("Void lookup limit") || why.contains("DNS timeout");
    let mx = later && matches!(matched, Some(Mechanism::Mx { .. } | Mechanism::Include(_)));
    // Sections 4.6.4 and 6.1: a redirect that is not followed asks for nothing; pyspf counts it.
    let redirects = with_redirect(trace) - trace.iter().filter(|note| is_redirect(note)).count();
    let redirect = why.contains("Too many DNS lookups")
        && usize::from(outcome.lookups()) + redirects > usize::from(Limits::default().lookups);
    recursion || ptr || mx || redirect
}

/// How many records were evaluated that have a redirect.
fn with_redirect(trace: &[Note]) -> usize {
    let has = |note: &&Note| {
        let Noted::Answer { answer, .. } = &note.noted else { return false };
        let is_one =
            |text: &[u8]| Record::parse(text).is_ok_and(|found| found.redirect().is_some());
        answer.texts().is_some_and(|texts| texts.iter().any(is_one))
    };
    trace.iter().filter(has).count()
}

fn is_redirect(note: &Note) -> bool {
    matches!(&note.noted, Noted::Text(text) if text.starts_with("redirect="))
}

const NAMES: [&str; 8] = [
    "a.example",
    "b.example",
    "c.b.example",
    "mail.a.example",
    "d.example",
    "1.2.0.192.in-addr.arpa",
    "2.2.0.192.in-addr.arpa",
    "1.2.0.192.b.example",
];

const TARGETS: [&str; 12] = [
    "a.example",
    "b.example",
    "c.b.example",
    "mail.a.example",
    "d.example",
    "nx.example",
    "%{d}",
    "%{ir}.b.example",
    "%{o}",
    "%{d2}",
    "c.%{h}",
    "%{l1r-}.b.example",
];

const BAD: [&str; 10] = [
    "moo",
    "a:",
    "ip4:1.2.3",
    "ip4:1.2.3.4/33",
    "include",
    "a/33",
    "all:x",
    "exists:x",
    "a:%{q}.example",
    "redirect=",
];

fn term(random: &mut Random) -> String {
    let qualifier = random.one(&["", "", "", "-", "~", "?", "+"]);
    let target = random.one(&TARGETS);
    let text = match random.below(24) {
        0..=3 => format!("include:{target}"),
        4..=6 => format!("a:{target}"),
        7 => "a/24//32".to_owned(),
        8..=9 => format!("mx:{target}"),
        10 => "mx/30".to_owned(),
        11 => format!("ptr:{}", random.one(&["example", "a.example", "b.example", "nx.example"])),
        12 => "ptr".to_owned(),
        13..=14 => format!("exists:{target}"),
        15..=17 => format!("ip4:192.0.2.{}/{}", random.below(4), 30 + random.below(3)),
        18 => format!("ip6:2001:db8::{}/{}", random.below(4), 126 + random.below(3)),
        19..=20 => "all".to_owned(),
        21 => return format!("redirect={target}"),
        22 => return format!("moo{}={target}", random.below(1000)),
        _ if random.below(8) == 0 => return random.one(&BAD).to_owned(),
        _ => format!("a:{target}/31"),
    };
    format!("{qualifier}{text}")
}

fn record(random: &mut Random) -> String {
    let mut text = "v=spf1".to_owned();
    let mut redirected = false;
    for _ in 0..random.below(7) {
        let term = term(random);
        if term.starts_with("redirect") && std::mem::replace(&mut redirected, true) {
            continue;
        }
        let _ = write!(text, " {term}");
    }
    text
}

/// The same zone for both.
fn zone(random: &mut Random) -> (Zone, Value) {
    let (mut ours, mut theirs) = (Zone::default(), Map::new());
    for text in NAMES {
        let name: Name = text.parse().unwrap();
        let mut entries = Vec::new();
        let is_reverse = text.ends_with("arpa");
        for kind in
            [RecordType::Txt, RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Ptr]
        {
            if (kind == RecordType::Ptr) != is_reverse || random.below(4) == 0 {
                continue;
            }
            if random.below(60) == 0 {
                let question = Question::new(name.clone(), kind);
                ours.set(question, Answer::Failed(DnsFailure::Timeout));
                entries.push(json!([kind.as_str(), "TIMEOUT"]));
                continue;
            }
            let count = if kind == RecordType::Txt {
                1 + random.below(20) / 19
            } else {
                1 + random.below(2)
            };
            for at in 0..count {
                let (data, value) = match kind {
                    RecordType::Txt => (record(random), None),
                    RecordType::A => (format!("192.0.2.{}", 1 + 2 * at + random.below(2)), None),
                    RecordType::Aaaa => {
                        (format!("2001:db8::{}", 1 + 2 * at + random.below(2)), None)
                    }
                    RecordType::Mx => {
                        let host = random.one(&["mail.a.example", "b.example", "nx.example"]);
                        (format!("{at} {host}"), Some(json!([at, host])))
                    }
                    _ => (
                        random.one(&["mail.a.example", "c.b.example", "nx.example"]).to_owned(),
                        None,
                    ),
                };
                ours.add(name.clone(), kind, &data, DnssecStatus::Insecure).unwrap();
                entries.push(json!([kind.as_str(), value.unwrap_or(json!(data))]));
            }
        }
        theirs.insert(text.to_owned(), Value::Array(entries));
    }
    (ours, Value::Object(theirs))
}

#[test]
fn pyspf_agrees() {
    if !Oracle::is_there() {
        assert!(env::var_os("CI").is_none(), "no pyspf: scripts/peers install");
        println!("SKIPPED: no pyspf");
        return;
    }
    let mut oracle = Oracle::start();
    let number =
        |name: &str, default: u64| env::var(name).map_or(default, |number| number.parse().unwrap());
    let (first, count) = (number("PYSPF_SEED", 1), number("PYSPF_CASES", 400));
    println!("seeds {first} to {}", first + count - 1);
    let (mut differences, mut excused) = (Vec::new(), 0);
    let mut results = std::collections::BTreeMap::<String, usize>::new();
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (ours, theirs) = zone(&mut random);
        let clients = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "::ffff:192.0.2.1"];
        let client = random.one(&clients);
        let helo = random.one(&["b.example", "a.example", "nx.example"]);
        let sender =
            random.one(&["ann@a.example", "x-y@b.example", "", "@d.example", "a@c.b.example"]);
        let case = json!({"zone": theirs, "ip": client, "helo": helo, "mail_from": sender});
        let said = oracle.ask(&case);
        let ip: IpAddr = client.parse().unwrap();
        let cache = |question: &_| Some(Arc::new(ours.answer(question)));
        let check = sender::sender(ip, helo, sender);
        let mut session = check.session().traced();
        let InquiryStep::Done(outcome) = session.poll_cached(&cache) else {
            panic!("all is known")
        };
        let result = outcome.result().as_str();
        *results.entry(result.to_owned()).or_default() += 1;
        let (word, why) = said.split_once(' ').unwrap_or((&said, ""));
        let known = is_excused(why, &outcome, session.trace());
        excused += usize::from(result != word && known);
        if result != word && !known {
            differences.push(format!("seed {seed}: {result}, pyspf {said}: {case} {outcome:?}"));
        }
    }
    oracle.stop();
    println!("{results:?}, {excused} differences for known reasons");
    assert_eq!(differences, [] as [String; 0], "{} differences", differences.len());
}
