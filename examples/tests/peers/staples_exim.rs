//! OCSP staples between the gateway and Exim, in both directions.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::authority::Authority;
use super::block::Block;
use super::gateway::{Gateway, binary};
use super::servers::{Peers, have, output_of, text};
use super::stapled::certificate_and_proof;

/// A folder that Exim's own user may look into, who may not look into every one.
pub(crate) struct ForExim(PathBuf);

impl ForExim {
    pub(crate) fn new(block: &Block) -> Self {
        let folder = env::temp_dir().join(format!("for-exim-{}", block.first()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Puts a copy of a file there, and returns its path.
    pub(crate) fn put(&self, authority: &Authority, file: &str) -> String {
        let copy = self.0.join(file);
        fs::copy(authority.path(file), &copy).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
        copy.display().to_string()
    }
}

impl Drop for ForExim {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn exim_requires_a_staple_of_the_gateway() {
    if !have(&["exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-for-exim", block.own(1));
    authority.issue("mx.test", "V");
    let options = certificate_and_proof(&authority, "mx.test");
    let gateway = Gateway::start(block.own(0), &options);
    let peers = Peers::of(&block);
    let for_exim = ForExim::new(&block);
    let client = requiring(&for_exim.put(&authority, "ca.pem"));
    let message = "Subject: stapled\n\ntext\n";
    let (sent, log) = peers.exim_send_by(&gateway.address(), &["ann@local.test"], message, &client);
    assert!(sent, "{log}");
    fs::remove_file(authority.path("proof")).unwrap();
    let (sent, log) = peers.exim_send_by(&gateway.address(), &["ann@local.test"], message, &client);
    assert!(!sent && log.contains("certificate status check failed"), "{log}");
}

/// The options of a client of Exim that sends nothing without a good staple.
fn requiring(authority: &str) -> String {
    format!(
        "hosts_require_tls = *\nhosts_require_ocsp = *\ntls_verify_hosts = *\n\
        tls_verify_cert_hostnames =\ntls_verify_certificates = {authority}"
    )
}

#[test]
fn exim_requires_a_staple_of_the_gateway_behind_haproxy() {
    if !have(&["exim4", "haproxy", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("staples-behind-haproxy", block.own(1));
    authority.issue("mx.test", "V");
    let options = "proxy_required_hosts = \"127.0.0.1\"\nlog_selector = \"+proxy\"\n".to_owned()
        + &certificate_and_proof(&authority, "mx.test");
    let mut gateway = Gateway::start(block.own(0), &options);
    let peers = Peers::of(&block);
    let for_exim = ForExim::new(&block);
    let client = requiring(&for_exim.put(&authority, "ca.pem"));
    let listeners = peers.start(&["haproxy", &gateway.address()]);
    let listener = |name| listeners.iter().find(|listener| listener.name == name).unwrap();
    let deliver = |name| {
        let message = format!("Subject: stapled behind {name}.\n\ntext\n");
        let rcpts = ["ann@local.test"];
        peers.exim_send_by(&listener(name).address, &rcpts, &message, &client)
    };
    for name in ["v1", "v2", "v2-crc32c"] {
        let (sent, log) = deliver(name);
        assert!(sent && log.contains(" X=TLS1.3"), "{name}: {log}");
        let message = gateway.message(&format!("Subject: stapled behind {name}."));
        assert!(message.contains("127.0.0.3"), "{name}: {message}");
    }
    fs::remove_file(authority.path("proof")).unwrap();
    let (sent, log) = deliver("v2");
    assert!(!sent && log.contains("certificate status check failed"), "{log}");
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
    let for_exim = ForExim::new(&block);
    let publish = |name: &str| {
        authority.prove(name, "proof");
        for_exim.put(&authority, "proof")
    };
    let peers = Peers::of(&block);
    let tls = format!(
        "tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}\ntls_ocsp_file = {}",
        for_exim.put(&authority, "mx.test.pem"),
        for_exim.put(&authority, "mx.test.key"),
        publish("mx.test")
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
    publish("revoked.test");
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
}
