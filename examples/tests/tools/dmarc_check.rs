//! The tool `dmarc_check`: its output, and the replay of every verdict.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, tool};

const ZONE: &str = "\
_dmarc.example.com TXT \"v=DMARC1; p=reject; sp=quarantine\"
news.example.com A 192.0.2.1
";

/// The output of the tool.
fn dmarc_check(arguments: &[&str], input: &[u8]) -> Output {
    output_of(tool("dmarc_check").args(arguments), input)
}

/// The objects that it writes with `--json`.
fn objects(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    json_lines(&dmarc_check(&[&["--json"], arguments].concat(), input))
}

fn file(name: &str, text: &str) -> String {
    let file = directory(&format!("dmarc_check-{name}")).join("file");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn arguments_make_a_case() {
    let zone = file("arguments", ZONE);
    let check = |more: &[&str]| objects(&[&["--zone", &zone], more].concat(), b"").remove(0);
    assert_eq!(
        check(&["--from", "Ann <a@example.com>", "--dkim", "pass:mail.example.com:s1"]),
        json!({"status": "accept", "result": "pass", "author_domain": "example.com",
            "org_domain": "example.com", "policy_domain": "example.com", "policy": "reject",
            "disposition": "none", "spf_aligned": false, "dkim_aligned": true,
            "cause": "dmarc=pass from example.com, policy reject of example.com, spf absent, dkim same organization",
            "records": [published()]})
    );
    assert_eq!(
        check(&["--from", "a@news.example.com", "--spf", "pass:example.com:helo"]),
        json!({"status": "quarantine", "result": "fail", "author_domain": "news.example.com",
            "org_domain": "example.com", "policy_domain": "example.com", "policy": "quarantine",
            "disposition": "quarantine", "spf_aligned": false, "dkim_aligned": false,
            "cause": "dmarc=fail from news.example.com, policy quarantine of example.com, spf absent, dkim absent: quarantine",
            "records": [published()]})
    );
    assert_eq!(
        check(&["--from", "a@example.com", "--spf", "pass:example.com"])["status"],
        "accept"
    );
    // A second field, and several domains.
    assert_eq!(check(&["--from", "a@example.com", "--from", "a@example.com"])["status"], "reject");
    let two = ["--from", "b@other.test, a@example.com"];
    assert_eq!(check(&two)["status"], "reject");
    for (authors, status) in [("2", "reject"), ("1", "nofrom"), ("0", "nofrom")] {
        let found = check(&[&two[..], &["--authors", authors]].concat());
        assert_eq!(found["status"], status, "{authors}: {found}");
    }
}

/// Each of them may ask as many questions as one alone: the last is not forgotten for those before.
#[test]
fn as_many_authors_as_there_may_be_are_all_asked_about() {
    let deep = |number| format!("x@a.b.c.d.e.f.g.n{number}.test");
    let many: Vec<_> = (1..16).map(deep).chain(["x@a.b.c.d.e.f.example.com".into()]).collect();
    let zone = file("authors", ZONE);
    let arguments = ["--zone", &zone, "--trace", "--from", &many.join(", ")];
    let found = objects(&arguments, b"").remove(0);
    assert_eq!(
        (&found["status"], &found["author_domain"]),
        (&json!("quarantine"), &json!("a.b.c.d.e.f.example.com"))
    );
    // A walk of eight names for each of the others, the last of which they share (RFC 9989 section 4.10).
    let asked = found["trace"].as_array().unwrap().len();
    assert!(asked > 15 * 7, "{asked}");
}

/// What is said of the record of the zone.
fn published() -> Value {
    json!({"name": "_dmarc.example.com", "record": "v=DMARC1; p=reject; sp=quarantine",
        "defects": ["no destination for aggregate reports (rua)", "subdomains are less protected than the domain"]})
}

#[test]
fn what_is_wrong_with_a_record_is_said() {
    for (record, defect) in [
        (
            "v=DMARC1; p=reject; rua=mailto:d@example.com; pct=5",
            "byte 46: tag of RFC 7489 without effect in RFC 9989",
        ),
        (
            "v=DMARC1; p=rejct; rua=mailto:d@example.com",
            "byte 10: invalid policy: no policy of the record (p, sp, np) counts",
        ),
        (" v=DMARC1; p=reject", "blank before v=DMARC1: receivers see no DMARC record"),
        ("v=DMARC1,", "no semicolon after v=DMARC1, at byte 8: receivers see no DMARC record"),
        ("v=DMARC1 p=", "no semicolon after v=DMARC1, at byte 8: receivers see no DMARC record"),
        (
            "p=reject; v=DMARC1",
            "v=DMARC1 is not at the start but at byte 10: receivers see no DMARC record",
        ),
        ("v=dmarc1; p=reject", "DMARC1 is not in capitals: receivers see no DMARC record"),
        (
            "\\239\\187\\191v=DMARC1; p=reject",
            "byte order mark before v=DMARC1: receivers see no DMARC record",
        ),
        ("v=DMARC2; p=reject", "DMARC record does not begin with v=DMARC1"),
    ] {
        let zone = file("defects", &format!("_dmarc.example.com TXT \"{record}\"\n"));
        let arguments = ["--zone", &zone, "--from", "a@example.com"];
        let found = objects(&arguments, b"").remove(0);
        let defects = found["records"][0]["defects"].as_array().unwrap();
        assert!(defects.iter().any(|said| said == defect), "{record}: {found}");
        let is_record = record.starts_with("v=DMARC1; ");
        assert_eq!(found["status"] == "norecord", !is_record, "{record}: {found}");
        let text = String::from_utf8(dmarc_check(&arguments, b"").stdout).unwrap();
        assert!(text.contains(&format!("  _dmarc.example.com: {defect}\n")), "{text}");
    }
}

/// RFC 9989 section 4.10: of several records none counts.
#[test]
fn several_records_at_one_name_are_told() {
    let zone = "_dmarc.example.com TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n\
                _dmarc.example.com TXT \"v=DMARC1; p=none; rua=mailto:d@example.com\"\n\
                _dmarc.example.com TXT \"v=spf1 -all\"\n";
    let zone = file("several", zone);
    let found = objects(&["--zone", &zone, "--from", "a@example.com"], b"").remove(0);
    let records = found["records"].as_array().unwrap();
    assert_eq!((&found["status"], records.len()), (&json!("norecord"), 2), "{found}");
    let several = "one of 2 DMARC records at this name: receivers use none";
    for record in records {
        assert_eq!(record["defects"], json!([several]), "{found}");
    }
}

#[test]
fn a_list_of_suffixes_is_asked_where_records_do_not_tell() {
    let zone = file("suffixes", "_dmarc.a.shop.test TXT \"v=DMARC1; p=reject\"\n");
    let list = directory("dmarc_check-list").join("list");
    let text = "// ===BEGIN ICANN DOMAINS===\ntest\nshop.test\n// ===END ICANN DOMAINS===\n";
    fs::write(&list, text).unwrap();
    let list = list.to_str().unwrap();
    let case = ["--zone", &zone, "--from", "x@a.shop.test", "--dkim", "pass:b.a.shop.test:s"];
    let check = |more: &[&str]| objects(&[&case, more].concat(), b"").remove(0);
    for more in [&[][..], &["--tld-file", list], &["--tld-file", list, "--psl"]] {
        assert_eq!(check(more)["result"], "pass", "{more:?}");
    }
    let sister = ["--zone", &zone, "--from", "x@a.shop.test", "--dkim", "pass:b.shop.test:s"];
    let found = objects(&[&sister[..], &["--tld-file", list, "--psl"]].concat(), b"").remove(0);
    assert_eq!(found["result"], "fail");
}

#[test]
fn the_trace_is_all_that_was_asked_and_compared() {
    let zone = file("trace", ZONE);
    let case = ["--from", "a@news.example.com", "--dkim", "pass:mail.example.com:s"];
    let output = dmarc_check(&[&["--trace", "--zone", &zone], &case[..]].concat(), b"");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
_dmarc.news.example.com TXT -> no such name
_dmarc.example.com TXT -> v=DMARC1; p=reject; sp=quarantine
_dmarc.com TXT -> no such name
_dmarc.mail.example.com TXT -> no such name
dkim mail.example.com: same organization
dmarc=pass from news.example.com, policy quarantine of example.com, spf absent, dkim same organization
pass
  status         accept
  author domain  news.example.com
  org domain     example.com
  policy domain  example.com
  policy         quarantine
  disposition    none
  cause          dmarc=pass from news.example.com, policy quarantine of example.com, spf absent, dkim same organization
  spf aligned    no
  dkim aligned   yes
  _dmarc.example.com: no destination for aggregate reports (rua)
  _dmarc.example.com: subdomains are less protected than the domain
"
    );
}

#[test]
fn a_malformed_case_is_told_and_the_next_one_goes_on() {
    let input = br#"{"from": "a@example.com"}
not json
{"from": ["a@example.com"], "spf": {"result": "maybe", "domain": "a.example", "identity": "mfrom"}}
{"from": ["a@example.com"], "spf": {"result": "pass", "domain": "a.example", "identity": "other"}}
{"from": ["a@example.com"], "dkim": [{"result": "pass", "domain": "-"}]}
{"from": ["a@example.com"], "dns": [{"name": "a.example", "type": "WKS"}]}
{"from": ["a@a.example"], "dns": [{"name": "_dmarc.a.example", "type": "TXT", "records": [["v=DMARC1;", " p=none"]]}]}
{"from": ["a@a.example"], "dns": [{"name": "_dmarc.a.example", "type": "TXT", "failure": "timeout"}]}
{"from": [], "dns": []}"#;
    let lines = objects(&[], input);
    let errors: Vec<_> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(errors, [true, true, true, true, true, true, false, false, false]);
    assert!(lines.iter().take(6).all(|line| line["at"].is_u64()));
    let statuses: Vec<_> = lines.iter().skip(6).map(|line| line["status"].as_str()).collect();
    assert_eq!(statuses, [Some("none"), Some("temperror"), Some("nofrom")]);
}

#[test]
fn the_longest_line_is_read_and_no_longer_one() {
    let (before, behind) = ("{\"from\": [\"", "<a@a.example>\"], \"dns\": []}");
    let room = (4 << 20) - before.len() - behind.len();
    let line = |octets: usize| format!("{before}{}{behind}\n", " ".repeat(octets));
    let input = line(room) + &line(room + 1) + &line(room + 2) + &line(0);
    let lines = objects(&[], input.as_bytes());
    let found = lines.iter().map(|line| line["error"].as_str().or(line["status"].as_str()));
    let long = Some("line too long");
    // Of the first the field is longer than an author's may be.
    assert_eq!(found.collect::<Vec<_>>(), [Some("nofrom"), long, long, Some("norecord")]);
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [
        &["--spf", "pass:a.example"][..],
        &["--from", "a@a.example", "--spf", "pass"],
        &["--from", "a@a.example", "--dkim", "maybe:a.example:s"],
        &["--from", "a@a.example", "--psl"],
        &["--zone", "/nowhere"],
        &["--tld-file", "/nowhere"],
    ] {
        assert_eq!(dmarc_check(arguments, b"").status.code(), Some(2), "{arguments:?}");
    }
}

/// The cases of the library's tests, with their zones as `dns`.
fn cases() -> Vec<(Value, Value)> {
    let file = "../crates/dmarc-policy/tests/data/cases.json";
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let case = |case: &Value| {
        let mut entries = Vec::new();
        for (name, records) in case["zone"].as_object().unwrap() {
            for record in records.as_array().unwrap() {
                let (kind, data) = (record[0].as_str().unwrap(), &record[1]);
                match kind {
                    "TIMEOUT" => {
                        for kind in ["A", "TXT"] {
                            let failure = "timeout";
                            entries.push(json!({"name": name, "type": kind, "failure": failure}));
                        }
                    }
                    _ => entries.push(json!({"name": name, "type": kind, "records": [data]})),
                }
            }
        }
        let signature = |dkim: &Value| {
            let domain = dkim["d"].as_str().unwrap().trim_end_matches('.');
            json!({"result": dkim["result"], "domain": domain, "selector": dkim["s"]})
        };
        let dkim: Vec<_> = case["dkim"].as_array().unwrap().iter().map(signature).collect();
        let mut spf = case["spf"].clone();
        spf["domain"] = spf["domain"].as_str().unwrap().trim_end_matches('.').into();
        let input = json!({"from": case["from_fields"], "spf": spf, "dkim": dkim, "dns": entries});
        (input, case["expect"].clone())
    };
    cases.iter().map(case).collect()
}

#[test]
fn every_case_of_the_library_ends_as_there_and_replays_byte_for_byte() {
    let cases = cases();
    assert_eq!(cases.len(), 75);
    let input: Vec<_> = cases.iter().map(|(case, _)| case.to_string()).collect();
    let recorded = directory("dmarc_check-replay").join("recorded");
    // They are of a receiver that does not test several authors.
    let arguments = ["--json", "--trace", "--authors", "0"];
    let record = [&arguments[..], &["--record", recorded.to_str().unwrap()]].concat();
    let first = dmarc_check(&record, input.join("\n").as_bytes());
    let lines: Vec<_> = first.stdout.split(|&c| c == b'\n').filter(|l| !l.is_empty()).collect();
    assert_eq!(lines.len(), 75);
    for (line, (case, expected)) in lines.iter().zip(&cases) {
        let found: Value = serde_json::from_slice(line).unwrap();
        for field in ["result", "policy_domain", "policy", "disposition", "org_domain"] {
            assert_eq!(found[field], expected[field], "{field} of {case}: {found}");
        }
        for field in ["spf_aligned", "dkim_aligned"] {
            assert_eq!(found[field], expected[field], "{field} of {case}: {found}");
        }
    }
    let second = dmarc_check(&arguments, &fs::read(&recorded).unwrap());
    assert_eq!(String::from_utf8_lossy(&first.stdout), String::from_utf8_lossy(&second.stdout));
}

#[test]
fn a_domain_is_reviewed() {
    let text =
        "_dmarc.example.com TXT \"v=DMARC1; p=reject; sp=none; pct=5; rua=mailto:d@example.net\"\n";
    let zone = file("review", text);
    let output = dmarc_check(&["--zone", &zone, "news.example.com", "example.org"], b"");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "news.example.com: policy none of example.com\n  \
         organizational domain example.com\n  \
         _dmarc.news.example.com: no record\n  \
         _dmarc.example.com: v=DMARC1; p=reject; sp=none; pct=5; rua=mailto:d@example.net\n\
         \x20                                                  ^\n  \
         _dmarc.com: no record\n  \
         defect: _dmarc.example.com: byte 29: tag of RFC 7489 without effect in RFC 9989 (RFC 9989 section 4.7)\n  \
         defect: _dmarc.example.com: subdomains are less protected than the domain (RFC 9989 section 4.7)\n  \
         defect: _dmarc.example.com: mailto:d@example.net: the destination does not confirm that it accepts the \
         reports (RFC 9990 section 4)\n\
         example.org: DMARC does not apply\n  \
         organizational domain example.org\n  \
         _dmarc.example.org: no record\n  \
         _dmarc.org: no record\n  \
         defect: example.org: no DMARC record for the domain (RFC 9989 section 4.10.1)\n"
    );
    let objects = objects(&["--zone", &zone, "example.com"], b"");
    assert_eq!(objects[0]["policy"], "reject");
    assert_eq!(
        objects[0]["names"][0]["record"],
        "v=DMARC1; p=reject; sp=none; pct=5; rua=mailto:d@example.net"
    );
    assert_eq!(objects[0]["defects"][2]["section"], "RFC 9990 section 4");
    // Neither a message nor a list of suffixes counts for a review.
    let output = dmarc_check(&["example.com", "--from", "a@example.com"], b"");
    assert_eq!(output.status.code(), Some(2));
}
