//! How the connection to one host is secured.

use std::sync::Arc;

use dane_tlsa::rustls::{BaseDomainError, DaneVerifier, UnauthenticatedVerifier};
use dane_tlsa::{Action, Dane};
use ocsp_staple::Requirement;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error};
use thiserror::Error;

use super::authorities::Verifier;
use super::connection::{TlsClient, TlsPlan};
use super::hosts::RemoteHost;
use super::mta_sts::StsPolicy;
use super::server_check::{Authentication, Method, Pkix, Reported, ServerCheck};

/// The choices of the administrator for one host.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(crate) struct HostChoices {
    pub(crate) avoid_tls: bool,
    pub(crate) require_tls: bool,
    /// `tls_tempfail_tryclear`.
    pub(crate) try_clear: bool,
    /// `tls_verify_hosts`: of an encrypted connection only, as in Exim.
    pub(crate) verify: bool,
    /// `tls_try_verify_hosts`.
    pub(crate) try_verify: bool,
    /// `tls_verify_cert_hostnames`.
    pub(crate) verify_name: bool,
    pub(crate) request_ocsp: bool,
    pub(crate) require_ocsp: bool,
    pub(crate) try_prdr: bool,
    pub(crate) try_chunking: bool,
    pub(crate) send_proxy: bool,
}

impl HostChoices {
    fn requires_tls(self) -> bool {
        self.require_tls || self.require_ocsp
    }

    fn requirement(self) -> Requirement {
        match self {
            Self { require_ocsp: true, .. } => Requirement::Require,
            Self { request_ocsp: true, .. } => Requirement::Request,
            _ => Requirement::Off,
        }
    }
}

/// The TLS configuration that all connections share.
#[derive(Clone, Debug)]
pub(crate) struct TlsBase {
    config: Arc<ClientConfig>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl TlsBase {
    /// Makes the configuration of clients with this provider, for TLS 1.2 and 1.3.
    pub(crate) fn new(provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        let algorithms = provider.signature_verification_algorithms;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(UnauthenticatedVerifier::new(algorithms)))
            .with_no_client_auth();
        // A resumed session would bring the authentication of another policy, and no certificate.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), algorithms })
    }

    /// Decides about one connection.
    pub(crate) fn security(
        &self,
        host: &RemoteHost,
        choices: HostChoices,
        authorities: &Verifier,
        sts: Option<&StsPolicy>,
    ) -> Result<TlsPlan, SecurityError> {
        let action = &host.policy.action;
        if choices.avoid_tls && !action.requires_tls() && !choices.requires_tls() {
            return Ok(TlsPlan::Clear);
        }
        let method = self.method(action, choices, authorities)?;
        let reported = self.reported(host, authorities, sts)?;
        let server_name = match &method {
            Method::Dane(dane) => Some(dane.server_name()),
            _ => ServerName::try_from(host.policy.host.to_string()).ok(),
        };
        let authentication = Arc::new(Authentication::new(method, reported, self.algorithms));
        let anchors = Arc::clone(&authorities.anchors);
        let requirement = choices.requirement();
        let check = ServerCheck::new(authentication, anchors, self.algorithms, requirement);
        let check = Arc::new(check);
        let mut config = ClientConfig::clone(&self.config);
        config.dangerous().set_certificate_verifier(Arc::clone(&check) as _);
        // A name that SNI cannot have is not sent.
        config.enable_sni = server_name.is_some();
        let unnamed = || ServerName::from(std::net::IpAddr::from([0; 4]));
        let required = action.requires_tls() || choices.requires_tls();
        let client = TlsClient {
            config: Arc::new(config),
            server_name: server_name.unwrap_or_else(unnamed),
            check,
            may_clear: !required && choices.try_clear,
        };
        Ok(if required { TlsPlan::Required(client) } else { TlsPlan::IfOffered(client) })
    }

    /// The verifications for reports: by `hosts_report_dane`, and by an MTA-STS policy in the mode `testing`.
    fn reported(
        &self,
        host: &RemoteHost,
        authorities: &Verifier,
        sts: Option<&StsPolicy>,
    ) -> Result<Reported, SecurityError> {
        let dane = match host.reported.as_ref().map(|policy| &policy.action) {
            Some(Action::Dane(dane)) => Some(self.dane(dane)?),
            _ => None,
        };
        let is_tested = sts.is_some_and(StsPolicy::is_testing);
        let verifier = authorities.verifier.clone().filter(|_| is_tested);
        let pkix = verifier.map(|verifier| Pkix { verifier, names: true, required: false });
        Ok(Reported { dane, pkix })
    }

    fn method(
        &self,
        action: &Action,
        choices: HostChoices,
        authorities: &Verifier,
    ) -> Result<Method, SecurityError> {
        let sts = match action {
            Action::Dane(dane) => return Ok(Method::Dane(self.dane(dane)?)),
            Action::MtaSts(_) => true,
            Action::Encrypt(encrypt) => encrypt.mta_sts,
            _ => false,
        };
        let required = sts || choices.verify;
        let Some(verifier) = authorities.verifier.clone() else {
            return if required {
                Err(SecurityError::NoAuthorities)
            } else {
                Ok(Method::Unauthenticated)
            };
        };
        if !required && !choices.try_verify {
            return Ok(Method::Unauthenticated);
        }
        // RFC 8461 section 4.1: the certificate must have the name of the host.
        let names = sts || choices.verify_name;
        Ok(Method::Pkix(Pkix { verifier, names, required }))
    }

    fn dane(&self, dane: &Dane) -> Result<Arc<DaneVerifier>, SecurityError> {
        let (records, names) = ((*dane.records).clone(), dane.reference_names.clone());
        Ok(Arc::new(DaneVerifier::new(records, names, self.algorithms)?))
    }
}

/// Why no connection can be made to a host.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum SecurityError {
    #[error(transparent)]
    BaseDomain(#[from] BaseDomainError),
    #[error("the server must be verified, and tls_verify_certificates gives no authority")]
    NoAuthorities,
}
