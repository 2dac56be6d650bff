//! The arguments of the tools: what is refused, and with which words; `--strict`; the cases in the help.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::{Value, json};

use crate::dmarc_report::folder_with_rows;
use crate::program::{directory, json_lines, output_of, text, tool};

/// The standard error of a run that ends with status 2, without output.
fn refused(name: &str, arguments: &[&str]) -> String {
    let output = output_of(tool(name).args(arguments), b"");
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}: {}{told}", text(&output));
    assert!(output.stdout.is_empty(), "{name} {arguments:?}: {}", text(&output));
    told
}

fn vector(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ocsp-staple/tests/data");
    folder.join(name).to_str().unwrap().to_owned()
}

/// A zone of two domains, one of them with U-labels.
fn zone(name: &str) -> PathBuf {
    let file = directory(name).join("zone");
    let text = "example.com. MX 10 mx_1.example.com.\nmx_1.example.com. A 192.0.2.1\n\
                example.com. TXT \"v=spf1 mx -all\"\n\
                _dmarc.example.com. TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n\
                xn--exmple-cua.com. MX 10 mx_1.example.com.\n\
                xn--exmple-cua.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
                _dmarc.xn--exmple-cua.com. TXT \"v=DMARC1; p=reject; rua=mailto:d@xn--exmple-cua.com\"\n";
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_name_that_is_no_domain_is_refused_with_its_cause() {
    let file = zone("arguments-names");
    let zone = ["--zone", file.to_str().unwrap()];
    for (name, cause) in [
        ("[192.0.2.1]", "an IP address, not a domain"),
        ("192.0.2.1", "an IP address, not a domain"),
        ("exa mple.com", "byte 3 of the domain is not a letter, digit or hyphen"),
        ("example.com:587", "a domain has no port"),
        ("ann@example.com", "a mail address, not a domain"),
        ("a..b", "empty label in the domain, at byte 2"),
        ("", "the domain is missing"),
        ("\u{fc}-.com", "not a valid internationalized domain name (IDNA)"),
    ] {
        for tool in ["spf_check", "dmarc_check", "inspect"] {
            let told = refused(tool, &[&zone[..], &[name]].concat());
            assert!(told.contains(name) && told.contains(cause), "{tool} {name}: {told}");
        }
        // A literal is a next hop of another kind.
        if !cause.starts_with("an IP address") {
            let told = refused("tlsa", &[&["policy"], &zone[..], &[name]].concat());
            assert!(told.contains(cause), "{name}: {told}");
            assert!(told.contains(&format!("next_hop {name:?}: ")), "{name}: {told}");
        }
    }
    for name in ["[192.0.2.1]", "192.0.2.1", "[IPv6:2001:db8::1]"] {
        let output = output_of(tool("tlsa").arg("policy").args(zone).arg(name), b"");
        assert!(text(&output).contains("an address has no TLSA records"), "{}", text(&output));
    }
}

#[test]
fn u_labels_are_read_wherever_a_domain_is() {
    let file = zone("arguments-unicode");
    let zone = ["--zone", file.to_str().unwrap(), "--json"];
    let found = |name: &str, arguments: &[&str]| {
        json_lines(&output_of(tool(name).args(arguments).args(zone), b"")).remove(0)
    };
    let (unicode, ascii) = ("ex\u{e4}mple.com", "xn--exmple-cua.com");
    assert_eq!(found("tlsa", &["policy", unicode])["hosts"][0]["host"], "mx_1.example.com");
    for name in ["spf_check", "dmarc_check"] {
        assert_eq!(found(name, &[unicode])["domain"], ascii);
        assert_eq!(found(name, &["EXAMPLE.com."])["domain"], "example.com");
    }
    assert_eq!(found("inspect", &["--no-connect", unicode])["domain"], ascii);
    let check =
        |arguments: &[&str]| found("spf_check", &[&["--ip", "192.0.2.1"], arguments].concat());
    for from in [format!("ann@{unicode}"), format!("<\u{e4}nn@{unicode}>")] {
        let found = check(&["--from", &from]);
        assert_eq!(
            (&found["result"], &found["domain"]),
            (&json!("pass"), &json!(ascii)),
            "{found}"
        );
    }
    assert_eq!(check(&["--helo", unicode])["result"], "pass");
    let case = json!({"ip": "192.0.2.1", "mail_from": format!("ann@{unicode}")}).to_string();
    let output = output_of(tool("spf_check").args(zone), case.as_bytes());
    assert_eq!(json_lines(&output)[0]["result"], "pass");
    let told = refused("spf_check", &["--ip", "192.0.2.1", "--from", "ann@\u{fc}-.com"]);
    assert!(told.contains("'ann@\u{fc}-.com' for '--from <ADDRESS>': not a valid"), "{told}");
}

#[test]
fn a_wrong_value_is_told_with_its_option_and_the_form() {
    let time = "not a time of RFC 3339 in UTC, as 2026-12-01T00:00:00Z";
    let keys = ["rollover", "--current", "a", "--next", "b"];
    let at = |option: &'static str| [&keys[..], &["--ttl", "60", option, "2026-12-01"]].concat();
    let leaf = vector("certificates/leaf.der");
    for (name, arguments, words) in [
        ("tlsa", at("--start"), ["'2026-12-01' for '--start <TIME>'", time]),
        ("tlsa", at("--used"), ["'2026-12-01' for '--used <TIME>'", time]),
        ("tlsa", [&keys[..], &["--ttl", "0"]].concat(), ["'0' for '--ttl <SECONDS>'", "1.."]),
        (
            "tlsa",
            vec!["make", "--host", "a", "--port", "0", "f"],
            ["'0' for '--port <PORT>'", "1.."],
        ),
        ("tlsa", vec!["policy", "--port", "0", "a.example"], ["'0' for '--port <PORT>'", "1.."]),
        ("tlsa", vec!["make", "--port", "587", "f"], ["--host <HOST>", "required"]),
        (
            "tlsa",
            vec!["check", "--chain", &leaf, "--time", "now"],
            ["'now' for '--time <TIME>'", time],
        ),
        ("tlsa", vec!["check", "--chain", &leaf], ["no TLSA records to compare", "--host"]),
        ("tlsa", vec!["check", "--chain", &leaf, "--validate"], ["no TLSA records", "--record"]),
        ("inspect", vec!["--port", "0", "a.example"], ["'0' for '--port <PORT>'", "1.."]),
        ("send", vec!["--timeout", "0", "a@a.example"], ["'0' for '--timeout <SECONDS>'", "1.."]),
        ("send", vec!["--port", "0", "a@a.example"], ["'0' for '--port <PORT>'", "1.."]),
        (
            "send",
            vec!["--zone", "z", "--security", "insecur", "a@a.example"],
            ["'insecur' for '--security <STATUS>'", "expected secure, insecure or indeterminate"],
        ),
        (
            "send",
            vec!["--route", "a/b", "a@a.example"],
            ["send: --route a/b: ", "the next hop is not"],
        ),
        (
            "dmarc_check",
            vec!["--from", "a@a.example", "--spf", "pass"],
            ["the domain is missing", "expected RESULT:DOMAIN, as pass:example.com"],
        ),
        (
            "dmarc_check",
            vec!["--from", "a@a.example", "--dkim", "pass:"],
            ["the domain is missing", "expected RESULT:DOMAIN:SELECTOR"],
        ),
        (
            "dmarc_check",
            vec!["--from", "a@a.example", "--spf", "pass:a b"],
            ["a b: byte 1 of the domain", "RESULT:DOMAIN"],
        ),
    ] {
        let told = refused(name, &arguments);
        assert!(words.iter().all(|word| told.contains(word)), "{name} {arguments:?}: {told}");
    }
}

/// Files of the command line are arguments; those of a case are not.
#[test]
fn a_file_that_ocsp_cannot_read_is_a_wrong_argument() {
    let (good, leaf) = (vector("responses/good_direct.der"), vector("certificates/leaf.der"));
    let ca = vector("certificates/ca.der");
    let pem = directory("arguments-ocsp").join("key.pem");
    fs::write(&pem, "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n").unwrap();
    let pem = pem.to_str().unwrap();
    let check = |response: &str, cert: &str, issuer: &str, time: &str| {
        refused("ocsp", &["check", response, "--cert", cert, "--issuer", issuer, "--time", time])
    };
    let now = "2026-06-15T12:00:00Z";
    for (told, wanted) in [
        (check("nofile", &leaf, &ca, now), "ocsp: response: nofile: no such file".to_owned()),
        (check(pem, &leaf, &ca, now), format!("ocsp: response: {pem}: no PEM block")),
        (check(&good, "nofile", &ca, now), "ocsp: cert: nofile: no such file".to_owned()),
        (check(&good, &leaf, pem, now), format!("ocsp: issuer: {pem}: no PEM block")),
        (check(&good, &leaf, &good, now), format!("ocsp: issuer: {good}: ")),
        (check(&good, &leaf, &ca, "yesterday"), "error: invalid value 'yesterday' for".to_owned()),
        (refused("ocsp", &["check", "--cert", &leaf]), "error: the following required".to_owned()),
    ] {
        assert!(told.starts_with(&wanted), "{wanted}: {told}");
    }
    let case = json!({"response": "nofile", "cert": leaf, "issuer": ca}).to_string();
    let output = output_of(tool("ocsp").arg("check"), case.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).starts_with("malformed: line 1: response: nofile"), "{}", text(&output));
}

/// The verdict that makes the status 1, and one that does not.
#[test]
fn strict_fails_for_a_verdict_that_is_not_as_it_should_be() {
    let case = |response: &str, leaf: &str| {
        json!({"response": vector(response), "cert": vector(leaf), "issuer": vector("certificates/ca.der"),
            "time": "2026-06-15T12:00:00Z"})
        .to_string()
    };
    let good = case("responses/good_direct.der", "certificates/leaf.der");
    let revoked = case("responses/revoked.der", "certificates/leafrev.der");
    let expired = case("responses/expired.der", "certificates/leaf.der");
    let unusable = json!({"tlsa": [], "chain": []}).to_string();
    let dns =
        |kind: &str, data: &str| json!([{"name": "a.example", "type": kind, "records": [data]}]);
    let host = json!({"next_hop": "a.example", "dns": dns("A", "192.0.2.1")}).to_string();
    let nobody = json!({"next_hop": "a.example", "dns": []}).to_string();
    let rows: [(&str, &[&str], &str, i32); 14] = [
        ("ocsp", &["check"], &good, 0),
        ("ocsp", &["check"], &revoked, 1),
        ("ocsp", &["check"], &expired, 1),
        ("ocsp", &["check"], "{}", 1),
        ("tlsa", &["check"], &unusable, 1),
        ("tlsa", &["policy"], &host, 0),
        ("tlsa", &["policy"], &nobody, 1),
        ("proxy_header", &[], "50524f585920554e4b4e4f574e0d0a", 0),
        ("proxy_header", &[], "4548", 1),
        ("proxy_header", &[], "50524f5859", 1),
        ("proxy_header", &[], "0g", 1),
        ("proxy_header", &["4548"], "", 1),
        ("proxy_header", &["--raw"], "EHLO a", 1),
        ("spf_check", &[], "{}", 1),
    ];
    for (name, arguments, input, status) in rows {
        let run =
            |more: &[&str]| output_of(tool(name).args(arguments).args(more), input.as_bytes());
        assert_eq!(run(&[]).status.code(), Some(0), "{name} {input}");
        let strict = run(&["--strict"]);
        assert_eq!(strict.status.code(), Some(status), "{name} {input}: {}", text(&strict));
    }
}

/// A review fails for a defect, and not for what the owner may choose.
#[test]
fn strict_fails_for_a_defect_of_a_reviewed_domain() {
    let file = zone("arguments-strict");
    let zone = file.to_str().unwrap();
    let records = "_dmarc.reports.example. TXT \"v=DMARC1; rua=mailto:d@reports.example\"\n\
                   _dmarc.test.example. TXT \"v=DMARC1; p=reject; t=y; sp=none; rua=mailto:d@test.example\"\n\
                   _dmarc.off.example. TXT \"v=DMARC1; p=reject; sp=foo; rua=mailto:d@off.example\"\n";
    fs::write(&file, fs::read_to_string(&file).unwrap() + records).unwrap();
    for (name, rows) in [
        ("spf_check", &[("ex\u{e4}mple.com", 0), ("none.example", 1)][..]),
        (
            "dmarc_check",
            &[
                ("ex\u{e4}mple.com", 0),
                ("none.example", 1),
                ("reports.example", 0),
                ("test.example", 0),
                ("off.example", 1),
            ],
        ),
    ] {
        for (domain, status) in rows {
            let output = output_of(tool(name).args(["--strict", "--zone", zone, domain]), b"");
            assert_eq!(output.status.code(), Some(*status), "{name} {domain}: {}", text(&output));
        }
    }
}

#[cfg(feature = "redis")]
#[test]
fn strict_fails_for_a_lookup_that_is_not_made() {
    let run = |more: &[&str]| {
        let common = ["--servers", "127.0.0.1::1/0/", "GET a"];
        output_of(tool("redis_lookup").args(common).args(more), b"").status.code()
    };
    assert_eq!((run(&[]), run(&["--strict"])), (Some(0), Some(1)));
}

#[test]
fn a_blank_line_is_no_case() {
    for (name, arguments, case) in [
        ("spf_check", &[][..], "{\"ip\": \"192.0.2.1\", \"helo\": \"a.example\", \"dns\": []}"),
        ("dmarc_check", &[], "{\"from\": [\"ann@a.example\"], \"dns\": []}"),
        ("tlsa", &["check"], "{\"tlsa\": [], \"chain\": []}"),
        ("expand", &[], "a"),
        ("proxy_header", &[], "50524f585920554e4b4e4f574e0d0a"),
    ] {
        let input = format!("\n{case}\n \t\r\n\n{case}");
        let output = output_of(tool(name).args(arguments).arg("--json"), input.as_bytes());
        assert_eq!(json_lines(&output).len(), 2, "{name}: {}", text(&output));
        let output = output_of(tool(name).args(arguments), b"\n \n");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {told}");
        assert!(told.starts_with(&format!("{name}: no case on standard input")), "{told}");
    }
}

/// The case that a help shows is one.
#[test]
fn the_case_of_a_help_is_judged() {
    for name in ["spf_check", "dmarc_check"] {
        let help = output_of(tool(name).arg("--help"), b"");
        let cases: Vec<_> = text(&help).lines().filter(|line| line.starts_with("  {")).collect();
        assert_eq!(cases.len(), 1, "{}", text(&help));
        let found = json_lines(&output_of(tool(name).arg("--json"), cases[0].as_bytes()));
        assert_eq!(found[0]["result"], "pass", "{found:?}");
    }
}

/// Each tool that asks the DNS can be told whom to ask.
#[test]
fn a_resolver_is_asked() {
    let folder = folder_with_rows("arguments-resolver");
    let (rows, into) = (folder.join("dmarc.sqlite"), folder.join("out"));
    let (rows, into) = (rows.to_str().unwrap(), into.to_str().unwrap());
    for (name, arguments) in [
        ("spf_check", &["a.example"][..]),
        ("spf_check", &["--ip", "192.0.2.1", "--from", "ann@a.example"]),
        ("dmarc_check", &["a.example"]),
        ("dmarc_check", &["--from", "ann@a.example"]),
        ("tlsa", &["policy", "a.example"]),
        ("inspect", &["--no-connect", "a.example"]),
        // It asks whether a destination of another organization takes the reports.
        (
            "dmarc_report",
            &["make", rows, "--submitter", "mx.test", "--day", "2026-11-26", "--into", into],
        ),
    ] {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        let asked = thread::spawn(move || {
            let (mut packet, mut asked) = ([0; 512], 0);
            server.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
            while let Ok((length, client)) = server.recv_from(&mut packet) {
                if length == 1 {
                    break;
                }
                asked +=
                    usize::from(packet[..length].windows(9).any(|part| part == b"\x01a\x07exampl"));
                // Refused: RCODE 5.
                (packet[2], packet[3]) = (packet[2] | 0x80, packet[3] & 0xf0 | 5);
                server.send_to(&packet[..length], client).unwrap();
            }
            asked
        });
        let output = output_of(tool(name).args(arguments).args(["--resolver", &address]), b"");
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", &address).unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(asked.join().unwrap() > 0, "{name} {arguments:?}: {}{told}", text(&output));
        let told = refused(name, &[arguments, &["--resolver", &address, "--zone", "z"]].concat());
        assert!(told.contains("cannot be used with"), "{told}");
    }
}

/// The error of a lookup without a configuration names the option `--config`.
#[test]
fn a_string_that_needs_a_configuration_says_so() {
    for (string, help) in [
        (
            "${lookup sqlite{SELECT 1}}",
            "--config FILE gives the lookups of a gateway's configuration",
        ),
        (
            "${lookup{a}lsearch{/f}}",
            "--config FILE gives lookups in the files of its lookup_directories",
        ),
        ("${run{/bin/true}}", "neither this tool nor a gateway has it"),
    ] {
        let output = output_of(tool("expand").args(["--json", string]), b"");
        let found: Value = json_lines(&output).remove(0);
        assert!(found["failed"].as_str().unwrap().ends_with(help), "{found}");
    }
}

/// An option that needs another one, which something else on the line excludes.
#[test]
fn an_option_that_would_do_nothing_is_refused() {
    let leaf = vector("certificates/leaf.der");
    let file = zone("arguments-nothing");
    let zone = file.to_str().unwrap();
    let record = format!("3 1 1 {}", "ab".repeat(32));
    let check = ["check", "--chain", &leaf, "--host", "a.example"];
    let of_check = |more: &[&'static str]| [&check[..], more].concat();
    for (name, arguments) in [
        ("tlsa", vec!["policy", "--trust-ad", "--trust-anchor", "/nowhere", "a.example"]),
        ("tlsa", vec!["policy", "--zone", zone, "--trust-anchor", "/nowhere", "a.example"]),
        ("tlsa", vec!["policy", "--resolver", "127.0.0.1", "--security", "insecure", "a.example"]),
        ("tlsa", [&check[..], &["--record", &record, "--trust-anchor", "/nowhere"]].concat()),
        ("tlsa", of_check(&["--starttls", "none"])),
        ("inspect", vec!["--trust-ad", "--security", "insecure", "a.example"]),
        ("inspect", vec!["--zone", zone, "--trust-anchor", "/nowhere", "a.example"]),
        ("send", vec!["--validate", "--security", "insecure", "a@a.example"]),
        ("spf_check", vec!["a.example", "--helo", "a.example"]),
        ("spf_check", vec!["a.example", "--from", "a@a.example"]),
        ("dmarc_check", vec!["a.example", "--spf", "pass:a.example"]),
        ("dmarc_check", vec!["a.example", "--dkim", "pass:a.example:s"]),
        ("dmarc_check", vec!["a.example", "--psl"]),
        ("dmarc_check", vec!["a.example", "--authors", "1"]),
        ("expand", vec!["--list", "domainlist a = b", "--place", "rcpt", "x"]),
        ("proxy_header", vec!["write", "--local", "--datagram"]),
        ("proxy_header", vec!["write", "--v1", "--datagram", "192.0.2.1:1", "192.0.2.2:2"]),
    ] {
        let told = refused(name, &arguments);
        assert!(told.contains("cannot be used with"), "{name} {arguments:?}: {told}");
    }
    let told = refused("proxy_header", &["write", "--datagram"]);
    assert!(told.contains("required"), "{told}");
}
