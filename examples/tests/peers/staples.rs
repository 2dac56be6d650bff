//! OCSP staples of the gateway, received by `openssl s_client` and Exim.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::authority::Authority;
use super::block::Block;
use super::gateway::{Gateway, binary};
use super::servers::{Peers, have, output_of, swaks, text};

/// What a client sees that asks for a staple: the number of the certificate, and what is stapled.
#[derive(Debug, PartialEq)]
struct Seen {
    certificate: String,
    /// The status and the number in the staple.
    staple: Option<(String, String)>,
}

impl Seen {
    fn good(serial: &str) -> Self {
        Self { certificate: serial.into(), staple: Some(("good".into(), serial.into())) }
    }

    fn bare(serial: &str) -> Self {
        Self { certificate: serial.into(), staple: None }
    }
}

fn look(gateway: &Gateway, authority: &Authority, name: &str) -> Seen {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-starttls", "smtp", "-status", "-verify_return_error", "-CAfile"]);
    client.args([&authority.path("ca.pem"), "-servername", name, "-connect", &gateway.address()]);
    let output = output_of(&mut client, b"QUIT\r\n");
    let seen = text(&output.stdout);
    assert!(output.status.success(), "{seen}{}", text(&output.stderr));
    let word = |start: &str| {
        let line = seen.lines().find_map(|line| line.trim_start().strip_prefix(start));
        line.map(|rest| rest.trim().to_owned())
    };
    let pem = seen.find("\nServer certificate\n").and_then(|from| seen.get(from..)).unwrap();
    let mut reader = Command::new("openssl");
    reader.args(["x509", "-noout", "-serial"]);
    let serial = text(&output_of(&mut reader, pem.as_bytes()).stdout);
    let certificate = serial.trim().trim_start_matches("serial=").to_owned();
    Seen { certificate, staple: word("Cert Status:").zip(word("Serial Number:")) }
}

#[test]
fn a_proof_is_fetched_kept_over_a_restart_and_renewed_with_the_certificate() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("fetched-staples", block.own(1));
    let first = authority.issue("mx.test", "V");
    let responder = authority.respond();
    let options = format!(
        "tls_certificate = '{}'\ntls_privatekey = '{}'",
        authority.path("mx.test.pem"),
        authority.path("mx.test.key")
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    gateway.line("OCSP staple is good until");
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&first));
    // Without the responder, and after a restart, it is still there.
    drop(responder);
    gateway.restart();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&first));
    // A new certificate has no staple of the old one.
    let second = authority.issue("mx.test", "V");
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&second));

    gateway.line("/: cannot connect to the responder (failure 1, next at ");
    // One that is revoked has none at all.
    let third = authority.issue("mx.test", "R");
    let _responder = authority.respond();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&third));
    gateway.line(
        "the certificate is revoked since 2026-01-01T00:00:00Z: keyCompromise; no OCSP staple",
    );
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&third));
    // Without the issuer nothing can be asked, and the log says what is missing.
    let fourth = authority.issue("mx.test", "V");
    fs::copy(authority.path("new.leaf"), authority.path("mx.test.pem")).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&fourth));
    gateway.line("the certificate of the issuer \"CN=Authority of the tests\" is missing");
    // What cannot be used leaves the one before.
    fs::write(authority.path("mx.test.pem"), "no certificate\n").unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&fourth));
    gateway.line("the previous certificate stays in use");
}

#[test]
fn a_proof_in_a_file_is_looked_at_for_each_connection() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staple-files", block.own(1));
    let serial = authority.issue("mx.test", "V");
    authority.issue("other.test", "V");
    authority.issue("revoked.test", "R");
    authority.prove("mx.test", "proof");
    let options = format!(
        "tls_certificate = '{}'\ntls_privatekey = '{}'\ntls_ocsp_file = '{}'",
        authority.path("mx.test.pem"),
        authority.path("mx.test.key"),
        authority.path("proof")
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    let file = authority.path("proof");
    let good = fs::read(&file).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    let replace = |bytes: &[u8]| {
        fs::write(authority.path("new"), bytes).unwrap();
        fs::rename(authority.path("new"), &file).unwrap();
    };
    for (bad, cause) in [
        (&b"<html>"[..], "the OCSP response is malformed: "),
        (&good[..good.len() / 2], "the OCSP response is malformed: "),
        (b"-----BEGIN CERTIFICATE-----\n", "it is not DER, and has no PEM block"),
        (b"\x30\x03\x0a\x01\x03", "the responder answers tryLater"),
    ] {
        replace(bad);
        assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial), "{cause}");
        gateway.line(cause);
        replace(&good);
        assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    }
    for (other, cause) in
        [("other.test", "is about another certificate"), ("revoked.test", "is about another")]
    {
        authority.prove(other, "proof");
        assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial), "{other}");
        gateway.line(cause);
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::bare(&serial));
    gateway.line("cannot be read: entity not found; no OCSP staple");
    let pem = data_encoding::BASE64_MIME.encode(&good);
    replace(
        format!("-----BEGIN OCSP RESPONSE-----\n{pem}-----END OCSP RESPONSE-----\n").as_bytes(),
    );
    assert_eq!(look(&gateway, &authority, "mx.test"), Seen::good(&serial));
    // It is told once, not for each connection.
    assert_eq!(gateway.log().matches("answers tryLater").count(), 1);
}

#[test]
fn certificates_and_proofs_are_chosen_by_the_name_that_a_client_asks_for() {
    if !have(&["openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-by-name", block.own(1));
    let (first, second) = (authority.issue("mx.test", "V"), authority.issue("second.test", "V"));
    authority.prove("mx.test", "mx.test.proof");
    authority.prove("second.test", "second.test.proof");
    fs::write(authority.path("names"), "second.test: second.test\n").unwrap();
    let folder = authority.path("");
    let name = format!("${{lookup{{$tls_sni}}lsearch{{{folder}names}}{{$value}}{{mx.test}}}}");
    let options = format!(
        "lookup_directories = '{folder}'\ntls_certificate = '{folder}{name}.pem'\n\
         tls_privatekey = '{folder}{name}.key'\ntls_ocsp_file = '{folder}{name}.proof'\n\
         [[acl_smtp_mail]]\nverb = 'warn'\n\
         log_message = 'sni=$tls_in_sni/$tls_sni ocsp=$tls_in_ocsp'\n\
         [[acl_smtp_mail]]\nverb = 'accept'\n[[acl_smtp_rcpt]]\nverb = 'accept'"
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    assert_eq!(look(&gateway, &authority, "second.test"), Seen::good(&second));
    assert_eq!(look(&gateway, &authority, "unknown.test"), Seen::good(&first));
    let deliver = |sni: &str| {
        swaks(&gateway.address(), &["--tls", "--tls-sni", sni, "--to", "ann@local.test"])
    };
    let (is_taken, dialogue) = deliver("second.test");
    assert!(is_taken, "{dialogue}");
    // Without the files of a name there is no TLS for it, and the log says why.
    fs::write(authority.path("names"), "gone.test: gone.test\n").unwrap();
    let (is_taken, dialogue) = deliver("gone.test");
    assert!(!is_taken, "{dialogue}");
    fs::remove_file(authority.path("mx.test.proof")).unwrap();
    let (is_taken, dialogue) = deliver("mx.test");
    assert!(is_taken, "{dialogue}");
    gateway.line("sni=second.test/second.test ocsp=4");
    gateway.line("gone.test.pem: I/O error");
    gateway.line("sni=mx.test/mx.test ocsp=1");
}

#[test]
fn exim_requires_a_staple_of_the_gateway() {
    if !have(&["exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-for-exim", block.own(1));
    authority.issue("mx.test", "V");
    authority.prove("mx.test", "proof");
    let options = format!(
        "tls_certificate = '{}'\ntls_privatekey = '{}'\ntls_ocsp_file = '{}'",
        authority.path("mx.test.pem"),
        authority.path("mx.test.key"),
        authority.path("proof")
    );
    let gateway = Gateway::start(block.own(0), &options);
    let peers = Peers::of(&block);
    // Exim's own user reads it, who may not look into every folder.
    let trusted = env::temp_dir().join(format!("exim-trusts-{}.pem", block.first()));
    fs::copy(authority.path("ca.pem"), &trusted).unwrap();
    let client = format!(
        "hosts_require_tls = *\nhosts_require_ocsp = *\ntls_verify_hosts = *\n\
        tls_verify_cert_hostnames =\ntls_verify_certificates = {}",
        trusted.display()
    );
    let message = "Subject: stapled\n\ntext\n";
    let (sent, log) = peers.exim_send_by(&gateway.address(), &["ann@local.test"], message, &client);
    assert!(sent, "{log}");
    fs::remove_file(authority.path("proof")).unwrap();
    let (sent, log) = peers.exim_send_by(&gateway.address(), &["ann@local.test"], message, &client);
    assert!(!sent && log.contains("certificate status check failed"), "{log}");
    fs::remove_file(trusted).unwrap();
}

/// Exim staples the proof of its file, or refuses TLS for one that does not count; a client of ours takes
/// what is good.
#[test]
fn a_client_takes_the_staple_of_exim() {
    if !have(&["exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-of-exim", block.own(1));
    authority.issue("mx.test", "V");
    authority.issue("revoked.test", "R");
    // Exim's own user reads them, who may not look into every folder.
    let folder = env::temp_dir().join(format!("exim-staples-{}", block.first()));
    fs::create_dir_all(&folder).unwrap();
    let publish = |from: &str, to: &str| {
        fs::copy(authority.path(from), folder.join(to)).unwrap();
        fs::set_permissions(folder.join(to), Permissions::from_mode(0o644)).unwrap();
    };
    publish("mx.test.pem", "cert");
    publish("mx.test.key", "key");
    authority.prove("mx.test", "proof");
    publish("proof", "proof");
    let peers = Peers::of(&block);
    let at = folder.display();
    let tls = format!(
        "tls_advertise_hosts = *\ntls_certificate = {at}/cert\ntls_privatekey = {at}/key\n\
         tls_ocsp_file = {at}/proof"
    );
    let listeners = peers.start_with(&tls, &["exim"]);
    let address = &listeners.iter().find(|listener| listener.kind == "tcp").unwrap().address;
    let (host, port) = address.rsplit_once(':').unwrap();
    let check = |require: &[&str]| {
        let mut tool = Command::new(binary().with_file_name("ocsp"));
        tool.args(["serve-check", host, "--port", port, "--name", "mx.test", "--ca"]);
        let output = output_of(tool.arg(authority.path("ca.pem")).args(require), b"");
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, said) = check(&["--require"]);
    assert!(code == Some(0) && said.starts_with("the OCSP staple is good, until "), "{said}");
    authority.prove("revoked.test", "proof");
    publish("proof", "proof");
    // Exim notices a new file after a while.
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let (code, said) = check(&["--require"]);
        if code != Some(0) {
            assert!(!said.contains("is good"), "{said}");
            break;
        }
        assert!(Instant::now() < end, "{said}");
        thread::sleep(Duration::from_millis(200));
    }
    fs::remove_dir_all(&folder).unwrap();
}
