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
            let others = Tls::FAULTS.into_iter().map(domain_of);
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

/// The domain of a faulty server; the lab has others.
fn domain_of(fault: Tls) -> String {
    format!("faulty-{fault:?}").to_lowercase()
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
    for (server, fault, name) in wire.faulty() {
        let alone = wire.lab.send(&format!("ann@{name}.secure.test"), &[]);
        assert_eq!(alone["result"], "deferred", "{alone}");
        let next = wire.lab.send(&format!("ann@{name}-next.secure.test"), &[]);
        assert_eq!(next["tls"]["verified"], "dane", "{next}");
        assert!(server.told().connections >= 2, "{fault:?}");
        assert_eq!((mails_in_clear(server), server.told().messages), (0, 0), "{fault:?}");
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

impl Wire<'_> {
    /// Starts a gateway that relays by the MX records of the lab, with these lines of `[remote_smtp]`.
    fn gateway(&self, port: u16, options: &str) -> Gateway {
        let options = format!(
            "dns_resolver = '{}'\nrelay_to_domains = '!local.test : *'\nroute_data = '${{domain}}/MX:{}'\n\
             [remote_smtp]\n{options}",
            self.lab.resolver, self.lab.port
        );
        Gateway::start(port, &options)
    }

    /// The faulty servers, each with its fault and the name of its domain.
    fn faulty(&self) -> impl Iterator<Item = (&Server, Tls, String)> {
        let faults = self.faulty.iter().zip(Tls::FAULTS);
        faults.map(|(server, fault)| (server, fault, domain_of(fault)))
    }
}

/// Sends a message to `ann` in a domain of the lab through a gateway; returns whether it was taken, and the last line
/// of the log about her.
fn relayed(gateway: &mut Gateway, domain: &str) -> (bool, String) {
    let recipient = format!("ann@{domain}.secure.test");
    let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient]);
    assert!(taken || transcript.contains("<** 451 "), "{transcript}");
    let sign = if taken { "=>" } else { "==" };
    let line = gateway.line(&format!("{sign} {recipient} T=remote_smtp "));
    (taken, line)
}

/// The commands `MAIL` that a server was told in clear.
fn mails_in_clear(server: &Server) -> usize {
    server.told().clear.iter().filter(|line| line.starts_with("MAIL")).count()
}

#[test]
fn the_gateway_says_no_mail_in_clear_to_a_host_with_tlsa_records() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let wire = Wire::start(&block);
    let mut gateway = wire.gateway(block.own(0), "");
    for ((name, ..), recorder) in ATTACKED.iter().zip(&wire.recorders) {
        let (taken, line) = relayed(&mut gateway, name);
        assert_eq!(taken, *name == "watched", "{line}");
        let (taken, line) = relayed(&mut gateway, &format!("{name}-next"));
        assert!(taken && line.contains(" CV=dane "), "{line}");
        assert!(recorder.heard("EHLO gateway.test\r\n"), "{name}");
        assert!(!recorder.heard("MAIL FROM"), "{name}");
    }
    for (server, fault, name) in wire.faulty() {
        let (taken, line) = relayed(&mut gateway, &name);
        assert!(!taken && line.contains(&format!(" H=mx-{name}.secure.test ")), "{line}");
        let (taken, line) = relayed(&mut gateway, &format!("{name}-next"));
        assert!(taken && line.contains(" H=mx-good.secure.test "), "{line}");
        assert!(line.contains(" CV=dane "), "{line}");
        assert!(server.told().connections >= 2, "{fault:?}");
        assert_eq!((mails_in_clear(server), server.told().messages), (0, 0), "{fault:?}");
    }
}

/// As `send` does: clear text follows a fault of TLS where nothing forbids it, and nowhere else.
#[test]
fn without_dane_the_gateway_says_mail_in_clear_only_where_nothing_forbids_it() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let wire = Wire::start(&block);
    let start =
        |port, options: &str| wire.gateway(port, &format!("hosts_try_dane = ''\n{options}"));
    for ((options, first), port) in [
        ("hosts_require_tls = '*'", 0),
        ("tls_verify_hosts = '*'\nhosts_require_tls = '*'", 0),
        ("hosts_require_ocsp = '*'", 0),
        // A server without STARTTLS is not its affair.
        ("tls_tempfail_tryclear = false", 1),
    ]
    .into_iter()
    .zip(0..)
    {
        let mut gateway = start(block.own(port), options);
        for (server, fault, name) in wire.faulty().skip(first) {
            let (taken, line) = relayed(&mut gateway, &name);
            assert!(!taken, "{options} {fault:?}: {line}");
            assert_eq!(mails_in_clear(server), 0, "{options} {fault:?}");
        }
    }
    for (options, port) in [("", 4), ("tls_verify_hosts = '*'", 5)] {
        let mut gateway = start(block.own(port), options);
        for (server, fault, name) in wire.faulty() {
            let before = (server.told().connections, mails_in_clear(server));
            let (taken, line) = relayed(&mut gateway, &name);
            let connections = server.told().connections - before.0;
            let mails = mails_in_clear(server) - before.1;
            // Octets behind the reply to STARTTLS are somebody else's.
            let expected = match fault {
                Tls::Injected => (false, 1, 0),
                Tls::No | Tls::Refused => (true, 1, 1),
                _ => (true, 2, 1),
            };
            assert_eq!((taken, connections, mails), expected, "{options} {fault:?}: {line}");
            assert!(!line.contains(" X="), "{line}");
        }
    }
}
