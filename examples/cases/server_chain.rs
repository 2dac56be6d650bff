//! The certificates of a server, and its OCSP staple.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use dane_tlsa::RecordSet;
use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::rustls::DaneVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::mail_server;

/// Takes what a server sends, whatever it is, once the server has proved that it has the key of it.
#[derive(Debug)]
struct Recorder {
    inner: Arc<DaneVerifier>,
    sent: Mutex<Sent>,
}

/// The part of a handshake by which a server is judged.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Sent {
    /// The certificates, the server's own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The OCSP response; empty without one.
    pub staple: Vec<u8>,
}

/// Connects to a server, which may have a port, as `mx.example.com:25`; returns what it sends.
///
/// # Errors
///
/// The server cannot be reached, does not offer TLS, or its handshake fails.
pub fn sent(
    server: &str,
    port: u16,
    is_smtp: bool,
    records: &RecordSet,
    names: &[Name],
) -> Result<Sent, Box<dyn Error>> {
    let provider = Arc::new(default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let inner = Arc::new(DaneVerifier::new(records.clone(), names.to_vec(), algorithms)?);
    let recorder = Arc::new(Recorder { inner: Arc::clone(&inner), sent: Mutex::default() });
    let base = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut config = inner.config(&base);
    config.dangerous().set_certificate_verifier(Arc::clone(&recorder) as _);
    let mut client = ClientConnection::new(Arc::new(config), inner.server_name())?;
    let (host, port) = host_and_port(server, port)?;
    let connect = if is_smtp { mail_server::start_tls } else { mail_server::connect };
    let mut stream = connect(host, port)?;
    client.complete_io(&mut stream)?;
    Ok(recorder.sent.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Splits a server's name or address from its port.
fn host_and_port(server: &str, port: u16) -> Result<(&str, u16), String> {
    if let Some((host, rest)) = server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, number(port)?)),
            None => Ok((host, port)),
        };
    }
    match server.rsplit_once(':') {
        // More than one colon: an address of IPv6, without a port.
        Some((host, port)) if !host.contains(':') => Ok((host, number(port)?)),
        _ => Ok((server, port)),
    }
}

fn number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("not a port: {text:?}"))
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let chain = chain.map(|der| der.clone().into_owned()).collect();
        let sent = Sent { chain, staple: ocsp_response.to_vec() };
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = sent;
        // Whether they match is told afterwards: nothing is sent to this server.
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
