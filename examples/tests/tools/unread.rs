//! Files that tools cannot read, or cannot understand.

use std::fs;

use serde_json::{Value, json};

use crate::program::{directory, json_lines, output_of, text, tool};

/// The standard error of a tool, which must end with the status of an error.
fn told(name: &str, arguments: &[&str]) -> String {
    let output = output_of(tool(name).args(arguments), b"");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}: {told}");
    told
}

#[test]
fn an_error_names_the_file() {
    let folder = directory("unread");
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (zone, pem) = (
        file("zone", "a.example IN TXT \"x\n"),
        file("a.pem", "-----BEGIN X-----\nAAAA\n-----END X-----\n"),
    );
    let servers = file("resolv.conf", "nameserver dns.example\n");
    let (der, absent) = (file("a.der", "x"), "/no/such/file");
    for (name, arguments, fault) in [
        ("dmarc_check", &["--zone", &zone][..], format!("{zone}: invalid master file, line 1: ")),
        ("ocsp", &["show", absent], format!("{absent}: no such file, and no base64")),
        ("ocsp", &["show", &pem], format!("{pem}: no PEM block \"OCSP RESPONSE\"")),
        ("ocsp", &["fetch", "--cert", absent, "out"], format!("{absent}: No such file")),
        ("ocsp", &["fetch", "--cert", &der, "out"], format!("{der}: ")),
        (
            "ocsp",
            &["serve-check", "127.0.0.1", "--port", "1", "--ca", &pem],
            format!("{pem}: no PEM block \"CERTIFICATE\""),
        ),
        ("spf_check", &["--zone", &zone, "a.example"], format!("{zone}: invalid master file")),
        // No file is named where the configuration is none.
        (
            "gateway",
            &["--resolv-conf", &servers, "--check"],
            format!("dns_resolver: no name server address in {servers}: line 1 has "),
        ),
        ("tlsa", &["make", absent], format!("{absent}: No such file")),
        ("tlsa", &["make", &pem], format!("{pem}: no PEM block")),
        ("tlsa", &["policy", "--zone", &zone, "a.example"], format!("{zone}: invalid master file")),
        (
            "tlsa",
            &["check", "--zone", &zone, "--host", "a.example", "--chain", &der],
            format!("{zone}: invalid master file, line 1: unbalanced quote"),
        ),
        (
            "tlsa",
            &["rollover", "--current", &der, "--next", absent, "--ttl", "60"],
            format!("{der}: "),
        ),
    ] {
        let told = told(name, arguments);
        assert!(told.starts_with(&format!("{name}: {fault}")), "{arguments:?}: {told}");
    }
    #[cfg(feature = "redis")]
    {
        let servers = format!("<; rediss://127.0.0.1:1/0?ca={absent}");
        let told = told("redis_lookup", &["--servers", &servers, "GET a"]);
        assert!(told.contains(absent), "{told}");
    }
}

/// Of a case, which has a line of output each.
#[test]
fn an_error_in_a_case_names_its_field_and_the_file() {
    let file = directory("unread-case").join("a.der");
    fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    let error = |case: &Value| {
        let output = output_of(tool("ocsp").args(["check", "--json"]), case.to_string().as_bytes());
        let found = json_lines(&output).remove(0);
        found["error"].as_str().unwrap_or_else(|| panic!("{}", text(&output))).to_owned()
    };
    let case = json!({"response": "AA==", "cert": file, "issuer": "AA=="});
    assert!(error(&case).starts_with(&format!("cert: {file}: ")), "{}", error(&case));
    // Certificates in base64 have no file.
    let case = json!({"response": "AA==", "cert": "AA==", "issuer": file});
    assert!(error(&case).starts_with("cert: ") && !error(&case).contains(file), "{}", error(&case));
}
