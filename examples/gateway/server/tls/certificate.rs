//! A certificate: its files and their content.

use std::fs;
use std::path::{Path, PathBuf};

use ocsp_staple::{
    Algorithms, Certificate, Check, FileStamp, Issuer, IssuerError, Look, Proof, ProofFile,
    ProofFileError,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use time::OffsetDateTime;

use super::renewal::fetchable;
use super::{TlsError, pem_file, proof, provider};
use crate::gateway::policy::built_in::log_time;

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
        for path in [&self.certificate, &self.key] {
            // Reading a pipe would block. A missing file gives an error below.
            if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
                return Err(TlsError::NotRegular { path: path.clone() });
            }
        }
        let chain = pem_file::certificates(&self.certificate)?;
        let key = pem_file::key(&self.key, self.key == self.certificate)?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|source| {
            let (certificate, key) = (self.certificate.clone(), self.key.clone());
            match source {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::OtherKey { certificate, key }
                }
                // Its type is of a crate that rustls hides.
                Error::InvalidCertificate(ref cause)
                    if format!("{cause:?}").contains("UnsupportedCertVersion") =>
                {
                    TlsError::Version { certificate }
                }
                source => TlsError::Pair { certificate, key, source: Box::new(source) },
            }
        })
    }

    /// Returns a warning of a certificate that is not valid now.
    pub(super) fn untimely(&self, chain: &[CertificateDer<'_>]) -> Option<String> {
        let leaf = first(chain).ok()?;
        let now = UnixTime::now();
        let (verb, time) = if now < leaf.not_before() {
            ("is not valid before", leaf.not_before())
        } else if now > leaf.not_after() {
            ("expired on", leaf.not_after())
        } else {
            return None;
        };
        let time = i64::try_from(time.as_secs()).ok();
        let time = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok())?;
        let (path, time) = (self.certificate.display(), log_time(time));
        Some(format!("{path}: the certificate {verb} {time} UTC; clients that verify it refuse it"))
    }

    pub(super) fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|path| FileStamp::of(path).ok())
    }

    /// Checks all files, and returns warnings of a bad OCSP response, and of a certificate that clients will
    /// refuse; `fetch` tells whether responses are fetched. An error has its option.
    pub(super) fn check(&self, fetch: bool) -> Result<Vec<String>, (&'static str, TlsError)> {
        let key = self.load().map_err(|error| match error {
            TlsError::Pem { ref path, .. }
            | TlsError::NotRegular { ref path }
            | TlsError::File { ref path, .. }
                if *path == self.key && self.key != self.certificate =>
            {
                ("tls_privatekey", error)
            }
            TlsError::OtherKey { .. } if self.key != self.certificate => ("tls_privatekey", error),
            error => ("tls_certificate", error),
        })?;
        let mut warnings: Vec<_> = self.untimely(&key.cert).into_iter().collect();
        let lack = match &self.proof {
            None => fetchable(&key.cert, fetch).err().map(|error| error.to_string()),
            Some(path) => {
                let now = UnixTime::now();
                match ProofFile::new(path).look(now, |response| verify(&key.cert, response, now)) {
                    Look::Ignored(error) => {
                        warnings.push(proof::ignored(path, &error));
                        Some(proof::DOES_NOT_COUNT.to_owned())
                    }
                    Look::Loaded(_) | Look::Unchanged => None,
                }
            }
        };
        if let Some(cause) = lack.filter(|_| demands_staple(&key.cert)) {
            warnings.push(unstapled(&self.certificate, &cause));
        }
        Ok(warnings)
    }
}

/// Tells whether clients that know of must-staple refuse the first certificate of a chain without a staple.
pub(super) fn demands_staple(chain: &[CertificateDer<'_>]) -> bool {
    first(chain).is_ok_and(|leaf| leaf.requires_staple())
}

/// A warning of a certificate that demands a staple.
pub(super) fn unstapled(path: &Path, cause: &str) -> String {
    let path = path.display();
    format!(
        "{path}: clients will refuse the certificate: it demands an OCSP staple (must-staple), and has \
         none: {cause}"
    )
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

/// Parses the first certificate of a chain.
pub(super) fn first<'c>(
    chain: &'c [CertificateDer<'_>],
) -> Result<Certificate<'c>, ProofFileError> {
    let leaf = chain.first().map_or(&[][..], |der| der);
    Certificate::parse(leaf).map_err(ProofFileError::Certificate)
}

/// Parses the first certificate of a chain, and its possible issuers among the others.
pub(super) fn parse<'c>(
    chain: &'c [CertificateDer<'_>],
) -> Result<(Certificate<'c>, Vec<Issuer<'c>>), ProofFileError> {
    let leaf = first(chain)?;
    let (mut issuers, mut fault) = (Vec::new(), None);
    for der in chain.iter().skip(1) {
        match Certificate::parse(der) {
            Ok(certificate) => issuers.push(Issuer::from(&certificate)),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    let is_issuer = |issuer: &Issuer<'_>| issuer.verify(&leaf, algorithms()).is_ok();
    match fault {
        // It is there, but not to be read.
        Some(fault) if !issuers.iter().any(is_issuer) => Err(IssuerError::Malformed(fault).into()),
        _ => Ok((leaf, issuers)),
    }
}

/// The signature algorithms.
pub(super) fn algorithms() -> Algorithms<'static> {
    default_provider().signature_verification_algorithms.all
}
