//! Configurations: valid ones, and the errors of invalid ones.

use std::time::Duration;

use super::client_lists::contains;
use super::scenario::Scenario;
use crate::gateway::config::Config;
use crate::gateway::lookups::quantity::{Interval, Size};
use crate::gateway::telemetry::log_selector::LogWord;

#[test]
fn everything_has_a_default_that_is_closed() {
    let config = Config::parse("").unwrap();
    assert!(config.server.startup.listen.iter().all(|it| it.address.ip().is_loopback()));
    assert!(!config.server.live.routing.relays());
    assert!(config.server.live.clients.proxy_required_hosts.hosts().is_empty());
}

#[tokio::test]
async fn exims_forms_are_taken() {
    let config = Config::parse(
        r#"
        primary_hostname = "MX.example"
        local_interfaces = "127.0.0.1.2525 : 127.0.0.2.2526"
        local_domains = "@ : bücher.example : [192.0.2.1]"
        relay_to_domains = "a.example : b.example"
        route_data = "127.0.0.1:2600"
        hosts_proxy = "192.0.2.0/24"
        message_size_limit = "10M"
        smtp_receive_timeout = "1m30s"
        log_selector = "+proxy"
        "#,
    )
    .unwrap();
    assert_eq!(config.server.live.session.primary_hostname, "mx.example");
    assert_eq!(config.server.startup.listen.len(), 2);
    assert_eq!(config.server.live.session.message_size_limit, 10 << 20);
    assert_eq!(config.server.live.smtp_receive_timeout, Duration::from_secs(90));
    let proxies = &config.server.live.clients.proxy_required_hosts;
    assert_eq!(contains(proxies, &Scenario::new()).await, Ok(true));
    assert!(config.server.live.log_selector.has(LogWord::Proxy));
}

#[test]
fn interfaces_with_colons() {
    for (text, first) in [
        ("[::1]:2525", "[::1]:2525"),
        ("127.0.0.1:25", "127.0.0.1:25"),
        ("<; ::1.25 ; 127.0.0.1:26", "[::1]:25"),
    ] {
        let config = Config::parse(&format!("local_interfaces = '{text}'")).unwrap();
        assert_eq!(config.server.startup.listen.first().unwrap().address.to_string(), first);
    }
}

#[tokio::test]
async fn macros_and_joined_lines() {
    let config = Config::parse(
        "hosts_proxy = '''FIRST : \\\n    NET_B'''\n[macros]\nNET = '192.0.2.0'\nNET_B = '198.51.100.0/24'\nFIRST = 'NET/24'\n",
    )
    .unwrap();
    let mut scenario = Scenario::new();
    for (address, inside) in [("192.0.2.7", true), ("198.51.100.7", true), ("203.0.113.7", false)] {
        scenario.client.address = format!("{address}:1").parse().unwrap();
        let proxies = &config.server.live.clients.proxy_required_hosts;
        assert_eq!(contains(proxies, &scenario).await, Ok(inside), "{address}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (text, message) in [
        (
            "smtp_baner = 'x'",
            "smtp_baner: there is no option of this name (--print-config writes all); did you mean smtp_banner?",
        ),
        ("primary_hostname = 'a_b'", "primary_hostname"),
        ("local_interfaces = '127.0.0.1'", "local_interfaces: item 1"),
        ("local_interfaces = ''", "nothing to listen on"),
        (
            "local_domains = 'a : b c'",
            "local_domains: item 2 (b c): blanks and commas do not separate items",
        ),
        ("hosts_proxy = 'a : 2001:db8::1'", "proxy_required_hosts: item 2"),
        ("hosts_proxy = 'proxy.example'", "give addresses"),
        ("relay_to_domains = 'a.example'", "route_data"),
        ("tls_privatekey = 'x'", "tls_certificate"),
        (
            "log_selector = '+proxy +tls'",
            "log_selector: item 2: unknown word \"tls\"; expected all, ",
        ),
        ("message_size_limit = '3G'", "more than 2G"),
        ("message_size_limit = 0", "message_size_limit must be greater than zero"),
        ("message_memory_limit = '0K'", "message_memory_limit must be greater than zero"),
        ("smtp_accept_max = 0", "smtp_accept_max must be greater than zero"),
        ("recipients_max = 0", "recipients_max must be greater than zero"),
        ("smtp_receive_timeout = '0s'", "smtp_receive_timeout must be greater than zero"),
        ("proxy_protocol_timeout = 0", "proxy_protocol_timeout must be greater than zero"),
        ("store = 'mbox'", "unknown word \"mbox\"; expected one of \"maildir\", \"discard\""),
        ("message_size_limit = '5X'", "a size"),
        ("smtp_receive_timeout = -1", "a time"),
        ("[macros]\nname = 'x'", "macros: name"),
        ("[macros]\nN = 1", "macros: N must be a string"),
        ("smtp_banner = 'A'\n[macros]\nA = 'B'\nB = 'A'", "is circular"),
        (
            "smtp_banner = 'A'\n[macros]\nA = 'BBBBBBBBBB'\nB = 'CCCCCCCCCC'\nC = 'DDDDDDDDDD'\nD = 'EEEEEEEEEE'\nE = 'FFFFFFFFFF'\nF = 'GGGGGGGGGG'\nG = 'xxxxxxxxxx'",
            "million",
        ),
        ("x = ", "TOML parse error at line 1"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

/// Values of another type, and the errors behind the line.
const WRONG_TYPES: &[(&str, &str)] = &[
    (
        "local_domains = ['a.example', 'b.example']",
        "local_domains: found a list; expected one text in quotes, as local_domains = \"@ : localhost : example.com\"",
    ),
    (
        "relay_to_domains = ['a.example']",
        "relay_to_domains: found a list; expected one text in quotes, as relay_to_domains = \"a.example : b.example\"",
    ),
    (
        "smtp_banner = 5",
        "smtp_banner: found the number 5; expected one text in quotes, as smtp_banner = \"ESMTP\"",
    ),
    (
        "prdr_enable = 'yes'",
        "prdr_enable: found the text \"yes\"; expected true or false, without quotes, as prdr_enable = false",
    ),
    (
        "recipients_max = '10'",
        "recipients_max: found the text \"10\"; expected a number from 0 on, as recipients_max = 1000",
    ),
    (
        "recipients_max = -1",
        "recipients_max: found the number -1; expected a number from 0 on, as recipients_max = 1000",
    ),
    (
        "spf_lookups = 256",
        "spf_lookups: found the number 256; expected a number from 0 to 255, as spf_lookups = 10",
    ),
    (
        "message_size_limit = 'big'",
        "message_size_limit: found the text \"big\"; expected a size such as \"50M\", as message_size_limit = \"50M\"",
    ),
    (
        "sqlite_dbfile = 1.5",
        "sqlite_dbfile: found the number 1.5; expected a path in quotes, as sqlite_dbfile = \"/path/of/file\"",
    ),
    ("hostlist = 'a'", "hostlist: found the text \"a\"; expected a table, as [hostlist]"),
    ("log_format = 'xml'", "log_format: unknown word \"xml\"; expected one of \"text\", \"json\""),
    (
        "local_delivery = 1",
        "local_delivery: found the number 1; expected a table, as [local_delivery]",
    ),
    (
        "[remote_smtp]\nhosts_try_dane = ['a']",
        "remote_smtp.hosts_try_dane: found a list; expected one text in quotes, as hosts_try_dane = \"*\"",
    ),
    (
        "dns_resolver = '127.0.0.1'",
        "dns_resolver: 127.0.0.1 is not an address and a port, as 127.0.0.1:53 or [::1]:53; did you mean \
         127.0.0.1:53?",
    ),
    (
        "dns_resolver = '127.0.0.1.5353'",
        "dns_resolver: 127.0.0.1.5353 is not an address and a port, as 127.0.0.1:53 or [::1]:53; did you mean \
         127.0.0.1:5353?",
    ),
    (
        "dns_resolver = '::1'",
        "dns_resolver: ::1 is not an address and a port, as 127.0.0.1:53 or [::1]:53; did you mean [::1]:53?",
    ),
    (
        "dns_resolver = 'dns.example:53'",
        "dns_resolver: dns.example:53 is not an address and a port, as 127.0.0.1:53 or [::1]:53",
    ),
    (
        "local_interfaces = '127.0.0.1'",
        "local_interfaces: item 1 (127.0.0.1) is not an address and a port, as 127.0.0.1.2525 or [::1]:2525",
    ),
];

/// The error has the found value, the expected type and an example, in the words of a configuration.
#[test]
fn a_value_of_another_type_is_told_in_plain_words() {
    for (text, error) in WRONG_TYPES {
        let line = text.lines().count();
        assert_eq!(Config::parse(text).unwrap_err().to_string(), format!("line {line}: {error}"));
    }
}

/// The name of a host does not end in a number.
#[test]
fn an_address_with_a_fault_is_no_name_of_a_host() {
    for (text, meant) in [
        ("relay_to_domains = 'a.example'\nroute_data = '127.0.0.1.2600'", "127.0.0.1:2600"),
        ("pgsql_servers = '127.0.0.1.5432/d/u/p'", "127.0.0.1::5432"),
        ("pgsql_servers = '<; db.example.5432/d/u/p'", "db.example:5432"),
        ("redis_servers = '127.0.0.1.6379/0/'", "127.0.0.1::6379"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(&format!("; did you mean {meant}?")), "{error}");
    }
}

#[test]
fn sizes_and_times() {
    for (text, octets) in [("0", 0), ("100", 100), ("1K", 1024), ("50M", 50 << 20), ("2g", 2 << 30)]
    {
        assert_eq!(text.parse(), Ok(Size(octets)), "{text}");
    }
    for text in ["", "M", "-1", "+1", "1.5M", "1MB", "99999999999G"] {
        assert!(text.parse::<Size>().is_err(), "{text}");
    }
    for (text, seconds) in
        [("30", 30), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("1w2d", 777_600)]
    {
        assert_eq!(text.parse(), Ok(Interval(Duration::from_secs(seconds))), "{text}");
    }
    for text in ["", "m", "5x", "-5m", "1m m", "99999999999999w"] {
        assert!(text.parse::<Interval>().is_err(), "{text}");
    }
}
