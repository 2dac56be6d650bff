//! Handshakes between a client and a server in memory.

use std::sync::{Arc, Mutex};

use dane_tlsa::rustls::DaneVerifier;
use rcgen::KeyPair;
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, Error, HandshakeKind, RootCertStore, ServerConfig,
    ServerConnection, SupportedProtocolVersion, version,
};

pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// The certificates and the key of a server, and the name that it was last asked for.
#[derive(Debug)]
pub(crate) struct Server(Arc<Sent>);

#[derive(Debug)]
struct Sent {
    key: Arc<CertifiedKey>,
    asked_for: Mutex<Option<String>>,
}

impl ResolvesServerCert for Sent {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        *self.asked_for.lock().unwrap() = hello.server_name().map(str::to_owned);
        Some(Arc::clone(&self.key))
    }
}

impl Server {
    /// Makes a server; its key need not be that of its certificate.
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let key = Arc::new(CertifiedKey::new(chain, any_supported_type(&key).unwrap()));
        Self(Arc::new(Sent { key, asked_for: Mutex::default() }))
    }

    pub(crate) fn asked_for(&self) -> Option<String> {
        self.0.asked_for.lock().unwrap().take()
    }
}

/// Returns a client's configuration, whose own verifier takes no server.
pub(crate) fn with_version(version: &'static SupportedProtocolVersion) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

/// Does a handshake, and returns the client's result.
pub(crate) fn connect(
    verifier: &Arc<DaneVerifier>,
    config: &ClientConfig,
    server: &Server,
    version: &'static SupportedProtocolVersion,
) -> Result<HandshakeKind, Error> {
    connect_as(verifier.config(config), verifier.server_name(), server, version)
}

/// Does a handshake with this configuration and server name.
#[expect(clippy::unwrap_in_result, reason = "what is in memory works; the result is the client's")]
pub(crate) fn connect_as(
    config: ClientConfig,
    server_name: ServerName<'static>,
    server: &Server,
    version: &'static SupportedProtocolVersion,
) -> Result<HandshakeKind, Error> {
    let of_server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server.0) as _);
    let mut client = ClientConnection::new(Arc::new(config), server_name).unwrap();
    let mut server = ServerConnection::new(Arc::new(of_server)).unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut octets = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut octets).unwrap();
        }
        let mut octets = octets.as_slice();
        while !octets.is_empty() {
            server.read_tls(&mut octets).unwrap();
            server.process_new_packets()?;
        }
        let mut octets = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut octets).unwrap();
        }
        let mut octets = octets.as_slice();
        while !octets.is_empty() {
            client.read_tls(&mut octets).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(client.handshake_kind().unwrap())
}
