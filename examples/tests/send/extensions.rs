//! Hosts that lack room or an extension: another one may have it.

use super::fallback::Servers;
use super::program::send_message;
use super::server::{Behaviour, Tls};

const ROOM: [&[&str]; 2] = [&["SIZE 100000", "8BITMIME", "SMTPUTF8"]; 2];
const NO_ROOM: [&[&str]; 2] = [&["SIZE 20", "8BITMIME", "SMTPUTF8"]; 2];
const NO_EIGHT_BIT: [&[&str]; 2] = [&["SIZE 100000", "SMTPUTF8"]; 2];
const NO_UTF8: [&[&str]; 2] = [&["SIZE 100000", "8BITMIME"]; 2];
/// No limit of size (RFC 1870 section 4).
const NO_LIMIT: [&[&str]; 2] = [&["SIZE 0", "8BITMIME", "SMTPUTF8"]; 2];

fn offering(offers: [&'static [&'static str]; 2]) -> Behaviour {
    Behaviour { offers, ..Behaviour::default() }
}

const MESSAGE: &str = "Subject: gr\u{fc}n\n\nbody\n";
const RECIPIENT: &str = "j\u{f6}rg@example.test";

#[test]
fn the_next_host_gets_a_message_that_the_first_cannot_take() {
    for (lacking, reason) in [
        (NO_ROOM, "552 5.3.4 message too large for the next hop"),
        (NO_EIGHT_BIT, "554 5.6.3 the next hop does not support 8-bit text"),
        (NO_UTF8, "553 5.6.7 the next hop does not support SMTPUTF8"),
    ] {
        for tls in [Tls::Good, Tls::No] {
            let lacking = || Behaviour { tls, ..offering(lacking) };
            let servers = Servers::start(&[lacking(), offering(ROOM)]);
            let port = servers.port.to_string();
            let arguments = ["--port", &port, "--json", RECIPIENT];
            let sent = send_message(&servers.zone(None), "", &arguments, MESSAGE);
            let outcome = sent.outcome();
            assert_eq!((&outcome["result"], sent.status), (&"delivered".into(), 0), "{outcome}");
            assert_eq!(outcome["host"], "mx1.example.test");
            assert_eq!(servers.messages(), [0, 1]);
            // Where no host can take it, no later attempt is of use.
            let servers = Servers::start(&[lacking(), lacking()]);
            let port = servers.port.to_string();
            let arguments = ["--port", &port, "--json", RECIPIENT];
            let sent = send_message(&servers.zone(None), "", &arguments, MESSAGE);
            let outcome = sent.outcome();
            assert_eq!((&outcome["result"], sent.status), (&"failed".into(), 69), "{outcome}");
            assert_eq!(outcome["reason"], reason);
            assert_eq!(servers.messages(), [0, 0]);
        }
    }
}

#[test]
fn a_message_waits_for_a_host_that_may_take_it_later() {
    let gone = Behaviour { replies: 0, ..offering(ROOM) };
    for hosts in [[offering(NO_ROOM), gone.clone()], [gone, offering(NO_ROOM)]] {
        let servers = Servers::start(&hosts);
        let port = servers.port.to_string();
        let arguments = ["--port", &port, "--json", RECIPIENT];
        let sent = send_message(&servers.zone(None), "", &arguments, MESSAGE);
        let outcome = sent.outcome();
        assert_eq!((&outcome["result"], sent.status), (&"deferred".into(), 75), "{outcome}");
        assert_eq!(servers.messages(), [0, 0]);
    }
}

#[test]
fn a_host_without_smtputf8_takes_the_recipients_that_need_none() {
    let servers = Servers::start(&[offering(NO_UTF8)]);
    let port = servers.port.to_string();
    let arguments = ["--port", &port, "--json", "ann@example.test", RECIPIENT];
    let sent = send_message(&servers.zone(None), "", &arguments, "Subject: x\n\nbody\n");
    let outcomes = sent.outcomes();
    let results: Vec<_> = outcomes.iter().map(|outcome| &outcome["result"]).collect();
    assert_eq!(results, ["delivered", "failed"], "{outcomes:?}");
    assert_eq!(servers.messages(), [1]);
}

#[test]
fn a_size_of_0_is_no_limit() {
    let servers = Servers::start(&[offering(NO_LIMIT), offering(ROOM)]);
    let port = servers.port.to_string();
    let arguments = ["--port", &port, "--json", RECIPIENT];
    send_message(&servers.zone(None), "", &arguments, MESSAGE);
    assert_eq!(servers.messages(), [1, 0]);
}
