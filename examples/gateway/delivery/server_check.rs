//! The check of a server in the TLS handshake: its certificates, and its OCSP staple.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dane_tlsa::Verdict;
use dane_tlsa::rustls::{DaneVerifier, UnauthenticatedVerifier};
use ocsp_staple::rustls::StapleVerifier;
use ocsp_staple::{Requirement, Stapled};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// The verifier of one connection.
///
/// A staple counts only if the certificate is verified: anyone can make a certificate with a staple.
#[derive(Debug)]
pub(crate) struct ServerCheck {
    staples: StapleVerifier,
    authentication: Arc<Authentication>,
    requirement: Requirement,
}

/// The authentication of a server.
#[derive(Debug)]
pub(crate) struct Authentication {
    pub(crate) method: Method,
    /// The verifications for a report only.
    reported: Reported,
    /// It verifies signatures, whatever the certificate is otherwise.
    signatures: UnauthenticatedVerifier,
    sent: OnceLock<Vec<CertificateDer<'static>>>,
    pkix: Mutex<Option<Result<(), Error>>>,
    reported_pkix: OnceLock<Result<(), Error>>,
}

/// Verifications without effect, whose results are reported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reported {
    /// By TLSA records.
    pub(crate) dane: Option<Arc<DaneVerifier>>,
    /// By the authorities.
    pub(crate) pkix: Option<Pkix>,
}

/// The method of authentication.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    /// TLSA records.
    Dane(Arc<DaneVerifier>),
    /// The configured authorities.
    Pkix(Pkix),
    /// None: each certificate will do.
    Unauthenticated,
}

/// The authentication by the configured authorities.
#[derive(Clone, Debug)]
pub(crate) struct Pkix {
    pub(crate) verifier: Arc<WebPkiServerVerifier>,
    /// Whether the certificate must have the server's name.
    pub(crate) names: bool,
    /// Whether a server that is not verified is refused.
    pub(crate) required: bool,
}

impl Authentication {
    pub(crate) fn new(
        method: Method,
        reported: Reported,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            method,
            reported,
            signatures: UnauthenticatedVerifier::new(algorithms),
            sent: OnceLock::new(),
            pkix: Mutex::default(),
            reported_pkix: OnceLock::new(),
        }
    }

    /// Tells whether the server is verified, by TLSA records or by an authority.
    pub(crate) fn is_verified(&self) -> bool {
        self.is_dane() || matches!(self.pkix(), Some(Ok(())))
    }

    /// Tells whether the server is verified by TLSA records.
    pub(crate) fn is_dane(&self) -> bool {
        self.verdict().is_some_and(|verdict| verdict.is_match())
    }

    /// Returns the verdict by the TLSA records that decide.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match &self.method {
            Method::Dane(dane) => dane.verdict(),
            Method::Pkix(_) | Method::Unauthenticated => None,
        }
    }

    /// Returns the verdict by the TLSA records that are checked for a report.
    pub(crate) fn reported_verdict(&self) -> Option<Verdict> {
        self.reported.dane.as_ref().and_then(|dane| dane.verdict())
    }

    /// Returns the error of the verification by authorities that is for a report.
    pub(crate) fn reported_error(&self) -> Option<Error> {
        self.reported_pkix.get()?.clone().err()
    }

    /// Returns the certificate usages of the records that decide, a bit for each; 0 without DANE.
    pub(crate) fn usage_bits(&self) -> u8 {
        match &self.method {
            Method::Dane(dane) => dane.records().usage_bits(),
            Method::Pkix(_) | Method::Unauthenticated => 0,
        }
    }

    /// Tells how the server was verified, or why not.
    pub(crate) fn explanation(&self) -> Option<String> {
        let pkix = || match self.pkix()? {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        };
        self.verdict().map(|verdict| verdict.to_string()).or_else(pkix)
    }

    /// Returns the certificates that the server sent.
    pub(crate) fn sent(&self) -> &[CertificateDer<'static>] {
        self.sent.get().map_or(&[], Vec::as_slice)
    }

    /// Returns the result of the verification by an authority.
    pub(crate) fn pkix(&self) -> Option<Result<(), Error>> {
        self.pkix.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let sent = std::iter::once(end_entity).chain(intermediates);
        let _ = self.sent.set(sent.map(|der| der.clone().into_owned()).collect());
        if let Some(dane) = &self.reported.dane {
            // The verdict stays in the verifier.
            let _ = dane.verify_server_cert(end_entity, intermediates, server_name, &[], now);
        }
        if let Some(pkix) = &self.reported.pkix {
            let verified = pkix.verify(end_entity, intermediates, server_name, now);
            let _ = self.reported_pkix.set(verified);
        }
        match &self.method {
            Method::Unauthenticated => Ok(()),
            Method::Dane(dane) => dane
                .verify_server_cert(end_entity, intermediates, server_name, &[], now)
                .map(|_| ()),
            Method::Pkix(pkix) => {
                let verified = pkix.verify(end_entity, intermediates, server_name, now);
                *self.pkix.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified.clone());
                if pkix.required { verified } else { Ok(()) }
            }
        }
    }
}

impl Pkix {
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let verified =
            self.verifier.verify_server_cert(end_entity, intermediates, server_name, &[], now);
        match verified {
            Ok(_) => Ok(()),
            // The name is looked at last, after the path and the revocation lists.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.names => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl ServerCheck {
    pub(crate) fn new(
        authentication: Arc<Authentication>,
        anchors: Arc<[TrustAnchor<'static>]>,
        algorithms: WebPkiSupportedAlgorithms,
        requirement: Requirement,
    ) -> Self {
        let inner = Arc::clone(&authentication);
        let staples = StapleVerifier::new(inner, anchors, algorithms).with_requirement(requirement);
        Self { staples, authentication, requirement }
    }

    pub(crate) fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// Returns the result of the staple.
    pub(crate) fn stapled(&self) -> Stapled {
        self.staples.stapled().unwrap_or(Stapled::NotRequested)
    }

    /// Tells why the staple was refused.
    pub(crate) fn staple_refusal(&self) -> String {
        match self.stapled() {
            // Only a required staple depends on the certificate.
            Stapled::Verified(_) => {
                let reason = self.authentication.explanation();
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("the OCSP staple is good, but the certificate is not verified{reason}")
            }
            stapled => stapled.to_string(),
        }
    }

    /// Returns Exim's `tls_out_ocsp`: 0 to 4.
    pub(crate) fn tls_out_ocsp(&self) -> u8 {
        match self.stapled() {
            Stapled::NotRequested => 0,
            Stapled::Missing => 1,
            Stapled::Failed(_) => 3,
            Stapled::Verified(_) if self.authentication.is_verified() => 4,
            _ => 2,
        }
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.staples.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        let counts = self.authentication.is_verified();
        if self.requirement == Requirement::Require && !counts {
            return Err(CertificateError::InvalidOcspResponse.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.staples.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.staples.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.staples.supported_verify_schemes()
    }
}

impl ServerCertVerifier for Authentication {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(end_entity, intermediates, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_verify_schemes()
    }
}
