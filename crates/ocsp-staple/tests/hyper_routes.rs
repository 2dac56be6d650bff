//! The ways to a responder: over TLS, and by an HTTP proxy.
#![cfg(all(feature = "https", feature = "proxy"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/answering.rs"]
mod answering;
#[path = "support/asked.rs"]
mod asked;
#[path = "support/data.rs"]
mod data;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::net::SocketAddr;
use std::sync::Arc;

use answering::{Answer, converse, head, responder, run};
use asked::asked;
use ocsp_staple::hyper::{FetchLimits, Fetcher, Proxy, ProxyError};
use ocsp_staple::{Certificate, FetchError, Schedule};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use vector_time::now;

/// A server for `localhost`.
struct TlsWorld(CertifiedKey<KeyPair>);

impl TlsWorld {
    fn new() -> Self {
        Self(generate_simple_self_signed(["localhost".to_owned()]).unwrap())
    }

    /// A client that trusts the server, or none.
    fn client(&self, trusts: bool) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        if trusts {
            roots.add(self.0.cert.der().clone()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    async fn responder(&self, answer: Answer) -> SocketAddr {
        let key = self.0.signing_key.serialize_der().try_into().unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.0.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, answer).await;
                    }
                });
            }
        });
        address
    }
}

/// A proxy that makes tunnels to ports of this host only.
async fn tunnels() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head(&mut stream).await.unwrap();
            let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
            assert!(head.contains(&format!("\r\nhost: {target}\r\n")), "{head}");
            let Some(port) = target.strip_prefix("localhost:") else {
                let _ = stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").await;
                continue;
            };
            let port: u16 = port.parse().unwrap();
            let mut there = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Tunnel\r\n\r\n").await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut stream, &mut there).await });
        }
    });
    address
}

fn fetcher() -> Fetcher {
    Fetcher::new(FetchLimits::default())
}

fn proxy(address: SocketAddr) -> Proxy {
    format!("http://{address}").parse().unwrap()
}

async fn fetch(fetcher: &Fetcher, url: &str) -> Result<Vec<u8>, FetchError> {
    let (fetch, request) = asked(url);
    let got = fetcher.fetch(&fetch, &request).await;
    got.map(|got| got.response).map_err(|failure| failure.error)
}

/// Is glad about a request as a server gets it.
fn direct(head: &str) -> Vec<u8> {
    assert!(head.starts_with("GET /ca/ME") && head.contains("\r\nhost: localhost:"), "{head}");
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
}

#[test]
fn a_responder_with_https_only_is_asked_over_tls() {
    run(async {
        let world = TlsWorld::new();
        let port = world.responder(direct).await.port();
        let url = format!("https://localhost:{port}/ca");
        let trusting = fetcher().with_tls(world.client(true));
        assert_eq!(fetch(&trusting, &url).await.unwrap(), b"ok");
        // Without TLS it is not asked, and says why.
        assert_eq!(fetch(&fetcher(), &url).await, Err(FetchError::Https));
        // One whose certificate does not count is not believed.
        let untrusting = fetcher().with_tls(world.client(false));
        let FetchError::Tls { why } = fetch(&untrusting, &url).await.unwrap_err() else {
            unreachable!()
        };
        assert_eq!(why, "invalid peer certificate: UnknownIssuer");
        let error = fetch(&trusting, &format!("https://127.0.0.1:{port}/ca")).await.unwrap_err();
        assert!(error.to_string().contains("certificate not valid for name"), "{error}");
        // What speaks no TLS.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 mx.example ESMTP\r\n").await.unwrap();
        });
        let error = fetch(&trusting, &format!("https://localhost:{port}/ca")).await.unwrap_err();
        assert!(matches!(error, FetchError::Tls { .. }), "{error}");
    });
}

/// The names in a certificate are those of a stranger, and an event is a line of a log.
#[test]
fn a_certificate_writes_no_line_of_the_log() {
    let name = "a\r\nDec 01 00:00:00 mx sshd[1]: FAKE\u{1b}[31m";
    let many = (0..2000).map(|number| format!("host{number}.example"));
    let names: Vec<_> = [name.to_owned()].into_iter().chain(many).collect();
    let world = TlsWorld(generate_simple_self_signed(names).unwrap());
    run(async {
        let port = world.responder(direct).await.port();
        let url = format!("https://localhost:{port}/");
        let error = fetch(&fetcher().with_tls(world.client(true)), &url).await.unwrap_err();
        let FetchError::Tls { why } = &error else { panic!("{error}") };
        assert!(why.contains("FAKE") && why.len() < 5000, "{why}");
        let leaf = data::file("certificates/leaf.der");
        let leaf = Certificate::parse(&leaf).unwrap();
        let mut schedule = Schedule::new(&leaf, now()).with_responders([url.as_str().into()]);
        schedule.handle_failure(error, None, now(), 0);
        let line = schedule.poll_event().unwrap().to_string();
        assert!(line.contains("\\r\\nDec 01 00:00:00") && line.contains("\\u{1b}[31m"), "{line}");
        assert!(!line.contains(char::is_control) && line.len() < 2000, "{line}");
    });
}

#[test]
fn a_proxy_gets_the_whole_address() {
    run(async {
        let address = responder(|head| {
            assert!(head.starts_with("GET http://ocsp.invalid/ca/ME"), "{head}");
            assert!(head.contains("\r\nhost: ocsp.invalid\r\n"), "{head}");
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
        })
        .await;
        // The name of the responder is for the proxy to look up.
        let by_proxy = fetcher().with_proxy(proxy(address));
        assert_eq!(fetch(&by_proxy, "http://ocsp.invalid/ca").await.unwrap(), b"ok");
        let address =
            responder(|_| b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n".to_vec())
                .await;
        let by_proxy = fetcher().with_proxy(proxy(address));
        let failure = fetch(&by_proxy, "http://ocsp.invalid/ca").await;
        assert_eq!(failure, Err(FetchError::Status(504)));
        let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        for proxy in [proxy(dead), "http://proxy.invalid:3128".parse().unwrap()] {
            let by_proxy = fetcher().with_proxy(proxy);
            let failure = fetch(&by_proxy, "http://127.0.0.1/ca").await;
            assert_eq!(failure, Err(FetchError::Proxy));
        }
    });
}

#[test]
fn a_tunnel_leads_to_a_responder_with_https() {
    run(async {
        let world = TlsWorld::new();
        let port = world.responder(direct).await.port();
        let by_proxy = fetcher().with_proxy(proxy(tunnels().await)).with_tls(world.client(true));
        let url = format!("https://localhost:{port}/ca");
        assert_eq!(fetch(&by_proxy, &url).await.unwrap(), b"ok");
        let failure = fetch(&by_proxy, "https://elsewhere.invalid/ca").await;
        assert_eq!(failure, Err(FetchError::ProxyStatus(403)));
    });
}

#[test]
fn the_address_of_a_proxy_is_a_plain_one() {
    for (text, expected) in [
        ("http://proxy.example:3128", Ok("http://proxy.example:3128")),
        ("http://proxy.example:3128/", Ok("http://proxy.example:3128")),
        ("http://[::1]", Ok("http://[::1]:80")),
        ("HTTP://proxy.example", Ok("http://proxy.example:80")),
        ("https://proxy.example", Err(ProxyError::Scheme)),
        ("proxy.example:3128", Err(ProxyError::Scheme)),
        ("socks5://proxy.example", Err(ProxyError::Scheme)),
        ("http://ann:secret@proxy.example", Err(ProxyError::Login)),
        ("http://proxy.example/x", Err(ProxyError::Path)),
        ("http://proxy.example/?x", Err(ProxyError::Path)),
        ("http://proxy.example:", Ok("http://proxy.example:80")),
        ("http://proxy.example:0", Err(ProxyError::Url)),
        ("http://proxy.example:65535", Ok("http://proxy.example:65535")),
        ("http://proxy.example:65536", Err(ProxyError::Url)),
        ("http://proxy.example:+80", Err(ProxyError::Url)),
        ("http://", Err(ProxyError::Url)),
        ("", Err(ProxyError::Url)),
    ] {
        let proxy = text.parse::<Proxy>().map(|proxy| proxy.to_string());
        assert_eq!(proxy, expected.map(str::to_owned), "{text}");
    }
}
