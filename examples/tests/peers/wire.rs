//! The wire between a client and Exim: after TLSA records no message goes in clear, whoever is in the middle.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};

use super::block::{Block, own_network};
use super::dane_lab::Lab;
use super::gateway::Gateway;
use super::recorder::{Attack, Recorder};
use super::servers::{have, swaks};
use super::stapled_hosts::{Kind, Staple, StapledHost, record, write};
use crate::send::server::{Behaviour, Identity, Server, Tls};

/// Exim's servers: the second is not the one that its TLSA record says.
const HOSTS: [StapledHost; 2] = [
    StapledHost { name: "good", certificate: Kind::Good, usage: 3, staple: Staple::None },
    StapledHost { name: "liar", certificate: Kind::Foreign, usage: 0, staple: Staple::None },
];

/// The names of hosts, the server behind each, and the attack in between.
const ATTACKED: [(&str, usize, Attack); 6] = [
    ("watched", 0, Attack::Watch),
    ("stripped", 0, Attack::Strip),
    ("no-ehlo", 0, Attack::RefuseEhlo),
    ("no-tls", 0, Attack::RefuseTls),
    ("spoken-clear", 0, Attack::SpeakClear),
    ("lied-to", 1, Attack::Watch),
];

struct Wire<'a> {
    lab: Lab<'a>,
    recorders: Vec<Recorder>,
    /// Servers that fail in other ways.
    faulty: Vec<Server>,
}

impl<'a> Wire<'a> {
    /// Each attacked host has a domain of its name; in `NAME-next` the good host is behind it.
    fn start(block: &'a Block) -> Self {
        let first = block.first();
        let (mut faulty, network) = (Vec::new(), own_network());
        let identity = Identity::of("mx.secure.test");
        let lab = Lab::start_with(block, "exim", |folder, port| {
            let table = write(&HOSTS, first, (folder, port));
            let mut zone = fs::read_to_string(&table.zone).unwrap();
            // What is published is the key of the good host.
            let tlsa = record(&folder.join("good.pem").display().to_string(), 3);
            let names = ATTACKED.iter().map(|(name, ..)| (*name).to_owned());
            let others = Tls::FAULTS.iter().map(|fault| format!("{fault:?}").to_lowercase());
            for (name, number) in names.chain(others).zip(1..) {
                writeln!(zone, "{name} MX 10 mx-{name}\n{name}-next MX 10 mx-{name}").unwrap();
                writeln!(zone, "{name}-next MX 20 mx-good\nmx-{name} A 127.0.{network}.{number}")
                    .unwrap();
                writeln!(zone, "_{port}._tcp.mx-{name} TLSA {tlsa}").unwrap();
            }
            fs::write(&table.zone, zone).unwrap();
            for (fault, number) in Tls::FAULTS.into_iter().zip(ATTACKED.len() + 1..) {
                let behaviour = Behaviour { tls: fault, ..Behaviour::default() };
                let at = format!("127.0.{network}.{number}:{port}");
                let listener = TcpListener::bind(at).unwrap();
                faulty.push(Server::start(listener, behaviour, &identity));
            }
            table
        });
        let address = |net: u8, number: usize| -> SocketAddr {
            format!("127.0.{net}.{number}:{}", lab.port).parse().unwrap()
        };
        let attacked = ATTACKED.iter().zip(1..);
        let recorders = attacked.map(|((_, server, attack), number)| {
            Recorder::start(address(network, number), address(1, server + 1), *attack)
        });
        Self { recorders: recorders.collect(), lab, faulty }
    }
}

#[test]
fn send_says_no_mail_in_clear_to_a_host_with_tlsa_records() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let wire = Wire::start(&block);
    for ((name, ..), recorder) in ATTACKED.iter().zip(&wire.recorders) {
        let alone = wire.lab.send(&format!("ann@{name}.secure.test"), &[]);
        let next = wire.lab.send(&format!("ann@{name}-next.secure.test"), &[]);
        let (result, host) = if *name == "watched" {
            ("delivered", "mx-watched.secure.test")
        } else {
            ("deferred", "mx-good.secure.test")
        };
        assert_eq!(alone["result"], result, "{alone}");
        assert_eq!((&next["result"], &next["host"]), (&"delivered".into(), &host.into()), "{next}");
        assert_eq!(next["tls"]["verified"], "dane", "{next}");
        assert!(recorder.heard("EHLO client.test\r\n"), "{name}");
        assert!(!recorder.heard("MAIL FROM"), "{name}");
    }
    for (server, fault) in wire.faulty.iter().zip(Tls::FAULTS) {
        let name = format!("{fault:?}").to_lowercase();
        let alone = wire.lab.send(&format!("ann@{name}.secure.test"), &[]);
        assert_eq!(alone["result"], "deferred", "{alone}");
        let next = wire.lab.send(&format!("ann@{name}-next.secure.test"), &[]);
        assert_eq!(next["tls"]["verified"], "dane", "{next}");
        assert!(!server.told().clear.iter().any(|line| line.starts_with("MAIL")), "{fault:?}");
        assert_eq!(server.told().messages, 0);
    }
}

/// Without DANE the recorder does hear the message of a client that was attacked.
#[test]
fn the_recorder_hears_mail_in_clear_without_tlsa_records() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let wire = Wire::start(&block);
    let config = wire.lab.configuration("without", "hosts_try_dane = ''");
    for ((name, _, attack), recorder) in ATTACKED.iter().zip(&wire.recorders) {
        let outcome = wire.lab.send(&format!("ann@{name}.secure.test"), &["--config", &config]);
        assert_eq!(outcome["result"], "delivered", "{outcome}");
        assert_eq!(recorder.heard("MAIL FROM"), *attack != Attack::Watch, "{name}");
    }
}

#[test]
fn the_gateway_says_no_mail_in_clear_to_a_host_with_tlsa_records() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let wire = Wire::start(&block);
    let options = format!(
        "dns_resolver = '{}'\nrelay_to_domains = '!local.test : *'\nroute_data = '${{domain}}/MX:{}'",
        wire.lab.resolver, wire.lab.port
    );
    let gateway = Gateway::start(block.own(0), &options);
    for ((name, ..), recorder) in ATTACKED.iter().zip(&wire.recorders) {
        let recipient = format!("ann@{name}.secure.test");
        let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient]);
        assert_eq!(taken, *name == "watched", "{transcript}");
        assert!(taken || transcript.contains("<** 451 "), "{transcript}");
        let recipient = format!("ann@{name}-next.secure.test");
        let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient]);
        assert!(taken, "{transcript}");
        assert!(recorder.heard("EHLO gateway.test\r\n"), "{name}");
        assert!(!recorder.heard("MAIL FROM"), "{name}");
    }
}
