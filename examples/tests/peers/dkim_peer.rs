//! Agreement with dkimpy on generated messages: its signatures verify here, after the changes that the
//! canonical form allows, and its verdicts on other changes are the same.
//!
//! `DKIMPY_CASES` says how many (default: 300), `DKIMPY_SEED` with which seed to begin.

#![expect(clippy::indexing_slicing, reason = "helpers of tests may panic")]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::SystemTime;

use data_encoding::BASE64;
use mail_types::dns::{DnssecStatus, InquiryStep, RecordType, Session, Zone};
use mail_types::results::AuthResult;
use mail_types::smtp::Header;
use serde_json::{Value, json};

use crate::dkim::signing::ED25519;
use examples::gateway::authentication::dkim::{DkimLimits, Keys, read, verify};

/// Debian's own, which has Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

#[test]
fn dkimpy_and_the_gateway_agree() {
    if !Oracle::is_there() {
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: python3-dkim");
        eprintln!("SKIPPED: missing python3-dkim and python3-nacl");
        return;
    }
    let number =
        |name, default| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (cases, first): (u64, u64) = (number("DKIMPY_CASES", 300), number("DKIMPY_SEED", 1));
    let mut oracle = Oracle::start();
    let (mut signed, mut passed, mut failed) = (0, 0, 0);
    for seed in first..first + cases {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let message = random.message();
        let forms = [random.of(&["simple", "relaxed"]), random.of(&["simple", "relaxed"])];
        let rsa = random.below(2) == 0;
        let (algorithm, record) = if rsa {
            ("rsa-sha256", format!("v=DKIM1; p={}", RSA.lines().last().unwrap()))
        } else {
            ("ed25519-sha256", ED25519.to_owned())
        };
        let headers =
            random.of(&[&["from"][..], &["from", "subject", "to"], &["From", "from", "x", "x"]]);
        let case = json!({
            "do": "sign", "message": BASE64.encode(&message), "key": BASE64.encode(&key(rsa)),
            "forms": forms, "algorithm": algorithm, "headers": headers,
        });
        let answer = oracle.ask(&case);
        let Some(field) = answer["field"].as_str() else { continue };
        signed += 1;
        let whole = [BASE64.decode(field.as_bytes()).unwrap(), message].concat();
        let ours = ours(&whole, &record);
        assert_eq!(ours, Some(AuthResult::Pass), "{seed}: {}", String::from_utf8_lossy(&whole));
        for _ in 0..8 {
            let changed = random.changed(&whole);
            let case =
                json!({ "do": "verify", "message": BASE64.encode(&changed), "record": record });
            // It takes no message with a blank before a colon, or without an empty line.
            let Some(theirs) = oracle.ask(&case)["pass"].as_bool() else { continue };
            let ours = self::ours(&changed, &record) == Some(AuthResult::Pass);
            assert_eq!(ours, theirs, "{seed}: {:?}", String::from_utf8_lossy(&changed));
            *if ours { &mut passed } else { &mut failed } += 1;
        }
    }
    oracle.stop();
    eprintln!("{signed} signed messages; of changed ones {passed} passed and {failed} failed");
    assert!(cases < 100 || signed > cases * 9 / 10 && passed > cases && failed > cases);
}

/// What the gateway says of the first signature.
fn ours(message: &[u8], record: &str) -> Option<AuthResult> {
    let mut zone = Zone::default();
    let name = "s._domainkey.a.example".parse().unwrap();
    zone.add(name, RecordType::Txt, record, DnssecStatus::default()).unwrap();
    let header = Header::of(message);
    let mut signatures = read(header, &[], &DkimLimits::default(), SystemTime::now());
    let mut session = Session::new(Keys::of(&signatures), Vec::new(), 10);
    let keys = loop {
        match session.poll() {
            InquiryStep::Ask(question) => session.handle_answer(&question, zone.answer(&question)),
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(keys) => break keys,
        }
    };
    verify(header, &mut signatures, keys);
    signatures.first().map(|signature| signature.result)
}

/// The key that signs, as dkimpy wants it.
fn key(rsa: bool) -> Vec<u8> {
    if !rsa {
        return b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=".to_vec();
    }
    let text = BASE64.encode(include_bytes!("../dkim/data/dkim-rsa-2048.der"));
    let label = "RSA PRIVATE KEY";
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").into_bytes()
}

const RSA: &str = include_str!("../dkim/data/dkim-public-keys.txt");

/// Numbers that depend on their seed alone (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A header with folds and blanks where they may be, and a body of few words and many blanks.
    fn message(&mut self) -> Vec<u8> {
        let mut text = String::new();
        for name in ["From", "Subject", "To", "X", "x", "Date"] {
            if name != "From" && self.below(3) == 0 {
                continue;
            }
            text += name;
            text += self.of(&[":", ": ", ":\t ", ":\r\n ", ": \r\n\t"]);
            text += if name == "From" { "a@a.example" } else { "v" };
            for _ in 0..self.below(5) {
                text +=
                    self.of(&[" w", "  w", "\tw", " \t w", "\r\n w", " \r\n\tw", "é", ":", ";"]);
            }
            text += self.of(&["\r\n", "\r\n", " \r\n", "\t \r\n"]);
        }
        text += "\r\n";
        for _ in 0..self.below(12) {
            text += self.of(&["x", "y z", "\r\n", "\r\n", " \r\n", "\t\r\n", " ", "\t", "  ", "é"]);
        }
        // As SMTP has it: dkimpy leaves a blank at the end of a line without a line end.
        if !text.ends_with("\r\n") {
            text += "\r\n";
        }
        text.into_bytes()
    }

    /// Puts in, takes out or exchanges blanks and line ends, or another octet.
    fn changed(&mut self, message: &[u8]) -> Vec<u8> {
        let header = message.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        let mut changed = message.to_vec();
        let from = if self.below(2) == 0 { header } else { 0 };
        match self.below(4) {
            0 => changed.extend(self.of(&["\r\n", " \r\n", "\r\n \t\r\n", "x\r\n"]).bytes()),
            1 => {
                // No CR or LF comes to stand alone: the gateway takes no such message.
                let places: Vec<_> =
                    (from..changed.len()).filter(|&at| changed[at] != b'\n').collect();
                if !places.is_empty() {
                    let (at, put) = (self.of(&places), self.of(&[" ", "\t", "x"]));
                    changed.splice(at..at, put.bytes());
                }
            }
            2 => {
                let blanks: Vec<_> = (from..changed.len())
                    .filter(|&at| matches!(changed[at], b' ' | b'\t'))
                    .collect();
                if !blanks.is_empty() {
                    let at = self.of(&blanks);
                    changed[at] = self.of(b" \t");
                }
            }
            _ => {
                let added =
                    self.of(&["Subject: evil\r\n", "Other: x\r\n", "X: 3\r\n", "Subject : e\r\n"]);
                changed.splice(0..0, added.bytes());
            }
        }
        changed
    }
}

/// dkimpy in a process of its own.
struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    fn is_there() -> bool {
        let mut import = Command::new(PYTHON);
        let status = import.args(["-c", "import dkim, nacl"]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
            && env::var_os("EXIMIA_PEERS").is_none_or(|wanted| wanted != "none")
    }

    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/dkim_peer.py");
        let mut command = Command::new(PYTHON);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    fn ask(&mut self, case: &Value) -> Value {
        writeln!(self.input, "{case}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn stop(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}
