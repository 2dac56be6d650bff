//! The source of a certificate's OCSP response.

use std::path::Path;
use std::sync::Arc;

use ocsp_staple::{Look, ProofFile, ProofFileError, Staple};
use rustls::pki_types::{CertificateDer, UnixTime};
use tracing::{info, warn};

use super::certificate::{CertificateFiles, verify};
use super::renewal::{Renewal, Renewals, Unfetched};

/// The source of a certificate's OCSP response.
#[derive(Debug)]
pub(super) enum Proof {
    /// The file of `tls_ocsp_file`, which another program replaces.
    File(ProofFile),
    /// The certificate's responder.
    Fetched(Arc<Renewal>),
    Nowhere(Unfetched),
}

impl Proof {
    pub(super) fn of(
        files: &CertificateFiles,
        chain: &[CertificateDer<'static>],
        renewals: &Renewals,
    ) -> Self {
        match &files.proof {
            Some(path) => Self::File(ProofFile::new(path)),
            None => match renewals.of(&files.certificate, chain) {
                Ok(renewal) => Self::Fetched(renewal),
                Err(cause) => Self::Nowhere(cause),
            },
        }
    }

    /// Returns the renewal of a staple that is fetched.
    pub(super) fn renewal(&self) -> Option<Arc<Renewal>> {
        match self {
            Self::Fetched(renewal) => Some(Arc::clone(renewal)),
            Self::File(_) | Self::Nowhere(_) => None,
        }
    }

    /// Returns the reason for having no staple.
    pub(super) fn lack(&self) -> String {
        match self {
            Self::File(_) => DOES_NOT_COUNT.to_owned(),
            Self::Fetched(_) => "no good proof has been fetched".to_owned(),
            Self::Nowhere(cause) => cause.to_string(),
        }
    }

    /// Returns the current staple; checks a file for changes, and logs them.
    pub(super) fn staple(&mut self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<Staple> {
        let file = match self {
            Self::File(file) => file,
            Self::Fetched(renewal) => return renewal.staple(),
            Self::Nowhere(_) => return None,
        };
        let look = file.look(now, |response| verify(chain, response, now));
        match look {
            Look::Unchanged => {}
            Look::Loaded(proof) => {
                info!(event = "ocsp", "tls_ocsp_file {}: {proof}", file.path().display());
            }
            Look::Ignored(error) => {
                warn!(event = "ocsp", "{}", ignored(file.path(), &error));
            }
        }
        file.staple(now)
    }
}

/// The log line of a proof that does not count.
pub(super) fn ignored(path: &Path, error: &ProofFileError) -> String {
    format!("tls_ocsp_file {}: {error}; no OCSP staple", path.display())
}

pub(super) const DOES_NOT_COUNT: &str = "the proof in tls_ocsp_file does not count";
