//! The resolver of the gateway, without which it does not start.

use std::fs;

use super::scratch::Scratch;
use crate::gateway::config::opening;
use crate::gateway::dns::options::DnsOptions;
use crate::gateway::dns::resolver::NameServers;
use crate::gateway::telemetry::log::chain;

fn asked(servers: &NameServers) -> Vec<String> {
    servers.settings.addresses().iter().map(ToString::to_string).collect()
}

/// resolv.conf(5): without a line for a name server this host is asked.
#[test]
fn the_system_says_whom_to_ask_or_it_is_this_host() {
    let scratch = Scratch::new();
    let server = Some("192.0.2.9:5353".parse().unwrap());
    let own = DnsOptions { server, ..DnsOptions::default() };
    let file = scratch.path().join("resolv.conf");
    let settings = NameServers::read(DnsOptions::default(), &file).unwrap();
    assert_eq!(asked(&settings), ["127.0.0.1:53"], "it is not there");
    for (text, servers) in [
        ("", &["127.0.0.1:53"][..]),
        ("search example.com\noptions ndots:2\n", &["127.0.0.1:53"]),
        ("# nameserver 192.0.2.1\n", &["127.0.0.1:53"]),
        ("\0\u{1}\u{fffd}{}\nnonsense 192.0.2.1\noptions x:y:z\n", &["127.0.0.1:53"]),
        (
            "nonsense\nnameserver x\nnameserver 192.0.2.1\n=\nnameserver ::1",
            &["192.0.2.1:53", "[::1]:53"],
        ),
    ] {
        fs::write(&file, text).unwrap();
        let settings = NameServers::read(DnsOptions::default(), &file).unwrap();
        assert_eq!(asked(&settings), servers, "{text:?}");
        // Whom the option names is asked alone.
        let settings = NameServers::read(own, &file).unwrap();
        assert_eq!(asked(&settings), ["192.0.2.9:5353"], "{text:?}");
    }
    fs::write(&file, b"\xff\xfe nameserver 192.0.2.1\n").unwrap();
    assert_eq!(asked(&NameServers::read(DnsOptions::default(), &file).unwrap()), ["127.0.0.1:53"]);
}

#[test]
fn where_nobody_can_be_asked_the_cause_is_told() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    let (file, configuration) = (folder.join("resolv.conf"), folder.join("gateway.toml"));
    fs::write(&configuration, "spool_directory = '.'\n").unwrap();
    for (text, line) in [
        ("nameserver dns.example\n", "line 1 has \"nameserver dns.example\""),
        ("\nnonsense\nnameserver\n", "line 3 has \"nameserver\""),
        ("nameserver 192.0.2.300\nnameserver 1.2.3.4:53", "line 1 has \"nameserver 192.0.2.300\""),
    ] {
        fs::write(&file, text).unwrap();
        let cause = format!("no name server address in {}: {line}", file.display());
        let error = NameServers::read(DnsOptions::default(), &file).unwrap_err();
        assert!(error.to_string().starts_with(&cause), "{error}");
        // The check of a configuration says so too.
        let error = opening::read(Some(&configuration), &file).unwrap_err();
        assert!(chain(&error).starts_with(&format!("dns_resolver: {cause}")), "{error}");
        fs::write(&configuration, "spool_directory = '.'\ndns_resolver = '127.0.0.1:53'\n")
            .unwrap();
        assert!(opening::read(Some(&configuration), &file).is_ok());
        fs::write(&configuration, "spool_directory = '.'\n").unwrap();
    }
    fs::remove_file(&file).unwrap();
    assert!(opening::read(Some(&configuration), &file).is_ok(), "this host is asked");
    // A folder cannot be read.
    let error = NameServers::read(DnsOptions::default(), folder).unwrap_err();
    let cause = format!("cannot read the name servers from {}: ", folder.display());
    assert!(error.to_string().starts_with(&cause), "{error}");
}
