//! Revocation lists that change while the gateway runs: by SIGHUP, and as files without a signal.

use std::fs;

use super::authority::Authority;
use super::block::Block;
use super::client_certificates::talk;
use super::gateway::Gateway;
use super::servers::{have, swaks};
use super::stapled::certificate;

const RELOADED: &str = "configuration reloaded";
const NOT_RELOADED: &str = "configuration not reloaded";

/// An authority with these certificates, which are in no list; returns their numbers too.
fn authority<const N: usize>(block: &Block, names: [&str; N]) -> (Authority, [String; N]) {
    let mut authority = Authority::make(&format!("revoked-{}", block.first()), block.own(9));
    let serials = names.map(|name| authority.issue(name, "V"));
    authority.list_revoked("crl.pem");
    (authority, serials)
}

/// Puts a list in the place of the present one, as a program does that fetches lists.
fn replace_list(authority: &Authority) {
    authority.list_revoked("new.crl");
    fs::rename(authority.path("new.crl"), authority.path("crl.pem")).unwrap();
}

/// Leaves no list in the file.
fn break_list(authority: &Authority) {
    let new = authority.path("new.crl");
    fs::write(&new, "no list\n").unwrap();
    fs::rename(new, authority.path("crl.pem")).unwrap();
}

/// The option of a list, a file of the authority.
fn list(authority: &Authority, file: &str) -> String {
    format!("tls_crl = '{}'\n", authority.path(file))
}

#[test]
fn a_client_is_refused_from_the_moment_that_its_certificate_is_revoked() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let names = ["mx.test", "client.test", "other.test"];
    let (ours, [_, client, other]) = authority(&block, names);
    let options = format!(
        "{}tls_verify_hosts = '*'\ntls_verify_certificates = '{}'\n",
        certificate(&ours, "mx.test"),
        ours.path("ca.pem")
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    let taken =
        |gateway: &Gateway, name| talk(&gateway.address(), &ours, name).contains("250 2.0.0");
    ours.revoke(&client);
    replace_list(&ours);
    assert!(taken(&gateway, "client.test"), "there is no tls_crl: {}", gateway.log());

    // By SIGHUP.
    let with_list = format!("{options}{}", list(&ours, "crl.pem"));
    gateway.reload(&with_list, RELOADED);
    assert!(!taken(&gateway, "client.test"));
    assert!(taken(&gateway, "other.test"), "{}", gateway.log());

    // The file alone.
    ours.revoke(&other);
    replace_list(&ours);
    assert!(!taken(&gateway, "other.test"));
    gateway.line("clients: authorities and revocation lists read again");
    break_list(&ours);
    assert!(!taken(&gateway, "other.test"), "the last good list stays");
    let line = gateway.line("the last good ones stay in use");
    assert!(line.contains("crl.pem has no certificate revocation list"), "{line}");

    // A reload with the broken list changes nothing, and one without a list ends the refusals.
    gateway.reload(&with_list, NOT_RELOADED);
    gateway.reload(&format!("{options}{}", list(&ours, "absent")), NOT_RELOADED);
    assert!(!taken(&gateway, "other.test"));
    gateway.reload(&options, RELOADED);
    assert!(taken(&gateway, "other.test"), "{}", gateway.log());
}

/// Starts a next hop with this certificate.
fn next_hop(port: u16, ours: &Authority, name: &str) -> Gateway {
    let text = format!(
        "primary_hostname = 'hop.test'\nlocal_interfaces = '127.0.0.1.{port}'\nlocal_domains = 'next.test'\n\
         host_lookup = ''\n{}",
        certificate(ours, name)
    );
    Gateway::start_as_written(port, &text)
}

/// Sends a message for the next hop; returns the line of its delivery.
fn send(gateway: &mut Gateway, name: &str) -> String {
    let to = format!("{name}@next.test");
    let (_, dialogue) = swaks(&gateway.address(), &["--to", &to]);
    gateway.wait_for(&dialogue, |gateway| {
        let words = format!("{to} T=remote_smtp");
        gateway.log().lines().find(|line| line.contains(&words)).map(str::to_owned)
    })
}

#[test]
fn a_next_hop_gets_no_mail_from_the_moment_that_its_certificate_is_revoked() {
    if !have(&["openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let (ours, [serial]) = authority(&block, ["hop.test"]);
    let _hop = next_hop(block.own(1), &ours, "hop.test");
    let options = format!(
        "relay_to_domains = 'next.test'\nroute_data = '127.0.0.1:{}'\n[remote_smtp]\nhosts_require_tls = '*'\n\
         tls_verify_hosts = '*'\ntls_verify_cert_hostnames = ''\ntls_verify_certificates = '{}'\n",
        block.own(1),
        ours.path("ca.pem")
    );
    let with_list = format!("{options}{}", list(&ours, "crl.pem"));
    let mut gateway = Gateway::start(block.own(0), &with_list);
    let (taken, deferred) = (" => ", " == ");
    let line = send(&mut gateway, "first");
    assert!(line.contains(taken) && line.contains(" CV=yes "), "{line}");

    // The file alone.
    ours.revoke(&serial);
    replace_list(&ours);
    let line = send(&mut gateway, "second");
    assert!(line.contains(deferred), "{line}");
    gateway.line("remote_smtp: authorities and revocation lists read again");
    break_list(&ours);
    let line = send(&mut gateway, "third");
    assert!(line.contains(deferred), "the last good list stays: {line}");
    let line = gateway.line("the last good ones stay in use");
    assert!(line.contains("crl.pem has no certificate revocation list"), "{line}");

    // By SIGHUP.
    gateway.reload(&with_list, NOT_RELOADED);
    assert!(send(&mut gateway, "fourth").contains(deferred));
    gateway.reload(&options, RELOADED);
    let line = send(&mut gateway, "fifth");
    assert!(line.contains(taken) && line.contains(" CV=yes "), "{line}");
    replace_list(&ours);
    gateway.reload(&with_list, RELOADED);
    assert!(send(&mut gateway, "sixth").contains(deferred));
}
