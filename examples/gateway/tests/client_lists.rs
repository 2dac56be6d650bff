//! Options that are lists of clients.

use std::sync::Arc;

use super::scenario::Scenario;
use crate::gateway::config::Config;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::policy::client_lists::{ClientList, ClientLists};
use crate::gateway::policy::list::Undecided;

fn lists(text: &str) -> (ClientLists, Scenario) {
    let config = Config::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut scenario = Scenario::new();
    scenario.services.lookups = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    (config.server.live.clients, scenario)
}

/// Tells whether the client is in a list.
pub(super) async fn contains(list: &ClientList, scenario: &Scenario) -> Result<bool, Undecided> {
    list.decide(&scenario.client, "mx.example", &scenario.services, &mut vec![]).await
}

#[tokio::test]
async fn every_client_but_those_on_loopback_is_tested_by_dmarc() {
    let (lists, mut scenario) = lists("");
    for (address, tested) in [("127.0.0.2:1", false), ("[::1]:1", false), ("192.0.2.1:1", true)] {
        scenario.client.address = address.parse().unwrap();
        assert_eq!(contains(&lists.dmarc_verify_hosts, &scenario).await, Ok(tested));
    }
}

#[tokio::test]
async fn lists_of_clients_are_exims() {
    for (list, inside) in [
        ("*", Ok(true)),
        ("", Ok(false)),
        (":", Ok(false)),
        ("192.0.2.0/24", Ok(true)),
        ("!192.0.2.1 : *", Ok(false)),
        ("+near", Ok(true)),
        ("!+near : *", Ok(false)),
        ("${if eq{$sender_host_address}{192.0.2.1}{*}}", Ok(true)),
        ("${if eq{$sender_host_port}{1}{*}}", Ok(false)),
        ("${if eq{$sender_host_port}{1}{*}fail}", Ok(false)),
        ("<\\n ${lookup sqlite{SELECT '192.0.2.0/24'}}", Ok(true)),
        ("${lookup sqlite{SELECT absent}}", Err(Undecided)),
        // It depends on a name that the client does not have.
        ("!*.example : 198.51.100.1", Err(Undecided)),
    ] {
        let scratch = super::scratch::Scratch::new();
        let text = format!(
            "spool_directory = '{}'\ntls_advertise_hosts = \"{list}\"\n[hostlist]\nnear = '192.0.2.0/28'",
            scratch.path().display()
        );
        let (lists, scenario) = lists(&text);
        assert_eq!(contains(&lists.tls_advertise_hosts, &scenario).await, inside, "{list}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (text, message) in [
        ("host_lookup = 'a/b'", "line 1: host_lookup: item 1 (a/b): not an IP address"),
        ("tls_advertise_hosts = '+nowhere'", "line 1: tls_advertise_hosts: item 1 (+nowhere)"),
        (
            "helo_accept_junk_hosts = '$nothing'",
            "line 1: helo_accept_junk_hosts: byte 1: unknown variable",
        ),
        (
            "smtp_max_refused_hosts = '^a'",
            "line 1: smtp_max_refused_hosts: item 1 (^a): regular expressions",
        ),
        ("dmarc_verify_hosts = '1.2.3.4/99'", "line 1: dmarc_verify_hosts: item 1 (1.2.3.4/99)"),
        (
            "remote_smtp.hosts_try_prdr = '$sender_host_address'",
            "line 1: remote_smtp.hosts_try_prdr: byte 1: $sender_host_address is not available at a connection to \
             another host",
        ),
        (
            "remote_smtp.hosts_try_prdr = '${lookup pgsql{SELECT 1}}'",
            "line 1: remote_smtp.hosts_try_prdr: byte 0: the lookup pgsql: ",
        ),
        (
            "proxy_required_hosts = '$host'",
            "line 1: proxy_required_hosts: byte 1: $host is not available at the start of a connection",
        ),
        (
            "proxy_required_hosts = '+near'\n[hostlist]\nnear = 'a.example'",
            "line 1: proxy_required_hosts: give addresses, not names",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}
