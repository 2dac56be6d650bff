//! What may stand before an OCSP responder: an HTTP proxy, or TLS. The responder itself is OpenSSL's.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Starts a proxy for whose clients the name `ocsp.invalid` is the responder at this port; returns its URL.
pub(crate) fn proxy(responder: u16) -> String {
    let port = each_connection(move |mut stream| {
        let head = head(&mut stream);
        let Some((verb, rest)) = head.split_once(' ') else { return };
        // The whole address, which a responder does not understand.
        let path = rest.strip_prefix("http://ocsp.invalid").unwrap_or_else(|| panic!("{head}"));
        ask(&mut stream, responder, &format!("{verb} {path}"));
    });
    format!("http://127.0.0.1:{port}")
}

/// Starts a server with this certificate and key before the responder at this port; returns its port.
pub(crate) fn tls(certificate: &str, key: &str, responder: u16) -> u16 {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).unwrap().collect();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.unwrap(), PrivateKeyDer::from_pem_file(key).unwrap());
    let config = Arc::new(config.unwrap());
    each_connection(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let head = head(&mut stream);
        if !head.is_empty() {
            ask(&mut stream, responder, &head);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

/// Answers all connections to a free port, which it returns, one after the other, until the test ends.
pub(crate) fn each_connection(answer: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    port
}

/// Reads the head of a request; it is empty if the client goes.
pub(crate) fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1) => head.extend(octet),
            _ => return String::new(),
        }
    }
    String::from_utf8(head).unwrap()
}

fn ask(stream: &mut impl Write, responder: u16, request: &str) {
    let mut there = TcpStream::connect(("127.0.0.1", responder)).unwrap();
    there.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    there.read_to_end(&mut response).unwrap();
    // A client that has gone needs no answer.
    let _ = stream.write_all(&response);
}
