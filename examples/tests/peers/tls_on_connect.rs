//! Clients that begin with TLS, behind a proxy or not.

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{have, swaks};

#[test]
fn swaks_delivers_with_tls_on_connect() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let port = block.own(0);
    let mut gateway = Gateway::start(port, &format!("tls_on_connect_ports = '{port}'"));
    let tls = ["--tls-on-connect", "--to", "ann@local.test", "--body", "wrapped from the start"];
    let (taken, transcript) = swaks(&gateway.address(), &tls);
    assert!(taken, "{transcript}");
    assert!(!transcript.contains("STARTTLS"), "{transcript}");
    assert!(gateway.message("wrapped from the start").contains("with ESMTPS"));
    let line = gateway.line(" <= swaks@sender.test ");
    assert!(line.contains("P=esmtps ") && line.contains(" X=TLS"), "{line}");
    // In clear it understands nothing, and says nothing.
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "ann@local.test"]);
    assert!(!taken && !transcript.contains("220 "), "{transcript}");
}

#[test]
fn a_proxy_header_comes_before_tls() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let port = block.own(0);
    let options = format!("tls_on_connect_ports = '{port}'\nproxy_required_hosts = '127.0.0.1'");
    let mut gateway = Gateway::start(port, &options);
    let header = "TCP4 192.0.2.7 192.0.2.1 40000 465";
    let proxied = ["--proxy-version", "1", "--proxy", header, "--tls-on-connect"];
    let message = ["--to", "ann@local.test", "--body", "behind a proxy"];
    let (taken, transcript) = swaks(&gateway.address(), &[&proxied[..], &message].concat());
    assert!(taken, "{transcript}");
    assert!(gateway.line(" <= swaks@sender.test ").contains("[192.0.2.7]"));
    assert!(gateway.message("behind a proxy").contains("with ESMTPS"));
}
