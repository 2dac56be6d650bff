//! Where the proof of a certificate comes from.

use std::sync::Arc;

use ocsp_staple::{Look, ProofFile, Staple};
use rustls::pki_types::{CertificateDer, UnixTime};
use tracing::{info, warn};

use super::certificate::{CertificateFiles, verify};
use super::renewal::{Renewal, Renewals};

/// Where the proof of a certificate comes from.
#[derive(Debug)]
pub(super) enum Proof {
    /// The file of `tls_ocsp_file`, which somebody else replaces.
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

    /// Returns the staple as it is now; a file is looked at, and what is new in it is logged.
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
