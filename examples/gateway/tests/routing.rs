//! Who may send to whom, and what a message carries of where it came from.

use std::slice;
use std::time::{Duration, UNIX_EPOCH};

use proxy_protocol::{RequiredHosts, Session};

use super::super::client::Client;
use super::super::config::Config;
use super::super::message_id::MessageId;
use super::super::routing::{Route, route};
use super::super::session::Greeting;
use super::super::trace_fields::{delivery, received};
use super::super::transaction::{Transaction, hops};

#[test]
fn a_foreign_recipient_is_refused() {
    let config = Config::parse(
        "primary_hostname = 'mx.example'\nlocal_domains = 'a.example : [192.0.2.1]'\nlocal_parts = 'Ann : bob'\n\
         relay_to_domains = 'relay.example'\nroute_data = '127.0.0.1:1'",
    )
    .unwrap();
    for (recipient, expected) in [
        ("ann@a.example", Ok(Route::Local)),
        ("BOB@A.EXAMPLE", Ok(Route::Local)),
        ("bob@[192.0.2.1]", Ok(Route::Local)),
        ("postmaster@mx.example", Ok(Route::Local)),
        ("Postmaster@a.example", Ok(Route::Local)),
        ("any@relay.example", Ok(Route::Relay)),
        ("carl@a.example", Err("550 5.1.1")),
        ("any@sub.relay.example", Err("550 5.7.1")),
        ("ann@b.example", Err("550 5.7.1")),
        ("ann@[192.0.2.2]", Err("550 5.7.1")),
        ("any%relay.example@b.example", Err("550 5.7.1")),
    ] {
        let found = route(&config, &recipient.parse().unwrap());
        let found = found.map_err(|reply| reply.to_string());
        let found = found.as_ref().map_err(|text| text.get(..9).unwrap_or_default());
        assert_eq!(found.copied(), expected, "{recipient}");
    }
}

#[test]
fn trace_fields_hold_what_the_client_says_at_bay() {
    let now = UNIX_EPOCH + Duration::from_secs(1_795_369_513);
    let id = MessageId::next(now);
    let session = Session::direct("[::ffff:192.0.2.1]:9".parse().unwrap());
    let mut client = Client::new(session, "[::1]:25".parse().unwrap(), &RequiredHosts::default());
    client.host_name = Some("host.example".parse().unwrap());
    let greeting = Greeting { name: "x) by evil (\"\\".into(), extended: true, tls: true };
    let transaction = Transaction::new("<ann@b.example>".parse().unwrap());
    let all = ["bob@c.example", "carl@c.example"].map(|text| text.parse().unwrap());
    let [bob, _] = &all;
    assert_eq!(
        received("mx.example", id, &client, &greeting, &transaction, slice::from_ref(bob), now),
        format!(
            "Received: from x??by?evil????? (host.example [192.0.2.1])\r\n\tby mx.example with ESMTPS id {id}\r\n\
             \tfor <bob@c.example>; Sun, 22 Nov 2026 17:45:13 +0000\r\n"
        )
    );
    assert!(
        !received("mx.example", id, &client, &greeting, &transaction, &all, now).contains("bob")
    );
    assert_eq!(
        delivery(&transaction.sender, &all),
        "Return-Path: <ann@b.example>\r\nEnvelope-To: bob@c.example,\r\n\tcarl@c.example\r\n"
    );
}

#[test]
fn hops_are_counted_in_the_header_only() {
    for (message, count) in [
        ("", 0),
        (
            "Received: a\r\nRECEIVED: b\r\n\tReceived: folded\r\nX-Received: c\r\n\r\nReceived: body\r\n",
            2,
        ),
        ("received:x\r\n", 1),
        // A blank before the colon is none of the name.
        ("Received : a\r\nReceived\t: b\r\nReceived\r\n : c\r\nReceived x: d\r\n", 3),
    ] {
        assert_eq!(hops(message.as_bytes()), count, "{message:?}");
    }
}
