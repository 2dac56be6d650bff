//! One certificate: its files, and what is in them.

use std::path::PathBuf;

use ocsp_staple::{
    Algorithms, Certificate, Check, FileStamp, Issuer, Look, Proof, ProofFile, ProofFileError,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;

use super::{TlsError, provider};

/// The files of a certificate, its key and its proof.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct CertificateFiles {
    /// In PEM, with those that lead to it behind it.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// Without it the proof is fetched.
    pub(super) proof: Option<PathBuf>,
}

/// By what the files of a certificate and its key are known to be the same.
pub(super) type Stamps = [Option<FileStamp>; 2];

impl CertificateFiles {
    /// Puts the files of three options together, which are in the same order. Without keys, each
    /// certificate has its own in its file.
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

    /// Reads the certificate and its key, and sees whether they belong together.
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

    /// Opens all of them; an error has the option that it is about.
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

/// Reads the first certificate of a chain, and who of the others may be its issuer.
pub(super) fn parse<'c>(
    chain: &'c [CertificateDer<'_>],
) -> Result<(Certificate<'c>, Vec<Issuer<'c>>), ProofFileError> {
    let leaf = chain.first().map_or(&[][..], |der| der);
    let leaf = Certificate::parse(leaf).map_err(ProofFileError::Certificate)?;
    let others = chain.iter().skip(1).filter_map(|der| Certificate::parse(der).ok());
    Ok((leaf, others.map(|certificate| Issuer::from(&certificate)).collect()))
}

/// The algorithms that signatures are verified by.
pub(super) fn algorithms() -> Algorithms<'static> {
    default_provider().signature_verification_algorithms.all
}
