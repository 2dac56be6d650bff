//! Mail to every domain of the DANE table, by `send` and through the gateway, to Exim and to Postfix.

use std::collections::VecDeque;
use std::path::PathBuf;
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
    /// They end with it.
    _peers: Peers<'a>,
    pub(crate) resolver: String,
    pub(crate) port: u16,
    /// The certificates and keys of the rows.
    pub(crate) folder: PathBuf,
}

impl<'a> Lab<'a> {
    pub(crate) fn start(block: &'a Block, server: &str) -> Self {
        let peers = Peers::of(block);
        // Each has one port for all its addresses.
        let port = block.first() + if server == "exim" { 40 } else { 50 };
        let folder = peers.folder().join("dane");
        let table = Table::write(&folder, port);
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
        Self { _peers: peers, resolver: unbound.address, port, folder }
    }

    /// Sends a message by `send`; returns the outcome of its recipient.
    pub(crate) fn send(&self, recipient: &str, arguments: &[&str]) -> Value {
        let (lines, told) = send(
            &[
                &["--resolver", &self.resolver, "--port", &self.port.to_string(), "--json"][..],
                arguments,
                &[recipient],
            ]
            .concat(),
        );
        let line = lines.lines().next().unwrap_or_else(|| panic!("{recipient}: {told}"));
        serde_json::from_str(line).unwrap()
    }
}

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

/// What became of a recipient.
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

/// Does the work for each domain, eight at once; returns the domains whose outcome is another.
fn wrong(work: impl Fn(&str, Expected) -> Option<String> + Sync) -> Vec<String> {
    let left = Mutex::new(VecDeque::from(domains()));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().pop_front();
                    let Some((domain, expected)) = next else { return };
                    if let Some(found) = work(&domain, expected) {
                        wrong.lock().unwrap().push(format!("{domain}: {found}, not {expected:?}"));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
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
