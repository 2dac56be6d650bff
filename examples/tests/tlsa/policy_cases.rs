//! The cases of dane-tlsa about next hops, by the tool.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::policy::answers;

/// Each case by the tool as by the library; those about validation in the client itself are the library's.
#[test]
fn the_tool_decides_each_case_of_the_library() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../crates/dane-tlsa/tests/data/resolution-cases.json");
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let rows = file["cases"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.filter(|row| row["resolver"] != "local-validation").collect();
    assert_eq!(rows.len(), 83);
    let cases: Vec<_> = rows.iter().map(|row| case(row).to_string()).collect();
    for (outcome, row) in answers(&cases, &["--trace"]).iter().zip(rows) {
        let expected = &row["expect"];
        let one = [expected.clone()];
        let id = format!("{}: {outcome}", row["id"]);
        match expected["hosts"].as_array() {
            Some(hosts) => check(&id, outcome, hosts),
            None if expected["host"].is_null() => {
                assert_eq!(outcome["action"], expected["action"], "{id}");
            }
            None => check(&id, outcome, &one),
        }
        for forbidden in expected["must_not_query"].as_array().into_iter().flatten() {
            let question = forbidden.as_str().unwrap().replace('/', " ") + " ";
            assert!(!outcome["trace"].to_string().contains(&question), "{id}");
        }
    }
}

fn check(id: &str, outcome: &Value, expected: &[Value]) {
    let hosts = outcome["hosts"].as_array().unwrap();
    for (host, expected) in hosts.iter().zip(expected) {
        assert_eq!(host["host"], expected["host"], "{id}");
        match expected["action"].as_str().unwrap() {
            // The RFC leaves it open; the front page of the library says which.
            "opportunistic-or-skip" => assert_eq!(host["action"], "unreachable-host", "{id}"),
            action => assert_eq!(host["action"], action, "{id}"),
        }
        assert_eq!(host["base_domain"], expected["base_domain"], "{id}");
        if host["action"] == "dane" {
            assert_eq!(host["reference_names"], expected["reference_ids"], "{id}");
            assert_eq!(host["reference_names"][0], expected["sni"], "{id}");
        }
    }
}

/// Writes a case of the library as one of the tool.
fn case(row: &Value) -> Value {
    let kind = match row["nexthop_kind"].as_str().unwrap() {
        "static-mx" => "hosts",
        kind => kind,
    };
    let mode = if row["dane_mode"] == "mandatory" { "require" } else { "try" };
    let mut case = json!({
        "next_hop": row["nexthop"], "kind": kind, "port": row["port"], "mode": mode,
        "insecure_mx": row["insecure_mx"], "dns": entries(row),
    });
    for (field, of_the_library) in [("hosts", "static_mx"), ("mta_sts", "mta_sts")] {
        if let Some(value) = row.get(of_the_library) {
            case[field] = value.clone();
        }
    }
    case
}

/// Writes the answers record set by record set, as a resolver walks them by owner.
fn entries(row: &Value) -> Vec<Value> {
    let mut entries: Vec<Value> = Vec::new();
    for answer in row["dns"].as_array().unwrap() {
        let (asked, kind) = (&answer["q"][0], &answer["q"][1]);
        if let Some(error) = answer["error"].as_str() {
            let failure = match error {
                "bogus" | "refused" | "timeout" => error,
                _ => "servfail",
            };
            entries.push(json!({"name": asked, "type": kind, "failure": failure}));
            continue;
        }
        let mut sets: Map<String, Value> = Map::new();
        let mut name = asked.clone();
        for record in answer["rr"].as_array().unwrap() {
            let key = format!("{} {}", record["owner"], record["type"]);
            let set = sets.entry(key).or_insert_with(|| {
                json!({"name": record["owner"], "type": record["type"], "records": [],
                    "security": record["sec"]})
            });
            set["records"].as_array_mut().unwrap().push(record["data"].clone());
            if record["type"] == "CNAME" && kind != "CNAME" {
                name = record["data"].as_str().unwrap().trim_end_matches('.').into();
            }
        }
        let is_end = |set: &Value| set["type"] == *kind;
        if !sets.values().any(is_end) && (name == *asked || answer["denial"].is_string()) {
            let word = if answer["rcode"] == "NXDOMAIN" { "nxdomain" } else { "nodata" };
            let security = answer["denial"].as_str().unwrap_or("secure");
            let absent = json!({"name": name, "type": kind, "failure": word, "security": security});
            entries.push(absent);
        }
        for (_, set) in sets {
            if !entries.contains(&set) {
                entries.push(set);
            }
        }
    }
    entries
}
