//! Plans for the replacement of a key.

use rcgen::KeyPair;
use serde_json::Value;

use crate::program::{Folder, run};

#[test]
fn both_records_are_published_for_two_times_to_live() {
    let folder = Folder::new("rollover");
    let [old, new] = ["old.pem", "new.pem"]
        .map(|name| folder.write(name, KeyPair::generate().unwrap().public_key_pem().as_bytes()));
    let record = |file: &str| {
        let output = run(&["make", file], "");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (current, next) = (record(&old), record(&new));
    let arguments = ["rollover", "--current", &old, "--next", &new, "--ttl", "3600"];
    let start = ["--start", "2026-12-01T00:00:00Z", "--host", "mx.example.com"];
    let output = run(&[&arguments[..], &start].concat(), "");
    let line = |record: &str| format!("  _25._tcp.mx.example.com. IN TLSA {record}\n");
    let (old_line, new_line) = (line(&current), line(&next));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!(
            "2026-12-01T00:00:00Z: publish the records of both keys\n{old_line}{new_line}\
             2026-12-01T02:00:00Z: use the next key\n\
             2026-12-01T03:00:00Z: publish the records of the next key only\n{new_line}"
        )
    );
    // A certificate that will be used then wants its record now.
    let used = ["--used", "2026-12-01T02:10:00Z", "--spread", "600", "--json"];
    let output = run(&[&arguments[..], &used].concat(), "");
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["steps"][0]["at"], "2026-12-01T00:00:00Z");
    assert_eq!(plan["steps"][1]["action"], "use-next");
    assert_eq!(plan["steps"][2]["records"], serde_json::json!([next]));
    // A plan that begins in the past warns, and says from when on the key may be used.
    let error = |used: &[&str]| {
        let output = run(&[&arguments[..], used].concat(), "");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    let late = error(&["--used", "2020-01-01T02:00:00Z"]);
    let expected =
        "tlsa: 2020-01-01T00:00:00Z is past: unless the records of both keys are published";
    assert!(late.starts_with(expected), "{late}");
    assert_eq!(error(&["--start", "2020-01-01T00:00:00Z"]), late);
    assert_eq!(error(&["--used", "2200-01-01T00:00:00Z"]), "");
    assert_eq!(error(&[]), "");
    // The same key needs nothing.
    let output = run(&["rollover", "--current", &old, "--next", &old, "--ttl", "60"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "the record stays the same: nothing is to be published\n");
}
