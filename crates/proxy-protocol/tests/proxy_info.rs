//! `ProxyInfo`: the addresses of a connection.

#![cfg(feature = "mail")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

use mail_types::exim::{Trust, Variable};
use proxy_protocol::{Failure, Header, HeaderOutcome, ProxyInfo};

/// The values of all names, an unset one as a hyphen; and whether only words are trusted.
fn values(session: &ProxyInfo) -> Vec<String> {
    ProxyInfo::VARIABLES
        .map(|name| match session.variable(name) {
            Variable::Unknown => panic!("{name}"),
            Variable::Unset => "-".to_owned(),
            Variable::Value(value) => {
                let word = matches!(name, "proxy_session" | "proxy_outcome");
                assert_eq!(value.trust() == Trust::Trusted, word, "{name}");
                value.to_string()
            }
        })
        .to_vec()
}

fn session(header: &[u8]) -> ProxyInfo {
    let (_, header) = Header::parse(header).unwrap();
    ProxyInfo::proxied("[::ffff:192.0.2.99]:4000".parse().unwrap(), HeaderOutcome::from(&header))
}

#[test]
fn proxied() {
    let session = session(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n");
    let [proxy, port] = ["192.0.2.99", "4000"];
    let [external, external_port] = ["198.51.100.2", "25"];
    assert_eq!(
        values(&session),
        [
            "yes",
            "proxied",
            proxy,
            proxy,
            port,
            port,
            external,
            external,
            external_port,
            external_port
        ]
    );
    assert_eq!(session.client(), "192.0.2.1:56324".parse().unwrap());
}

#[test]
fn over_unix_sockets() {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8".to_vec();
    for name in ["/run/a\n.sock", "/run/b"] {
        header.extend(name.bytes().chain(std::iter::repeat(0)).take(108));
    }
    let session = session(&header);
    let [proxy, port, external] = ["192.0.2.99", "4000", "/run/b"];
    assert_eq!(
        values(&session),
        ["yes", "proxied", proxy, proxy, port, port, external, external, "-", "-"]
    );
    assert_eq!(session.client(), session.peer());
    let Some(HeaderOutcome::Proxied { source, .. }) = session.outcome() else { panic!() };
    assert_eq!(source.to_string(), r"/run/a\n.sock");
}

#[test]
fn neither_a_health_check_nor_a_failure_has_addresses() {
    let failure = HeaderOutcome::Failed(Failure::TimedOut { received: 0 });
    let peer = "192.0.2.99:4000".parse().unwrap();
    for (session, word) in [
        (session(b"PROXY UNKNOWN\r\n"), "unknown"),
        (session(b"\r\n\r\n\0\r\nQUIT\n\x20\x11\0\0"), "local"),
        (ProxyInfo::proxied(peer, failure), "failed"),
    ] {
        assert_eq!(values(&session), ["yes", word, "-", "-", "-", "-", "-", "-", "-", "-"]);
        assert_eq!(session.client(), session.peer());
    }
}

#[test]
fn without_a_proxy() {
    let session = ProxyInfo::direct("192.0.2.1:4000".parse().unwrap());
    assert_eq!(values(&session), ["no", "-", "-", "-", "-", "-", "-", "-", "-", "-"]);
    assert_eq!(session.outcome(), None);
    assert_eq!(session.client(), session.peer());
    assert_eq!(session.variable("proxy_foo"), Variable::Unknown);
}
