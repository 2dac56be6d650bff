//! The page of metrics over HTTP: its paths, its methods and its limits.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::exposition::{Parsed, parse};
use super::gateway::Running;
use crate::gateway::telemetry::metrics::page::Form;

/// Turns metrics on; these options come first.
pub(super) const ON: &str = "metrics_interface = '127.0.0.1.0'\nevent_action = ''\n";
const OPENMETRICS: &str = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.1\r\n";

/// A response.
struct Response {
    head: String,
    body: String,
}

/// Sends a request as it is; returns the response, up to the end of the connection.
async fn ask(address: SocketAddr, request: &str) -> Response {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have enough of it before it has all.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Response { head: head.to_lowercase(), body: body.to_owned() }
}

async fn get(address: SocketAddr, fields: &str) -> Response {
    ask(address, &format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n{fields}\r\n")).await
}

/// Reads the page of a gateway.
pub(super) async fn families(running: &Running) -> Vec<Parsed> {
    let response = get(running.metrics.unwrap(), OPENMETRICS).await;
    parse(&response.body, Form::OpenMetrics).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn without_the_option_nobody_listens() {
    let running = Running::start("event_action = ''\n").await;
    assert_eq!(running.metrics, None);
    running.end().await;
}

#[tokio::test]
async fn only_get_of_one_path_has_an_answer() {
    let running = Running::start(ON).await;
    let address = running.metrics.unwrap();
    assert!(address.ip().is_loopback());
    for (request, status) in [
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
        ("GET /metrics?name=x HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
        ("GET /metrics HTTP/1.0\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        ("GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        ("GET /Metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        ("POST /other HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx", "405"),
        ("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
        ("PUT /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
        ("EHLO client.example\r\n\r\n", "400"),
    ] {
        let response = ask(address, request).await;
        let line = response.head.lines().next().unwrap_or_default();
        assert_eq!(line.split(' ').nth(1), Some(status), "{request}: {line}");
        assert_eq!(response.head.contains("\r\nallow: get"), status == "405", "{request}");
    }
    running.end().await;
}

/// A page of the web that a browser on this host has loaded, from a name that leads to a loopback address now, sends
/// that name.
#[tokio::test]
async fn a_request_names_this_host() {
    let running = Running::start(ON).await;
    let address = running.metrics.unwrap();
    for (host, status) in [
        ("127.0.0.1", "200"),
        ("127.0.0.1:9101", "200"),
        ("[::1]:9101", "200"),
        ("192.0.2.1", "200"),
        ("localhost:9101", "200"),
        ("LOCALHOST", "200"),
        ("gw.example", "200"),
        ("GW.example:80", "200"),
        ("attacker.example", "421"),
        ("attacker.example:9101", "421"),
        ("127.0.0.1.attacker.example", "421"),
        ("localhost.attacker.example", "421"),
        ("attacker.example\r\nHost: localhost", "400"),
        ("127.0.0.1@attacker.example", "421"),
        ("", "421"),
        ("a b", "421"),
        ("1.2.3", "421"),
    ] {
        for path in ["/metrics", "/other"] {
            let response =
                ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
            let line = response.head.lines().next().unwrap_or_default().to_owned();
            let expected = if status == "200" && path == "/other" { "404" } else { status };
            assert_eq!(line.split(' ').nth(1), Some(expected), "{path} {host}: {line}");
            assert!(status == "200" || !response.body.contains("gateway_"), "{host}");
        }
    }
    for (request, status) in [
        ("GET http://attacker.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "421"),
        ("GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
        ("GET http://localhost/metrics HTTP/1.1\r\nHost: attacker.example\r\n\r\n", "421"),
        ("GET /metrics HTTP/1.1\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.0\r\nHost: attacker.example\r\n\r\n", "421"),
    ] {
        let head = ask(address, request).await.head;
        assert_eq!(head.split(' ').nth(1), Some(status), "{request}: {head}");
    }
    running.end().await;
}

/// Those who say nothing at all, and who have had their page.
#[tokio::test]
async fn silent_clients_keep_no_place() {
    let running = Running::start(ON).await;
    let address = running.metrics.unwrap();
    let begun = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert!(get(address, "").await.head.starts_with("http/1.1 200"));
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(5), "{waited:?}");
    let begun = Instant::now();
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = Vec::new();
        stream.read_to_end(&mut page).await.unwrap();
        assert!(page.starts_with(b"HTTP/1.1 200"));
        idle.push(stream);
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    running.end().await;
}

#[tokio::test]
async fn the_text_has_the_form_that_is_asked_for() {
    let running = Running::start(ON).await;
    let address = running.metrics.unwrap();
    for (fields, form, kind) in [
        ("", Form::Prometheus, "text/plain; version=0.0.4; charset=utf-8"),
        ("Accept: */*\r\n", Form::Prometheus, "text/plain; version=0.0.4; charset=utf-8"),
        (
            OPENMETRICS,
            Form::OpenMetrics,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ] {
        let Response { head, body } = get(address, fields).await;
        assert!(head.contains(&format!("\r\ncontent-type: {kind}")), "{fields}: {head}");
        assert!(head.contains("\r\nconnection: close"), "{head}");
        let families = parse(&body, form).unwrap_or_else(|error| panic!("{error}\n{body}"));
        assert!(families.iter().any(|family| family.name == "gateway_build_info"));
    }
    running.end().await;
}

/// Rows: a request with too much of something.
#[tokio::test]
async fn a_request_that_is_too_large_has_no_page() {
    let running = Running::start(ON).await;
    let address = running.metrics.unwrap();
    for request in [
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(20_000)),
        format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n", "x".repeat(20_000)),
        format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "A: b\r\n".repeat(60)),
    ] {
        let head = ask(address, &request).await.head;
        assert!(!head.starts_with("http/1.1 200"), "{head}");
    }
    assert!(get(address, "").await.head.starts_with("http/1.1 200"));
    running.end().await;
}

/// Nine clients do not end their requests; the tenth has its page when the first of them are cut off.
#[tokio::test]
async fn clients_that_do_not_end_their_requests_are_cut_off() {
    let running = Running::start(ON).await;
    let address = running.metrics.unwrap();
    let begun = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..9 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
        slow.push(stream);
    }
    assert!(get(address, "").await.head.starts_with("http/1.1 200"));
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(9), "{waited:?}");
    for mut stream in slow {
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok() && !rest.starts_with(b"HTTP/1.1 200"), "{read:?}");
    }
    // A client that reads nothing, and asks for much, holds nobody up.
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let many = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    deaf.write_all(many.as_bytes()).await.unwrap();
    assert!(get(address, "").await.head.starts_with("http/1.1 200"));
    // Nor does one that is there when the server stops.
    running.end().await;
}

#[tokio::test]
async fn an_address_that_is_taken_prevents_the_start() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let scratch = super::scratch::Scratch::new();
    let options = format!("event_action = ''\nmetrics_interface = '{address}'\n");
    let config = Running::config(scratch.path(), &options);
    let servers = crate::gateway::dns::resolver::NameServers::read(
        config.dns,
        std::path::Path::new("/etc/resolv.conf"),
    );
    let gateway = crate::gateway::server::Gateway::new(config.server, servers.unwrap()).unwrap();
    let error = gateway.listen().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
}
