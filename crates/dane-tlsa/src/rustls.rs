//! A client's verification of servers by DANE, within the handshake, for rustls 0.23.

mod signature;
mod unauthenticated;

pub use unauthenticated::UnauthenticatedVerifier;

use std::str;
use std::sync::{Arc, Mutex, PoisonError};

use ::rustls::client::Resumption;
use ::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use ::rustls::crypto::WebPkiSupportedAlgorithms;
use ::rustls::pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use ::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use mail_types::dns::Name;
use thiserror::Error;

use crate::check::Check;
use crate::limits::Limits;
use crate::record_set::RecordSet;
use crate::verdict::{Mismatches, Verdict};

/// Verifies the server of one connection by the records of its host.
///
/// Make one for each connection. Its [`config`](Self::config) is a client's with this verifier, and its
/// [`server_name`](Self::server_name) the name to connect with: the TLSA base domain, which goes into SNI
/// (RFC 7672 section 8.1). The server's signature is verified in each handshake, of TLS 1.2 and 1.3, with
/// the key of its certificate, whatever that certificate is otherwise.
///
/// A server that does not match ends the handshake; the error has a [`Mismatches`] as its source. So does
/// a set of which no record can be used: then TLS without authentication is wanted, and an [`UnauthenticatedVerifier`].
#[derive(Debug)]
pub struct DaneVerifier {
    records: RecordSet,
    names: Vec<Name>,
    server_name: ServerName<'static>,
    algorithms: WebPkiSupportedAlgorithms,
    limits: Limits,
    verdict: Mutex<Option<Verdict>>,
}

impl DaneVerifier {
    /// Makes a verifier of the records, the reference identifiers, of which the first is the TLSA base
    /// domain, and the provider's `signature_verification_algorithms`.
    ///
    /// # Errors
    ///
    /// [`BaseDomainError`] if the base domain is missing, or none that SNI can have.
    pub fn new(
        records: RecordSet,
        names: Vec<Name>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Self, BaseDomainError> {
        let server_name = server_name(names.first().ok_or(BaseDomainError::Missing)?)?;
        let (limits, verdict) = (Limits::default(), Mutex::new(None));
        Ok(Self { records, names, server_name, algorithms, limits, verdict })
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the name to connect with, which goes into SNI: the TLSA base domain.
    #[must_use]
    pub fn server_name(&self) -> ServerName<'static> {
        self.server_name.clone()
    }

    /// Returns the records.
    #[must_use]
    pub fn records(&self) -> &RecordSet {
        &self.records
    }

    /// Returns a client's configuration with this verifier, otherwise as the one given.
    ///
    /// It sends SNI, and resumes no session: one that was begun under another policy would bring the
    /// authentication, or its absence, of that.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use dane_tlsa::rustls::DaneVerifier;
    /// use dane_tlsa::{Limits, RecordSet};
    /// use rustls::{ClientConfig, RootCertStore, crypto::ring};
    ///
    /// let provider = Arc::new(ring::default_provider());
    /// let (records, algorithms) = (RecordSet::default(), provider.signature_verification_algorithms);
    /// let verifier = DaneVerifier::new(records, vec!["mx.example.com".parse()?], algorithms)?;
    /// let verifier = Arc::new(verifier.with_limits(Limits::default()));
    /// let base = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    /// let base = base.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    /// assert!(verifier.config(&base).enable_sni);
    /// assert_eq!(verifier.server_name(), "mx.example.com".try_into()?);
    /// assert_eq!(verifier.verdict(), None, "there was no handshake yet");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn config(self: &Arc<Self>, base: &ClientConfig) -> ClientConfig {
        let mut config = base.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(self) as _);
        config.resumption = Resumption::disabled();
        config.enable_sni = true;
        config
    }

    /// Returns what came of the certificates, once the server has sent them.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for DaneVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let sent = std::iter::once(end_entity).chain(intermediates);
        let chain: Vec<_> = sent.map(|der| CertificateDer::from(der.as_ref())).collect();
        let check = Check::new(&self.records, &self.names, self.algorithms.all);
        let verdict = check.with_limits(self.limits.clone()).verify(&chain, now);
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict.clone());
        match verdict {
            Verdict::Match(_) => Ok(ServerCertVerified::assertion()),
            Verdict::NoMatch(why) | Verdict::Unusable(why) => Err(refused(why)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(&self.algorithms, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(&self.algorithms, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn refused(why: Mismatches) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
}

fn server_name(base_domain: &Name) -> Result<ServerName<'static>, BaseDomainError> {
    let mut room = [0; Name::MAX_OCTETS];
    let text = base_domain.write_dotted(&mut room);
    // A label may have a dot in it, and then the text is another name's.
    let name = Name::from_dotted(text).ok().filter(|name| name == base_domain);
    let name = name.and_then(|_| DnsName::try_from(str::from_utf8(text).ok()?).ok());
    let name = name.ok_or_else(|| BaseDomainError::Unfit { name: base_domain.clone() })?;
    Ok(ServerName::DnsName(name.to_owned()))
}

/// Why no connection can be made for a TLSA base domain.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum BaseDomainError {
    /// There is no reference identifier.
    #[error("no TLSA base domain")]
    Missing,
    /// SNI cannot have this name: it has octets that no host has in its name.
    #[error("the TLSA base domain \"{name}\" is not a name for SNI")]
    Unfit {
        /// The name.
        name: Name,
    },
}
