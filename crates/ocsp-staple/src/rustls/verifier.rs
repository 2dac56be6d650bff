//! A client's check of staples.

use std::sync::{Arc, Mutex, PoisonError};

use ::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use ::rustls::crypto::WebPkiSupportedAlgorithms;
use ::rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use ::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
};

use crate::certificate::{Certificate, demands_staple};
use crate::check::Check;
use crate::fields::DerError;
use crate::issuer::{Issuer, IssuerError};
use crate::name::Name;
use crate::options::Options;
use crate::requirement::{Requirement, StapleError, Stapled};
use crate::rustls::sessions::Ends;

/// Verifies the staple after another verifier has verified the certificate.
///
/// A bad staple ends the handshake with the alert `bad_certificate_status_response` (113), as
/// RFC 6066 section 8 wants it, and so does a missing one where it is required, or demanded by the
/// certificate. The issuer is sought among the certificates that the server sent and the trust
/// anchors: a staple is refused where one of these that may be the issuer cannot be read. A
/// certificate that cannot be read itself, as far as it has to be, has the alert `bad_certificate`.
///
/// A resumed session has no certificate, and so no staple:
/// [`Sessions`](crate::rustls::Sessions) ends sessions with the staple that they began with.
#[derive(Debug)]
pub struct StapleVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    anchors: Arc<[TrustAnchor<'static>]>,
    algorithms: WebPkiSupportedAlgorithms,
    requirement: Requirement,
    options: Options,
    last: Mutex<Option<Stapled>>,
    ends: Arc<Ends>,
}

impl StapleVerifier {
    /// Makes a verifier around another, with the trust anchors of the latter, and the provider's
    /// `signature_verification_algorithms`.
    #[must_use]
    pub fn new(
        inner: Arc<dyn ServerCertVerifier>,
        anchors: Arc<[TrustAnchor<'static>]>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        let (requirement, options) = (Requirement::default(), Options::default());
        let (last, ends) = (Mutex::new(None), Arc::new(Ends::default()));
        Self { inner, anchors, algorithms, requirement, options, last, ends }
    }

    /// Sets the requirement.
    #[must_use]
    pub fn with_requirement(self, requirement: Requirement) -> Self {
        Self { requirement, ..self }
    }

    /// Sets the options of the check.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Returns the result of the last staple, for logs and `tls_out_ocsp`: of this connection, if each
    /// has a verifier of its own. A resumed session has none.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use ocsp_staple::rustls::StapleVerifier;
    /// use ocsp_staple::{Options, Requirement};
    /// use rustls::client::WebPkiServerVerifier;
    /// use rustls::{RootCertStore, crypto::ring};
    ///
    /// let provider = Arc::new(ring::default_provider());
    /// let algorithms = provider.signature_verification_algorithms;
    /// # let made = rcgen::generate_simple_self_signed(["authority.example".to_owned()])?;
    /// # let mut roots = RootCertStore::empty();
    /// # roots.add(made.cert.der().clone())?;
    /// // `roots` has the trust anchors.
    /// let anchors = roots.roots.clone().into();
    /// let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
    /// let verifier = StapleVerifier::new(inner, anchors, algorithms)
    ///     .with_requirement(Requirement::Require)
    ///     .with_options(Options::default());
    /// assert_eq!(verifier.stapled(), None, "there was no handshake yet");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stapled(&self) -> Option<Stapled> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ends(&self) -> Arc<Ends> {
        Arc::clone(&self.ends)
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        staple: &[u8],
        now: UnixTime,
    ) -> (Stapled, Result<(), StapleError>) {
        if self.requirement == Requirement::Off {
            return (Stapled::NotRequested, Ok(()));
        }
        let judged = self.stapled_by(end_entity, intermediates, staple, now);
        let judged = judged.and_then(|stapled| Ok((demands_staple(end_entity)?, stapled)));
        match judged {
            Ok((demanded, stapled)) => {
                let judged = self.requirement.judge_by(demanded, &stapled);
                (stapled, judged)
            }
            Err(error) => {
                let error = StapleError::from(error);
                (Stapled::Failed(error.clone()), Err(error))
            }
        }
    }

    /// Returns the result of a staple, or why the certificate cannot be read that it is about.
    fn stapled_by(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        staple: &[u8],
        now: UnixTime,
    ) -> Result<Stapled, DerError> {
        if staple.is_empty() {
            return Ok(Stapled::Missing);
        }
        let leaf = Certificate::parse(end_entity)?;
        let (mut issuers, mut fault) = (Vec::new(), None);
        let of_its_name = |anchor: &&TrustAnchor<'_>| {
            Name::from_contents(anchor.subject.as_ref()) == *leaf.issuer()
        };
        let sent = intermediates.iter().map(|der| Issuer::of_certificate(der));
        let anchors = self.anchors.iter().filter(of_its_name).map(Issuer::try_from);
        for issuer in sent.chain(anchors) {
            match issuer {
                Ok(issuer) => issuers.push(issuer),
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        Ok(match Check::new(&leaf, issuers, self.algorithms.all) {
            Ok(check) => Stapled::of(check.with_options(self.options.clone()).verify(staple, now)),
            // It may be the one that cannot be read.
            Err(error) => Stapled::NotVerified(fault.map_or(error, IssuerError::Malformed)),
        })
    }
}

impl ServerCertVerifier for StapleVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let verified = verified.inspect_err(|_| self.ends.remove(server_name))?;
        let (stapled, judged) = self.verify(end_entity, intermediates, ocsp_response, now);
        match judged {
            Ok(()) => self.ends.set(server_name, &stapled),
            Err(_) => self.ends.remove(server_name),
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(stapled);
        judged.map(|()| verified).map_err(|error| {
            Error::InvalidCertificate(match error {
                StapleError::Certificate(_) => CertificateError::BadEncoding,
                _ => CertificateError::InvalidOcspResponse,
            })
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.inner.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}
