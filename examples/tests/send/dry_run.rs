//! The plan, which sends nothing.

use serde_json::Value;

use super::program::{BOUNCE, send, send_message};

const ZONE: &str = "
example.test. MX 10 a.example.test.
example.test. MX 20 b.example.test.
a.example.test. A 192.0.2.1
b.example.test. A 192.0.2.2
_25._tcp.a.example.test. TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
";

#[test]
fn it_shows_each_host_with_its_policy_and_the_questions() {
    let sent = send(ZONE, "", &["--dry-run", "ann@example.test", "bob@example.test"]);
    assert_eq!(sent.status, 0, "{}", sent.told);
    let expected = "domain example.test:\na.example.test: dane\n  addresses  192.0.2.1\n  \
                    names      a.example.test example.test\n";
    assert!(sent.out.starts_with(expected), "{}", sent.out);
    assert!(sent.out.contains("b.example.test: DANE is not used\n"), "{}", sent.out);
    assert!(!sent.out.contains("TLSA 3 1 1"), "{}", sent.out);
    let traced = send(ZONE, "", &["--dry-run", "--trace", "ann@example.test"]);
    assert!(traced.out.contains("_25._tcp.a.example.test TLSA"), "{}", traced.out);

    let sent = send(ZONE, "", &["--dry-run", "--json", "ann@example.test", "x@nowhere.test"]);
    let [plan, nowhere] = sent.outcomes().try_into().unwrap();
    assert_eq!(plan["hosts"][0]["action"], "dane");
    assert_eq!(plan["hosts"][1]["action"], "opportunistic");
    assert_eq!(nowhere["reason"], "the domain does not exist");
    assert_eq!((&nowhere["result"], &plan["result"]), (&"failed".into(), &Value::Null));
    assert_eq!(sent.status, 69);
    assert_eq!(nowhere["hosts"].as_array().unwrap().len(), 0);
}

#[test]
fn options_change_the_plan() {
    for (options, word) in [
        ("hosts_try_dane = \"\"", "a.example.test: DANE is not used"),
        ("dnssec_request_domains = \"\"", "a.example.test: DANE is not used"),
        ("hosts_require_dane = \"b.example.test\"", "b.example.test: defer-host"),
        (
            "hosts_try_dane = \"${if eq{$domain}{example.test}{}{*}}\"",
            "a.example.test: DANE is not used",
        ),
        ("hosts_try_dane = \"${if eq{$host}{a.example.test}{*}{}}\"", "a.example.test: dane"),
    ] {
        let sent = send(ZONE, options, &["--dry-run", "ann@example.test"]);
        assert!(sent.out.contains(word), "{options}: {}{}", sent.out, sent.told);
    }
    let insecure = ["--dry-run", "--security", "insecure", "ann@example.test"];
    let sent = send(ZONE, "dnssec_require_domains = \"*\"", &insecure);
    assert!(sent.out.contains("which dnssec_require_domains demands"), "{}", sent.out);
}

#[test]
fn wrong_usage_ends_with_2_and_the_cause() {
    for (options, arguments, cause) in [
        ("hosts_try_dane = \"${x\"", &["a@b.test"][..], "line 4: remote_smtp.hosts_try_dane: "),
        ("no_such_option = 1", &["a@b.test"], "no_such_option"),
        ("", &["--route", "a/b", "a@b.test"], "the next hop is not the name of a host"),
        ("", &["no-address"], "invalid value 'no-address'"),
        ("tls_verify_certificates = \"/nonexistent\"", &["a@b.test"], "cannot read /nonexistent"),
    ] {
        let sent = send("a.test. A 192.0.2.1\n", options, arguments);
        assert_eq!(sent.status, 2, "{options} {arguments:?}: {}", sent.out);
        assert!(sent.told.contains(cause), "{options} {arguments:?}: {}", sent.told);
    }
}

/// The connection to each host, as a sentence, by the options.
#[test]
fn it_shows_how_the_connection_to_each_host_is_secured() {
    let plain = "TLS: if-offered, verification: pkix-if-possible, OCSP: requested, in clear after a failed handshake";
    let dane = "TLS: required, verification: dane, OCSP: no";
    for (options, first, second) in [
        ("", dane, plain),
        (
            "hosts_require_tls = '*'\ntls_verify_hosts = '*'",
            dane,
            "TLS: required, verification: pkix, OCSP: requested",
        ),
        (
            "hosts_require_tls = '*'\ntls_verify_hosts = '*'\ntls_verify_cert_hostnames = ''",
            dane,
            "TLS: required, verification: pkix-any-name, OCSP: requested",
        ),
        (
            "hosts_require_ocsp = 'b.example.test'",
            dane,
            "TLS: required, verification: pkix-if-possible, OCSP: required",
        ),
        ("hosts_avoid_tls = '*'", dane, "TLS: no, verification: no, OCSP: no"),
        (
            "tls_try_verify_hosts = ':'\nhosts_request_ocsp = ''\ntls_tempfail_tryclear = false",
            dane,
            "TLS: if-offered, verification: no, OCSP: no",
        ),
        ("hosts_try_dane = ''", plain, plain),
        (
            "hosts_require_tls = '${if eq{$host_address}{192.0.2.2}{*}{}}'",
            dane,
            "TLS: required, verification: pkix-if-possible, OCSP: requested",
        ),
    ] {
        let sent = send(ZONE, options, &["--dry-run", "ann@example.test"]);
        for (address, expected) in [("192.0.2.1:25", first), ("192.0.2.2:25", second)] {
            let line = format!("  connection {address}: {expected}\n");
            assert!(sent.out.contains(&line), "{options}: {}{}", sent.out, sent.told);
        }
    }
    let sent = send(ZONE, "hosts_avoid_tls = '*'", &["--dry-run", "--json", "ann@example.test"]);
    let connection = &sent.outcome()["hosts"][1]["connections"][0];
    assert_eq!(connection["address"], "192.0.2.2:25");
    assert_eq!(connection["tls"], "no");
    // Without authorities nobody can be verified.
    let options = "hosts_try_dane = ':'\ntls_verify_hosts = '*'\ntls_verify_certificates = ''";
    let sent = send(ZONE, options, &["--dry-run", "ann@example.test"]);
    assert!(sent.told.contains("tls_verify_certificates is empty"), "{}{}", sent.out, sent.told);
}

#[test]
fn it_shows_dane_that_is_reported_only() {
    let options = "hosts_report_dane = '*'\nhosts_try_dane = ''";
    let sent = send(ZONE, options, &["--dry-run", "--json", "ann@example.test"]);
    let hosts = sent.outcome();
    assert_eq!(hosts["hosts"][0]["action"], "opportunistic");
    assert_eq!(hosts["hosts"][0]["reported"]["action"], "dane");
    let sent = send(ZONE, options, &["--dry-run", "ann@example.test"]);
    assert!(
        sent.out.contains("(hosts_report_dane), DANE says of\na.example.test: dane\n"),
        "{}",
        sent.out
    );
}

/// The message, and whether DANE counts.
#[test]
fn a_message_on_standard_input_may_waive_tls() {
    let arguments = ["--dry-run", "ann@example.test"];
    for (message, word) in [
        ("TLS-Required: No\n\nbody\n", "a.example.test: DANE is not used\n"),
        ("Subject: x\n\nTLS-Required: No\n", "a.example.test: dane\n"),
        ("", "a.example.test: dane\n"),
    ] {
        let sent = send_message(ZONE, "", &arguments, message);
        assert!(sent.out.contains(word), "{message}: {}", sent.out);
    }
}

/// Not the option that the message overrides, nor a word that contradicts the connection.
#[test]
fn the_reason_why_dane_is_not_used_is_that_of_the_message_or_the_options() {
    let arguments = ["--dry-run", "ann@example.test"];
    let waived =
        "the header field TLS-Required: No of the message waives DANE (RFC 8689 section 4.1)";
    let not_tried = "the host is not in hosts_try_dane";
    for (options, message, reason, other) in [
        ("", "TLS-Required: No\n\nbody\n", waived, not_tried),
        ("hosts_try_dane = ''", "Subject: x\n\nbody\n", not_tried, waived),
    ] {
        let sent = send_message(ZONE, options, &arguments, message);
        let line = format!(
            "a.example.test: DANE is not used\n  addresses  192.0.2.1\n  reason     {reason}\n"
        );
        assert!(sent.out.contains(&line) && !sent.out.contains(other), "{}", sent.out);
        let sent = send_message(ZONE, options, &[&arguments[..], &["--json"]].concat(), message);
        assert_eq!(sent.outcome()["hosts"][0]["reason"], reason);
    }
    let options = "hosts_require_tls = '*'\ntls_verify_hosts = '*'";
    let sent = send(ZONE, options, &arguments);
    assert!(sent.out.contains("TLS: required, verification: pkix"), "{}", sent.out);
    assert!(!sent.out.contains("opportunistic"), "{}", sent.out);
}

#[test]
fn a_recipient_may_have_u_labels() {
    let zone = "xn--exmple-cua.test. MX 10 a.example.test.\na.example.test. A 192.0.2.1\n";
    let sent = send(zone, "", &["--dry-run", "--json", "ann@ex\u{e4}mple.test"]);
    assert_eq!(sent.outcome()["hosts"][0]["host"], "a.example.test", "{}", sent.told);
    let sent = send(zone, "", &["--dry-run", "ann@\u{fc}-.test"]);
    let cause = "'ann@\u{fc}-.test' for '<RECIPIENT>...'";
    assert!(sent.status == 2 && sent.told.contains(cause), "{}", sent.told);
}

/// A bounce is sent without REQUIRETLS too: nobody is to rely on it.
#[test]
fn require_tls_without_a_sender_is_warned_of() {
    let arguments = ["--dry-run", "--require-tls", "ann@example.test"];
    for (first, is_warned) in [(&[BOUNCE][..], true), (&[], false)] {
        let sent = send(ZONE, "", &[first, &arguments].concat());
        let warning = "send: --require-tls without --from: the message is a bounce";
        assert_eq!(sent.told.starts_with(warning), is_warned, "{}", sent.told);
        assert_eq!(sent.status, 0, "{}", sent.told);
    }
}

#[test]
fn its_exit_status_tells_whether_a_host_can_be_tried() {
    let insecure = &["--security", "insecure"][..];
    for (recipient, options, more, status) in [
        ("ann@example.test", "", &[][..], 0),
        ("ann@nowhere.test", "", &[], 69),
        ("ann@example.test", "hosts_require_dane = '*'", insecure, 75),
        ("ann@example.test", "dnssec_require_domains = '*'", insecure, 75),
        // REQUIRETLS needs hosts that DNSSEC or MTA-STS confirms; a bounce does not.
        ("ann@example.test", "", &["--require-tls", "--security", "insecure"], 69),
        ("ann@example.test", "", &["--require-tls"], 0),
    ] {
        let arguments = [&["--dry-run", recipient], more].concat();
        let sent = send(ZONE, options, &arguments);
        assert_eq!(
            sent.status, status,
            "{recipient} {options} {more:?}: {}{}",
            sent.out, sent.told
        );
    }
    let arguments =
        [BOUNCE, "--dry-run", "--require-tls", "--security", "insecure", "ann@example.test"];
    assert_eq!(send(ZONE, "", &arguments).status, 0);
}
