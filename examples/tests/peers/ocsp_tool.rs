//! The tool `ocsp` fetches proofs from responders of all kinds: OpenSSL's, and such as answer nonsense.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::authority::{Authority, ECDSA};
use super::block::Block;
use super::fronts;
use super::gateway::binary;
use super::servers::{have, output_of, text};

/// Fetches the proof of a certificate into `proof`, where something is already.
fn fetch(authority: &Authority, name: &str, more: &[&str]) -> (Option<i32>, String) {
    fs::write(authority.path("proof"), "old").unwrap();
    let mut tool = Command::new(binary().with_file_name("ocsp"));
    tool.args(["fetch", "--cert", &authority.path(&format!("{name}.pem"))]).args(more);
    let output = output_of(tool.arg(authority.path("proof")), b"");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// Fetches a proof, which is good.
fn fetched(authority: &Authority, name: &str, more: &[&str]) {
    let (code, said) = fetch(authority, name, more);
    assert!(code == Some(0) && said.starts_with("good until 20"), "{more:?}: {said}");
    assert_ne!(fs::read(authority.path("proof")).unwrap(), b"old");
}

/// Fetches none, for this cause; the old file stays.
fn refused(authority: &Authority, name: &str, more: &[&str], cause: &str) {
    let (code, said) = fetch(authority, name, more);
    assert!(code == Some(2) && said.contains(cause), "{more:?}: {said}");
    assert_eq!(fs::read(authority.path("proof")).unwrap(), b"old", "{cause}");
}

#[test]
fn a_responder_of_openssl_is_asked() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("ocsp-tool", block.own(1));
    authority.issue("unknown.test", "V");
    authority.forget();
    authority.issue("revoked.test", "R");
    authority.issue("good.test", "V");
    let responder = authority.respond();
    fetched(&authority, "good.test", &[]);
    fetched(&authority, "good.test", &["--sha256"]);
    let revoked = "revoked since 2026-01-01T00:00:00Z: keyCompromise";
    refused(&authority, "revoked.test", &[], revoked);
    refused(&authority, "unknown.test", &[], "the responder does not know the certificate");
    // It hangs with its socket open, goes on, and ends.
    responder.hang();
    refused(&authority, "good.test", &["--tries", "1", "--timeout", "1"], "within 1 seconds");
    responder.go_on();
    drop(responder);
    refused(&authority, "good.test", &[], "cannot connect to the responder");
    let responder = authority.respond_with(&["-badsig"]);
    refused(&authority, "good.test", &[], "the signature of ");
    drop(responder);
    // A leaf alone has no issuer; one may be given, and a responder too.
    let _responder = authority.respond();
    fs::copy(authority.path("new.leaf"), authority.path("leaf.pem")).unwrap();
    refused(&authority, "leaf", &[], "the certificate of the issuer \"CN=Authority of the tests\"");
    fetched(&authority, "leaf", &["--issuer", &authority.path("ca.pem")]);
    // That a certificate names no responder is no error.
    authority.issue_with("silent.test", "V", ECDSA, &[]);
    let (code, said) = fetch(&authority, "silent.test", &[]);
    assert!(code == Some(0) && said.contains("names no OCSP responder"), "{said}");
    assert_eq!(fs::read(authority.path("proof")).unwrap(), b"old");
}

#[test]
fn a_responder_behind_a_proxy_or_tls_is_asked() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("ocsp-tool-fronts", block.own(1));
    authority.issue("good.test", "V");
    authority.issue("localhost", "V");
    let _responder = authority.respond();
    let proxy = fronts::proxy(block.own(1));
    let by_proxy = ["--proxy", &proxy, "--responder", "http://ocsp.invalid/"];
    fetched(&authority, "good.test", &by_proxy);
    let (certificate, key) = (authority.path("localhost.pem"), authority.path("localhost.key"));
    let port = fronts::tls(&certificate, &key, block.own(1));
    let responder = ["--responder", &format!("https://localhost:{port}/")];
    let ca = authority.path("ca.pem");
    fetched(&authority, "good.test", &[&responder[..], &["--ca", &ca]].concat());
    refused(&authority, "good.test", &responder, "is of the scheme https, and no TLS is set up");
    refused(&authority, "good.test", &responder, "; give its authorities with --ca");
    let other = Authority::make("ocsp-tool-other", 1);
    let ca = other.path("ca.pem");
    let others = [&responder[..], &["--ca", &ca]].concat();
    refused(&authority, "good.test", &others, "invalid peer certificate");
    let nowhere = ["--proxy", "ftp://proxy.example"];
    refused(&authority, "good.test", &nowhere, "does not begin with http://");
}

/// Writes an answer of HTTP, in full.
fn answer(mut stream: TcpStream, status: &str, body: &[u8]) {
    fronts::head(&mut stream);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    // A client may have had enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// A responder that answers each request with this body.
fn answering(status: &'static str, body: Vec<u8>) -> String {
    let port = fronts::each_connection(move |stream| answer(stream, status, &body));
    format!("http://127.0.0.1:{port}/")
}

/// A responder that goes on for as long as the client stays.
fn endless(start: &'static str, more: &'static [u8], pause: Duration) -> String {
    let port = fronts::each_connection(move |mut stream| {
        fronts::head(&mut stream);
        let mut written = stream.write_all(start.as_bytes());
        while written.is_ok() {
            thread::sleep(pause);
            written = stream.write_all(more);
        }
    });
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn a_responder_that_answers_nonsense_proves_nothing() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut authority = Authority::make("ocsp-tool-nonsense", block.own(1));
    authority.issue("good.test", "V");
    authority.issue("other.test", "V");
    authority.prove("good.test", "good.proof");
    authority.prove("other.test", "other.proof");
    let good = fs::read(authority.path("good.proof")).unwrap();
    let other = fs::read(authority.path("other.proof")).unwrap();
    let error = |status| answering("200 OK", vec![0x30, 3, 0x0a, 1, status]);
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (quick, slow) = (Duration::ZERO, Duration::from_millis(100));
    let rows = [
        (error(3), "the responder answers tryLater"),
        (error(2), "the responder answers internalError"),
        (error(6), "the responder answers unauthorized"),
        (error(9), "the OCSP response is malformed"),
        (
            format!("http://{dead}/"),
            &*format!(
                "http://{dead}/: cannot connect to the responder: {dead}: Connection refused"
            ),
        ),
        (endless("", b"", slow), "within 1 seconds"),
        (endless("HTTP/1.1 200 OK\r\n\r\n", b"x", slow), "within 1 seconds"),
        (endless("HTTP/1.1 200 OK\r\nX: ", b"x", slow), "within 1 seconds"),
        (endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096], quick), "more than 65535 octets"),
        (endless("HTTP/1.1 200 OK\r\nX: ", &[b'x'; 16_384], quick), "broke off"),
        (answering("200 OK", vec![0x30; 70_000]), "more than 65535 octets"),
        (answering("200 OK", b"<html>log in</html>".to_vec()), "the OCSP response is malformed"),
        (answering("200 OK", Vec::new()), "the OCSP response is malformed"),
        (answering("200 OK", good[..good.len() / 2].to_vec()), "the OCSP response is malformed"),
        (answering("200 OK", [&good[..], b"x"].concat()), "the OCSP response is malformed"),
        (answering("200 OK", other), "is about another certificate"),
        (answering("404 Not Found", good.clone()), "HTTP status 404"),
        (endless("220 mx.example ESMTP\r\n", b"x", slow), "broke off"),
    ];
    for (responder, cause) in rows {
        let more = ["--responder", &responder, "--tries", "1", "--timeout", "1"];
        refused(&authority, "good.test", &more, cause);
    }
    fetched(&authority, "good.test", &["--responder", &answering("200 OK", good)]);
}
