//! The README's configuration and its query of events, as printed, with a client behind a load balancer.

use std::fs;
use std::path::Path;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use rusqlite::Connection;

use super::block::Block;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::next_hop::NextHop;
use super::servers::{have, swaks};

/// The text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

/// Sends a message of this client through the load balancer; returns whether it was taken, and the dialogue.
fn send(gateway: &Gateway, from: &str, to: &str) -> (bool, String) {
    let header = ["--proxy-version", "1", "--proxy-family", "TCP4"];
    let client = ["--proxy-source", "203.0.113.9", "--proxy-source-port", "4711"];
    let server = ["--proxy-dest", "198.51.100.1", "--proxy-dest-port", "25"];
    let message = ["--helo", "client.example.net", "--from", from, "--to", to];
    swaks(&gateway.address(), &[&header[..], &client, &server, &message].concat())
}

#[test]
fn the_configuration_of_the_readme_does_what_it_says() {
    if !have(&["swaks"]) {
        return;
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let block = Block::claim();
    let (port, next_hop) = (block.own(0), NextHop::start());
    let names = NameServer::start(true, |name, kind| match (name, kind) {
        ("strict.example.net" | "lax.example.net", RecordType::TXT) => {
            Said::Text("v=spf1 -all".to_owned())
        }
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let printed = between(&readme, "```toml\n", "```");
    let text = printed.replace("127.0.0.1.2525", &format!("127.0.0.1.{port}"));
    let text = text.replace("127.0.0.1:2600", &next_hop.address.to_string());
    assert_ne!(text, printed);
    let text = format!("dns_resolver = \"{}\"\n{text}", names.address);
    let gateway = Gateway::start_as_written(port, &text);
    let database = gateway.folder().join("gateway-data/gateway.sqlite");
    let database = Connection::open(database).unwrap();
    database.execute_batch("CREATE TABLE strict (domain TEXT)").unwrap();
    database.execute("INSERT INTO strict VALUES ('strict.example.net')", ()).unwrap();

    // The rule: the query, SPF and the message with the client's own address.
    let (taken, dialogue) = send(&gateway, "ann@strict.example.net", "bob@example.com");
    assert!(!taken, "{dialogue}");
    let refusal = "203.0.113.9 may not send for strict.example.net";
    assert!(dialogue.contains(refusal), "{dialogue}\n{}", gateway.log());
    let (taken, dialogue) = send(&gateway, "ann@lax.example.net", "bob@example.com");
    assert!(taken, "{dialogue}\n{}", gateway.log());
    // A domain of the next hop, and one of nobody.
    let (taken, dialogue) = send(&gateway, "ann@lax.example.net", "carl@example.org");
    assert!(taken, "{dialogue}\n{}", gateway.log());
    assert!(next_hop.take().contains("carl@example.org"));
    let (taken, dialogue) = send(&gateway, "ann@lax.example.net", "carl@other.test");
    assert!(!taken && dialogue.contains("relay not permitted"), "{dialogue}");
    // A client that sends no PROXY header.
    let (taken, dialogue) = swaks(&gateway.address(), &["--to", "bob@example.com"]);
    assert!(!taken, "{dialogue}");

    let query = between(&readme, "sqlite3 gateway-data/gateway.sqlite '", "'");
    let mut query = database.prepare(query).unwrap();
    let row = |row: &rusqlite::Row<'_>| row.get::<_, String>(1);
    let events: Vec<_> = query.query_map((), row).unwrap().map(Result::unwrap).collect();
    assert!(events.contains(&"msg:delivery".to_owned()), "{events:?}");
}
