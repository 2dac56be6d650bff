//! The tool `ocsp`: checks of responses. `peers/ocsp_tool.rs` has it fetch them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::program::{output_of, tool};

/// The output of the tool.
fn ocsp(arguments: &[&str], input: &str) -> Output {
    output_of(tool("ocsp").args(arguments), input.as_bytes())
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ocsp-staple/tests/data")
}

fn case(response: &str, leaf: &str, time: &str) -> String {
    let file = |name: &str| vectors().join(name).to_str().unwrap().to_owned();
    json!({"response": file(response), "cert": file(leaf),
        "issuer": file("certificates/ca.der"), "time": time})
    .to_string()
}

#[test]
fn each_case_has_its_status() {
    let base64 =
        |name: &str| data_encoding::BASE64.encode(&fs::read(vectors().join(name)).unwrap());
    let at = "2026-06-15T12:00:00Z";
    let leaf = "certificates/leaf.der";
    let mut in_base64: Value =
        serde_json::from_str(&case("responses/good_direct.der", leaf, at)).unwrap();
    in_base64["response"] = base64("responses/good_direct.der").into();
    in_base64["cert"] = base64(leaf).into();
    let input = [
        case("responses/ds_short.der", leaf, at),
        case("responses/revoked.der", "certificates/leafrev.der", at),
        case("responses/expired.der", leaf, at),
        "{".to_owned(),
        case("responses/good_direct.der", leaf, "yesterday"),
        in_base64.to_string(),
        case("responses/unknown.der", "certificates/leafnoaia.der", at),
    ]
    .join("\n");
    let output = ocsp(&["check", "--json"], &input);
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], json!({"status": "good", "until": "2026-06-16T12:00:00Z"}));
    assert_eq!(
        lines[1],
        json!({"status": "revoked", "reason": "keyCompromise", "revoked": "2026-06-01T00:00:00Z",
            "until": "2026-06-21T12:00:00Z"})
    );
    assert_eq!(
        lines[2],
        json!({"status": "invalid", "cause": "the OCSP response ended at 2026-06-08T12:00:00Z"})
    );
    assert_eq!(lines[3]["at"], 1);
    assert_eq!(
        lines[4],
        json!({"error": "time: not a time of RFC 3339 in UTC, as 2026-12-01T00:00:00Z", "line": 5, "at": 0})
    );
    assert_eq!(lines[5], json!({"status": "good", "until": "2026-06-21T12:00:00Z"}));
    assert_eq!(lines[6]["status"], "unknown");
    assert_eq!(lines.len(), 7);
}

#[test]
fn a_response_is_shown() {
    let file = vectors().join("responses/good_delegated.der");
    let output = ocsp(&["show", file.to_str().unwrap()], "");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "signer       \"O=OCSP vectors, CN=OCSP signer\"",
        "certificate  1001",
        "status       good",
        "next update  2026-06-21T12:00:00Z",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
