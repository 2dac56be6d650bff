//! The certificate that a server has shown to its client, in rules and events.

use std::fs;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::authority::Authority;
use super::block::Block;
use super::client_certificates::{say, shown, telling_all};
use super::gateway::Gateway;
use super::servers::{Peers, have, output_of, swaks, text};
use super::stapled::certificate;
use super::staples::checked;
use super::staples_exim::ForExim;

/// An authority with certificates of both kinds for the gateway.
fn authority(block: &Block) -> Authority {
    let mut authority = Authority::make(&format!("own-{}", block.first()), block.own(9));
    authority.issue("ec.test", "V");
    authority.issue_with("rsa.test", "V", "-algorithm RSA", &["subjectAltName=DNS:rsa.test"]);
    authority
}

#[test]
fn exim_tells_the_same_of_its_own_certificate() {
    if !have(&["exim4", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let authority = authority(&block);
    let said = telling_all("tls_in_ourcert");
    let rule = format!("[[acl_smtp_mail]]\nverb = 'warn'\nlogwrite = '{said}'");
    let server = certificate(&authority, "rsa.test");
    let gateway = Gateway::start(block.own(0), &format!("{server}{rule}"));
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "ann@local.test", "--tls"]);
    assert!(taken, "{transcript}");
    let (peers, for_exim) = (Peers::of(&block), ForExim::new(&block));
    let [pem, key] = ["rsa.test.pem", "rsa.test.key"].map(|file| for_exim.put(&authority, file));
    let options = format!(
        "tls_advertise_hosts = *\ntls_certificate = {pem}\ntls_privatekey = {key}\ntimezone = UTC\n\
         acl_smtp_mail = accept logwrite = {said}"
    );
    let listeners = peers.start_with(&options, &["exim"]);
    let of = |kind: &str| {
        let mut all = listeners.iter();
        all.find(|listener| listener.kind == kind).unwrap().address.clone()
    };
    swaks(&of("tcp"), &["--to", "ann@next.test", "--tls"]);
    let log = fs::read_to_string(format!("{}/log/mainlog", of("files"))).unwrap();
    assert_eq!(shown(&gateway.log()), shown(&log));
}

/// Begins a transaction over TLS 1.2 with these arguments of `openssl s_client`; returns the serial number of the
/// certificate that the client got; a resumed session has none.
fn begin(gateway: &Gateway, arguments: &[&str]) -> String {
    // The tool would take a Q at the start of a line for its own command.
    let lines = ["EHLO client.test", "MAIL FROM:<ann@client.test>", "quit"];
    let seen = say(&gateway.address(), &[&["-tls1_2"], arguments].concat(), &lines);
    assert!(seen.contains("250 2.1.0 sender ok"), "{seen}");
    if seen.contains("\nReused, ") {
        return String::new();
    }
    let pem = seen.find("\nServer certificate\n").and_then(|from| seen.get(from..)).unwrap();
    let mut reader = Command::new("openssl");
    reader.args(["x509", "-noout", "-serial"]);
    let serial = text(&output_of(&mut reader, pem.as_bytes()).stdout);
    serial.trim().trim_start_matches("serial=").to_owned()
}

#[test]
fn of_several_certificates_the_one_that_the_client_got_is_told() {
    if !have(&["openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let authority = authority(&block);
    let [pem, key] = ["pem", "key"].map(|end| {
        let paths = ["ec.test", "rsa.test"].map(|name| authority.path(&format!("{name}.{end}")));
        paths.join(" : ")
    });
    let number = "${certextract{serial_number}{$tls_in_ourcert}}";
    let options = format!(
        "tls_certificate = '{pem}'\ntls_privatekey = '{key}'\n\
         event_select = 'msg:complete msg:delivery'\nevent_action = '${{acl{{note}}{{{number}}}}}'\n\
         [local_delivery]\nevent_action = '${{acl{{note}}}}'\n\
         [[acl.note]]\nverb = 'warn'\nlogwrite = 'own <$acl_arg1> <{number}> $tls_in_ourcert'\n\
         [[acl_smtp_mail]]\nverb = 'warn'\nlogwrite = 'rule <{number}> <$tls_in_ourcert>'"
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    let session = authority.path("session");
    for (algorithms, name) in
        [("ECDSA+SHA256", "ec.test"), ("RSA-PSS+SHA256:RSA+SHA256", "rsa.test")]
    {
        let serial = begin(&gateway, &["-sigalgs", algorithms, "-sess_out", &session]);
        let mut reader = Command::new("openssl");
        reader.args(["x509", "-noout", "-serial", "-in", &authority.path(&format!("{name}.pem"))]);
        let expected = text(&output_of(&mut reader, b"").stdout);
        assert_eq!(expected.trim(), format!("serial={serial}"));
        let shown = serial.trim_start_matches('0').to_lowercase();
        gateway.line(&format!("rule <{shown}> <<cert>>"));
    }
    // A resumed session has no certificate, and one in clear neither.
    let algorithms = "RSA-PSS+SHA256:RSA+SHA256";
    assert_eq!(begin(&gateway, &["-sigalgs", algorithms, "-sess_in", &session]), "");
    gateway.line("rule <> <>");
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "ann@local.test", "--tls"]);
    assert!(taken, "{transcript}");
    gateway.line("event_action msg:delivery: own <> <");
    let line = gateway.line("event_action msg:complete: own <");
    let [first, second] =
        [1, 2].map(|at| line.split(" <").nth(at).unwrap().split('>').next().unwrap());
    assert!(first == second && !first.is_empty() && line.ends_with(" <cert>"), "{line}");
}

#[test]
fn a_certificate_that_is_not_valid_now_is_told_of() {
    let block = Block::claim();
    let authority = authority(&block);
    let issue = |begin: i32, end: i32| {
        let mut params = CertificateParams::new(vec!["mx.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(begin, 1, 2);
        params.not_after = date_time_ymd(end, 1, 2);
        let key = KeyPair::generate().unwrap();
        fs::write(authority.path("mx.test.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(authority.path("mx.test.key"), key.serialize_pem()).unwrap();
    };
    issue(2020, 2021);
    let mut gateway = Gateway::start(block.own(0), &certificate(&authority, "mx.test"));
    let file = authority.path("mx.test.pem");
    let expired = format!(
        "{file}: the certificate expired on 2021-01-02 00:00:00 UTC; clients that verify it refuse it"
    );
    gateway.line(&expired);
    assert_eq!(checked(&gateway), format!("line 8: {expired}\n"));
    issue(2120, 2121);
    let early = "the certificate is not valid before 2120-01-02 00:00:00 UTC";
    assert!(checked(&gateway).contains(early));
    // The next connection finds the new files.
    say(&gateway.address(), &[], &["quit"]);
    gateway.line(early);
    issue(2020, 2120);
    assert_eq!(checked(&gateway), "");
}
