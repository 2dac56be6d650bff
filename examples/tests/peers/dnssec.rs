//! The DNS of mail domains in zones that Knot has signed: through Unbound, which validates, and by validation of our
//! own.

use std::net::SocketAddr;
use std::process::Command;

use dane_tlsa::hickory::StubResolver;
use dane_tlsa::mail_types::dns::{self, Resolve};
use dane_tlsa::{Action, Decision, DnssecState, NextHop, Policy, StubOptions};

use super::block::Block;
use super::servers::{Listener, Peers, have};

/// Each domain, and what becomes of its hosts (RFC 7672): the action, and the TLSA base domain.
const DOMAINS: [(&str, &str); 70] = [
    ("ee.secure.test", "dane mx-ee.secure.test"),
    ("ee-certificate.secure.test", "dane mx-ee-certificate.secure.test"),
    ("ee-sha512.secure.test", "dane mx-ee-sha512.secure.test"),
    ("ee-key.secure.test", "dane mx-ee-key.secure.test"),
    ("ee-whole.secure.test", "dane mx-ee-whole.secure.test"),
    ("ta.secure.test", "dane mx-ta.secure.test"),
    ("ta-certificate.secure.test", "dane mx-ta-certificate.secure.test"),
    ("ta-sha512.secure.test", "dane mx-ta-sha512.secure.test"),
    ("ta-key.secure.test", "dane mx-ta-key.secure.test"),
    ("ta-whole.secure.test", "dane mx-ta-whole.secure.test"),
    ("rollover.secure.test", "dane mx-rollover.secure.test"),
    ("rollover-ta.secure.test", "dane mx-rollover-ta.secure.test"),
    ("mixed.secure.test", "dane mx-mixed.secure.test"),
    ("agility.secure.test", "dane mx-agility.secure.test"),
    ("agility-too.secure.test", "dane mx-agility-too.secure.test"),
    // Secure records, none of which can be used.
    ("pkix-ee.secure.test", "encrypt mx-pkix-ee.secure.test"),
    ("pkix-ta.secure.test", "encrypt mx-pkix-ta.secure.test"),
    ("pkix-and-ee.secure.test", "dane mx-pkix-and-ee.secure.test"),
    ("matching.secure.test", "encrypt mx-matching.secure.test"),
    ("selector.secure.test", "encrypt mx-selector.secure.test"),
    ("usage.secure.test", "encrypt mx-usage.secure.test"),
    ("short.secure.test", "encrypt mx-short.secure.test"),
    ("short-and-right.secure.test", "dane mx-short-and-right.secure.test"),
    ("private-usage.secure.test", "encrypt mx-private-usage.secure.test"),
    // More than a datagram holds.
    ("many.secure.test", "dane mx-many.secure.test"),
    // NXDOMAIN and NODATA.
    ("none.secure.test", "opportunistic"),
    ("nodata.secure.test", "opportunistic"),
    ("other-port.secure.test", "opportunistic"),
    ("wildcard.secure.test", "dane mx-wildcard.secure.test"),
    // Aliases of the records.
    ("alias.secure.test", "dane mx-alias.secure.test"),
    ("alias-zone.secure.test", "dane mx-alias-zone.secure.test"),
    ("alias-chain.secure.test", "dane mx-alias-chain.secure.test"),
    ("alias-insecure.secure.test", "opportunistic"),
    ("alias-nowhere.secure.test", "opportunistic"),
    ("alias-nodata.secure.test", "opportunistic"),
    ("alias-loop.secure.test", "defer-host"),
    ("alias-bogus.secure.test", "defer-host"),
    // Aliases of the host.
    ("host-alias.secure.test", "dane mx-ee.secure.test"),
    ("host-alias-only.secure.test", "dane mx-host-alias-only.secure.test"),
    ("host-alias-zone.secure.test", "dane mx.nsec.test"),
    ("host-alias-insecure.secure.test", "dane mx-host-alias-insecure.secure.test"),
    ("host-alias-insecure-none.secure.test", "opportunistic"),
    ("domain-alias.secure.test", "dane mx-ee.secure.test"),
    ("dname-host.secure.test", "dane mx.nsec.test"),
    ("insecure-host.secure.test", "opportunistic"),
    ("bogus-host.secure.test", "defer-host"),
    // Without MX records.
    ("implicit.secure.test", "dane implicit.secure.test"),
    ("implicit-none.secure.test", "opportunistic"),
    ("six.secure.test", "dane mx-six.secure.test"),
    ("both.secure.test", "dane mx-both.secure.test"),
    ("two.secure.test", "dane mx-ee.secure.test, opportunistic"),
    ("half.secure.test", "unreachable-host, dane mx-ee.secure.test"),
    ("no-address.secure.test", "unreachable-host"),
    ("numeric.secure.test", "unreachable-host"),
    ("underscore.secure.test", "dane _mx.underscore.secure.test"),
    ("null.secure.test", "bounce"),
    ("nowhere.secure.test", "bounce"),
    ("deep.secure.test", "dane a.b.c.d.deep.secure.test"),
    ("some.any.secure.test", "dane mx-ee.secure.test"),
    ("any-host.secure.test", "opportunistic"),
    // Zones with NSEC records, other algorithms, and faults.
    ("nsec.test", "dane mx.nsec.test"),
    ("wilder.nsec.test", "dane wild.nsec.test"),
    ("ed.test", "dane mx.ed.test"),
    ("optout.test", "dane mx.optout.test"),
    ("unsigned.optout.test", "opportunistic"),
    ("insecure.test", "opportunistic"),
    ("securemx.insecure.test", "opportunistic"),
    ("unsupported.test", "opportunistic"),
    ("bogus.test", "defer"),
    ("expired.test", "defer"),
];

/// Its MX records are secure, its TLSA records are not what was signed.
const TAMPERED: (&str, &str) = ("tampered.test", "defer-host");

pub(crate) fn told(decision: &Decision) -> String {
    let hosts = match decision {
        Decision::Hosts(hosts) => hosts,
        Decision::Defer(_) => return "defer".to_owned(),
        Decision::Bounce(_) => return "bounce".to_owned(),
    };
    let action = |action: &Action| match action {
        Action::Dane(dane) => format!("dane {}", dane.base_domain().unwrap()),
        Action::Encrypt(encrypt) => format!("encrypt {}", encrypt.base_domain),
        other => other.as_str().to_owned(),
    };
    hosts.iter().map(|host| action(&host.action)).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn decided(domain: &str, resolver: &dyn Resolve) -> String {
    told(&decision(domain, resolver).await)
}

pub(crate) async fn decision(domain: &str, resolver: &dyn Resolve) -> Decision {
    let policy = Policy::new(NextHop::Domain(domain.parse().unwrap()), 25);
    dns::run(&mut policy.session(), resolver).await
}

pub(crate) fn address(listeners: &[Listener], name: &str) -> SocketAddr {
    listeners.iter().find(|listener| listener.name == name).unwrap().address.parse().unwrap()
}

/// The file of the trust anchor of the signed zones.
#[cfg(feature = "dnssec-ring")]
pub(crate) fn trust_anchor(listeners: &[Listener]) -> &str {
    &listeners.iter().find(|listener| listener.name == "anchor").unwrap().address
}

/// The rows that are not as expected.
pub(crate) async fn differences(resolver: &dyn Resolve) -> Vec<String> {
    let mut wrong = Vec::new();
    for (domain, expected) in DOMAINS.into_iter().chain([TAMPERED]) {
        let found = decided(domain, resolver).await;
        if found != expected {
            wrong.push(format!("{domain}: {found}, not {expected}"));
        }
    }
    wrong
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn every_kind_of_domain_is_decided_through_a_validating_resolver() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let server = address(&listeners, "unbound");
    let options = StubOptions::default().with_bogus_name(Some("bogus.test".parse().unwrap()));
    let stub = StubResolver::new(&[server], options);
    let wrong = runtime().block_on(differences(&stub));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(stub.servers(), [(server, DnssecState::Available)]);

    // The other resolver does not validate: nothing is secure, and nothing that is bogus is seen.
    let iterating = address(&listeners, "unbound-iterating");
    let stub = StubResolver::new(&[iterating], StubOptions::default());
    let found = runtime().block_on(decided("ee.secure.test", &stub));
    assert_eq!(found, "opportunistic");
    assert!(matches!(stub.servers()[0].1, DnssecState::Unavailable(_)));
}

/// Runs the tool; returns standard output and error.
fn tlsa(arguments: &[&str]) -> (String, String) {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let output = Command::new(path.join("examples/tlsa")).args(arguments).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn the_tool_asks_a_resolver_and_says_why_there_is_no_dnssec() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let [validating, iterating] =
        ["unbound", "unbound-iterating"].map(|name| address(&listeners, name).to_string());

    let (out, told) = tlsa(&["policy", "--resolver", &validating, "ee.secure.test"]);
    assert!(out.contains("dane") && told.is_empty(), "{out}{told}");
    let (out, told) = tlsa(&["policy", "--resolver", &iterating, "--json", "ee.secure.test"]);
    assert!(out.contains("\"opportunistic\""), "{out}");
    let why = "not available: the resolver does not validate (no AD for a signed name)";
    assert_eq!(told, format!("tlsa: DNSSEC of {iterating}: {why}\n"));
    // The word is believed, and the probe still tells that it is wrong.
    let trusting = ["policy", "--resolver", &iterating, "--trust-ad", "ee.secure.test"];
    assert_eq!(tlsa(&trusting).1, format!("tlsa: DNSSEC of {iterating}: {why}\n"));

    let chain = peers.certificates().join("server.pem");
    let chain = chain.to_str().unwrap();
    let checked = |host: &str, resolver: &str| {
        tlsa(&["check", "--chain", chain, "--resolver", resolver, "--host", host])
    };
    let (out, told) = checked("mx-ee-whole.secure.test", &validating);
    assert!(out.starts_with("match\n") && told.is_empty(), "{out}{told}");
    assert!(checked("mx-ee-key.secure.test", &validating).0.starts_with("match\n"));
    assert!(checked("mx-ee.secure.test", &validating).0.starts_with("no-match\n"));
    let (_, told) = checked("mx.insecure.test", &validating);
    let name = "_25._tcp.mx.insecure.test";
    assert_eq!(
        told,
        format!("tlsa: the records of {name} are insecure: they authenticate nothing\n")
    );
    let (_, told) = checked("mx-none.secure.test", &validating);
    assert!(told.contains("no TLSA record of _25._tcp.mx-none.secure.test in the DNS"), "{told}");
    let (_, told) = checked("mx.bogus.test", &validating);
    assert!(told.contains("lookup of _25._tcp.mx.bogus.test TLSA failed: bogus"), "{told}");
}

/// The resolver does not validate, and need not: neither is its word believed, nor its missing word missed.
#[cfg(feature = "dnssec-ring")]
#[test]
fn the_tool_validates_itself_by_a_trust_anchor() {
    if !have(&["knotd", "kzonesign", "unbound"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let listeners = peers.start(&["dnssec"]);
    let iterating = address(&listeners, "unbound-iterating").to_string();
    let anchor = trust_anchor(&listeners);
    let validated = |domain: &str| {
        let by = ["--resolver", &iterating, "--validate", "--trust-anchor", anchor];
        tlsa(&[&["policy", "--json"][..], &by[..], &[domain]].concat())
    };
    for (domain, action) in [
        ("ee.secure.test", "\"dane\""),
        ("dname-host.secure.test", "\"dane\""),
        ("insecure.test", "\"opportunistic\""),
        ("bogus.test", "\"defer-message\""),
    ] {
        let (out, told) = validated(domain);
        assert!(out.contains(action) && told.is_empty(), "{domain}: {out}{told}");
    }
    // The zones are not those of the root's own keys.
    let (out, _) =
        tlsa(&["policy", "--resolver", &iterating, "--validate", "--json", "ee.secure.test"]);
    assert!(out.contains("\"defer-message\""), "{out}");

    let chain = peers.certificates().join("server.pem");
    let chain = ["check", "--chain", chain.to_str().unwrap(), "--host", "mx-ee-whole.secure.test"];
    let by = ["--resolver", &iterating, "--validate", "--trust-anchor", anchor];
    let (out, told) = tlsa(&[&chain[..], &by[..]].concat());
    assert!(out.starts_with("match\n") && told.is_empty(), "{out}{told}");
    let empty = peers.certificates().join("server.pem");
    let wrong =
        ["policy", "--validate", "--trust-anchor", empty.to_str().unwrap(), "ee.secure.test"];
    let (_, told) = tlsa(&wrong);
    assert!(told.starts_with("tlsa: ") && told.contains("server.pem: "), "{told}");
}
