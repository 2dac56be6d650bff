//! A mail server that is asked for its certificates.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};
use serde_json::Value;

use crate::program::{Folder, run};

/// The certificates and the key of a server; SNI must be the TLSA base domain.
#[derive(Debug)]
struct Sent(Arc<CertifiedKey>);

impl ResolvesServerCert for Sent {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (hello.server_name() == Some("mx.example.com")).then(|| Arc::clone(&self.0))
    }
}

/// Serves one connection, with STARTTLS or without, and returns the port.
fn serve(certificate: &CertificateDer<'static>, key: &KeyPair, is_smtp: bool) -> u16 {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = CertifiedKey::new(vec![certificate.clone()], any_supported_type(&key).unwrap());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Sent(Arc::new(key))));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        if is_smtp {
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            stream.write_all(b"220-a greeting\r\n220 of two lines\r\n").unwrap();
            lines.read_line(&mut line).unwrap();
            stream.write_all(b"250-mx.example.com\r\n250 STARTTLS\r\n").unwrap();
            lines.read_line(&mut line).unwrap();
            assert_eq!(line, "EHLO localhost\r\nSTARTTLS\r\n");
            stream.write_all(b"220 go on\r\n").unwrap();
        }
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        // A client that does not like the certificate goes away.
        let _ = connection.complete_io(&mut stream);
    });
    port
}

fn check(record: &str, port: u16, more: &[&str]) -> (Option<i32>, Value, String) {
    let server = format!("127.0.0.1:{port}");
    let fixed = ["check", "--json", "--host", "mx.example.com", "--server", &server];
    let output = run(&[&fixed[..], &["--record", record], more].concat(), "");
    let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), found, String::from_utf8(output.stderr).unwrap())
}

fn record_of(key: &KeyPair) -> String {
    let folder = Folder::new("record_of");
    let file = folder.write("key.pem", key.public_key_pem().as_bytes());
    String::from_utf8(run(&["make", &file], "").stdout).unwrap().trim().to_owned()
}

#[test]
fn a_server_is_asked_with_starttls_and_without() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let (right, wrong) = (record_of(&key), record_of(&other));
    for (is_smtp, more) in
        [(true, &[][..]), (true, &["--starttls", "smtp"]), (false, &["--starttls", "none"])]
    {
        let port = serve(certificate.der(), &key, is_smtp);
        let (status, found, error) = check(&right, port, more);
        assert_eq!((status, &found["verdict"]), (Some(0), &"match".into()), "{error}");
        let port = serve(certificate.der(), &key, is_smtp);
        let (status, found, _) = check(&wrong, port, more);
        assert_eq!((status, &found["verdict"]), (Some(0), &"no-match".into()));
    }
}

#[test]
fn a_server_with_a_copied_certificate_is_refused() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let port = serve(certificate.der(), &other, true);
    let (status, found, error) = check(&record_of(&key), port, &[]);
    assert_eq!((status, found), (Some(2), Value::Null));
    assert!(error.contains("BadSignature"), "{error}");
}
