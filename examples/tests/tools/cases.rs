//! Cases on standard input: those that cannot be read, and an input without any.

use std::path::Path;

use serde_json::json;

use crate::program::{json_lines, output_of, text, tool};

/// The tools that read cases, with a case that can be read.
const TOOLS: [(&str, &[&str], &str); 6] = [
    ("spf_check", &[], "{\"ip\": \"192.0.2.1\", \"helo\": \"a.example\", \"dns\": []}"),
    ("dmarc_check", &[], "{\"from\": [\"ann@a.example\"], \"dns\": []}"),
    ("tlsa", &["check"], "{\"tlsa\": [], \"chain\": []}"),
    ("tlsa", &["policy"], "{\"next_hop\": \"a.example\", \"dns\": []}"),
    ("ocsp", &["check"], ""),
    ("proxy_header", &[], "50524f585920554e4b4e4f574e0d0a"),
];

#[test]
fn an_unreadable_case_is_told_with_its_line() {
    for (name, arguments, case) in TOOLS {
        // A response needs certificates, which are files.
        let certificates = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../crates/ocsp-staple/tests/data/certificates");
        let file = |name: &str| certificates.join(name);
        let ocsp = json!({"response": "AA==", "cert": file("leaf.der"), "issuer": file("ca.der")});
        let case = if case.is_empty() { ocsp.to_string() } else { case.to_owned() };
        let input = format!("{case}\n{case}\nno case\n{case}");
        let run =
            |json: &[&str]| output_of(tool(name).args(arguments).args(json), input.as_bytes());
        let lines = json_lines(&run(&["--json"]));
        let line = |at: usize| lines[at].get("line").cloned();
        assert_eq!(lines.len(), 4, "{name}: {lines:?}");
        assert_eq!(line(2), Some(json!(3)), "{name}: {lines:?}");
        assert_eq!((line(0), line(1)), (line(3), None), "{name}: {lines:?}");
        // Not the line within the line.
        assert!(!lines[2]["error"].as_str().unwrap().contains("line"), "{name}: {lines:?}");
        let told = run(&[]);
        assert!(text(&told).contains("malformed") && text(&told).contains("line 3"), "{name}");
    }
}

/// The value of a field can be wrong, too.
#[test]
fn a_wrong_value_is_told_with_its_line() {
    let input = "{}\n{\"tlsa\": [\"3 1 1 0g\"], \"chain\": []}\n";
    let lines = json_lines(&output_of(tool("tlsa").args(["check", "--json"]), input.as_bytes()));
    assert_eq!((&lines[0]["line"], &lines[1]["line"]), (&json!(1), &json!(2)), "{lines:?}");
    assert!(lines[1]["error"].as_str().unwrap().starts_with("tlsa[0]: "), "{lines:?}");
}

#[test]
fn an_input_without_a_case_is_an_error() {
    let others = [
        ("expand", &[][..]),
        ("proxy_header", &["--raw"]),
        #[cfg(feature = "reports")]
        ("dmarc_report", &[]),
        #[cfg(feature = "redis")]
        ("redis_lookup", &["--servers", "127.0.0.1::1/0/"]),
    ];
    for (name, arguments) in
        TOOLS.iter().map(|(name, arguments, _)| (*name, *arguments)).chain(others)
    {
        let output = output_of(tool(name).args(arguments), b"");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}: {told}");
        let wanted = format!("{name}: no case on standard input: expected a ");
        assert!(told.starts_with(&wanted), "{arguments:?}: {told}");
    }
}

/// Options of one case do not apply to those of standard input.
#[test]
fn options_without_certificates_are_refused() {
    for option in [
        &["--host", "mx.a.example"][..],
        &["--name", "a.example"],
        &["--time", "2026-12-01T00:00:00Z"],
        &["--record", "3 1 1 ab"],
        &["--resolver", "127.0.0.1"],
    ] {
        for input in ["", "{\"tlsa\": [], \"chain\": []}\n"] {
            let output = output_of(tool("tlsa").arg("check").args(option), input.as_bytes());
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{option:?}: {told}");
            let wanted = format!("tlsa: {}: no certificates to check: give them with", option[0]);
            assert!(told.starts_with(&wanted), "{told}");
        }
    }
}
