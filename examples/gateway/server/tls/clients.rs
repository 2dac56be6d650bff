//! The verification of clients by their certificates.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::gateway::delivery::authorities::{AuthoritiesError, ByAuthorities, lists, roots};
use crate::gateway::delivery::settings::VerifyCertificates;

/// Whether a client is asked for a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Demand {
    /// It is not asked.
    Nothing,
    /// It is asked, and may go on without a valid one.
    Try,
    /// It needs a valid one.
    Verify,
}

/// The verifier of clients by the current authorities.
#[derive(Debug)]
pub(crate) struct Clients(Option<Arc<dyn ClientCertVerifier>>);

impl ByAuthorities for Clients {
    const OPTIONS: &str = "clients";

    fn read(
        certificates: &VerifyCertificates,
        crl: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, AuthoritiesError> {
        let Some(roots) = roots(certificates)? else { return Ok(Self(None)) };
        let (roots, provider) = (Arc::new(roots), Arc::clone(provider));
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
        let builder = match crl {
            // An authority without a list in the file has not revoked anything, as far as is known.
            Some(path) => builder
                .with_crls(lists(path)?)
                .allow_unknown_revocation_status()
                .enforce_revocation_expiration(),
            None => builder,
        };
        Ok(Self(Some(builder.build()?)))
    }
}

impl Clients {
    /// Returns the verifier for a handshake; `None` if the client is not asked.
    pub(super) fn verifier(&self, demand: Demand) -> Option<Arc<dyn ClientCertVerifier>> {
        let verifier = Arc::clone(self.0.as_ref()?);
        match demand {
            Demand::Nothing => None,
            Demand::Try => Some(Arc::new(Lenient(verifier))),
            Demand::Verify => Some(verifier),
        }
    }

    /// Tells whether the certificates of a client are valid now.
    pub(crate) fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let (Some(verifier), Some((own, others))) = (&self.0, chain.split_first()) else {
            return false;
        };
        verifier.verify_client_cert(own, others, UnixTime::now()).is_ok()
    }
}

/// Takes each certificate, or none. The client proves that it has the key.
#[derive(Debug)]
struct Lenient(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Lenient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
