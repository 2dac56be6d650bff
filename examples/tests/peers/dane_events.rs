//! Events of deliveries over TLS to Exim: `tls:cert`, which may refuse a certificate, and `dane:fail`.

use std::fs;
use std::process::Command;

use super::block::Block;
use super::dane_lab::Lab;
use super::gateway::Gateway;
use super::metrics::wait_for_lines;
use super::servers::{have, output_of, swaks, text};

const PROGRAMS: [&str; 6] = ["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"];

fn options(lab: &Lab<'_>, more: &str) -> String {
    format!(
        "dns_resolver = \"{}\"\nrelay_to_domains = \"!local.test : *\"\nroute_data = \"${{domain}}/MX:{}\"\n\
         event_select = \"*\"\n{more}",
        lab.resolver, lab.port
    )
}

fn count(events: &[String], start: &str) -> usize {
    events.iter().filter(|event| event.starts_with(start)).count()
}

#[test]
fn each_certificate_has_its_event_and_dane_says_why_it_fails() {
    if !have(&PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let lab = Lab::start(&block, "exim");
    let port = block.own(1);
    let required = format!(
        "metrics_interface = '127.0.0.1.{port}'\n\
         [remote_smtp]\nhosts_require_dane = \"mx-none.secure.test\""
    );
    let mut gateway = Gateway::start(block.own(0), &options(&lab, &required));
    let recipient = |domain: &str| format!("ann@{domain}.secure.test");
    let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient("d211-root")]);
    assert!(taken, "{transcript}");
    // The root, the intermediate, and the server's own; each EHLO, in clear and over TLS.
    let events = gateway.events(10);
    let certificates: Vec<_> =
        events.iter().filter(|event| event.starts_with("tls:cert(")).collect();
    assert_eq!(certificates, ["tls:cert(2)  0", "tls:cert(1)  0", "tls:cert(0)  0"]);
    assert_eq!(count(&events, "smtp:ehlo("), 2, "{events:#?}");
    assert_eq!(count(&events, "dane:fail("), 0, "{events:#?}");

    for (domain, word) in [
        ("mismatch", "validation-failure"),
        ("no-starttls", "starttls-not-supported"),
        ("refused", "dnssec-invalid"),
        ("none", "dane-required"),
    ] {
        let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient(domain)]);
        assert!(!taken, "{domain}: {transcript}");
        gateway.wait_for(word, |gateway| {
            let events = gateway.events(1);
            (count(&events, &format!("dane:fail({word})")) == 1).then_some(())
        });
    }
    wait_for_lines(
        &mut gateway,
        port,
        &[
            "gateway_outgoing_connections_total{security=\"dane\"} 1",
            "gateway_outgoing_connections_total{security=\"clear\"} 0",
            "gateway_outgoing_failures_total{cause=\"handshake\"} 1",
            "gateway_outgoing_failures_total{cause=\"tls_not_offered\"} 1",
            "gateway_dane_failures_total{reason=\"validation-failure\"} 1",
            "gateway_dane_failures_total{reason=\"starttls-not-supported\"} 1",
            "gateway_dane_failures_total{reason=\"dnssec-invalid\"} 1",
            "gateway_dane_failures_total{reason=\"dane-required\"} 1",
            "gateway_deliveries_total{transport=\"remote_smtp\",result=\"delivered\"} 1",
            "gateway_messages_total{result=\"relayed\"} 1",
            // A staple is asked for where the record is of an authority.
            "gateway_outgoing_staples_total{outcome=\"missing\"} 1",
            "gateway_outgoing_staples_total{outcome=\"not_requested\"} 1",
        ],
    );
}

/// An action knows the fingerprints that are not wanted.
#[test]
fn an_action_refuses_a_certificate_by_its_fingerprint_in_sqlite() {
    if !have(&PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let lab = Lab::start(&block, "exim");
    let database = lab.folder.join("unwanted.sqlite");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch("CREATE TABLE unwanted (fingerprint TEXT, reason TEXT)").unwrap();
    let action = "${if eq{$event_name}{tls:cert}{${lookup sqlite{SELECT reason FROM unwanted \
                  WHERE fingerprint = '${quote_sqlite:${sha256:$tls_out_peercert}}'}{$value}{}}}}";
    let more = format!(
        "sqlite_dbfile = \"{}\"\n[remote_smtp]\nevent_action = \"{action}\"",
        database.display()
    );
    let mut gateway = Gateway::start(block.own(0), &options(&lab, &more));
    let sent = |gateway: &Gateway| swaks(&gateway.address(), &["--to", "ann@d311.secure.test"]);
    let (taken, transcript) = sent(&gateway);
    assert!(taken, "{transcript}");

    let mut openssl = Command::new("openssl");
    openssl
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(lab.folder.join("d311.pem"));
    let fingerprint = text(&output_of(&mut openssl, b"").stdout);
    let fingerprint = fingerprint.trim().split('=').nth(1).unwrap().replace(':', "");
    let row = "INSERT INTO unwanted VALUES (?1, 'it was stolen')";
    connection.execute(row, [fingerprint]).unwrap();
    let (taken, transcript) = sent(&gateway);
    assert!(!taken && transcript.contains("<** 451 4.7.5 "), "{transcript}");
    gateway.line("certificate 0 refused by an action of tls:cert");
    let log = fs::read_to_string(lab.folder.join("../exim/log/mainlog")).unwrap_or_default();
    assert_eq!(log.matches(" <= sender").count() + log.matches(" <= swaks").count(), 1, "{log}");
}
