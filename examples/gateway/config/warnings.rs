//! Warnings about a valid configuration: unused lists and macros, variables of rules without a value or a reader, and
//! options that open the server to everybody.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use toml::{Table, Value};

use super::checks::clash;
use super::option_lines::OptionLines;
use crate::gateway::delivery::next_hop::RouteTo;
use crate::gateway::lookups::macros::Macros;
use crate::gateway::policy::variable::is_acl;
use crate::gateway::server::settings::{LiveSettings, StartupSettings};

/// Returns them, each with its line.
pub(super) fn all(text: &str, startup: &StartupSettings, live: &LiveSettings) -> Vec<String> {
    let Ok(table) = text.parse::<Table>() else { return Vec::new() };
    let mut expanded = table.clone();
    let is_expanded =
        Macros::take(&mut expanded).and_then(|macros| macros.put_into_all(&mut expanded));
    let expanded = is_expanded.is_ok().then_some(&expanded);
    let mut found = unused(&table, expanded);
    if live.routing.relays_all() && !live.rules.refuses() {
        let open = "matches every domain, and no rule refuses mail: any client can send mail to anybody through \
                    this host (an open relay)";
        found.push(("relay_to_domains".to_owned(), open));
    }
    let proxies = live.clients.proxy_required_hosts.hosts();
    let is_proxy = |address: &IpAddr| proxies.contains_known(None, *address) == Some(Ok(true));
    // Addresses of documentation: no proxy has one.
    let v4 = [[192, 0, 2, 77], [198, 51, 100, 77], [203, 0, 113, 77]].map(IpAddr::from);
    let v6 = [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 77], [0x3fff, 0, 0, 0, 0, 0, 0, 77]].map(IpAddr::from);
    if v4.iter().all(is_proxy) || v6.iter().all(is_proxy) {
        let open = "matches every host: any client can claim any address by a PROXY header";
        found.push(("proxy_required_hosts".to_owned(), open));
    }
    if relays_to_itself(startup, live) {
        let own = "is an address of local_interfaces: relayed mail comes back to this gateway, until it has too many \
                   Received fields";
        found.push(("route_data".to_owned(), own));
    }
    if let Some(address) = next_address(live)
        && live.remote.lists.hosts_require_dane.contains_known(None, address).is_none()
    {
        let undelivered = "may require DANE of the next hop, which is an address and has no TLSA records: such mail is \
                           not delivered";
        found.push(("remote_smtp.hosts_require_dane".to_owned(), undelivered));
    }
    let lines = OptionLines::of(text);
    let place = |option: &str| {
        lines.line(option).map(|number| format!("line {number}: ")).unwrap_or_default()
    };
    let clear = live.remote.warning.as_ref().map(|warning| {
        // The list that makes a host one that must be verified.
        let given = ["remote_smtp.tls_verify_hosts", "remote_smtp.tls_try_verify_hosts"];
        let option = given.into_iter().find(|option| lines.line(option).is_some());
        format!("{}{warning}", option.map(place).unwrap_or_default())
    });
    let found = found.into_iter().map(|(option, why)| format!("{}{option} {why}", place(&option)));
    found
        .chain(clear)
        .chain(expanded.map(|table| rule_variables(text, table)).unwrap_or_default())
        .collect()
}

/// Returns the next hop of all relayed mail, if it is an address.
fn next_address(live: &LiveSettings) -> Option<IpAddr> {
    match live.routing.known_route()?.ok().filter(|_| live.routing.relays())?.to {
        RouteTo::Address(address) => Some(address),
        RouteTo::Domain(_) | RouteTo::Host(_) => None,
    }
}

/// Tells whether the next hop of all relayed mail is this gateway.
fn relays_to_itself(startup: &StartupSettings, live: &LiveSettings) -> bool {
    let Some(Ok(route)) = live.routing.known_route() else { return false };
    let RouteTo::Address(ip) = route.to else { return false };
    let (ip, next_hop) = (ip.to_canonical(), SocketAddr::new(ip, route.port));
    // All addresses of this host are more than those that the program knows of.
    let is_here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    let is_own = |own: IpAddr| own == ip || (is_here(own) && is_here(ip));
    let mut own = startup.listen.iter().map(|interface| interface.address);
    live.routing.relays() && own.any(|own| clash(own, next_hop) && is_own(own.ip().to_canonical()))
}

/// Finds variables that are read and that no rule sets, and those that are set and not read.
fn rule_variables(text: &str, expanded: &Table) -> Vec<String> {
    let mut written = Vec::new();
    texts(expanded, "", &mut written);
    let own = |place: &str| place.rsplit_once(".set.").map(|(_, name)| name.to_owned());
    let set: BTreeSet<_> = written.iter().filter_map(|(place, _)| own(place)).collect();
    let read: BTreeSet<_> = written.iter().flat_map(|(_, text)| variables(text)).collect();
    // A macro may have made the name.
    let line = |name: &str| {
        let number = text.lines().position(|line| words(line).any(|(word, _)| word == name));
        number.map(|number| format!("line {}: ", number + 1)).unwrap_or_default()
    };
    let unset = read.iter().filter(|name| !set.contains(**name));
    let unset = unset.map(|name| format!("{}${name} is empty: no rule sets it", line(name)));
    let unread = set.iter().filter(|name| !read.contains(name.as_str()));
    let unread = unread.map(|name| format!("{}set.{name} is unused: no text reads it", line(name)));
    unset.chain(unread).collect()
}

/// Returns the variables of rules that a text reads.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let reads = |before: &str| ["$", "${", "def:"].iter().any(|start| before.ends_with(start));
    words(text).filter(move |(word, before)| is_acl(word) && reads(before)).map(|(word, _)| word)
}

/// Returns the words of a text, each with the text before it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.trim_start_matches(|c| !is_part(c));
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        let before = text.get(..text.len() - behind.len() - word.len()).unwrap_or_default();
        rest = behind;
        (!word.is_empty()).then_some((word, before))
    })
}

/// Finds named lists and macros whose names are in no other text, also with the macros expanded.
fn unused(table: &Table, expanded: Option<&Table>) -> Vec<(String, &'static str)> {
    let (mut written, mut found) = (Vec::new(), Vec::new());
    texts(table, "", &mut written);
    for name in named(table, "macros") {
        let own = format!("macros.{name}");
        if !written.iter().any(|(place, text)| *place != own && text.contains(&name)) {
            found.push((own, "is unused: no text has the macro"));
        }
    }
    let Some(expanded) = expanded else { return found };
    written.clear();
    texts(expanded, "", &mut written);
    for kind in ["addresslist", "domainlist", "hostlist", "localpartlist"] {
        for name in named(expanded, kind) {
            let own = format!("{kind}.{name}");
            if !written.iter().any(|(place, text)| *place != own && text.contains(&name)) {
                found.push((own, "is unused: no text names the list"));
            }
        }
    }
    found
}

/// The names in a table of the configuration.
fn named(table: &Table, name: &str) -> Vec<String> {
    let inner = table.get(name).and_then(Value::as_table);
    inner.map(|inner| inner.keys().cloned().collect()).unwrap_or_default()
}

/// Collects all texts, with their places.
fn texts(table: &Table, place: &str, found: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        text(value, &place, found);
    }
}

fn text(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((place.to_owned(), text.clone())),
        Value::Array(values) => values.iter().for_each(|value| text(value, place, found)),
        Value::Table(table) => texts(table, place, found),
        _ => found.push((place.to_owned(), String::new())),
    }
}
