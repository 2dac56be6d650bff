//! Streams to servers: Unix sockets, TCP, and TLS by rustls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::rustls::crypto::CryptoProvider;
use ::rustls::pki_types::pem::PemObject;
use ::rustls::pki_types::{CertificateDer, ServerName};
use ::rustls::{ClientConfig, RootCertStore};
use ::tokio::net::{TcpStream, UnixStream, lookup_host};
use ::tokio::time::timeout;
use thiserror::Error;
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::{Address, Server, Tls};

/// Connects to a server, its nodes and its sentinels.
#[derive(Clone)]
pub(super) struct Connector(Option<TlsConnector>);

impl Connector {
    pub(super) fn new(server: &Server) -> Result<Self, StartError> {
        let Some(tls) = &server.tls else { return Ok(Self(None)) };
        // Installed by the program; a builder of rustls would panic without one.
        let provider = CryptoProvider::get_default().ok_or(StartError::NoProvider)?;
        let config = ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .map_err(|source| StartError::Provider { source })?
            .with_root_certificates(roots(tls)?)
            .with_no_client_auth();
        Ok(Self(Some(Arc::new(config).into())))
    }

    /// Connects within this time; each address of a name has a share of it.
    pub(super) async fn connect(&self, to: &Address, time: Duration) -> Result<Stream, String> {
        let (host, port) = match to {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
                return Ok(Box::new(stream));
            }
            Address::Tcp { host, port } => (host, *port),
        };
        let found = lookup_host((host.as_str(), port)).await;
        let found: Vec<_> = found.map_err(|error| error.to_string())?.collect();
        let parts = u32::try_from(found.len()).unwrap_or(u32::MAX).max(1);
        let mut why = "the name has no address".to_owned();
        for address in found {
            match timeout(time / parts, TcpStream::connect(address)).await {
                // Without TCP_NODELAY, as in the crate `redis`: concurrent commands share a segment, and a fifth
                // more of them were measured.
                Ok(Ok(stream)) => return self.secure(stream, host).await,
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => "connection timed out".clone_into(&mut why),
            }
        }
        Err(why)
    }

    async fn secure(&self, stream: TcpStream, host: &str) -> Result<Stream, String> {
        let Some(connector) = &self.0 else { return Ok(Box::new(stream)) };
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| format!("TLS: {error}"))?;
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(format!("TLS: {error}")),
        }
    }
}

/// The trusted authorities. Invalid certificates of the system are ignored.
fn roots(tls: &Tls) -> Result<RootCertStore, StartError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = &tls.ca_file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(StartError::NoSystemAuthority) } else { Ok(roots) };
    };
    let wrong = |why: String| StartError::CaFile { file: file.clone(), why };
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("the file has no certificate".to_owned())) } else { Ok(roots) }
}

/// TLS cannot be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// No provider of rustls is installed. The program must call
    /// [`CryptoProvider::install_default`] first.
    #[error(
        "rediss:// needs a cryptography provider of rustls, which the program has not installed"
    )]
    NoProvider,
    /// The provider supports no version of TLS.
    #[error("the cryptography provider of rustls supports no version of TLS")]
    Provider {
        /// The error of rustls.
        source: ::rustls::Error,
    },
    /// The file of `ca=` is unreadable or invalid.
    #[error("the file {} of ca=: {why}", file.display())]
    CaFile {
        /// The file.
        file: PathBuf,
        /// The cause.
        why: String,
    },
    /// The system has no readable authority.
    #[error("the system has no certificate authority; set ca=")]
    NoSystemAuthority,
}
