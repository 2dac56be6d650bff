//! The tool `inspect` beside live mail hosts and name servers.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use serde_json::{Value, json};

use super::authority::Authority;
use super::block::Block;
#[cfg(feature = "dnssec-ring")]
use super::dnssec::{address, trust_anchor};
use super::gateway::{Gateway, binary};
use super::name_server::{NameServer, Said};
#[cfg(feature = "dnssec-ring")]
use super::servers::Peers;
use super::servers::{have, output_of, text};
use super::stapled::certificate_and_proof;

fn inspect(arguments: &[&str]) -> (Option<i32>, Value) {
    let mut tool = Command::new(binary().with_file_name("inspect"));
    let output = output_of(tool.args(["--json", "--strict"]).args(arguments), b"");
    let told = text(&output.stdout);
    let found = serde_json::from_str(&told)
        .unwrap_or_else(|error| panic!("{error}: {told}{}", text(&output.stderr)));
    (output.status.code(), found)
}

/// The record of a certificate.
fn tlsa(authority: &Authority, name: &str) -> String {
    let mut tool = Command::new(binary().with_file_name("tlsa"));
    let certificate = authority.path(&format!("{name}.pem"));
    let output = output_of(tool.args(["make", &certificate]), b"");
    text(&output.stdout).trim().to_owned()
}

/// Whether a record matches the certificates of the first server, and how far a replacement of the key is.
fn state(found: &Value) -> [&str; 2] {
    let server = &found["mail"]["hosts"][0]["servers"][0];
    ["tlsa", "rollover"].map(|name| server[name].as_str().unwrap())
}

#[test]
fn records_are_compared_with_the_certificates_and_the_staple_is_verified() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("inspect", block.own(1));
    authority.issue("other.test", "V");
    let other = tlsa(&authority, "other.test");
    authority.issue("mx.test", "V");
    let own = tlsa(&authority, "mx.test");
    let gateway = Gateway::start(block.own(0), &certificate_and_proof(&authority, "mx.test"));
    let (port, zone) = (block.own(0), authority.path("zone"));
    let arguments =
        ["--allow-private", "--zone", &zone, "--port", &port.to_string(), "example.test"];
    let write = |records: &[&str]| {
        let records: Vec<_> =
            records.iter().map(|record| format!("_{port}._tcp.mx.test. TLSA {record}\n")).collect();
        let rest = "example.test. MX 10 mx.test.\nmx.test. A 127.0.0.1\n\
                    example.test. TXT \"v=spf1 mx -all\"\n\
                    _dmarc.example.test. TXT \"v=DMARC1; p=reject\"\n";
        fs::write(&zone, records.concat() + rest).unwrap();
    };
    write(&[&own]);
    let (status, found) = inspect(&arguments);
    let server = &found["mail"]["hosts"][0]["servers"][0];
    assert_eq!(state(&found), ["match", "steady"], "{found}");
    assert!(server["staple"].as_str().unwrap().starts_with("good, until 20"), "{found}");
    // The server sends its authority's certificate too, which the record does not need.
    assert_eq!(found["defects"][0]["severity"], "notice", "{found}");
    assert_eq!(status, Some(0), "{found}");
    write(&[&other]);
    let (status, found) = inspect(&arguments);
    assert_eq!(status, Some(1), "{found}");
    assert_eq!(state(&found), ["no-match", "broken"], "{found}");
    assert_eq!(found["defects"][0]["section"], "RFC 7671 section 8", "{found}");
    // A replacement of the key is under way.
    write(&[&own, &other]);
    let (status, found) = inspect(&arguments);
    assert_eq!(status, Some(0), "{found}");
    assert_eq!(state(&found), ["match", "under-way"], "{found}");
    let texts: Vec<_> = found["defects"].as_array().unwrap().iter().collect();
    assert!(
        texts.iter().any(|defect| defect["text"].as_str().unwrap().contains("left over")),
        "{found}"
    );
    drop(gateway);
    let (status, found) = inspect(&arguments);
    assert_eq!(status, Some(1), "{found}");
    let error = found["mail"]["hosts"][0]["servers"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("Connection refused"), "{found}");
    assert_eq!(found["defects"][0]["section"], "RFC 7672 section 2.2", "{found}");
}

/// The first question of each waits for an answer that never comes.
#[test]
fn no_more_domains_are_inspected_at_a_time_than_asked_for() {
    for jobs in [1, 3] {
        let names = NameServer::start(true, |_, _| Said::Nothing);
        let begun = || {
            let asked = names.asked().into_iter().filter(|name| name.ends_with(".jobs.test"));
            asked.collect::<BTreeSet<_>>().len()
        };
        let mut tool = Command::new(binary().with_file_name("inspect"));
        tool.args(["--resolver", &names.address.to_string(), "--no-connect"]);
        tool.args(["--jobs", &jobs.to_string()]);
        tool.args((0..9).map(|number| format!("d{number}.jobs.test")));
        let mut running = tool.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while begun() < jobs && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_secs(1));
        let count = begun();
        running.kill().unwrap();
        running.wait().unwrap();
        assert_eq!(count, jobs);
    }
}

/// A lookup that fails is no absence.
#[test]
fn a_failure_is_told_apart_from_an_absence() {
    let names = NameServer::start(true, |name, kind| match (name, kind) {
        _ if name.ends_with("failing.test") => Said::Code(ResponseCode::ServFail),
        (_, RecordType::MX | RecordType::TXT) if name.ends_with("silent.test") => Said::Nothing,
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let server = names.address.to_string();
    let inspect = |domain| inspect(&["--resolver", &server, "--no-connect", domain]);
    let (status, found) = inspect("absent.test");
    assert_eq!(status, Some(1), "{found}");
    assert_eq!(found["mail"]["action"], "bounce", "{found}");
    let failed = |found: &Value| {
        let lookups = found["lookups"].as_array().unwrap().iter();
        lookups.filter(|line| line.get("failure").is_some()).count()
    };
    assert_eq!(failed(&found), 0, "{found}");
    assert!(found["lookups"][0]["absent"] == json!("nxdomain"), "{found}");
    for (domain, failure) in [("failing.test", "servfail"), ("silent.test", "timeout")] {
        let (status, found) = inspect(domain);
        assert_eq!(status, Some(1), "{found}");
        assert_eq!(found["mail"]["action"], "defer", "{found}");
        assert!(failed(&found) >= 3, "{found}");
        let line = &found["lookups"][0];
        assert!(line["failure"].as_str().unwrap().contains(failure), "{found}");
        assert!(line.get("absent").is_none(), "{found}");
        let texts = found["defects"].as_array().unwrap().iter();
        let texts: Vec<_> = texts.map(|defect| defect["text"].as_str().unwrap()).collect();
        assert!(texts.iter().any(|text| text.starts_with("the DNS failed: ")), "{found}");
        for absence in ["no SPF record", "no DMARC record for the domain"] {
            assert!(!texts.contains(&absence), "{found}");
        }
    }
}

/// Signed zones of Knot, validated by a trust anchor: a zone whose signatures have expired does not answer, and a
/// name that is proven absent does.
#[cfg(feature = "dnssec-ring")]
#[test]
fn expired_and_bogus_zones_are_failures_and_each_answer_has_its_status() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let iterating = address(&listeners, "unbound-iterating").to_string();
    let anchor = trust_anchor(&listeners);
    for (domain, failure, security) in [
        ("ee.secure.test", json!(null), json!("secure")),
        ("gone.secure.test", json!(null), json!("secure")),
        ("insecure.test", json!(null), json!("insecure")),
        ("expired.test", json!("bogus"), json!(null)),
        ("bogus.test", json!("bogus"), json!(null)),
    ] {
        let by = ["--resolver", &iterating, "--validate", "--trust-anchor", anchor];
        let (_, found) = inspect(&[&by[..], &["--no-connect", domain]].concat());
        let lookup = &found["lookups"][0];
        assert_eq!(lookup["question"], format!("{domain} MX"), "{found}");
        assert_eq!((&lookup["failure"], &lookup["security"]), (&failure, &security), "{found}");
        let is_absent = domain == "gone.secure.test";
        assert_eq!(lookup.get("absent").is_some(), is_absent, "{found}");
    }
}
