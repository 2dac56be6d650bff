//! The tool `spf_check`: what comes out for what goes in, and that every verdict replays.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may panic")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

const ZONE: &str = "\
example.com TXT \"v=spf1 include:_spf.example.com a:mail.example.com -all exp=why.example.com\"
_spf.example.com TXT \"v=spf1 ip4:192.0.2.0/24 ?all\"
mail.example.com CNAME host.example.com
host.example.com A 198.51.100.7
why.example.com TXT \"%{i} is not %{d}'s\"
";

/// The program, which Cargo builds beside the tests.
fn program() -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    Command::new(path.join("examples/spf_check"))
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut program = program();
    program.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let feeder = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feeder.join(); // It may end before it has read all.
    output
}

fn json_lines(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let output = run(&[&["--json"], arguments].concat(), input);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spf_check-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn arguments_make_a_case() {
    let zone = directory("arguments").join("zone");
    fs::write(&zone, ZONE).unwrap();
    let zone = ["--zone", zone.to_str().unwrap()];
    let check = |more: &[&str]| json_lines(&[&zone, more].concat(), b"").remove(0);
    assert_eq!(
        check(&["--ip", "192.0.2.9", "--helo", "h.example", "--from", "a@example.com"]),
        json!({"result": "pass", "identity": "mailfrom", "mechanism": "include:_spf.example.com",
            "cause": "include:_spf.example.com of example.com matched",
            "domain": "example.com", "lookups": 1, "void_lookups": 0})
    );
    assert_eq!(
        check(&["--ip", "203.0.113.1", "--helo", "h.example", "--from", "a@example.com"]),
        json!({"result": "fail", "identity": "mailfrom", "mechanism": "-all",
            "cause": "-all of example.com matched",
            "explanation": "203.0.113.1 is not example.com's",
            "domain": "example.com", "lookups": 2, "void_lookups": 0})
    );
    assert_eq!(
        check(&["--ip", "203.0.113.1", "--helo", "h.example"]),
        json!({"result": "none", "identity": "helo", "domain": "h.example", "lookups": 0,
            "cause": "h.example publishes no SPF record (v=spf1)", "void_lookups": 0})
    );
    // Why nothing could be looked for.
    let found = check(&["--ip", "203.0.113.1", "--helo", "localhost"]);
    assert_eq!(found["result"], "none");
    assert_eq!(found["cause"], "no domain with two or more labels to check");
}

#[test]
fn the_trace_is_the_tree_of_what_was_tried() {
    let zone = directory("trace").join("zone");
    fs::write(&zone, ZONE).unwrap();
    let case = ["--ip", "198.51.100.7", "--helo", "h.example", "--from", "a@example.com"];
    let output = run(&[&["--trace", "--zone", zone.to_str().unwrap()], &case[..]].concat(), b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "\
example.com TXT -> v=spf1 include:_spf.example.com a:mail.example.com -all exp=why.example.com
include:_spf.example.com
  _spf.example.com TXT -> v=spf1 ip4:192.0.2.0/24 ?all
  ip4:192.0.2.0/24: no match
  ?all: match
  _spf.example.com: neutral
include:_spf.example.com: no match
a:mail.example.com
  mail.example.com A -> host.example.com: 198.51.100.7
a:mail.example.com: match
result: pass
pass
  identity      mailfrom
  cause         a:mail.example.com of example.com matched
  domain        example.com
  mechanism     a:mail.example.com
  lookups       2
  void lookups  0
"
    );
}

#[test]
fn a_malformed_case_is_told_and_the_next_one_goes_on() {
    let input = br#"{"ip": "192.0.2.1", "helo": 1}
not json
{"ip": "192.0.2.1", "helo": "a.example", "dns": [{"name": "a.example", "type": "WKS"}]}
{"ip": "192.0.2.1", "helo": "a.example", "dns": [{"name": "a.example", "type": "TXT"}]}
{"ip": "192.0.2.1", "helo": "a.example", "mail_from": "", "dns": [
"#;
    let mut input = input.to_vec();
    input.extend(br#"{"ip": "192.0.2.1", "helo": "a.example", "dns": [{"name": "a.example", "type": "TXT", "records": [["v=spf1 ", "+all"]]}]}"#);
    let lines = json_lines(&[], &input);
    let errors: Vec<_> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(errors, [true, true, true, true, true, false]);
    assert!(lines.iter().take(5).all(|line| line["at"].is_u64()));
    assert_eq!(lines[5]["result"], "pass");
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [&["--helo", "a"][..], &["--ip", "x", "--helo", "a"], &["--zone", "/nowhere"]]
    {
        assert_eq!(run(arguments, b"").status.code(), Some(2), "{arguments:?}");
    }
}

/// A case for each test of a suite: the suite's zone as `dns`.
fn cases(group: &Value) -> Vec<Value> {
    let mut entries = Vec::new();
    for (name, records) in group["zone"].as_object().unwrap() {
        let kinds = ["A", "AAAA", "CNAME", "MX", "PTR", "TXT"];
        let timeout = records.as_array().unwrap().iter().any(|record| record[0] == "TIMEOUT");
        for kind in kinds {
            let records = records.as_array().unwrap().iter().filter(|record| record[0] == kind);
            let records: Vec<_> = records.map(|record| data(kind, &record[1])).collect();
            if !records.is_empty() {
                entries.push(json!({"name": name, "type": kind, "records": records}));
            } else if timeout {
                entries.push(json!({"name": name, "type": kind, "failure": "timeout"}));
            }
        }
    }
    let case = |test: &Value| {
        json!({"ip": test["host"], "helo": test["helo"], "mail_from": test["mailfrom"],
            "dns": entries})
    };
    group["tests"].as_array().unwrap().iter().map(case).collect()
}

fn data(kind: &str, value: &Value) -> Value {
    let octet = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        ' '..='~' => c.to_string(),
        _ => format!("\\{:03}", u32::from(c)),
    };
    let escaped = |text: &Value| text.as_str().unwrap().chars().map(octet).collect::<String>();
    match value {
        Value::Array(strings) if kind == "TXT" => strings.iter().map(escaped).collect(),
        Value::Array(mx) => {
            let host = mx[1].as_str().filter(|host| !host.is_empty()).unwrap_or(".");
            json!(format!("{} {host}", mx[0]))
        }
        value => value.clone(),
    }
}

#[test]
fn every_verdict_of_the_suites_replays_byte_for_byte() {
    let mut groups: Vec<Value> = Vec::new();
    let own = "../crates/spf-result/tests/data/extra.json";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    groups.push(serde_json::from_slice(&fs::read(root.join(own)).unwrap()).unwrap());
    let default = root.join("../target/vectors/openspf.json");
    let path = std::env::var_os("EXIMIA_OPENSPF").map_or(default, PathBuf::from);
    let mut wanted = 30;
    if let Ok(text) = fs::read(&path) {
        groups.extend(serde_json::from_slice::<Vec<Value>>(&text).unwrap());
        wanted += 203;
    } else {
        assert!(std::env::var_os("CI").is_none(), "no {}: run scripts/vectors", path.display());
        println!("SKIPPED: no {}: run scripts/vectors", path.display());
    }
    let cases: Vec<_> = groups.iter().flat_map(cases).map(|case| case.to_string()).collect();
    assert_eq!(cases.len(), wanted);
    let file = directory("replay").join("recorded");
    let arguments = ["--json", "--trace"];
    let recorded = [&arguments[..], &["--record", file.to_str().unwrap()]].concat();
    let first = run(&recorded, cases.join("\n").as_bytes());
    let recorded = fs::read(&file).unwrap();
    assert_eq!(recorded.split(|c| *c == b'\n').count(), wanted + 1);
    let second = run(&arguments, &recorded);
    assert_eq!(first.stdout.split(|c| *c == b'\n').count(), wanted + 1);
    for (first, second) in
        first.stdout.split(|c| *c == b'\n').zip(second.stdout.split(|c| *c == b'\n'))
    {
        assert_eq!(String::from_utf8_lossy(first), String::from_utf8_lossy(second));
    }
}
