//! A certificate: its files and their content.

use std::path::PathBuf;

use ocsp_staple::{
    Algorithms, Certificate, Check, FileStamp, Issuer, Look, Proof, ProofFile, ProofFileError,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;

use super::{TlsError, provider};

/// The files of a certificate, its key and its OCSP response.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct CertificateFiles {
    /// In PEM, followed by its chain.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// `None`: the response is fetched.
    pub(super) proof: Option<PathBuf>,
}

/// The stamps of the files of a certificate and its key, to detect changes.
pub(super) type Stamps = [Option<FileStamp>; 2];

impl CertificateFiles {
    /// Combines the files of three options, in their order. Without key files, each certificate's file has
    /// its key.
    pub(super) fn of(
        certificates: &[PathBuf],
        keys: &[PathBuf],
        proofs: &[PathBuf],
    ) -> Result<Vec<Self>, TlsError> {
        let count = certificates.len();
        for (option, files) in [("tls_privatekey", keys), ("tls_ocsp_file", proofs)] {
            if !files.is_empty() && files.len() != count {
                return Err(TlsError::Count { option, found: files.len(), certificates: count });
            }
        }
        let together = certificates.iter().enumerate().map(|(at, certificate)| Self {
            certificate: certificate.clone(),
            key: keys.get(at).unwrap_or(certificate).clone(),
            proof: proofs.get(at).cloned(),
        });
        Ok(together.collect())
    }

    /// Reads the certificate and its key, and checks that they match.
    pub(super) fn load(&self) -> Result<CertifiedKey, TlsError> {
        let broken = |path: &PathBuf| {
            let path = path.clone();
            |source| TlsError::Pem { path, source }
        };
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect);
        let chain = chain.map_err(broken(&self.certificate))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: self.certificate.clone() });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(broken(&self.key))?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|source| TlsError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source: Box::new(source),
        })
    }

    pub(super) fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|path| FileStamp::of(path).ok())
    }

    /// Checks all files; an error has its option.
    pub(super) fn check(&self) -> Result<(), (&'static str, TlsError)> {
        let key = self.load().map_err(|error| match error {
            TlsError::Pem { ref path, .. } if *path == self.key && self.key != self.certificate => {
                ("tls_privatekey", error)
            }
            error => ("tls_certificate", error),
        })?;
        let Some(path) = &self.proof else { return Ok(()) };
        let look = ProofFile::new(path)
            .look(UnixTime::now(), |response| verify(&key.cert, response, UnixTime::now()));
        match look {
            Look::Ignored(source) => {
                let (path, source) = (path.clone(), Box::new(source));
                Err(("tls_ocsp_file", TlsError::Proof { path, source }))
            }
            Look::Loaded(_) | Look::Unchanged => Ok(()),
        }
    }
}

/// Verifies a response for the first certificate of a chain; its issuer is among the others.
pub(super) fn verify(
    chain: &[CertificateDer<'_>],
    response: &[u8],
    now: UnixTime,
) -> Result<Proof, ProofFileError> {
    let (leaf, issuers) = parse(chain)?;
    Ok(Check::new(&leaf, issuers, algorithms())?.verify(response, now)?)
}

/// Parses the first certificate of a chain, and its possible issuers among the others.
pub(super) fn parse<'c>(
    chain: &'c [CertificateDer<'_>],
) -> Result<(Certificate<'c>, Vec<Issuer<'c>>), ProofFileError> {
    let leaf = chain.first().map_or(&[][..], |der| der);
    let leaf = Certificate::parse(leaf).map_err(ProofFileError::Certificate)?;
    let others = chain.iter().skip(1).filter_map(|der| Certificate::parse(der).ok());
    Ok((leaf, others.map(|certificate| Issuer::from(&certificate)).collect()))
}

/// The signature algorithms.
pub(super) fn algorithms() -> Algorithms<'static> {
    default_provider().signature_verification_algorithms.all
}
