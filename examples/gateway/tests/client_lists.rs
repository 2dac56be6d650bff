//! Options that are lists of clients.

use std::sync::Arc;

use super::scenario::Scenario;
use crate::gateway::config::Config;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::policy::client_lists::ClientLists;

fn lists(text: &str) -> (ClientLists, Scenario) {
    let config = Config::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut scenario = Scenario::new();
    scenario.services.lookups = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    (config.server.live.clients, scenario)
}

#[tokio::test]
async fn every_client_but_those_on_loopback_is_tested_by_dmarc() {
    let (lists, mut scenario) = lists("");
    for (address, tested) in [("127.0.0.2:1", false), ("[::1]:1", false), ("192.0.2.1:1", true)] {
        scenario.client.address = address.parse().unwrap();
        let list = &lists.dmarc_verify_hosts;
        assert_eq!(
            list.contains(&scenario.client, "mx.example", &scenario.services, &mut vec![]).await,
            tested
        );
    }
}

#[tokio::test]
async fn lists_of_clients_are_exims() {
    for (list, inside) in [
        ("*", true),
        ("", false),
        (":", false),
        ("192.0.2.0/24", true),
        ("!192.0.2.1 : *", false),
        ("+near", true),
        ("!+near : *", false),
        ("${if eq{$sender_host_address}{192.0.2.1}{*}}", true),
        ("${if eq{$sender_host_port}{1}{*}}", false),
        ("<\\n ${lookup sqlite{SELECT '192.0.2.0/24'}}", true),
        // What cannot be told, and what depends on a name that the client does not have.
        ("${lookup sqlite{SELECT absent}}", true),
        ("!*.example : 198.51.100.1", true),
    ] {
        let scratch = super::scratch::Scratch::new();
        let text = format!(
            "spool_directory = '{}'\ntls_advertise_hosts = \"{list}\"\n[hostlist]\nnear = '192.0.2.0/28'",
            scratch.path().display()
        );
        let (lists, scenario) = lists(&text);
        let list_of_clients = &lists.tls_advertise_hosts;
        let found = list_of_clients
            .contains(&scenario.client, "mx.example", &scenario.services, &mut vec![])
            .await;
        assert_eq!(found, inside, "{list}");
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
        ("hosts_try_prdr = '$host'", "line 1: hosts_try_prdr: $ has no meaning here"),
        ("proxy_required_hosts = '$host'", "line 1: proxy_required_hosts: $ has no meaning here"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}
