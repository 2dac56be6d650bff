//! The authorities by which peers are verified, and their revocation lists.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ocsp_staple::FileStamp;
use rustls::RootCertStore;
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use thiserror::Error;
use tracing::{info, warn};

use super::settings::{RemoteSettings, VerifyCertificates};

/// The authorities and revocation lists, which are read again when their files change.
#[derive(Debug)]
pub(crate) struct Authorities<V = Verifier> {
    certificates: VerifyCertificates,
    crl: Option<PathBuf>,
    provider: Arc<CryptoProvider>,
    current: Mutex<(Stamps, Arc<V>)>,
}

type Stamps = [Option<FileStamp>; 2];

/// A verifier by files.
pub(crate) trait ByAuthorities: Sized {
    /// Whose options name the files, for the log.
    const OPTIONS: &str;

    /// Reads the files.
    fn read(
        certificates: &VerifyCertificates,
        crl: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, AuthoritiesError>;
}

/// The verifier of servers without TLSA records.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    /// `None` without an authority.
    pub(crate) verifier: Option<Arc<WebPkiServerVerifier>>,
    /// The authorities: an OCSP response may be signed by one of them.
    pub(crate) anchors: Arc<[TrustAnchor<'static>]>,
}

impl Authorities {
    /// Reads the files, for servers.
    pub(crate) fn open(
        certificates: VerifyCertificates,
        crl: Option<PathBuf>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, AuthoritiesError> {
        Self::of(certificates, crl, provider)
    }
}

impl<V: ByAuthorities> Authorities<V> {
    /// Reads the files.
    pub(crate) fn of(
        certificates: VerifyCertificates,
        crl: Option<PathBuf>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, AuthoritiesError> {
        let stamps = stamps(&certificates, crl.as_deref());
        let verifier = Arc::new(V::read(&certificates, crl.as_deref(), provider)?);
        let (provider, current) = (Arc::clone(provider), Mutex::new((stamps, verifier)));
        Ok(Self { certificates, crl, provider, current })
    }

    /// Returns the verifier by the files as they are now. A file that became unreadable is logged, and the
    /// last good one stays.
    pub(crate) fn verifier(&self) -> Arc<V> {
        let now = stamps(&self.certificates, self.crl.as_deref());
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != now {
            current.0 = now;
            match V::read(&self.certificates, self.crl.as_deref(), &self.provider) {
                Ok(verifier) => {
                    info!("{}: authorities and revocation lists read again", V::OPTIONS);
                    current.1 = Arc::new(verifier);
                }
                Err(error) => {
                    let option = error.option();
                    warn!("{}: {option}: {error}; the last good ones stay in use", V::OPTIONS);
                }
            }
        }
        Arc::clone(&current.1)
    }
}

fn stamps(certificates: &VerifyCertificates, crl: Option<&Path>) -> Stamps {
    let file = match certificates {
        VerifyCertificates::File(path) => Some(path.as_path()),
        VerifyCertificates::None | VerifyCertificates::System => None,
    };
    [file, crl].map(|path| path.and_then(|path| FileStamp::of(path).ok()))
}

impl ByAuthorities for Verifier {
    const OPTIONS: &str = "remote_smtp";

    fn read(
        certificates: &VerifyCertificates,
        crl: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, AuthoritiesError> {
        let roots = match roots(certificates) {
            // Mail goes on: no server is verified by them, and one that must be verified gets nothing.
            Err(error @ AuthoritiesError::System { .. }) => {
                let option = error.option();
                warn!("{}.{option}: {error}: no server is verified by them", Self::OPTIONS);
                None
            }
            roots => roots?,
        };
        roots.map_or_else(|| Ok(Self::default()), |roots| Self::of_roots(roots, crl, provider))
    }
}

impl Verifier {
    fn of_roots(
        roots: RootCertStore,
        crl: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, AuthoritiesError> {
        let (anchors, roots) = (roots.roots.as_slice().into(), Arc::new(roots));
        let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
        let builder = match crl {
            // An authority without a list in the file has not revoked anything, as far as is known.
            Some(path) => builder
                .with_crls(lists(path)?)
                .allow_unknown_revocation_status()
                .enforce_revocation_expiration(),
            None => builder,
        };
        Ok(Self { verifier: Some(builder.build()?), anchors })
    }
}

/// Checks the files of the options for servers. A system without authorities only warns at the start.
pub(crate) fn check(settings: &RemoteSettings) -> Result<(), AuthoritiesError> {
    let roots = match roots(&settings.verify_certificates) {
        Err(AuthoritiesError::System { .. }) => return Ok(()),
        roots => roots?,
    };
    let Some(roots) = roots else { return Ok(()) };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Verifier::of_roots(roots, settings.crl.as_deref(), &provider).map(|_| ())
}

/// Reads the authorities, if there are any.
pub(crate) fn roots(
    certificates: &VerifyCertificates,
) -> Result<Option<RootCertStore>, AuthoritiesError> {
    match certificates {
        VerifyCertificates::None => Ok(None),
        VerifyCertificates::System => system().map(Some),
        VerifyCertificates::File(path) => of_file(path).map(Some),
    }
}

fn system() -> Result<RootCertStore, AuthoritiesError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let cause = found.errors.first().map(|error| format!(" ({error})"));
        return Err(AuthoritiesError::System { cause: cause.unwrap_or_default() });
    }
    Ok(roots)
}

fn of_file(path: &Path) -> Result<RootCertStore, AuthoritiesError> {
    let unread = |source| AuthoritiesError::Read {
        option: "tls_verify_certificates",
        path: path.into(),
        source,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(unread)?;
    for (at, certificate) in certificates.enumerate() {
        let added = roots.add(certificate.map_err(unread)?);
        added.map_err(|source| AuthoritiesError::Certificate {
            path: path.into(),
            number: at + 1,
            source,
        })?;
    }
    if roots.is_empty() {
        let (option, path) = ("tls_verify_certificates", path.into());
        return Err(AuthoritiesError::Empty { option, path, what: "certificate" });
    }
    Ok(roots)
}

/// Reads revocation lists.
pub(crate) fn lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, AuthoritiesError> {
    let unread = |source| AuthoritiesError::Read { option: "tls_crl", path: path.into(), source };
    let lists = CertificateRevocationListDer::pem_file_iter(path).map_err(unread)?;
    let lists = lists.collect::<Result<Vec<_>, _>>().map_err(unread)?;
    if lists.is_empty() {
        let (option, path) = ("tls_crl", path.into());
        return Err(AuthoritiesError::Empty { option, path, what: "certificate revocation list" });
    }
    Ok(lists)
}

/// Why peers cannot be verified.
#[derive(Debug, Error)]
pub(crate) enum AuthoritiesError {
    #[error("this system has no certificates of authorities{cause}")]
    System { cause: String },
    #[error("cannot read {}: {source}", path.display())]
    Read { option: &'static str, path: PathBuf, source: pem::Error },
    #[error("{} has no {what}", path.display())]
    Empty { option: &'static str, path: PathBuf, what: &'static str },
    #[error("certificate {number} in {}: {source}", path.display())]
    Certificate { path: PathBuf, number: usize, source: rustls::Error },
    #[error(transparent)]
    Crl(#[from] VerifierBuilderError),
}

impl AuthoritiesError {
    /// Returns the option that it is about.
    pub(crate) fn option(&self) -> &'static str {
        match self {
            Self::System { .. } | Self::Certificate { .. } => "tls_verify_certificates",
            Self::Read { option, .. } | Self::Empty { option, .. } => option,
            Self::Crl(_) => "tls_crl",
        }
    }

    /// Returns the option of `[remote_smtp]` that it is about.
    pub(crate) fn remote_option(&self) -> &'static str {
        match self.option() {
            "tls_crl" => "remote_smtp.tls_crl",
            _ => "remote_smtp.tls_verify_certificates",
        }
    }
}
