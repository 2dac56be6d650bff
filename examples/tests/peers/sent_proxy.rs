//! The address of the client goes on to the next hop, by a PROXY header.

use std::fs;
use std::path::Path;

use super::block::Block;
use super::gateway::Gateway;
use super::next_hop::NextHop;
use super::relay::mail;
use super::servers::{Peers, have, swaks};

const CLIENT: &str = "192.0.2.7";

/// A gateway behind a proxy, before this next hop.
fn gateway(block: &Block, next_hop: &str) -> Gateway {
    let options = format!(
        "proxy_required_hosts = \"127.0.0.1\"\nrelay_to_domains = \"next.test\"\n\
         route_data = \"{next_hop}\"\n[remote_smtp]\nhosts_send_proxy = \"127.0.0.1\""
    );
    Gateway::start(block.own(0), &options)
}

/// Sends a message of the client.
fn send(gateway: &Gateway) {
    let header = ["--proxy-version", "1", "--proxy-family", "TCP4"];
    let source = ["--proxy-source", CLIENT, "--proxy-source-port", "4711"];
    let destination = ["--proxy-dest", "198.51.100.1", "--proxy-dest-port", "25"];
    let arguments = [&header[..], &source, &destination, &["--to", "ann@next.test"]].concat();
    let (taken, transcript) = swaks(&gateway.address(), &arguments);
    assert!(taken, "{transcript}\n{}", gateway.log());
}

#[test]
fn exim_behind_the_gateway_sees_the_client() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let exim = peers.start_in(&[("PEERS_PROXY", "yes")], &["exim"]);
    send(&gateway(&block, &exim[0].address));
    let kept = mail(&exim[1].address, 1);
    assert!(kept.iter().any(|message| message.contains(&format!("[{CLIENT}]"))), "{kept:?}");
}

#[test]
fn postfix_behind_the_gateway_sees_the_client() {
    if !have(&["swaks", "unshare"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let postfix = peers.start_in(&[("PEERS_PROXY", "yes")], &["postfix"]);
    send(&gateway(&block, &postfix[0].address));
    let files = postfix.iter().find(|listener| listener.kind == "files").unwrap();
    let log = Path::new(&files.address).parent().unwrap().join("log/postfix.log");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains(&format!("connect from unknown[{CLIENT}]")), "{log}");
}

/// The header comes before the greeting, in clear, and TLS after it.
#[test]
fn a_second_gateway_sees_the_client_and_starts_tls() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let last = NextHop::start();
    let options = format!(
        "proxy_required_hosts = \"127.0.0.1\"\nlog_selector = \"+proxy\"\n\
         relay_to_domains = \"next.test\"\nroute_data = \"{}\"",
        last.address
    );
    let mut second = Gateway::start(block.own(1), &options);
    send(&gateway(&block, &second.address()));
    let line = second.line(" <= swaks@sender.test ");
    assert!(line.contains(&format!("[{CLIENT}]")) && line.contains("P=esmtps"), "{line}");
    assert!(line.contains(" PRX=127.0.0.1"), "{line}");
}
