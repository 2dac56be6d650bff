//! Validation of our own over the zones that Knot has signed, and an attacker between validation and the zones: no
//! secure name may look otherwise.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dane_tlsa::StubOptions;
use dane_tlsa::hickory::{StubResolver, TrustAnchors, ValidatingResolver};
use dane_tlsa::mail_types::dns::Resolve;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::dnssec::{address, decided, differences, runtime};
use super::on_path::{Attack, OnPath};
use super::servers::{Listener, Peers, have};

/// Valid names that hickory 0.26 finds bogus, which defers their mail: an alias by DNAME, whose CNAME record has no
/// signature, and a record from a wildcard that itself begins the gap of the NSEC record.
const FALSELY_BOGUS: [&str; 2] = [
    "dname-host.secure.test: defer-host, not dane mx.nsec.test",
    "wilder.nsec.test: defer-host, not dane wild.nsec.test",
];

const PATIENCE: Duration = Duration::from_secs(5);

fn validating(listeners: &[Listener], server: SocketAddr) -> ValidatingResolver {
    let file = &listeners.iter().find(|listener| listener.name == "anchor").unwrap().address;
    let anchors = TrustAnchors::from_file(Path::new(file)).unwrap();
    ValidatingResolver::new(&[server], Arc::new(anchors), PATIENCE)
}

#[test]
fn every_kind_of_domain_is_decided_by_validation_of_our_own() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let resolver = validating(&listeners, address(&listeners, "unbound-iterating"));
    let wrong = runtime().block_on(differences(&resolver));
    assert_eq!(wrong, FALSELY_BOGUS);
}

#[test]
fn whoever_is_on_the_path_makes_no_secure_name_look_otherwise() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let plan = Arc::new(Mutex::new((Attack::None, RecordType::TLSA)));
    // Between the resolvers of Unbound and the zones, and between our validation and a resolver.
    let before_zones = OnPath::start(at(block.first() + 72), Arc::clone(&plan));
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec", &before_zones.to_string()]);
    let iterating = address(&listeners, "unbound-iterating");
    let before_resolver = OnPath::start(iterating, Arc::clone(&plan));

    let unbound = address(&listeners, "unbound");
    for domain in ["ee.secure.test", "nsec.test", "optout.test", "alias-chain.secure.test"] {
        for (name, resolver) in resolvers(&listeners, unbound, before_resolver) {
            *plan.lock().unwrap() = (Attack::None, RecordType::TLSA);
            let found = runtime().block_on(decided(domain, &*resolver));
            assert!(found.starts_with("dane "), "{domain}, {name}: {found}");
        }
    }
    for attack in Attack::ALL {
        let kinds = [RecordType::TLSA, RecordType::A, RecordType::MX];
        for kind in if attack.is_of_one_kind() { &kinds[..] } else { &kinds[..1] } {
            *plan.lock().unwrap() = (attack, *kind);
            // At once, each with a fresh cache.
            thread::scope(|scope| {
                for domain in ["ee.secure.test", "nsec.test", "optout.test"] {
                    for (name, resolver) in resolvers(&listeners, unbound, before_resolver) {
                        scope.spawn(move || {
                            let found = runtime().block_on(decided(domain, &*resolver));
                            let is_sound = found.starts_with("dane ") || found.starts_with("defer");
                            assert!(is_sound, "{attack:?} of {kind}, {domain}, {name}: {found}");
                        });
                    }
                }
            });
        }
    }
}

fn resolvers(
    listeners: &[Listener],
    unbound: SocketAddr,
    before_resolver: SocketAddr,
) -> [(&'static str, Box<dyn Resolve>); 2] {
    let options = StubOptions::default().with_patience(PATIENCE, 1);
    [
        ("unbound", Box::new(StubResolver::new(&[unbound], options))),
        ("our own", Box::new(validating(listeners, before_resolver))),
    ]
}
