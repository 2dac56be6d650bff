//! TLS: certificates from files, or a generated one, with OCSP staples.
//!
//! The files are checked for changes at each connection. An error of a new certificate is logged, and the
//! previous one stays in use; an error of an OCSP response is logged, and it is not stapled.

mod certificate;
pub(crate) mod clients;
mod pem_file;
mod proof;
mod renewal;
mod self_made;
mod served;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ocsp_staple::Store;
use ocsp_staple::hyper::{FetchLimits, Fetcher, Proxy, ProxyError};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, ResolvesServerCertUsingSni};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use thiserror::Error;
use tokio::task::spawn_blocking;

use self::certificate::CertificateFiles;
use self::clients::{Clients, Demand};
use self::pem_file::PemFault;
use self::renewal::Renewals;
pub(crate) use self::served::Served;
use super::settings::{FileList, TlsSettings};
use crate::gateway::delivery::authorities::{Authorities, AuthoritiesError, ByAuthorities as _};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::text::Unfinished;
use crate::gateway::telemetry::metrics::Metrics;
use crate::gateway::telemetry::metrics::readings::CertificateReading;

/// The certificates for connections.
#[derive(Debug)]
pub(crate) struct Tls {
    settings: TlsSettings,
    /// The folder of the generated certificate.
    directory: PathBuf,
    host: String,
    renewals: Renewals,
    /// The authorities of clients.
    clients: Authorities<Clients>,
    /// The certificates of all connections, if no option needs an expansion.
    fixed: Option<Arc<Served>>,
    /// The certificates of expanded options.
    expanded: Mutex<HashMap<Vec<CertificateFiles>, Expanded>>,
}

/// The certificates of expanded options.
#[derive(Debug)]
struct Expanded {
    served: Arc<Served>,
    /// The time of the last use.
    used: Instant,
}

impl Tls {
    /// Loads the certificates; without one in the settings, makes one for `host` in `directory`. Options
    /// that need an expansion are loaded later.
    pub(crate) fn new(
        settings: TlsSettings,
        directory: &Path,
        host: &str,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, TlsError> {
        let (certificates, crl) = (settings.verify_certificates.clone(), settings.crl.clone());
        let store = Store::new(directory.join("ocsp"));
        let mut new = Self {
            clients: Authorities::of(certificates, crl, &provider())?,
            renewals: Renewals::new(store, fetcher(&settings)?, metrics),
            settings,
            directory: directory.to_owned(),
            host: host.to_owned(),
            fixed: None,
            expanded: Mutex::default(),
        };
        let files = match new.settings.known() {
            Some(files) => Some(files?),
            None if new.settings.certificate.is_none() => Some(new.self_made()?),
            None => None,
        };
        let load = |files: Vec<_>| Served::load(files, &new.renewals).map(Arc::new);
        new.fixed = files.map(load).transpose()?;
        Ok(new)
    }

    /// Returns the certificates for a connection, by the current files.
    pub(crate) async fn served(
        self: &Arc<Self>,
        context: &mut Context<'_>,
    ) -> Result<Arc<Served>, TlsError> {
        let files = match &self.fixed {
            Some(_) => None,
            None => self.expand(context).await?,
        };
        let tls = Arc::clone(self);
        // A disk that hangs holds up no other connection.
        spawn_blocking(move || tls.look(files)).await.map_err(|_| TlsError::Thread)?
    }

    /// Returns the configuration of a connection whose client is asked for a certificate, or not.
    pub(crate) fn config(
        &self,
        served: &Served,
        demand: Demand,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        if demand == Demand::Nothing {
            return Ok(served.config());
        }
        match self.clients.verifier().verifier(demand) {
            Some(verifier) => served.config_for(verifier),
            None => Ok(served.config()),
        }
    }

    /// Returns the state of the certificates for clients.
    pub(crate) fn readings(&self) -> Vec<CertificateReading> {
        if let Some(served) = &self.fixed {
            return served.readings();
        }
        let expanded = self.expanded.lock().unwrap_or_else(PoisonError::into_inner);
        expanded.values().flat_map(|known| known.served.readings()).collect()
    }

    /// Tells whether the certificates of a client are valid.
    pub(crate) fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        self.clients.verifier().accepts(chain)
    }

    /// Looks at the files; without any, they are known, or made.
    fn look(&self, files: Option<Vec<CertificateFiles>>) -> Result<Arc<Served>, TlsError> {
        let served = match (&self.fixed, files) {
            (Some(served), _) => Arc::clone(served),
            (None, Some(files)) => self.find(files)?,
            (None, None) => self.find(self.self_made()?)?,
        };
        served.look(&self.renewals);
        Ok(served)
    }

    /// Expands the options. A forced failure or an empty result means no certificate.
    async fn expand(
        &self,
        context: &mut Context<'_>,
    ) -> Result<Option<Vec<CertificateFiles>>, TlsError> {
        let TlsSettings { certificate, privatekey, ocsp_file, .. } = &self.settings;
        let certificates = now("tls_certificate", certificate.as_ref(), context).await?;
        if certificates.is_empty() {
            return Ok(None);
        }
        let keys = now("tls_privatekey", privatekey.as_ref(), context).await?;
        let proofs = now("tls_ocsp_file", ocsp_file.as_ref(), context).await?;
        CertificateFiles::of(&certificates, &keys, &proofs).map(Some)
    }

    fn find(&self, files: Vec<CertificateFiles>) -> Result<Arc<Served>, TlsError> {
        let used = |known: &mut Expanded| {
            known.used = Instant::now();
            Arc::clone(&known.served)
        };
        let lock = || self.expanded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get_mut(&files) {
            return Ok(used(known));
        }
        let served = Arc::new(Served::load(files.clone(), &self.renewals)?);
        let mut known = lock();
        if known.len() >= MOST {
            let oldest = known.iter().min_by_key(|(_, known)| known.used);
            let oldest = oldest.map(|(files, _)| files.clone());
            oldest.and_then(|files| known.remove(&files));
        }
        // Another connection may have added the entry.
        Ok(used(known.entry(files).or_insert(Expanded { served, used: Instant::now() })))
    }

    fn self_made(&self) -> Result<Vec<CertificateFiles>, TlsError> {
        let (certificate, key) = self_made::files(&self.directory, &self.host)?;
        Ok(vec![CertificateFiles { certificate, key, proof: None }])
    }
}

/// Checks the files of options without an expansion, and returns warnings; an error has its option.
pub(crate) fn check(settings: &TlsSettings) -> Result<Vec<String>, (&'static str, TlsError)> {
    if let Some(path) = &settings.ocsp_verify_certificates {
        authorities(path).map_err(|error| ("tls_ocsp_verify_certificates", error))?;
    }
    proxy(settings).map_err(|error| ("tls_ocsp_proxy", error))?;
    let clients =
        Clients::read(&settings.verify_certificates, settings.crl.as_deref(), &provider());
    clients.map_err(|error| (error.option(), error.into()))?;
    let Some(files) = settings.known() else { return Ok(Vec::new()) };
    let files = files.map_err(|error| ("tls_certificate", error))?;
    let checked = files.iter().map(|files| files.check(settings.ocsp_fetch));
    Ok(checked.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Makes what proofs are fetched by, unless they are not.
fn fetcher(settings: &TlsSettings) -> Result<Option<Fetcher>, TlsError> {
    if !settings.ocsp_fetch {
        return Ok(None);
    }
    let mut fetcher = Fetcher::new(FetchLimits::default());
    if let Some(path) = &settings.ocsp_verify_certificates {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities(path)?)
            .with_no_client_auth();
        fetcher = fetcher.with_tls(Arc::new(config));
    }
    Ok(Some(match proxy(settings)? {
        Some(proxy) => fetcher.with_proxy(proxy),
        None => fetcher,
    }))
}

fn proxy(settings: &TlsSettings) -> Result<Option<Proxy>, TlsError> {
    Ok(settings.ocsp_proxy.as_deref().map(str::parse).transpose()?)
}

/// Reads certificates of authorities.
fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(pem_file::certificates(path)?);
    if added == 0 { Err(PemFault::NoCertificate.of(path)) } else { Ok(roots) }
}

/// Returns a configuration without a certificate, whose handshake fails with an alert.
pub(crate) fn refusal() -> Result<Arc<ServerConfig>, TlsError> {
    Ok(Arc::new(config(Arc::new(ResolvesServerCertUsingSni::new()))?))
}

fn config(keys: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, TlsError> {
    Ok(ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(keys))
}

/// The same, for a client that is asked for a certificate. A session is not resumed, since its certificate
/// would not be judged again.
fn config_for(
    keys: Arc<dyn ResolvesServerCert>,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(keys);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

/// Expands an option; an option that is not set has no files.
async fn now(
    option: &'static str,
    list: Option<&FileList>,
    context: &mut Context<'_>,
) -> Result<Arc<Vec<PathBuf>>, TlsError> {
    let Some(list) = list else { return Ok(Arc::default()) };
    let found = list.now(context).await;
    context.state.text_log().place(&option);
    match found {
        Ok(files) => Ok(files),
        Err(Unfinished::Forced) => Ok(Arc::default()),
        Err(Unfinished::Failed) => Err(TlsError::NotExpanded { option }),
    }
}

impl TlsSettings {
    /// Returns the files, if the options are set and need no expansion.
    fn known(&self) -> Option<Result<Vec<CertificateFiles>, TlsError>> {
        let known = |list: Option<&FileList>| match list {
            Some(list) => list.known().cloned(),
            None => Some(Vec::new()),
        };
        let certificates = self.certificate.as_ref()?.known()?;
        let (keys, proofs) = (known(self.privatekey.as_ref())?, known(self.ocsp_file.as_ref())?);
        Some(CertificateFiles::of(certificates, &keys, &proofs))
    }
}

/// TLS cannot be set up.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("cannot read PEM from {}: {source}", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("{} is not a regular file", path.display())]
    NotRegular { path: PathBuf },
    #[error("{} {fault}", path.display())]
    File { path: PathBuf, fault: PemFault },
    #[error("the key {} is not that of the certificate {}", key.display(), certificate.display())]
    OtherKey { certificate: PathBuf, key: PathBuf },
    #[error("the certificate {} cannot be used with the key {}: {source}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, source: Box<rustls::Error> },
    #[error("the certificate {} is of X.509 version 1; TLS needs one of version 3, which openssl makes with -extfile or -addext", certificate.display())]
    Version { certificate: PathBuf },
    #[error("{option} cannot be expanded")]
    NotExpanded { option: &'static str },
    #[error(
        "{option} and tls_certificate must name as many files, and name {found} and {certificates}"
    )]
    Count { option: &'static str, found: usize, certificates: usize },
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    #[error("the thread that reads certificates panicked")]
    Thread,
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// The most cached results of expanded options; beyond it the least recently used one is dropped.
const MOST: usize = 1000;
