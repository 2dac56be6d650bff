//! Rate limits of clients with and without a proxy.

use std::thread;
use std::time::Duration;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;
use super::servers::{Peers, have, swaks};

/// Source: Exim's text of 2014 on its PROXY support, section 4.
const RECOMMENDED: &str = "proxy_required_hosts = \"127.0.0.1\"
    [[acl_smtp_connect]]
    verb = \"defer\"
    message = \"Too many connections from this IP right now\"
    ratelimit = \"5 / 1m / per_conn / strict\"";

#[test]
fn one_client_of_a_proxy_is_deferred_and_the_others_are_not() {
    if !have(&["haproxy", "swaks", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), RECOMMENDED);
    let peers = Peers::of(&block);
    let listeners = peers.start(&["haproxy", &gateway.address()]);
    let v2 = listeners.iter().find(|listener| listener.name == "v2").unwrap();
    let from = |interface| {
        let arguments = ["--to", "ann@local.test", "--local-interface", interface];
        swaks(&v2.address, &arguments)
    };
    let outcomes: Vec<_> = (0..7).map(|_| from("127.0.0.2")).collect();
    assert!(outcomes[..4].iter().all(|(taken, _)| *taken), "{outcomes:?}");
    let (taken, transcript) = &outcomes[6];
    assert!(!taken, "{transcript}");
    assert!(
        transcript.contains("<** 421 4.7.1 Too many connections from this IP right now"),
        "{transcript}"
    );
    // It is the same proxy, and another client.
    let (taken, transcript) = from("127.0.0.4");
    assert!(taken, "{transcript}");
    assert!(gateway.line("rejected connection").contains("[127.0.0.2]"));
}

#[test]
fn a_host_has_only_so_many_connections() {
    let block = Block::claim();
    let options = "smtp_accept_max_per_host = 2\nproxy_required_hosts = \"127.0.0.1\"";
    let gateway = Gateway::start(block.own(0), options);
    let connect = || {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.send(b"PROXY TCP6 2001:db8::1 2001:db8:ffff::25 5555 25\r\n");
        smtp
    };
    let (mut first, mut second) = (connect(), connect());
    assert!(first.reply().starts_with("220") && second.reply().starts_with("220"));
    let third = connect().rest();
    assert!(third.starts_with("421 4.3.2 ") && third.ends_with("try again later\r\n"), "{third}");
    // Another address of the same network is no other host, and one of another network is.
    for (address, taken) in [("2001:db8::ffff:1", false), ("2001:db8:0:1::1", true)] {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.send(format!("PROXY TCP6 {address} 2001:db8:ffff::25 5555 25\r\n").as_bytes());
        assert_eq!(smtp.reply().starts_with("220"), taken, "{address}");
    }
    assert!(first.say("QUIT").starts_with("221"));
    assert_eq!(first.rest(), "");
    // The gateway may see the end of the connection a moment later than we do.
    let mut fourth = String::new();
    for _ in 0..100 {
        fourth = connect().reply();
        if fourth.starts_with("220") {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(fourth.starts_with("220"), "{fourth}");
}

#[test]
fn who_is_on_loopback_has_as_many_as_he_likes() {
    let block = Block::claim();
    let gateway = Gateway::start(block.own(0), "smtp_accept_max_per_host = 2");
    let mut all: Vec<_> = (0..5).map(|_| Dialogue::connect(gateway.port())).collect();
    assert!(all.iter_mut().all(|smtp| smtp.reply().starts_with("220")));
}

/// All connections are the proxy's, and it may have as many as it likes: its clients may not.
#[test]
fn a_trusted_proxy_is_exempt_from_that_and_its_clients_are_not() {
    let block = Block::claim();
    let options = "smtp_accept_max_per_host = 2\nproxy_required_hosts = \"127.0.0.1\"";
    let gateway = Gateway::start(block.own(0), options);
    let connect = |header: String| {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.send(header.as_bytes());
        let reply = smtp.reply();
        (smtp, reply)
    };
    // Each client has its own two.
    let behind = |client| format!("PROXY TCP4 192.0.2.{client} 198.51.100.25 5555 25\r\n");
    let several: Vec<_> = (1..=6).map(|client| connect(behind(client / 2 + 1))).collect();
    assert!(several.iter().all(|(_, reply)| reply.starts_with("220")), "{:?}", texts(&several));
    let (_smtp, reply) = connect(behind(2));
    assert!(reply.starts_with("421 4.3.2 "), "{reply}");
    // The proxy speaks for itself, as in its checks.
    let own: Vec<_> = (0..6).map(|_| connect("PROXY UNKNOWN\r\n".into())).collect();
    assert!(own.iter().all(|(_, reply)| reply.starts_with("220")), "{:?}", texts(&own));
}

fn texts<T>(replies: &[(T, String)]) -> Vec<&str> {
    replies.iter().map(|(_, reply)| reply.as_str()).collect()
}
