//! Mail to every domain of the DANE table, by `send` and through the gateway, to Exim and to Postfix.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use serde_json::Value;

use super::block::Block;
use super::dane_table::{Expected, Table, domains};
use super::gateway::Gateway;
use super::servers::{Peers, have, output_of, swaks, text};

/// The zones, their resolver, and a server at each address.
pub(crate) struct Lab<'a> {
    pub(crate) peers: Peers<'a>,
    pub(crate) resolver: String,
    pub(crate) port: u16,
    /// The folder that the table was written into.
    pub(crate) folder: PathBuf,
}

impl<'a> Lab<'a> {
    pub(crate) fn start(block: &'a Block, server: &str) -> Self {
        Self::start_with(block, server, Table::write)
    }

    /// The same, with the files that are written here, for a folder and a port.
    pub(crate) fn start_with(
        block: &'a Block,
        server: &str,
        write: impl FnOnce(&Path, u16) -> Table,
    ) -> Self {
        let peers = Peers::of(block);
        // Each has one port for all its addresses.
        let port = block.first() + SERVERS.iter().find(|(name, _)| *name == server).unwrap().1;
        let folder = peers.folder().join("dane");
        // A test that had the block before may have left its files.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let table = write(&folder, port);
        let (zone, map) = (table.zone.display().to_string(), table.map.display().to_string());
        let number = port.to_string();
        let variables = [
            ("PEERS_ZONE", &*zone),
            ("PEERS_TLSA_PORT", &*number),
            ("PEERS_TLSA_DIGEST", &*table.digest),
        ];
        let listeners = peers.start_in(&variables, &["dnssec"]);
        let unbound = listeners.into_iter().find(|listener| listener.name == "unbound").unwrap();
        peers.start_in(&[("PEERS_MAP", &map)], &[server]);
        Self { peers, resolver: unbound.address, port, folder }
    }

    /// Sends a message by Exim's client with these options of its transport; returns its log.
    pub(crate) fn exim(&self, recipients: &[&str], options: &str) -> String {
        let message = "Subject: a test\n\nbody\n";
        let hosts = format!("MX:{}", self.port);
        self.peers.exim_send_by(&hosts, recipients, message, options).1
    }

    /// A file in the folder.
    pub(crate) fn path(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    /// Writes a configuration with these options of deliveries; returns its path.
    pub(crate) fn configuration(&self, name: &str, options: &str) -> String {
        let path = self.path(&format!("{name}.toml"));
        fs::write(&path, format!("[remote_smtp]\n{options}\n")).unwrap();
        path
    }

    /// Sends a message by `send`; returns its log.
    pub(crate) fn log_of_send(&self, recipients: &[&str], arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let fixed = ["--resolver", &self.resolver, "--port", &port];
        let (lines, told) = send(&[&fixed, arguments, recipients].concat());
        lines + &told
    }

    /// Sends a message by `send`; returns the outcome of its recipient.
    pub(crate) fn send(&self, recipient: &str, arguments: &[&str]) -> Value {
        self.outcomes_of_send(&[recipient], arguments).remove(0)
    }

    /// The same, with the outcomes of these recipients in their order.
    pub(crate) fn outcomes_of_send(&self, recipients: &[&str], arguments: &[&str]) -> Vec<Value> {
        let log = self.log_of_send(recipients, &[&["--json"], arguments].concat());
        let outcome = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{log}"));
        let outcomes: Vec<_> = log.lines().map(outcome).collect();
        assert_eq!(outcomes.len(), recipients.len(), "{log}");
        outcomes
    }
}

/// The servers, and their ports in the block.
const SERVERS: [(&str, u16); 3] = [("exim", 40), ("exim-prdr", 42), ("postfix", 50)];

/// Runs `send` with a message; returns standard output and error.
pub(crate) fn send(arguments: &[&str]) -> (String, String) {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let mut command = Command::new(path.join("examples/send"));
    command.args(["--from", "sender@sender.test", "--helo", "client.test"]).args(arguments);
    let output = output_of(&mut command, b"Subject: a test\n\nbody\n");
    (text(&output.stdout), text(&output.stderr))
}

/// The outcome of a recipient.
pub(crate) fn found(outcome: &Value) -> Expected {
    match outcome.get("result").and_then(Value::as_str).unwrap() {
        "deferred" => Expected::Deferred,
        "failed" => Expected::Failed,
        "delivered" => match outcome.pointer("/tls/verified").and_then(Value::as_str) {
            Some("dane") => Expected::Verified,
            _ => Expected::NoDane,
        },
        other => panic!("{other}"),
    }
}

/// Does the work for each, eight at once; returns what it has found.
pub(crate) fn found_in<T: Send>(
    all: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Option<String> + Sync,
) -> Vec<String> {
    let left = Mutex::new(all.into_iter().collect::<VecDeque<_>>());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().pop_front();
                    let Some(next) = next else { return };
                    let result = work(next);
                    results.lock().unwrap().extend(result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}

/// Does the work for each domain; returns the domains whose outcome is another.
fn wrong(work: impl Fn(&str, Expected) -> Option<String> + Sync) -> Vec<String> {
    found_in(domains(), |(domain, expected)| {
        work(&domain, expected).map(|found| format!("{domain}: {found}, not {expected:?}"))
    })
}

fn all_by_send(server: &str, programs: &[&str]) {
    if !have(programs) {
        return;
    }
    let block = Block::claim();
    let lab = Lab::start(&block, server);
    let wrong = wrong(|domain, expected| {
        let outcome = lab.send(&format!("ann@{domain}"), &[]);
        let is_right = match (expected, found(&outcome)) {
            // The records cannot authenticate, and TLS is required: that it was used is all.
            (Expected::Encrypted, Expected::NoDane) => {
                outcome.get("tls").is_some_and(Value::is_object)
            }
            (expected, found) => expected == found,
        };
        (!is_right).then(|| outcome.to_string())
    });
    assert!(wrong.is_empty(), "{server}: {wrong:#?}");
}

#[test]
fn every_domain_gets_its_mail_from_send_as_its_records_say_with_exim() {
    all_by_send("exim", &["exim4", "knotd", "kzonesign", "unbound", "openssl"]);
}

#[test]
fn every_domain_gets_its_mail_from_send_as_its_records_say_with_postfix() {
    all_by_send("postfix", &["knotd", "kzonesign", "unbound", "openssl", "unshare"]);
}

fn all_by_gateway(server: &str, programs: &[&str]) {
    if !have(programs) {
        return;
    }
    let block = Block::claim();
    let lab = Lab::start(&block, server);
    let options = format!(
        "dns_resolver = \"{}\"\nrelay_to_domains = \"!local.test : *\"\nroute_data = \"${{domain}}/MX:{}\"",
        lab.resolver, lab.port
    );
    let gateway = Gateway::start(block.own(0), &options);
    let wrong = wrong(|domain, expected| {
        let recipient = format!("ann@{domain}");
        let (taken, transcript) = swaks(&gateway.address(), &["--to", &recipient]);
        let line = || {
            let log = gateway.log();
            log.lines().find(|line| line.contains(&format!("=> {recipient} "))).map(str::to_owned)
        };
        let is_right = match expected {
            Expected::Deferred => transcript.contains("<** 451 "),
            Expected::Failed => transcript.contains("<** 550 "),
            Expected::Verified => taken && line().is_some_and(|line| line.contains(" CV=dane ")),
            Expected::Encrypted => taken && line().is_some_and(|line| line.contains(" CV=no ")),
            Expected::NoDane => taken && line().is_some_and(|line| !line.contains(" CV=dane ")),
        };
        (!is_right).then(|| format!("{:?}: {transcript}", line()))
    });
    assert!(wrong.is_empty(), "{server}: {wrong:#?}");
}

#[test]
fn every_domain_gets_its_mail_through_the_gateway_as_its_records_say_with_exim() {
    all_by_gateway("exim", &["exim4", "knotd", "kzonesign", "unbound", "openssl", "swaks"]);
}

#[test]
fn every_domain_gets_its_mail_through_the_gateway_as_its_records_say_with_postfix() {
    all_by_gateway("postfix", &["knotd", "kzonesign", "unbound", "openssl", "swaks", "unshare"]);
}

/// The MX records of the domain are not secure, and name a host with secure records of both kinds.
#[test]
fn with_insecure_mx_dane_verifies_hosts_of_domains_that_are_not_signed() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let lab = Lab::start(&block, "exim");
    let config = lab.configuration("insecure-mx", "insecure_mx = 'dane'");
    let recipient = "ann@securemx.insecure.test";
    assert_eq!(found(&lab.send(recipient, &[])), Expected::NoDane);
    let outcome = lab.send(recipient, &["--config", &config]);
    assert_eq!(found(&outcome), Expected::Verified, "{outcome}");
    // It is a host of somebody else, perhaps: that is not enough for REQUIRETLS.
    let outcome = lab.send(recipient, &["--config", &config, "--require-tls"]);
    assert_eq!(found(&outcome), Expected::Failed, "{outcome}");
    assert_eq!(
        outcome.get("reason").and_then(Value::as_str),
        Some("REQUIRETLS: no authenticated TLS session with a confirmed host")
    );
}
