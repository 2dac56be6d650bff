//! The tool `spf_check`: its output, and the replay of every verdict.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, tool};

const ZONE: &str = "\
example.com TXT \"v=spf1 include:_spf.example.com a:mail.example.com -all exp=why.example.com\"
_spf.example.com TXT \"v=spf1 ip4:192.0.2.0/24 ?all\"
mail.example.com CNAME host.example.com
host.example.com A 198.51.100.7
why.example.com TXT \"%{i} is not %{d}'s\"
";

/// The output of the tool.
fn spf_check(arguments: &[&str], input: &[u8]) -> Output {
    output_of(tool("spf_check").args(arguments), input)
}

/// The objects that it writes with `--json`.
fn objects(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    json_lines(&spf_check(&[&["--json"], arguments].concat(), input))
}

#[test]
fn arguments_make_a_case() {
    let zone = directory("spf_check-arguments").join("zone");
    fs::write(&zone, ZONE).unwrap();
    let zone = ["--zone", zone.to_str().unwrap()];
    let check = |more: &[&str]| objects(&[&zone, more].concat(), b"").remove(0);
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
fn a_domain_is_reviewed_with_all_that_it_refers_to() {
    let zone = directory("spf_check-review").join("zone");
    let text = "example.com TXT \"v=spf1 include:_spf.example.com mx +all\"\n\
                _spf.example.com TXT \"v=spf1 ptr redirect=c.example.com\"\n\
                c.example.com TXT \"v=spf1 ?all\"\n";
    fs::write(&zone, text).unwrap();
    let zone = ["--zone", zone.to_str().unwrap(), "example.com"];
    let found = objects(&zone, b"").remove(0);
    let record = |domain: &str, depth: u64, lookups: u64, record: &str| json!({"domain": domain, "depth": depth, "lookups": lookups, "record": record});
    let defect = |domain: &str, term: &str, defect: &str, section: &str| json!({"domain": domain, "term": term, "defect": defect, "section": section});
    let wanted = json!({
        "domain": "example.com", "lookups": 4, "void_lookups": 1,
        "records": [
            record("example.com", 0, 4, "v=spf1 include:_spf.example.com mx +all"),
            record("_spf.example.com", 1, 2, "v=spf1 ptr redirect=c.example.com"),
            record("c.example.com", 2, 0, "v=spf1 ?all"),
        ],
        "defects": [
            defect("_spf.example.com", "ptr", "slow and unreliable, do not publish", "5.5"),
            defect("example.com", "mx", "the domain has no such records", "4.6.4"),
            defect("example.com", "all", "every host passes", "2.6.3"),
        ],
    });
    assert_eq!(found, wanted);
    let output = spf_check(&zone, b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("example.com: 4 of 10 lookups, 1 of 2 void lookups\n"), "{text}");
    assert!(text.contains("\n      c.example.com (0 lookups): v=spf1 ?all\n"), "{text}");
    assert!(
        text.ends_with("  defect: example.com: all: every host passes (RFC 7208 section 2.6.3)\n")
    );
}

/// A record that does not count is there, as it is published, with the place of its fault.
#[test]
fn a_broken_record_is_shown_as_it_is_published() {
    let zone = directory("spf_check-broken").join("zone");
    let text = "broken.example TXT \"v=spf1  +mx   ptrr -all\"\n\
                twice.example TXT \"v=spf1 -all\"\n\
                twice.example TXT \"v=spf1 ?all\"\n\
                meant.example TXT \" v=spf1 -all\"\n\
                odd.example TXT \"v=spf1 a\\027[31m -all\"\n";
    fs::write(&zone, text).unwrap();
    let zone = ["--zone", zone.to_str().unwrap()];
    let all = ["broken.example", "twice.example", "meant.example", "odd.example"];
    let found = objects(&[&zone[..], &all].concat(), b"");
    let records = |at: usize| found[at]["records"].as_array().unwrap().clone();
    assert_eq!(records(0)[0]["record"], "v=spf1  +mx   ptrr -all");
    assert_eq!(records(0)[0]["ignored"], "unknown SPF mechanism, at byte 14");
    assert_eq!(found[0]["defects"][0]["at"], 14);
    assert_eq!(records(1).len(), 2, "{found:?}");
    assert_eq!(records(2)[0]["record"], " v=spf1 -all");
    let told = String::from_utf8(spf_check(&[&zone[..], &all].concat(), b"").stdout).unwrap();
    let shown = "  broken.example (ignored): v=spf1  +mx   ptrr -all\n                                          ^\n";
    assert!(told.contains(shown), "{told}");
    assert!(told.contains("  twice.example (ignored): v=spf1 ?all\n"), "{told}");
    assert!(told.contains("receivers see no SPF record"), "{told}");
    // A reader's terminal obeys no record.
    assert!(told.contains("v=spf1 a\\u{1b}[31m -all\n") && !told.contains('\u{1b}'), "{told}");
    assert!(!told.contains(": no SPF record"), "{told}");
    let check = |more: &[&str]| objects(&[&zone, more].concat(), b"").remove(0);
    let case = |from| check(&["--ip", "192.0.2.1", "--from", from]);
    let found = case("ann@broken.example");
    assert_eq!(found["result"], "permerror");
    assert_eq!(found["published"], json!(["v=spf1  +mx   ptrr -all"]));
    assert_eq!(found["published_at"], 14);
    assert_eq!(case("ann@twice.example")["published"], json!(["v=spf1 -all", "v=spf1 ?all"]));
    let case = ["--ip", "192.0.2.1", "--from", "ann@broken.example"];
    let told = String::from_utf8(spf_check(&[&zone[..], &case].concat(), b"").stdout).unwrap();
    let shown = "  published     v=spf1  +mx   ptrr -all\n                              ^\n";
    assert!(told.contains(shown), "{told}");
}

#[test]
fn a_reverse_path_needs_no_helo_name() {
    let zone = directory("spf_check-helo").join("zone");
    fs::write(&zone, ZONE).unwrap();
    let zone = ["--zone", zone.to_str().unwrap()];
    let check = |more: &[&str]| objects(&[&zone, more].concat(), b"").remove(0);
    assert_eq!(check(&["--ip", "192.0.2.9", "--from", "a@example.com"])["result"], "pass");
    for without in [&["--ip", "192.0.2.9"][..], &["--ip", "192.0.2.9", "--from", ""]] {
        let output = spf_check(without, b"");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{told}");
        let cause = "no HELO name (--helo), and no reverse-path with a domain (--from)\n";
        assert!(told.starts_with("spf_check: ") && told.ends_with(cause), "{told}");
    }
    let case = b"{\"ip\": \"192.0.2.9\"}";
    assert!(objects(&[], case)[0]["error"].as_str().unwrap().starts_with("no HELO name"));
}

#[test]
fn strict_fails_for_a_case_that_cannot_be_read() {
    let zone = directory("spf_check-strict").join("zone");
    fs::write(&zone, ZONE).unwrap();
    let zone = zone.to_str().unwrap();
    let good = b"{\"ip\": \"192.0.2.9\", \"mail_from\": \"a@example.com\"}\n";
    let bad = [&b"{}\n"[..], good].concat();
    for (input, strict, status) in [(&good[..], true, 0), (&bad, false, 0), (&bad, true, 1)] {
        let strict: &[&str] = if strict { &["--strict"] } else { &[] };
        let output = spf_check(&[&["--zone", zone, "--json"], strict].concat(), input);
        assert_eq!(output.status.code(), Some(status));
        // Each case has its line of output.
        let lines = |octets: &[u8]| String::from_utf8_lossy(octets).lines().count();
        assert_eq!(lines(&output.stdout), lines(input));
    }
}

#[test]
fn an_error_names_the_file() {
    let output = spf_check(&["--zone", "/no/such/zone", "example.com"], b"");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("spf_check: /no/such/zone: No such file"), "{told}");
}

#[test]
fn the_trace_is_the_tree_of_what_was_tried() {
    let zone = directory("spf_check-trace").join("zone");
    fs::write(&zone, ZONE).unwrap();
    let case = ["--ip", "198.51.100.7", "--helo", "h.example", "--from", "a@example.com"];
    let output =
        spf_check(&[&["--trace", "--zone", zone.to_str().unwrap()], &case[..]].concat(), b"");
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
    let lines = objects(&[], &input);
    let errors: Vec<_> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(errors, [true, true, true, true, true, false]);
    assert!(lines.iter().take(5).all(|line| line["at"].is_u64()));
    assert_eq!(lines[5]["result"], "pass");
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [&["--helo", "a"][..], &["--ip", "x", "--helo", "a"], &["--zone", "/nowhere"]]
    {
        assert_eq!(spf_check(arguments, b"").status.code(), Some(2), "{arguments:?}");
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
    let file = directory("spf_check-replay").join("recorded");
    let arguments = ["--json", "--trace"];
    let recorded = [&arguments[..], &["--record", file.to_str().unwrap()]].concat();
    let first = spf_check(&recorded, cases.join("\n").as_bytes());
    let recorded = fs::read(&file).unwrap();
    assert_eq!(recorded.split(|c| *c == b'\n').count(), wanted + 1);
    let second = spf_check(&arguments, &recorded);
    assert_eq!(first.stdout.split(|c| *c == b'\n').count(), wanted + 1);
    for (first, second) in
        first.stdout.split(|c| *c == b'\n').zip(second.stdout.split(|c| *c == b'\n'))
    {
        assert_eq!(String::from_utf8_lossy(first), String::from_utf8_lossy(second));
    }
}
