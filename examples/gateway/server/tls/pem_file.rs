//! The PEM files of a certificate and of its key.

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use super::TlsError;

/// Reads the certificates of a file; there is at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let octets = octets(path, "x509")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&octets).collect();
    let chain = chain.map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    if chain.is_empty() {
        return Err(PemFault::NoCertificate.of(path));
    }
    Ok(chain)
}

/// Reads the key of a file; `beside` tells whether it is the file of the certificate, too.
pub(super) fn key(path: &Path, beside: bool) -> Result<PrivateKeyDer<'static>, TlsError> {
    let octets = octets(path, "pkey")?;
    let has = |words: &str| octets.windows(words.len()).any(|found| found == words.as_bytes());
    match PrivateKeyDer::from_pem_slice(&octets) {
        Ok(key) => Ok(key),
        // The second is the form of OpenSSL before PKCS #8.
        Err(_) if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") => {
            Err(PemFault::Encrypted.of(path))
        }
        Err(pem::Error::NoItemsFound) if beside => Err(PemFault::NoKeyBeside.of(path)),
        Err(pem::Error::NoItemsFound) => Err(PemFault::NoKey.of(path)),
        Err(source) => Err(TlsError::Pem { path: path.to_owned(), source }),
    }
}

/// Reads a file that may have PEM in it; `command` is that of OpenSSL for its content.
fn octets(path: &Path, command: &'static str) -> Result<Vec<u8>, TlsError> {
    let read = fs::read(path).map_err(pem::Error::Io);
    let octets = read.map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    match octets.as_slice() {
        [] => Err(PemFault::Empty.of(path)),
        // A sequence whose length has one octet or more of its own.
        [0x30, 0x80..=0xff, ..] => Err(PemFault::Der { command }.of(path)),
        _ => Ok(octets),
    }
}

/// The reason why the content of a file is of no use.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum PemFault {
    #[error("is empty")]
    Empty,
    #[error("is DER, and PEM is needed: openssl {command} -inform DER -in FILE -out PEM-FILE")]
    Der { command: &'static str },
    #[error("has no PEM block \"CERTIFICATE\"")]
    NoCertificate,
    #[error("has no private key, and tls_privatekey, which names the file of the key, is not set")]
    NoKeyBeside,
    #[error("has no private key (a PEM block \"PRIVATE KEY\")")]
    NoKey,
    #[error(
        "has an encrypted private key, which needs a password: decrypt it by openssl pkey -in FILE -out PLAIN-FILE"
    )]
    Encrypted,
}

impl PemFault {
    pub(super) fn of(self, path: &Path) -> TlsError {
        TlsError::File { path: path.to_owned(), fault: self }
    }
}
