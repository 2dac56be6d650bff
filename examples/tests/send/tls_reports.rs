//! The lines for reports about TLS (RFC 8460), and the MTA-STS policies that they report on.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::fallback::Servers;
use super::program::{BOUNCE, Sent, folder, pem, send, send_in, tlsa};
use super::server::{Behaviour, Identity, Tls};

fn with(tls: Tls) -> Behaviour {
    Behaviour { tls, ..Behaviour::default() }
}

fn report(outcome: &Value) -> &Value {
    let [report] = outcome["tls_reports"].as_array().unwrap().as_slice() else {
        panic!("one line: {outcome}");
    };
    report
}

/// Sends a message to `example.test`, which has this policy; the certificate of the servers is trusted or not.
fn with_policy(
    servers: &Servers,
    policy: &str,
    is_trusted: bool,
    (options, arguments): (&str, &[&str]),
) -> Sent {
    let folder = folder();
    let policies = folder.join("policies");
    fs::create_dir(&policies).unwrap();
    fs::write(policies.join("example.test"), policy).unwrap();
    let authorities = folder.join("authorities.pem");
    let other = Identity::of("other.test");
    let anchor = if is_trusted { &servers.identity } else { &other };
    fs::write(&authorities, pem(anchor)).unwrap();
    let options = format!(
        "mta_sts_directory = '{}'\ntls_verify_certificates = '{}'\n{options}",
        policies.display(),
        authorities.display()
    );
    let port = servers.port.to_string();
    let (first, rest) = match arguments {
        [first, rest @ ..] if *first == BOUNCE => (&[BOUNCE][..], rest),
        rest => (&[][..], rest),
    };
    let fixed = ["--port", &port, "--json", "--security", "insecure", "ann@example.test"];
    let arguments = [first, &fixed, rest].concat();
    let sent = send_in(&folder, &servers.zone(None), &options, &arguments, "Subject: x\n\nbody\n");
    let _ = fs::remove_dir_all(&folder);
    sent
}

fn policy(mode: &str, host: &str) -> String {
    format!("version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: 86400\n")
}

const NAMED: &str = "*.example.test";
const OTHER: &str = "mx.other.test";

/// The servers whose certificate has the name `mx0.example.test`.
fn servers(tls: Tls) -> Servers {
    Servers::start_with(Identity::of("mx0.example.test"), &[with(tls)])
}

#[test]
fn a_session_in_clear_is_no_success() {
    for tls in [Tls::No, Tls::Refused] {
        let servers = Servers::start(&[with(tls)]);
        let outcome = servers.send(&servers.zone(None), "", &[]).outcome();
        assert_eq!(outcome["result"], "delivered", "{outcome}");
        let report = report(&outcome);
        assert_eq!(report["policy-type"], "no-policy-found", "{tls:?}");
        assert_eq!(report["result-type"], "starttls-not-supported", "{tls:?}");
        assert_eq!(report["receiving-mx-hostname"], "mx0.example.test");
    }
    // Where TLS is not tried there is nothing to report.
    let servers = Servers::start(&[with(Tls::Good)]);
    let outcome = servers.send(&servers.zone(None), "hosts_avoid_tls = '*'", &[]).outcome();
    assert!(outcome["tls_reports"].is_null(), "{outcome}");
}

#[test]
fn a_session_that_is_lost_after_the_handshake_was_a_success_of_tls() {
    // The replies: connection, EHLO, STARTTLS, and then none.
    let behaviour = Behaviour { replies: 3, ..Behaviour::default() };
    let servers = Servers::start(&[behaviour]);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let outcome = servers.send(&zone, "", &[]).outcome();
    assert_eq!(outcome["result"], "deferred", "{outcome}");
    let report = report(&outcome);
    assert_eq!((&report["policy-type"], &report["result-type"]), (&"tlsa".into(), &Value::Null));
    // Before the handshake nothing is known.
    let servers = Servers::start(&[Behaviour { replies: 1, ..Behaviour::default() }]);
    let outcome = servers.send(&zone, "", &[]).outcome();
    assert!(outcome["tls_reports"].is_null(), "{outcome}");
}

#[test]
fn a_certificate_that_an_action_refuses_is_a_failure() {
    let servers = Servers::start(&[with(Tls::Good)]);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let options = "event_action = \"${if eq{$event_name}{tls:cert}{no}}\"";
    let outcome = servers.send(&zone, options, &[]).outcome();
    assert_eq!(outcome["result"], "deferred", "{outcome}");
    let report = report(&outcome);
    assert_eq!(report["policy-type"], "tlsa");
    assert_eq!(report["result-type"], "validation-failure");
    let reason = report["failure-reason-code"].as_str().unwrap();
    assert_eq!(reason, "certificate 0 refused by an action of tls:cert");
}

#[test]
fn an_enforced_policy_decides_and_is_reported() {
    for (tls, host, is_trusted, result, failure) in [
        (Tls::Good, NAMED, true, "delivered", None),
        (Tls::Good, OTHER, true, "deferred", Some("validation-failure")),
        (Tls::Good, NAMED, false, "deferred", Some("certificate-not-trusted")),
        (Tls::No, NAMED, true, "deferred", Some("starttls-not-supported")),
        (Tls::Refused, NAMED, true, "deferred", Some("starttls-not-supported")),
        (Tls::Broken, NAMED, true, "deferred", Some("validation-failure")),
    ] {
        let servers = servers(tls);
        let sent = with_policy(&servers, &policy("enforce", host), is_trusted, ("", &[]));
        let outcome = sent.outcome();
        let case = format!("{tls:?} {host} {is_trusted}: {outcome}");
        assert_eq!(outcome["result"], result, "{case}");
        assert_eq!(servers.in_clear(0, "MAIL"), 0, "{case}");
        let report = report(&outcome);
        assert_eq!(report["policy-type"], "sts", "{case}");
        assert_eq!(report["policy-domain"], "example.test", "{case}");
        assert_eq!(report["policy-string"][1], "mode: enforce", "{case}");
        assert_eq!(report["result-type"].as_str(), failure, "{case}");
    }
}

#[test]
fn a_policy_in_the_mode_testing_is_reported_and_decides_nothing() {
    for (tls, host, is_trusted, failure) in [
        (Tls::Good, NAMED, true, None),
        (Tls::Good, OTHER, true, Some("validation-failure")),
        (Tls::Good, NAMED, false, Some("certificate-not-trusted")),
        (Tls::No, NAMED, true, Some("starttls-not-supported")),
        (Tls::Broken, NAMED, true, Some("validation-failure")),
    ] {
        let servers = servers(tls);
        // That nobody is verified for the log does not matter here.
        for options in ["", "tls_try_verify_hosts = ':'"] {
            let options = (options, &[][..]);
            let sent = with_policy(&servers, &policy("testing", host), is_trusted, options);
            let outcome = sent.outcome();
            let case = format!("{tls:?} {host} {is_trusted}: {outcome}");
            assert_eq!(outcome["result"], "delivered", "{case}");
            let report = report(&outcome);
            assert_eq!(report["policy-type"], "sts", "{case}");
            assert_eq!(report["result-type"].as_str(), failure, "{case}");
        }
    }
    // A certificate with another name: `certificate-host-mismatch`.
    let servers = Servers::start_with(Identity::of("mx.other.test"), &[with(Tls::Good)]);
    let sent = with_policy(&servers, &policy("testing", NAMED), true, ("", &[]));
    assert_eq!(report(&sent.outcome())["result-type"], "certificate-host-mismatch");
}

#[test]
fn a_policy_counts_for_its_age() {
    let servers = servers(Tls::No);
    let enforce = policy("enforce", NAMED);
    let result = |policy: &str| with_policy(&servers, policy, true, ("", &[])).outcome();
    assert_eq!(result(&enforce)["result"], "deferred");
    assert_eq!(result(&enforce.replace("86400", "0"))["result"], "delivered");
    assert_eq!(result(&policy("none", NAMED))["result"], "delivered");
    let folder = folder();
    let file = folder.join("example.test");
    fs::write(&file, &enforce).unwrap();
    let old = SystemTime::now() - Duration::from_hours(25);
    fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
    let options = format!("mta_sts_directory = '{}'", folder.display());
    let outcome = servers.send(&servers.zone(None), &options, &[]).outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    fs::remove_dir_all(folder).unwrap();
}

/// RFC 8689 section 4.2.1: DNSSEC or MTA-STS says which hosts the domain has.
#[test]
fn a_policy_confirms_a_host_for_requiretls() {
    let offers: [&[&str]; 2] = [&["PIPELINING"], &["PIPELINING", "REQUIRETLS"]];
    let behaviour = Behaviour { offers, ..Behaviour::default() };
    for (mode, host, is_trusted, result) in [
        ("enforce", NAMED, true, "delivered"),
        ("enforce", NAMED, false, "failed"),
        ("testing", NAMED, true, "failed"),
        ("none", NAMED, true, "failed"),
    ] {
        let identity = Identity::of("mx0.example.test");
        let servers = Servers::start_with(identity, std::slice::from_ref(&behaviour));
        let options = ("", &["--require-tls"][..]);
        let outcome = with_policy(&servers, &policy(mode, host), is_trusted, options).outcome();
        assert_eq!(outcome["result"], result, "{mode} {is_trusted}: {outcome}");
        assert_eq!(servers.in_clear(0, "MAIL"), 0);
    }
}

#[test]
fn dane_for_a_report_only_is_reported_whatever_it_says() {
    let options = "hosts_report_dane = '*'\nhosts_try_dane = ''";
    let of_dane = |outcome: &Value| {
        let lines = outcome["tls_reports"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["policy-type"] == "tlsa")
    };
    for (tls, failure) in
        [(Tls::Good, None), (Tls::No, Some("starttls-not-supported")), (Tls::Broken, None)]
    {
        let servers = Servers::start(&[with(tls)]);
        let zone = servers.zone(Some(&tlsa(&servers.identity)));
        let outcome = servers.send(&zone, options, &[]).outcome();
        assert_eq!(outcome["result"], "delivered", "{tls:?}: {outcome}");
        let line = of_dane(&outcome).unwrap();
        if tls == Tls::Broken {
            assert!(line["result-type"].is_string(), "{line}");
        } else {
            assert_eq!(line["result-type"].as_str(), failure, "{tls:?}: {line}");
        }
    }
    // Where DANE is required it decides.
    let servers = Servers::start(&[with(Tls::No)]);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let required = format!("{options}\nhosts_require_dane = '*.example.test'");
    let outcome = servers.send(&zone, &required, &[]).outcome();
    assert_eq!(outcome["result"], "deferred", "{outcome}");
    assert_eq!(report(&outcome)["result-type"], "starttls-not-supported");
}

#[test]
fn a_question_for_tlsa_records_that_fails_is_reported_only() {
    let servers = Servers::start(&[with(Tls::Good)]);
    // An alias of itself is no answer.
    let name = format!("_{}._tcp.mx0.example.test.", servers.port);
    let zone = servers.zone(None) + &format!("{name} CNAME {name}\n");
    let port = servers.port.to_string();
    let arguments = ["--port", &port, "--json", "ann@example.test"];
    let options = "hosts_report_dane = '*'\nhosts_try_dane = ''";
    let outcome = send(&zone, options, &arguments).outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    let lines = outcome["tls_reports"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["result-type"] == "dnssec-invalid"), "{outcome}");
    let deferred = send(&zone, "", &arguments).outcome();
    assert_eq!(deferred["result"], "deferred", "{deferred}");
}
