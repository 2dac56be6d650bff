//! The source of a certificate's OCSP response.

use std::sync::Arc;

use ocsp_staple::{Look, ProofFile, Staple};
use rustls::pki_types::{CertificateDer, UnixTime};
use tracing::{info, warn};

use super::certificate::{CertificateFiles, verify};
use super::renewal::{Renewal, Renewals};

/// The source of a certificate's OCSP response.
#[derive(Debug)]
pub(super) enum Proof {
    /// The file of `tls_ocsp_file`, which another program replaces.
    File(ProofFile),
    /// The certificate's responder.
    Fetched(Arc<Renewal>),
    Nowhere,
}

impl Proof {
    pub(super) fn of(
        files: &CertificateFiles,
        chain: &[CertificateDer<'static>],
        renewals: &Renewals,
    ) -> Self {
        match &files.proof {
            Some(path) => Self::File(ProofFile::new(path)),
            None => renewals.of(&files.certificate, chain).map_or(Self::Nowhere, Self::Fetched),
        }
    }

    /// Returns the current staple; checks a file for changes, and logs them.
    pub(super) fn staple(&mut self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<Staple> {
        let file = match self {
            Self::File(file) => file,
            Self::Fetched(renewal) => return renewal.staple(),
            Self::Nowhere => return None,
        };
        let look = file.look(now, |response| verify(chain, response, now));
        let path = file.path().display();
        match look {
            Look::Unchanged => {}
            Look::Loaded(proof) => info!(event = "ocsp", "tls_ocsp_file {path}: {proof}"),
            Look::Ignored(error) => {
                warn!(event = "ocsp", "tls_ocsp_file {path}: {error}; no OCSP staple");
            }
        }
        file.staple(now)
    }
}
