//! `hosts_require_ocsp`, and servers whose staples do not count.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;

use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::rustls_pki_types::pem::PemObject as _;
use rcgen::KeyPair;

use super::authority::Authority;
use super::block::{Block, own_network};
use super::dane_lab::Lab;
use super::dane_table::Table;
use super::expired_proof::in_2020;
use super::gateway::Gateway;
use super::servers::{have, swaks};
use super::stapled_hosts::record;
use crate::send::server::{Behaviour, Identity, Server};

/// The staples, and why each does not count.
const BAD: [(&str, &str); 4] = [
    ("revoked", "revoked"),
    ("expired", "ended at 2020-"),
    ("exchanged", "another certificate"),
    ("missing", "no OCSP staple"),
];

/// The identity of a server with the staple of this name.
fn identity(authority: &mut Authority, name: &str) -> Identity {
    let host = format!("mx-{name}.secure.test");
    authority.issue(&host, if name == "revoked" { "R" } else { "V" });
    authority.prove(&host, "proof");
    let staple = match name {
        "missing" => Vec::new(),
        "expired" => in_2020(authority, "proof"),
        "exchanged" => {
            authority.issue("other.secure.test", "V");
            authority.prove("other.secure.test", "proof");
            fs::read(authority.path("proof")).unwrap()
        }
        _ => fs::read(authority.path("proof")).unwrap(),
    };
    let certificate = authority.path(&format!("{host}.pem"));
    let key = fs::read_to_string(authority.path(&format!("{host}.key"))).unwrap();
    Identity {
        more: Vec::new(),
        certificate: CertificateDer::from_pem_file(certificate).unwrap(),
        key: KeyPair::from_pem(&key).unwrap(),
        staple,
    }
}

/// A server for each bad staple, and one with a good one. The host `mx-NAME` has no TLSA record, `dane-NAME` has
/// one; domains have the names of their hosts: `mail-NAME`, and `mail-NAME-next` with the good one behind it.
fn start(block: &Block) -> (Lab<'_>, Vec<Server>) {
    let mut authority = Authority::make(&format!("required-{}", block.first()), 0);
    let mut servers = Vec::new();
    let lab = Lab::start_with(block, "exim", |folder, port| {
        let mut zone = String::new();
        let names = BAD.map(|(name, _)| name).into_iter().chain(["good"]);
        let network = own_network();
        for (name, number) in names.zip(1..) {
            let identity = identity(&mut authority, name);
            let at = format!("127.0.{network}.{number}:{port}");
            let listener = TcpListener::bind(at).unwrap();
            let server = Server::start(listener, Behaviour::default(), &identity);
            let address = server.address.ip();
            servers.push(server);
            let tlsa = record(&authority.path(&format!("mx-{name}.secure.test.pem")), 3);
            writeln!(zone, "_{port}._tcp.dane-{name} TLSA {tlsa}").unwrap();
            for kind in ["mx", "dane"] {
                let domain = format!("{kind}-mail-{name}");
                writeln!(zone, "{kind}-{name} A {address}\n{domain} MX 10 {kind}-{name}").unwrap();
                writeln!(zone, "{domain}-next MX 10 {kind}-{name}").unwrap();
                writeln!(zone, "{domain}-next MX 20 {kind}-good").unwrap();
            }
        }
        fs::copy(authority.path("ca.pem"), folder.join("ca.pem")).unwrap();
        Table::of(folder, &zone, "127.0.1.1: tls=no\n")
    });
    (lab, servers)
}

/// The commands `MAIL` that a server was told, in clear and over TLS.
fn mails(server: &Server) -> [usize; 2] {
    let told = server.told();
    [told.clear, told.secret]
        .map(|lines| lines.iter().filter(|line| line.starts_with("MAIL")).count())
}

#[test]
fn a_host_without_a_good_staple_gets_nothing_if_one_is_required() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let (lab, servers) = start(&block);
    let options =
        format!("hosts_require_ocsp = '*'\ntls_verify_certificates = '{}'", lab.path("ca.pem"));
    let config = lab.configuration("required", &options);
    let mut delivered = 0;
    for (kind, verified) in [("mx", "yes"), ("dane", "dane")] {
        for ((name, reason), server) in BAD.iter().zip(&servers) {
            let outcome = |domain: &str| {
                lab.send(
                    &format!("ann@{kind}-mail-{name}{domain}.secure.test"),
                    &["--config", &config],
                )
            };
            let alone = outcome("");
            assert_eq!(alone["result"], "deferred", "{alone}");
            assert!(alone["reason"].as_str().unwrap().contains(reason), "{reason}: {alone}");
            let next = outcome("-next");
            assert_eq!(next["result"], "delivered", "{next}");
            assert_eq!(next["host"], format!("{kind}-good.secure.test"), "{next}");
            assert_eq!(
                (&next["tls"]["verified"], &next["tls"]["ocsp"]),
                (&verified.into(), &4.into())
            );
            delivered += 1;
            assert_eq!(mails(server), [0, 0], "{kind} {name}");
        }
    }
    assert_eq!(mails(servers.last().unwrap()), [0, delivered]);
}

/// A staple that is requested only may be missing.
#[test]
fn a_bad_staple_keeps_mail_from_a_host_with_dane_that_is_asked_for_one() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let (lab, servers) = start(&block);
    let options =
        format!("hosts_request_ocsp = '*'\ntls_verify_certificates = '{}'", lab.path("ca.pem"));
    let config = lab.configuration("requested", &options);
    for ((name, _), server) in BAD.iter().zip(&servers) {
        let outcome =
            lab.send(&format!("ann@dane-mail-{name}.secure.test"), &["--config", &config]);
        if *name == "missing" {
            assert_eq!(outcome["result"], "delivered", "{outcome}");
            assert_eq!(outcome["tls"]["ocsp"], 1, "{outcome}");
        } else {
            assert_eq!(outcome["result"], "deferred", "{outcome}");
            assert_eq!(mails(server), [0, 0], "{name}");
        }
    }
}

/// Starts a gateway that relays by the MX records of the lab, with this option of `[remote_smtp]`.
fn gateway(lab: &Lab<'_>, port: u16, option: &str) -> Gateway {
    let (resolver, server, ca) = (&lab.resolver, lab.port, lab.path("ca.pem"));
    let options = format!(
        "dns_resolver = '{resolver}'\nrelay_to_domains = '!local.test : *'\nroute_data = '${{domain}}/MX:{server}'\n\
         [remote_smtp]\n{option} = '*'\ntls_verify_certificates = '{ca}'"
    );
    Gateway::start(port, &options)
}

/// Sends a message through it; returns whether it was taken, and the line of the log about its recipient.
fn relayed(gateway: &mut Gateway, domain: &str) -> (bool, String) {
    let recipient = format!("ann@{domain}.secure.test");
    let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient]);
    assert!(taken || transcript.contains("<** 451 "), "{transcript}");
    let sign = if taken { "=>" } else { "==" };
    let line = gateway.line(&format!("{sign} {recipient} T=remote_smtp "));
    (taken, line)
}

/// As with `send`.
#[test]
fn the_gateway_gives_nothing_to_a_host_without_a_good_staple_if_one_is_required() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let (lab, servers) = start(&block);
    let mut gateway = gateway(&lab, block.own(0), "hosts_require_ocsp");
    let mut delivered = 0;
    for (kind, verified) in [("mx", "yes"), ("dane", "dane")] {
        for ((name, reason), server) in BAD.iter().zip(&servers) {
            let (taken, line) = relayed(&mut gateway, &format!("{kind}-mail-{name}"));
            assert!(!taken && line.contains(" defer: ") && line.contains(reason), "{line}");
            let (taken, line) = relayed(&mut gateway, &format!("{kind}-mail-{name}-next"));
            assert!(taken && line.contains(&format!(" H={kind}-good.secure.test ")), "{line}");
            assert!(line.contains(&format!(" CV={verified} ")), "{line}");
            delivered += 1;
            assert!(server.told().connections > 0, "{kind} {name}");
            assert_eq!(mails(server), [0, 0], "{kind} {name}");
        }
    }
    assert_eq!(mails(servers.last().unwrap()), [0, delivered]);
}

/// As with `send`: a staple that is requested only may be missing.
#[test]
fn a_bad_staple_keeps_mail_of_the_gateway_from_a_host_with_dane_that_is_asked_for_one() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let (lab, servers) = start(&block);
    let mut gateway = gateway(&lab, block.own(0), "hosts_request_ocsp");
    for ((name, _), server) in BAD.iter().zip(&servers) {
        let (taken, line) = relayed(&mut gateway, &format!("dane-mail-{name}"));
        if *name == "missing" {
            assert!(taken && line.contains(" CV=dane "), "{line}");
        } else {
            assert!(!taken && line.contains(" defer: "), "{line}");
            assert_eq!(mails(server), [0, 0], "{name}");
        }
    }
}
