//! The tool `tlsa`: records made, compared with what servers send, and replaced.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests may panic")]

mod live;
mod make;
mod policy;
mod policy_cases;
mod program;
mod rollover;

use data_encoding::BASE64;
use program::{Folder, data, run};
use serde_json::{Value, json};

/// The rows of the library's own data as cases, in order.
fn rows() -> Vec<(Value, Value)> {
    let file = data();
    let case = |row: &Value| {
        let tlsa = row["tlsa"].as_array().unwrap().iter().map(|record| {
            let numbers = ["usage", "selector", "mtype"].map(|name| record[name].to_string());
            format!("{} {}", numbers.join(" "), record["data_hex"].as_str().unwrap())
        });
        let chain = row["chain"].as_array().unwrap().iter().map(|name| {
            let pem = file["certs"][name.as_str().unwrap()].as_str().unwrap();
            pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()
        });
        let case = json!({"tlsa": tlsa.collect::<Vec<_>>(), "chain": chain.collect::<Vec<_>>(),
            "names": row["reference_names"], "time": row["time"]});
        (case, row["expect"].clone())
    };
    file["cases"].as_array().unwrap().iter().map(case).collect()
}

#[test]
fn each_case_has_its_verdict() {
    let rows = rows();
    let input: Vec<_> = rows.iter().map(|(case, _)| case.to_string()).collect();
    let output = run(&["check", "--json"], &input.join("\n"));
    assert_eq!(output.status.code(), Some(0));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 30);
    for (line, (case, expected)) in lines.lines().zip(&rows) {
        let found: Value = serde_json::from_str(line).unwrap();
        let tlsa = case["tlsa"].as_array().unwrap();
        let usable = expected["record_usable"].as_array().unwrap();
        if expected["ok"] == true {
            assert_eq!(found["verdict"], "match", "{line}");
            assert_eq!(found["depth"], expected["match_depth"], "{line}");
            let record = usize::try_from(found["record"].as_u64().unwrap()).unwrap();
            assert_eq!(found["tlsa"], tlsa[record]);
        } else {
            let is_usable = usable.iter().any(|usable| usable == true);
            assert_eq!(found["verdict"], if is_usable { "no-match" } else { "unusable" });
            assert_eq!(found["reasons"].as_array().unwrap().len(), tlsa.len());
        }
    }
}

#[test]
fn a_malformed_case_has_its_place_and_the_next_one_goes_on() {
    let digest = "ab".repeat(32);
    let input = [
        "{".to_owned(),
        json!({"tlsa": [format!("3 1 1 {digest}"), "3 1 1 0g"], "chain": []}).to_string(),
        json!({"tlsa": [], "chain": ["?"]}).to_string(),
        json!({"tlsa": [], "chain": [], "names": ["a..b"]}).to_string(),
        json!({"tlsa": [], "chain": [], "time": "yesterday"}).to_string(),
        json!({"tlsa": vec![format!("3 1 1 {digest}"); 101], "chain": []}).to_string(),
        json!({"tlsa": [], "chain": [], "more": 1}).to_string(),
        json!({"tlsa": [format!("3 1 1 {digest}")], "chain": []}).to_string(),
    ];
    let output = run(&["check", "--json"], &input.join("\n"));
    assert_eq!(output.status.code(), Some(0));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let error = |line: u64, text: &str| json!({"error": text, "line": line, "at": 0});
    assert_eq!(lines[0]["at"], 1);
    assert_eq!(lines[1], error(2, "tlsa[1]: not a hexadecimal digit: 'g', at byte 7"));
    assert_eq!(lines[2], error(3, "chain[0]: invalid length at 0"));
    assert_eq!(lines[3], error(4, "names[0]: empty label in the DNS name, at byte 2"));
    assert_eq!(lines[4], error(5, "time: not a time of RFC 3339 in UTC, as 2026-12-01T00:00:00Z"));
    assert_eq!(lines[5], error(6, "tlsa: more than 100 TLSA records"));
    assert!(lines[6]["error"].as_str().unwrap().starts_with("unknown field `more`"));
    assert_eq!(lines[7]["reasons"], json!(["3 1 1: the server sent no certificate"]));
    assert_eq!(lines.len(), 8);
}

#[test]
fn a_chain_is_compared_with_a_zone_file_or_records() {
    let folder = Folder::new("compared");
    let file = data();
    let pem = |name: &str| file["certs"][name].as_str().unwrap().to_owned();
    let row = file["cases"].as_array().unwrap().iter().find(|row| row["id"] == "extra-ta-int");
    let chain: String = row.unwrap()["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| pem(n.as_str().unwrap()))
        .collect();
    let chain = folder.write("chain.pem", chain.as_bytes());
    let record = "2 0 1 8fdfdee6050d780fb0560d6d4373b65a50f39e9d176d691df3b996c47aff9a7b";
    let zone = format!("_25._tcp.mx.example.com. 300 IN TLSA {record}\n");
    let zone = folder.write("zone", zone.as_bytes());
    let at = ["--time", "2026-12-01T00:00:00Z", "--host", "mx.example.com"];
    let text = |arguments: &[&str]| {
        let output = run(&[&["check", "--chain", &chain][..], &at, arguments].concat(), "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let expected = format!("match\n  record    {record}\n  depth     1\n");
    assert_eq!(text(&["--zone", &zone]), (Some(0), expected.clone()));
    assert_eq!(text(&["--record", record]), (Some(0), expected.clone()));
    assert_eq!(text(&["--record", record, "--strict"]), (Some(0), expected));
    let other = format!("3 1 1 {}", "ab".repeat(32));
    let (status, told) = text(&["--record", &other, "--strict"]);
    assert!(status == Some(1) && told.starts_with("no-match\n"), "{told}");
    // Another port has no records.
    let output = run(
        &[&["check", "--chain", &chain, "--zone", &zone, "--port", "587"][..], &at].concat(),
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no TLSA record of _587._tcp.mx.example.com"), "{error}");
}

#[test]
fn digests_of_nothing_are_named() {
    let folder = Folder::new("nothing");
    let file = data();
    let pem = file["certs"].as_object().unwrap().values().next().unwrap().as_str().unwrap();
    let chain = folder.write("chain.pem", pem.as_bytes());
    let empty = "3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let output = run(&["check", "--chain", &chain, "--record", empty], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("no-match\n"), "{text}");
    assert!(text.contains("problem   3 1 1: this is the digest of nothing"), "{text}");
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    for arguments in [
        &["check", "--server", "localhost"][..],
        &["check", "--chain", "c", "--server", "localhost", "--host", "h"],
        &["check", "--starttls", "none", "--chain", "c"],
        &["check", "--chain", "c", "--record", "3 1 1 ab", "--validate"],
        &["policy", "--host", "mx.example.com"],
        &["policy", "example.com", "--host", "mx.example.com"],
        &["policy", "example.com", "--kind", "hosts"],
        &["policy", "example.com", "--hosts-require-dane", "192.0.2.0/33"],
        &["policy", "not..a.name"],
        &["policy", "--trust-anchor", "f", "example.com"],
        &["policy", "--validate", "--trust-ad", "example.com"],
        &["policy", "--validate", "--zone", "z", "example.com"],
        &["make", "--usage", "1", "f"],
        &["make", "--selector", "2", "f"],
        &["make", "--matching", "3", "f"],
        &["rollover", "--current", "a", "--next", "b"],
    ] {
        let output = run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

/// With a case on standard input, which has its own records.
#[test]
fn options_that_would_do_nothing_for_a_case_are_refused_by_name() {
    let (case, _) = rows().remove(0);
    for arguments in [
        &["--record", "3 1 1 ab"][..],
        &["--zone", "z", "--host", "mx.example.com"],
        &["--host", "mx.example.com"],
        &["--name", "mx.example.com"],
        &["--time", "2026-01-01T00:00:00Z"],
        &["--resolver", "127.0.0.1"],
        &["--validate"],
        &["--trust-ad"],
    ] {
        let output = run(&[&["check"], arguments].concat(), &case.to_string());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        let expected = format!("tlsa: {}: no certificates to check: ", arguments[0]);
        assert!(told.starts_with(&expected), "{arguments:?}: {told}");
    }
    assert_eq!(run(&["check"], &case.to_string()).status.code(), Some(0));
}

/// Base64 that is used in cases.
#[test]
fn an_unreadable_certificate_is_part_of_the_chain() {
    let (mut case, _) = rows().remove(0);
    case["chain"].as_array_mut().unwrap().push(BASE64.encode(b"\x30\x82").into());
    let output = run(&["check", "--json"], &case.to_string());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["verdict"], "match");
}
