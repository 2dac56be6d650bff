//! Validation of our own over the zones that Knot has signed, and an attacker between validation and the zones: no
//! secure name may look otherwise.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dane_tlsa::hickory::{StubResolver, TrustAnchors, ValidatingResolver};
use dane_tlsa::mail_types::dns::Resolve;
use dane_tlsa::{CacheLimits, StubOptions};
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::dnssec::{address, decided, decision, differences, runtime, told, trust_anchor};
use super::on_path::{Attack, OnPath};
use super::servers::{Listener, Peers, have};

/// Zones with NSEC3, NSEC and opt-out, aliases, one by DNAME, and records of a wildcard.
const ATTACKED: [&str; 6] = [
    "ee.secure.test",
    "nsec.test",
    "optout.test",
    "alias-chain.secure.test",
    "dname-host.secure.test",
    "wilder.nsec.test",
];

const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn validating(listeners: &[Listener], server: SocketAddr) -> ValidatingResolver {
    let anchors = TrustAnchors::from_file(Path::new(trust_anchor(listeners))).unwrap();
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
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A kept answer is told though nobody answers any more, and a failure is not kept. The server of the zones is asked:
/// the resolvers here leave no answer any time to live.
#[test]
fn our_own_validation_keeps_answers_and_no_failures() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let plan = Arc::new(Mutex::new((Attack::None, RecordType::TLSA)));
    let path = OnPath::start(address(&listeners, "dnssec-knot"), Arc::clone(&plan));
    let resolver = validating(&listeners, path);
    let uncached = validating(&listeners, path).with_cache(CacheLimits::default().with_entries(0));
    let found = |resolver: &ValidatingResolver| {
        runtime().block_on(decided("alias-chain.secure.test", resolver))
    };
    let kept = "dane mx-alias-chain.secure.test";
    *plan.lock().unwrap() = (Attack::Refuse, RecordType::TLSA);
    assert_eq!((found(&resolver), found(&uncached)), ("defer".to_owned(), "defer".to_owned()));
    *plan.lock().unwrap() = (Attack::None, RecordType::TLSA);
    assert_eq!((found(&resolver), found(&uncached)), (kept.to_owned(), kept.to_owned()));
    *plan.lock().unwrap() = (Attack::Refuse, RecordType::TLSA);
    assert_eq!((found(&resolver), found(&uncached)), (kept.to_owned(), "defer".to_owned()));
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
    let sound = ATTACKED.map(|domain| {
        let both = resolvers(&listeners, unbound, before_resolver).map(|(name, resolver)| {
            let found = runtime().block_on(decision(domain, &*resolver));
            assert!(told(&found).starts_with("dane "), "{domain}, {name}: {found}");
            found
        });
        assert_eq!(both[0], both[1], "{domain}");
        both[0].clone()
    });
    for attack in Attack::ALL {
        let kinds = [RecordType::TLSA, RecordType::A, RecordType::MX];
        for kind in if attack.is_of_one_kind() { &kinds[..] } else { &kinds[..1] } {
            *plan.lock().unwrap() = (attack, *kind);
            // At once, each with a fresh cache.
            thread::scope(|scope| {
                for (domain, sound) in ATTACKED.into_iter().zip(&sound) {
                    for (name, resolver) in resolvers(&listeners, unbound, before_resolver) {
                        scope.spawn(move || {
                            let found = runtime().block_on(decision(domain, &*resolver));
                            // The records and the addresses too are the right ones.
                            let is_sound = found == *sound || told(&found).starts_with("defer");
                            assert!(is_sound, "{attack:?} of {kind}, {domain}, {name}: {found:?}");
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
