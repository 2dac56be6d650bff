//! TLSA records, addresses and MX records whose name server has faults, asked for through Unbound and by validation of our own.

use std::net::SocketAddr;

use dane_tlsa::StubOptions;
use dane_tlsa::hickory::StubResolver;
use dane_tlsa::mail_types::dns::Resolve;

use super::block::Block;
use super::dnssec::{address, decided, runtime};
use super::faulty;
use super::servers::{Peers, have};

/// Each fault, and whether the answer comes all the same. Three seconds are more than Unbound waits here.
const FAULTS: [(&str, bool); 10] = [
    ("sound", true),
    ("truncated", true),
    ("servfail", false),
    ("refused", false),
    ("formerr", false),
    ("notimp", false),
    ("silent", false),
    ("garbage", false),
    ("wrongid", false),
    ("slow", false),
];

#[test]
fn each_fault_of_a_name_server_defers_the_host_or_the_message() {
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

/// TLSA records, addresses and MX records with the fault (RFC 7672 section 2.1.2). These zones are not signed, so
/// that records that do come authenticate nothing.
fn check(resolver: &dyn Resolve) {
    for (fault, answers) in FAULTS {
        for (domain, failed) in [
            (format!("{fault}.secure.test"), "defer-host"),
            (format!("address-{fault}.secure.test"), "defer-host"),
            (format!("mx-{fault}.faulty.test"), "defer"),
        ] {
            let found = runtime().block_on(decided(&domain, resolver));
            assert_eq!(found, if answers { "opportunistic" } else { failed }, "{domain}");
        }
    }
}
