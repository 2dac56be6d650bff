//! Headers of a live `HAProxy`: each row starts a process on loopback.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

mod haproxy {
    pub(crate) mod lab;
}

use std::net::{Ipv6Addr, TcpListener};

use haproxy::lab::{Client, Files, skipped};
use proxy_protocol::{Endpoints, Header, Ssl, TlvKind, Transport, Version};

#[test]
fn addresses_of_a_tcp_client() {
    let Some(files) = Files::new() else { return };
    for (server, version) in [
        ("send-proxy", Version::V1),
        ("send-proxy-v2", Version::V2),
        ("send-proxy-v2 proxy-v2-options crc32c", Version::V2),
    ] {
        let seen = files.seen_by_server("", server, &Client::Tcp(b""));
        let header = seen.header(server);
        assert_eq!(header.version, version, "{server}");
        let Endpoints::Inet { transport, source, destination } = header.endpoints else {
            panic!("{server}: {header:?}");
        };
        assert_eq!(transport, Transport::Stream);
        assert_eq!(source, seen.client.unwrap(), "{server}");
        assert_eq!(destination, seen.frontend, "{server}");
        assert_eq!(header.tlvs.crc32c().is_some(), server.contains("crc32c"));
    }
}

#[test]
fn addresses_of_an_ipv6_client() {
    let Some(files) = Files::new() else { return };
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skipped("there is no IPv6 here");
    }
    for server in ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"] {
        let seen = files.seen_by_server("@ip6", server, &Client::Tcp(b""));
        let Endpoints::Inet { source, destination, .. } = seen.header(server).endpoints else {
            panic!("{server}: {seen:?}");
        };
        assert_eq!(source, seen.client.unwrap(), "{server}");
        assert_eq!(destination, seen.frontend, "{server}");
    }
}

#[test]
fn addresses_that_it_was_told_itself() {
    let Some(files) = Files::new() else { return };
    let lines: [&[u8]; 3] = [
        b"PROXY TCP4 192.0.2.1 198.51.100.25 5555 25\r\n",
        b"PROXY TCP6 2001:db8:1::1 2001:db8::25 65535 25\r\n",
        b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.25 1 2\r\n",
    ];
    for line in lines {
        let (_, told) = Header::parse(line).unwrap();
        for server in ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"] {
            let seen = files.seen_by_server("accept-proxy", server, &Client::Tcp(line));
            assert_eq!(seen.header(server).endpoints, told.endpoints, "{server}");
        }
    }
}

/// Version 1 has UNKNOWN; in version 2, HAProxy 2.6 sends LOCAL, where UNSPEC is possible too.
#[test]
fn a_client_on_a_unix_socket_has_no_address() {
    let Some(files) = Files::new() else { return };
    let seen = files.seen_by_server("@unix", "send-proxy", &Client::Unix);
    assert_eq!(seen.header("send-proxy").endpoints, Endpoints::Unknown);
    let seen = files.seen_by_server("@unix", "send-proxy-v2", &Client::Unix);
    let header = seen.header("send-proxy-v2");
    assert_eq!(header.version, Version::V2);
    assert!(matches!(header.endpoints, Endpoints::Local | Endpoints::Unknown), "{header:?}");
}

#[test]
fn health_checks() {
    let Some(files) = Files::new() else { return };
    let seen = files.seen_by_server("", "send-proxy-v2 check inter 500ms", &Client::None);
    assert_eq!(seen.header("v2 check").endpoints, Endpoints::Local);
    // Version 1 has no word for it: the line has the addresses of the check's own connection.
    let seen = files.seen_by_server("", "send-proxy check inter 500ms", &Client::None);
    let header = seen.header("v1 check");
    let Endpoints::Inet { source, .. } = header.endpoints else { panic!("{header:?}") };
    assert!(source.ip().is_loopback());
}

type Check = fn(&Header<'_>, &Ssl<'_>) -> bool;

/// Each option alone, then all; each adds its vector and no other.
#[test]
fn every_option_of_version_2() {
    let Some(files) = Files::new() else { return };
    let rows: [(&str, Check); 6] = [
        ("ssl", |_, ssl| ssl.version().unwrap().unwrap().starts_with("TLSv1.")),
        ("cert-cn", |_, ssl| ssl.common_name() == Ok(Some("client.example"))),
        ("ssl-cipher", |_, ssl| !ssl.cipher().unwrap().unwrap().is_empty()),
        ("cert-sig", |_, ssl| ssl.signature_algorithm().unwrap().unwrap().contains("SHA256")),
        ("cert-key", |_, ssl| ssl.key_algorithm().unwrap().unwrap().starts_with("EC")),
        ("ssl,cert-cn,ssl-cipher,cert-sig,cert-key,crc32c,unique-id,authority", |header, ssl| {
            let tlvs = header.tlvs;
            assert!(tlvs.crc32c().is_some());
            assert_eq!(tlvs.authority(), Ok(Some("mail.example")));
            assert!(!tlvs.unique_id().unwrap().is_empty());
            ssl.tlvs.iter().count() == 5
        }),
    ];
    for (option, check) in rows {
        let server = format!("send-proxy-v2 proxy-v2-options {option}");
        let seen =
            files.seen_by_server("@mtls", &server, &Client::Tls(&["-servername", "mail.example"]));
        let header = seen.header(option);
        let ssl = header.tlvs.ssl().unwrap_or_else(|| panic!("{option}: {header:?}"));
        assert!(ssl.is_tls() && ssl.is_verified(), "{option}: {ssl:?}");
        assert!(check(&header, &ssl), "{option}: {ssl:?}");
    }
    for (option, kind) in [
        ("crc32c", TlvKind::CRC32C),
        ("unique-id", TlvKind::UNIQUE_ID),
        ("authority", TlvKind::AUTHORITY),
    ] {
        let server = format!("send-proxy-v2 proxy-v2-options {option}");
        let seen =
            files.seen_by_server("@mtls", &server, &Client::Tls(&["-servername", "mail.example"]));
        let header = seen.header(option);
        let kinds: Vec<_> = header.tlvs.iter().map(|tlv| tlv.kind).collect();
        assert!(kinds.contains(&kind), "{option}: {kinds:?}");
        assert!(header.tlvs.ssl().is_none(), "{option}: {kinds:?}");
    }
}

#[test]
fn the_shorthands_for_tls() {
    let Some(files) = Files::new() else { return };
    for (server, name) in
        [("send-proxy-v2-ssl", None), ("send-proxy-v2-ssl-cn", Some("client.example"))]
    {
        let seen =
            files.seen_by_server("@mtls alpn h2,http/1.1", server, &Client::Tls(&["-alpn", "h2"]));
        let header = seen.header(server);
        let ssl = header.tlvs.ssl().unwrap();
        assert!(ssl.is_tls() && ssl.has_connection_certificate(), "{ssl:?}");
        assert_eq!(ssl.common_name(), Ok(name), "{server}");
        assert_eq!(header.tlvs.alpn(), Some(&b"h2"[..]), "{server}");
    }
}

#[test]
fn a_tls_client_without_a_certificate_is_not_verified() {
    let Some(files) = Files::new() else { return };
    let seen =
        files.seen_by_server("@tls", "send-proxy-v2-ssl", &Client::Tls(&["-no_certificate"]));
    let header = seen.header("no certificate");
    let ssl = header.tlvs.ssl().unwrap();
    assert!(ssl.is_tls() && !ssl.has_connection_certificate(), "{ssl:?}");
    assert!(!ssl.is_verified(), "{ssl:?}");
}
