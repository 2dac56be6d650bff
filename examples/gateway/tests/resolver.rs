//! The resolver of the gateway, without which it does not start.

use std::fs;

use dane_tlsa::{DnssecState, NoDnssec};

use super::config_effect::HOP;
use super::scratch::Scratch;
use crate::gateway::config::{Config, opening};
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

/// Whether a server is believed about DNSSEC if it says that it validates.
fn believed(servers: &NameServers) -> Vec<(String, bool)> {
    let never = DnssecState::Unavailable(NoDnssec::Untrusted);
    let all = servers.stub().servers();
    all.into_iter().map(|(server, state)| (server.to_string(), state != never)).collect()
}

#[test]
fn a_resolver_on_another_host_is_believed_only_with_dns_trust_ad() {
    let scratch = Scratch::new();
    let file = scratch.path().join("resolv.conf");
    let read = |options: &str| {
        let dns = Config::parse(&format!("{HOP}{options}")).unwrap().dns;
        NameServers::read(dns, &file).unwrap()
    };
    for (server, is_here) in [
        ("127.0.0.1:53", true),
        ("127.9.9.9:53", true),
        ("[::1]:53", true),
        ("[::ffff:127.0.0.1]:53", true),
        ("192.0.2.53:53", false),
        ("[2001:db8::53]:53", false),
    ] {
        let option = format!("dns_resolver = '{server}'\n");
        assert_eq!(believed(&read(&option)), [(server.to_owned(), is_here)]);
        if !is_here {
            let option = format!("{option}dns_trust_ad = true\n");
            assert_eq!(believed(&read(&option)), [(server.to_owned(), true)]);
        }
    }
    // One that is not believed is not asked beside one that is.
    fs::write(&file, "nameserver 192.0.2.53\nnameserver 127.0.0.1\n").unwrap();
    let [here, elsewhere] =
        ["127.0.0.1:53", "192.0.2.53:53"].map(|server| (server.to_owned(), true));
    assert_eq!(believed(&read("")), std::slice::from_ref(&here));
    assert_eq!(believed(&read("dns_trust_ad = true\n")), [elsewhere, here]);
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
