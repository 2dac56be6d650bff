//! Warnings about a valid configuration: unused lists and macros, and options that open the server to everybody.

use std::net::{IpAddr, Ipv4Addr};

use toml::{Table, Value};

use super::option_lines::OptionLines;
use crate::gateway::lookups::macros::Macros;
use crate::gateway::server::settings::LiveSettings;

/// Returns them, each with its line.
pub(super) fn all(text: &str, live: &LiveSettings) -> Vec<String> {
    let mut found = unused(text);
    if live.routing.relays_all() && !live.rules.refuses() {
        let open = "matches every domain, and no rule refuses mail: any client can send mail to anybody through \
                    this host (an open relay)";
        found.push(("relay_to_domains".to_owned(), open));
    }
    let strangers = [[192, 0, 2, 77], [198, 51, 100, 77], [203, 0, 113, 77]];
    let proxies = live.clients.proxy_required_hosts.hosts();
    let is_proxy = |address: [u8; 4]| {
        proxies.contains_known(None, IpAddr::V4(Ipv4Addr::from(address))) == Some(Ok(true))
    };
    if strangers.into_iter().all(is_proxy) {
        let open = "matches every host: any client can claim any address by a PROXY header";
        found.push(("proxy_required_hosts".to_owned(), open));
    }
    let lines = OptionLines::of(text);
    let place = |option: &str| {
        lines.line(option).map(|number| format!("line {number}: ")).unwrap_or_default()
    };
    found.into_iter().map(|(option, why)| format!("{}{option} {why}", place(&option))).collect()
}

/// Finds named lists and macros whose names are in no other text.
fn unused(text: &str) -> Vec<(String, &'static str)> {
    let Ok(table) = text.parse::<Table>() else { return Vec::new() };
    let mut plain = table.clone();
    let expanded = Macros::take(&mut plain).and_then(|macros| macros.put_into_all(&mut plain));
    let (mut written, mut found) = (Vec::new(), Vec::new());
    texts(&table, "", &mut written);
    for name in named(&table, "macros") {
        let own = format!("macros.{name}");
        if !written.iter().any(|(place, text)| *place != own && text.contains(&name)) {
            found.push((own, "is unused: no text has the macro"));
        }
    }
    if expanded.is_err() {
        return found;
    }
    written.clear();
    texts(&plain, "", &mut written);
    for kind in ["addresslist", "domainlist", "hostlist", "localpartlist"] {
        for name in named(&plain, kind) {
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
        _ => {}
    }
}
