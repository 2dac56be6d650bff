//! The tool `dmarc_report`: what comes out for what goes in.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dmarc-policy/tests/data");

fn data(name: &str) -> String {
    format!("{DATA}/{name}")
}

/// The program, which Cargo builds beside the tests.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let mut program = Command::new(path.join("examples/dmarc_report"));
    program.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let feeder = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feeder.join(); // It may end before it has read all.
    output
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn json_lines(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let output = run(&[&["--json"], arguments].concat(), input);
    assert_eq!(output.status.code(), Some(0));
    text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_table_for_people() {
    let output = run(&[], &fs::read(data("feedback-google.xml.gz")).unwrap());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output),
        "example.com by google.example, 2026-11-21T00:00:00Z to 2026-11-21T23:59:59Z\n  \
         policy p=quarantine; sp=quarantine; np=quarantine; adkim=r; aspf=r; pct=50\n  \
         2 of 3 messages passed\n  \
         source              count dkim spf  disposition from\n  \
         198.51.100.7            2 pass fail none        example.com\n  \
         2001:db8:4860::1        1 fail fail none        example.com, sampled_out\n"
    );
}

#[test]
fn one_object_for_each_report() {
    let (gmx, sloppy) = (data("feedback-gmx.xml"), data("feedback-sloppy.xml"));
    let schema = data("dmarc-xml-0.2.xsd");
    let found = json_lines(&[&gmx, &schema, &sloppy], b"");
    assert_eq!(found.len(), 3);
    assert_eq!(
        found.first(),
        Some(&json!({
            "file": gmx, "domain": "example.com", "org_name": "GMX Example",
            "email": "noreply-dmarc@gmx.example", "report_id": "d0c0ffee",
            "begin": "2026-11-21T00:00:00Z", "end": "2026-11-22T00:00:00Z",
            "policy": {"p": "none", "sp": "none", "adkim": "r", "aspf": "s", "pct": 100},
            "messages": 3, "passed": 3, "oddities": [],
            "rows": [{
                "source": "198.51.100.200", "count": 3, "disposition": "none", "dkim": true,
                "spf": true, "header_from": "example.com",
                "signatures": [{"domain": "example.com", "selector": "k", "result": "pass"}],
                "spf_result": {"domain": "example.com", "scope": "mfrom", "result": "pass"},
            }],
        }))
    );
    let failed = json!({
        "file": schema, "error": "not the element feedback at byte 22", "at": 22,
    });
    assert_eq!(found.get(1), Some(&failed));
    let oddities = found.get(2).unwrap()["oddities"].as_array().unwrap();
    assert_eq!(oddities.len(), 16);
    assert_eq!(oddities.first().unwrap()["what"], "no policy_evaluated");
}

#[test]
fn a_page_that_needs_nothing_but_itself_and_in_which_nothing_runs() {
    let hostile = fs::read_to_string(data("feedback-google.xml")).unwrap();
    let script = "&lt;script&gt;alert(\"1\")&lt;/script&gt;&lt;img src='x'&gt;";
    let hostile = hostile.replace("google.example", script).replace("example.com", script);
    let output = run(&["--html"], hostile.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let page = text(&output);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("<svg ") && page.contains("2 passed, 0 failed"));
    assert!(
        page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&lt;img src=&#39;x&#39;")
    );
    for absent in ["<script", "<img", "http://", "https://", "url(", "<link"] {
        assert!(!page.contains(absent), "{absent}");
    }
    let failed = run(&["--html"], b"<p>&amp;");
    assert!(text(&failed).contains("<p class=\"note\">not the element feedback at byte 0</p>"));
}

#[test]
fn a_page_is_well_formed() {
    let Ok(lint) = Command::new("xmllint").arg("--version").output() else {
        println!("SKIPPED: there is no xmllint (Debian: libxml2-utils)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no xmllint");
        return;
    };
    assert!(lint.status.success());
    let google = data("feedback-google.xml");
    let page = run(&["--html", &google, &data("feedback-rfc9990.xml")], b"");
    let body = text(&page).split_once("<body>").unwrap().1;
    let body = format!("<body>{}", body.replace("</html>", ""));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dmarc_report.xml");
    fs::write(&file, body).unwrap();
    let output = Command::new("xmllint").arg("--noout").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_limits_are_the_users_to_set() {
    let google = data("feedback-google.xml");
    let found = json_lines(&["--max-records", "2", &google], b"");
    assert_eq!(found.first().unwrap()["messages"], 3);
    let found = json_lines(&["--max-records", "1", &google], b"");
    assert!(found.first().unwrap()["error"].as_str().unwrap().starts_with("more than 1 records"));
    let octets = fs::metadata(&google).unwrap().len();
    let found = json_lines(&["--max-xml", &octets.to_string(), &google], b"");
    assert_eq!(found.first().unwrap()["messages"], 3);
    let found = json_lines(&["--max-xml", &(octets - 1).to_string(), &google], b"");
    let expected = format!("more than {} octets", octets - 1);
    assert_eq!(found.first().unwrap()["error"], expected);
}

#[test]
fn wrong_usage_is_told() {
    for arguments in [&["--json", "--html"][..], &["--no-such"], &["/no/such/file"]] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}
