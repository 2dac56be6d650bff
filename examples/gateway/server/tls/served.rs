//! The certificates of a connection, with their staples, reloaded after changes.

use std::sync::{Arc, Mutex, PoisonError};

use ocsp_staple::Staple;
use ocsp_staple::rustls::StapledKeys;
use rustls::ServerConfig;
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert as _};
use rustls::sign::CertifiedKey;
use tracing::{error, info, warn};

use super::certificate::{CertificateFiles, Stamps, demands_staple, first, unstapled};
use super::proof::Proof;
use super::renewal::{Renewal, Renewals};
use super::{TlsError, config, config_for};
use crate::gateway::telemetry::metrics::readings::CertificateReading;

/// Certificates of which a client gets one, by its signature algorithms.
#[derive(Debug)]
pub(crate) struct Served {
    config: Arc<ServerConfig>,
    keys: Arc<StapledKeys>,
    certificates: Mutex<Vec<Loaded>>,
    /// Their ends, which can be read while the files are looked at.
    ends: Mutex<Vec<Ends>>,
}

/// The end of a certificate, in seconds since 1970, and that of its staple.
#[derive(Debug)]
struct Ends {
    certificate: Option<u64>,
    staple: Option<u64>,
    /// A staple that is fetched may be newer.
    renewal: Option<Arc<Renewal>>,
}

/// A loaded certificate.
#[derive(Debug)]
struct Loaded {
    files: CertificateFiles,
    stamps: Stamps,
    key: CertifiedKey,
    proof: Proof,
    staple: Option<Staple>,
    /// Whether it was told that clients refuse the certificate without a staple.
    told: bool,
}

impl Served {
    /// Reads the files for the first time.
    pub(super) fn load(
        files: Vec<CertificateFiles>,
        renewals: &Renewals,
    ) -> Result<Self, TlsError> {
        let loaded: Result<Vec<_>, _> =
            files.into_iter().map(|files| Loaded::new(files, renewals)).collect();
        let keys = Arc::new(StapledKeys::new());
        let config = Arc::new(config(Arc::clone(&keys) as _)?);
        let certificates = Mutex::new(loaded?);
        let served = Self { config, keys, certificates, ends: Mutex::default() };
        served.set(&served.certificates.lock().unwrap_or_else(PoisonError::into_inner));
        served.look(renewals);
        Ok(served)
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The same for a client that is asked for a certificate.
    pub(super) fn config_for(
        &self,
        verifier: Arc<dyn ClientCertVerifier>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        config_for(Arc::clone(&self.keys) as _, verifier).map(Arc::new)
    }

    /// Returns the certificate that a client with this hello gets, with the staple, if there is one.
    pub(crate) fn shown(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.keys.resolve(hello)
    }

    /// Checks the files, and reloads changed ones.
    pub(super) fn look(&self, renewals: &Renewals) {
        let mut certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for loaded in certificates.iter_mut() {
            changed |= loaded.look(renewals);
        }
        if changed {
            self.set(&certificates);
        }
    }

    fn set(&self, certificates: &[Loaded]) {
        let keys = certificates.iter().map(|loaded| (&loaded.key, loaded.staple.as_ref()));
        self.keys.set(None, keys);
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        *ends = certificates.iter().map(Loaded::ends).collect();
    }

    /// Returns the state of the certificates, without a wait for their files.
    pub(super) fn readings(&self) -> Vec<CertificateReading> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.iter().map(Ends::reading).collect()
    }
}

impl Ends {
    fn reading(&self) -> CertificateReading {
        let fetched = self.renewal.as_ref().map(|renewal| renewal.staple());
        let fetched = fetched.map(|staple| staple.map(|staple| staple.until.as_secs()));
        let staple_until = fetched.unwrap_or(self.staple);
        CertificateReading { until: self.certificate, staple_until }
    }
}

impl Loaded {
    fn ends(&self) -> Ends {
        Ends {
            certificate: first(&self.key.cert).ok().map(|leaf| leaf.not_after().as_secs()),
            staple: self.staple.as_ref().map(|staple| staple.until.as_secs()),
            renewal: self.proof.renewal(),
        }
    }

    fn new(files: CertificateFiles, renewals: &Renewals) -> Result<Self, TlsError> {
        let stamps = files.stamps();
        let key = files.load()?;
        if let Some(warning) = files.untimely(&key.cert) {
            warn!(event = "tls", "{warning}");
        }
        let proof = Proof::of(&files, &key.cert, renewals);
        Ok(Self { files, stamps, key, proof, staple: None, told: false })
    }

    /// Checks the files; tells whether the certificate or its staple has changed.
    fn look(&mut self, renewals: &Renewals) -> bool {
        let stamps = self.files.stamps();
        let mut changed = false;
        if stamps != self.stamps {
            // Stamps are read before the files, so that a change meanwhile is found the next time.
            self.stamps = stamps;
            changed = self.reload(renewals);
        }
        let staple = self.proof.staple(&self.key.cert, UnixTime::now());
        if staple != self.staple {
            self.staple = staple;
            changed = true;
        }
        let is_told = std::mem::replace(&mut self.told, self.staple.is_none());
        if self.told && !is_told && demands_staple(&self.key.cert) {
            let cause = self.proof.lack();
            warn!(event = "ocsp", "{}", unstapled(&self.files.certificate, &cause));
        }
        changed
    }

    fn reload(&mut self, renewals: &Renewals) -> bool {
        let path = self.files.certificate.display();
        let key = match self.files.load() {
            Ok(key) => key,
            Err(error) => {
                error!(event = "tls", "{error}; the previous certificate stays in use");
                return false;
            }
        };
        info!(event = "tls", "certificate {path} changed and reloaded");
        if let Some(warning) = self.files.untimely(&key.cert) {
            warn!(event = "tls", "{warning}");
        }
        self.proof = Proof::of(&self.files, &key.cert, renewals);
        (self.key, self.staple, self.told) = (key, None, false);
        true
    }
}
