//! Mail through HAProxy, with each type of header that it can send.

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{Listener, Peers, have, swaks};

/// Loopback stands for the proxy; clients come from elsewhere.
const OPTIONS: &str = "proxy_required_hosts = \"127.0.0.1\"\nlog_selector = \"+proxy\"";

#[test]
fn every_header_of_haproxy_names_the_client() {
    if !have(&["haproxy", "swaks", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), OPTIONS);
    let peers = Peers::of(&block);
    let listeners = peers.start(&["haproxy", &gateway.address()]);
    assert_eq!(listeners.len(), 17);
    for listener in &listeners {
        let body = format!("through {} it came", listener.name);
        let client = deliver(&peers, listener, &["--body", &body]);

        let message = gateway.message(&body);
        let received = message.lines().find(|line| line.starts_with("Received: ")).unwrap();
        assert!(received.contains(client), "{}: {message}", listener.name);
        let id = message_id(&message);
        let line = gateway.line(&format!("{id} <= swaks@sender.test "));
        assert!(line.contains(&format!("[{client}]")), "{}: {line}", listener.name);
        // Over a UNIX socket HAProxy can name nobody, so the session is its own. The order is that
        // of Exim's text of 2014 on its PROXY support.
        let named = line.contains(" P=esmtp PRX=127.0.0.1 S=");
        assert_eq!(named, listener.kind != "unix", "{}: {line}", listener.name);
    }
}

#[test]
fn tls_follows_the_header() {
    if !have(&["haproxy", "swaks", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), OPTIONS);
    let peers = Peers::of(&block);
    let listeners = peers.start(&["haproxy", &gateway.address()]);
    for name in ["v1", "v2", "v2-crc32c"] {
        let listener = listeners.iter().find(|listener| listener.name == name).unwrap();
        let body = format!("TLS behind {name}");
        deliver(&peers, listener, &["--tls", "--body", &body]);
        assert!(gateway.message(&body).contains("with ESMTPS"));
    }
}

#[test]
fn exim_delivers_through_haproxy() {
    if !have(&["haproxy", "exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), OPTIONS);
    let peers = Peers::of(&block);
    let listeners = peers.start(&["haproxy", &gateway.address()]);
    for listener in listeners
        .iter()
        .filter(|listener| listener.kind == "tcp" && !listener.address.starts_with('['))
    {
        let message = format!("From: <exim@sender.test>\nSubject: by {}.\n\nbody\n", listener.name);
        let (delivered, log) = peers.exim_send(&listener.address, &["ann@local.test"], &message);
        assert!(delivered, "{}: {log}", listener.name);
        let message = gateway.message(&format!("Subject: by {}.", listener.name));
        assert!(message.contains("127.0.0.3"), "{}: {message}", listener.name);
    }
}

/// Sends a message by swaks as the listener wants it; returns the address that it comes from.
fn deliver(peers: &Peers<'_>, listener: &Listener, arguments: &[&str]) -> &'static str {
    let keys = peers.certificates();
    let (pem, key) = (keys.join("client.pem"), keys.join("client.key"));
    let certificate = ["--tls-cert", pem.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let plain = ["--local-interface", "127.0.0.2"];
    let tls = ["--tls-on-connect", "--tls-sni", "gateway.test"];
    let proxy = "TCP4 192.0.2.1 198.51.100.25 5555 25";
    let (client, more) = match &*listener.kind {
        "tls" => ("127.0.0.2", [&plain[..], &tls].concat()),
        "mtls" => ("127.0.0.2", [&plain[..], &tls, &certificate].concat()),
        "proxy" => ("192.0.2.1", vec!["--proxy", proxy]),
        "unix" => ("127.0.0.1", vec![]),
        _ if listener.address.starts_with('[') => ("::1", vec!["-6"]),
        _ => ("127.0.0.2", plain.to_vec()),
    };
    let arguments = [&["--to", "ann@local.test"], &more[..], arguments].concat();
    let (taken, transcript) = swaks(&listener.address, &arguments);
    assert!(taken, "{}: {transcript}", listener.name);
    client
}

/// The id in a message's first `Received` field.
fn message_id(message: &str) -> &str {
    let (_, behind) = message.split_once(" id ").unwrap();
    behind.split([';', '\r', ' ']).next().unwrap()
}
