//! TLSA records whose name server has faults, asked for through Unbound and by validation of our own.

use std::net::SocketAddr;

use dane_tlsa::StubOptions;
use dane_tlsa::hickory::StubResolver;
use dane_tlsa::mail_types::dns::Resolve;

use super::block::Block;
use super::dnssec::{address, decided, runtime};
use super::faulty;
use super::servers::{Peers, have};

/// Each fault, and what becomes of the host (RFC 7672 section 2.1.2). The zones are not signed, so that records
/// that do come authenticate nothing.
const FAULTS: [(&str, &str); 10] = [
    ("sound", "opportunistic"),
    ("truncated", "opportunistic"),
    ("servfail", "defer-host"),
    ("refused", "defer-host"),
    ("formerr", "defer-host"),
    ("notimp", "defer-host"),
    ("silent", "defer-host"),
    ("garbage", "defer-host"),
    ("wrongid", "defer-host"),
    // Three seconds are more than Unbound waits here.
    ("slow", "defer-host"),
];

#[test]
fn each_fault_of_a_name_server_defers_the_host() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    faulty::start(SocketAddr::from(([127, 0, 0, 1], block.first() + 75)));
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let stub = StubResolver::new(&[address(&listeners, "unbound")], StubOptions::default());
    check(&stub);
    #[cfg(feature = "dnssec-ring")]
    check(&super::dnssec_attacks::validating(&listeners, address(&listeners, "unbound-iterating")));
}

fn check(resolver: &dyn Resolve) {
    for (fault, expected) in FAULTS {
        let found = runtime().block_on(decided(&format!("{fault}.secure.test"), resolver));
        assert_eq!(found, expected, "{fault}");
    }
}
