//! The certificate of the server, given or self-made.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::gateway::config::Config;

/// Makes what accepts TLS, from the certificate of the configuration or one of our own.
pub(crate) fn acceptor(config: &Config) -> Result<TlsAcceptor, TlsError> {
    let (certificate, key) = match &config.tls_certificate {
        Some(given) => given.clone(),
        None => self_made(&config.spool_directory, &config.session.primary_hostname)?,
    };
    Ok(TlsAcceptor::from(Arc::new(settings(&certificate, &key)?)))
}

/// Reads a certificate with its chain, and its key.
pub(crate) fn settings(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let broken = |path: &Path| {
        let path = path.to_owned();
        |source| TlsError::Pem { path, source }
    };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(broken(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(broken(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?)
}

/// Why there is no TLS.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("{} has no usable PEM: {source}", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("the certificate and its key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("no certificate could be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Makes a certificate for `host`, unless one was made before; returns the files.
fn self_made(directory: &Path, host: &str) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (directory.join("tls-cert.pem"), directory.join("tls-key.pem"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let made = rcgen::generate_simple_self_signed([host.to_owned()])?;
    write(&key, &made.signing_key.serialize_pem())?;
    write(&certificate, &made.cert.pem())?;
    Ok((certificate, key))
}

fn write(path: &Path, text: &str) -> Result<(), TlsError> {
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(path)?.write_all(text.as_bytes())
    };
    write().map_err(|source| TlsError::Write { path: path.to_owned(), source })
}
