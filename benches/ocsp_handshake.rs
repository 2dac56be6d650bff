//! Handshakes in memory, to measure the cost of a staple for a server.

use std::sync::Arc;
use std::time::Duration;

use ocsp_staple::Staple;
use ocsp_staple::rustls::StapledKeys;
use ocsp_staple::rustls_pki_types::UnixTime;
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

/// A whole handshake of TLS 1.3, both sides, with this response stapled or without one; the client does
/// not look at it.
pub(crate) fn handshake(response: Option<&'static [u8]>) -> Box<dyn Fn() -> bool> {
    let both = configurations(response);
    Box::new(move || {
        both.as_ref().is_some_and(|(client, server)| shake(client, server).unwrap_or(false))
    })
}

type Both = (Arc<ClientConfig>, Arc<ServerConfig>);

fn configurations(response: Option<&'static [u8]>) -> Option<Both> {
    let provider = Arc::new(default_provider());
    let made = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).ok()?;
    let certificate: CertificateDer<'static> = made.cert.into();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let key = CertifiedKey::from_der(vec![certificate.clone()], key, &provider).ok()?;
    let keys = Arc::new(StapledKeys::new());
    let until = UnixTime::since_unix_epoch(Duration::from_secs(u64::from(u32::MAX)));
    let staple = response.map(|response| Staple { response: response.into(), until });
    keys.set(None, [(&key, staple.as_ref())]);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).ok()?;
    let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.resumption = Resumption::disabled();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_no_client_auth()
        .with_cert_resolver(keys);
    Some((Arc::new(client), Arc::new(server)))
}

fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Option<bool> {
    let name = "mx.example".try_into().ok()?;
    let mut client = ClientConnection::new(Arc::clone(client), name).ok()?;
    let mut server = ServerConnection::new(Arc::clone(server)).ok()?;
    let mut bytes = Vec::with_capacity(8192);
    while client.is_handshaking() || server.is_handshaking() {
        bytes.clear();
        while client.wants_write() {
            client.write_tls(&mut bytes).ok()?;
        }
        let mut sent = bytes.as_slice();
        while !sent.is_empty() {
            server.read_tls(&mut sent).ok()?;
            server.process_new_packets().ok()?;
        }
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).ok()?;
        }
        let mut sent = bytes.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).ok()?;
            client.process_new_packets().ok()?;
        }
    }
    Some(true)
}
