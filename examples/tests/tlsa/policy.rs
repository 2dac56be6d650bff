//! `tlsa policy`: the cases of dane-tlsa by the tool, text, and records of cases.

use std::process::Output;

use serde_json::{Value, json};

use crate::program::{Folder, run};

#[test]
fn a_case_is_answered_in_the_words_of_the_contract() {
    let dns = json!([
        {"name": "example.com", "type": "MX", "records": ["10 mx.example.net."], "security": "secure"},
        {"name": "mx.example.net", "type": "A", "records": ["192.0.2.1"], "security": "secure"},
        {"name": "_25._tcp.mx.example.net", "type": "TLSA", "records": [RECORD], "security": "secure"},
    ]);
    let case =
        json!({"next_hop": "example.com", "kind": "domain", "port": 25, "mode": "try", "dns": dns});
    let [outcome] = &answers(&[case.to_string()], &[])[..] else { panic!("one case") };
    let host = &outcome["hosts"][0];
    assert_eq!(host["host"], "mx.example.net");
    assert_eq!(host["action"], "dane");
    assert_eq!(host["base_domain"], "mx.example.net");
    assert_eq!(host["reference_names"], json!(["mx.example.net", "example.com"]));
    assert_eq!(host["tlsa"], json!([RECORD]));
}

#[test]
fn a_message_without_a_host_has_its_action() {
    let insecure = json!([{"name": "example.com", "type": "MX", "records": ["10 mx.example.net."], "security": "insecure"}]);
    let failing = json!([{"name": "example.com", "type": "MX", "failure": "servfail"}]);
    let cases = [
        json!({"next_hop": "example.com", "mode": "require", "dns": insecure}),
        json!({"next_hop": "example.com", "dns": failing}),
        json!({"next_hop": "example.com", "dns": []}),
        json!({"next_hop": "[192.0.2.1]", "kind": "literal", "dns": []}),
        json!({"next_hop": "192.0.2.1", "kind": "literal", "mode": "require", "dns": []}),
        json!({"next_hop": "[ipv6:2001:db8::1]", "kind": "literal", "dns": []}),
        json!({"next_hop": "not an address", "kind": "literal", "dns": []}),
        json!({"next_hop": "example.com", "kind": "other"}),
        json!({"next_hop": "example.com", "kind": "hosts", "dns": []}),
        json!({"next_hop": "example.com", "hosts": ["mx.example.com"], "dns": []}),
        json!({"next_hop": "example.com", "kind": "hosts", "hosts": ["a..b"], "dns": []}),
        json!({"next_hop": "example.com", "hosts_try_dane": "192.0.2.0/33", "dns": []}),
        json!({"next_hop": "example.com", "port": 0, "dns": []}),
    ];
    let outcomes = answers(&cases.map(|case| case.to_string()), &[]);
    assert_eq!(
        (&outcomes[0]["action"], &outcomes[0]["failure"]),
        (&json!("defer-message"), &json!("dane-required"))
    );
    assert_eq!(
        (&outcomes[1]["action"], &outcomes[1]["failure"]),
        (&json!("defer-message"), &json!("dnssec-invalid"))
    );
    assert_eq!(outcomes[2]["action"], "bounce");
    assert_eq!(outcomes[3]["hosts"][0]["action"], "opportunistic");
    assert_eq!(outcomes[4]["action"], "defer-message");
    assert_eq!(outcomes[5]["hosts"][0]["addresses"], json!(["2001:db8::1"]));
    for outcome in &outcomes[6..] {
        assert!(outcome["error"].is_string() && outcome["at"].is_number(), "{outcome}");
    }
}

/// An alias with addresses that are not secure, asked about by itself: the record of the case decides the
/// same again.
#[test]
fn a_recorded_case_is_decided_the_same() {
    let folder = Folder::new("recorded");
    let file = folder.write("cases", b"");
    let dns = json!([
        {"name": "example.com", "type": "MX", "records": ["10 mx.example.net."], "security": "secure"},
        {"name": "mx.example.net", "type": "CNAME", "records": ["real.example.org."], "security": "secure"},
        {"name": "real.example.org", "type": "A", "records": ["192.0.2.9"], "security": "insecure"},
        {"name": "_25._tcp.mx.example.net", "type": "TLSA", "records": [RECORD], "security": "secure"},
    ]);
    let case = json!({"next_hop": "example.com", "dns": dns}).to_string();
    let first = run(&["policy", "--json", "--record", &file], &case);
    let recorded = std::fs::read_to_string(&file).unwrap();
    let second = run(&["policy", "--json"], &recorded);
    let (first, second) = (text(first), text(second));
    assert!(first.contains("\"dane\""), "{first}");
    assert_eq!(first, second);
}

#[test]
fn text_says_what_and_why() {
    let folder = Folder::new("zone");
    let zone = format!(
        "example.com. MX 10 mx.example.net.\nexample.com. MX 20 plain.example.net.\n\
         mx.example.net. A 192.0.2.1\nplain.example.net. A 192.0.2.2\n\
         _25._tcp.mx.example.net. TLSA {RECORD}\n"
    );
    let zone = &folder.write("zone", zone.as_bytes());
    let secure = text(run(&["policy", "example.com", "--zone", zone], ""));
    assert_eq!(
        secure,
        format!(
            "mx.example.net: dane\n  addresses  192.0.2.1\n  names      mx.example.net example.com\n  \
             record     {RECORD}\nplain.example.net: opportunistic\n  addresses  192.0.2.2\n  \
             reason     the host has no secure TLSA records\n"
        )
    );
    let insecure = ["policy", "example.com", "--zone", zone, "--security", "insecure"];
    let insecure = text(run(&insecure, ""));
    assert!(insecure.contains("reason     the MX records of the next hop are not secure"));
    let required = ["policy", "example.com", "--zone", zone, "--mode", "require", "--trace"];
    let required = text(run(&required, ""));
    assert!(required.contains("plain.example.net: defer-host"), "{}", required);
    assert!(required.contains("report     dane-required"), "{}", required);
    assert!(required.contains("_25._tcp.plain.example.net TLSA -> no such name"), "{}", required);
}

/// The host lists of a configuration, by option and by case.
#[test]
fn host_lists_decide_where_dane_is_tried_or_required() {
    let folder = Folder::new("lists");
    let zone = format!(
        "mx.example.net. A 192.0.2.1\nplain.example.net. A 192.0.2.2\n\
         _25._tcp.mx.example.net. TLSA {RECORD}\n"
    );
    let zone = &folder.write("zone", zone.as_bytes());
    let hosts = ["--kind", "hosts", "--host", "plain.example.net", "--host", "mx.example.net"];
    let actions = |options: &[&str]| {
        let arguments = [&["policy", "example.com", "--json", "--zone", zone], &hosts[..], options];
        let found: Value = serde_json::from_str(&text(run(&arguments.concat(), ""))).unwrap();
        let hosts = found["hosts"].as_array().unwrap().iter();
        hosts.map(|host| host["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(actions(&[]), ["opportunistic", "dane"]);
    assert_eq!(actions(&["--hosts-try-dane", "! mx.example.net : *"]), ["opportunistic"; 2]);
    assert_eq!(actions(&["--hosts-require-dane", "*.example.net"]), ["defer-host", "dane"]);
    let lists = ["--hosts-try-dane", "", "--hosts-require-dane", "192.0.2.1"];
    assert_eq!(actions(&lists), ["opportunistic", "dane"]);
}

const RECORD: &str = "3 1 1 abababababababababababababababababababababababababababababababab";

/// Returns what was written, with status 0.
fn text(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs cases, and returns their outcomes.
pub(crate) fn answers(cases: &[String], arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["policy", "--json"], arguments].concat();
    let written = text(run(&arguments, &(cases.join("\n") + "\n")));
    written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
