//! The line of one attempt for reports about TLS: RFC 8460.

use std::fmt;
use std::net::IpAddr;

use dane_tlsa::{Action, Encrypt, Host};
use dane_tlsa::{ConnectionFault, Failure, HostPolicy, TlsaRecord};
use rustls::{CertificateError, Error};
use serde::Serialize;

use super::connection::{HandshakeError, OpenError};
use super::hosts::Unused;
use super::mta_sts::StsPolicy;

/// One attempt, in the terms of section 4.4. A caller counts the sessions of a day and sends the report.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TlsReportLine {
    pub(crate) policy_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) policy_string: Vec<String>,
    pub(crate) policy_domain: String,
    /// `None` is a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receiving_mx_hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receiving_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure_reason_code: Option<String>,
}

impl fmt::Display for TlsReportLine {
    /// Writes it as a JSON object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// The fault of an attempt.
#[derive(Clone, Debug)]
pub(crate) enum TlsFault<'a> {
    /// The session was in clear, or ended before TLS.
    NoStarttls,
    Handshake(&'a HandshakeError),
    Verdict(&'a dane_tlsa::Verdict),
    /// The MTA-STS policy does not name the host.
    NotNamed,
    /// The authorities do not verify the certificate, which the MTA-STS policy wants.
    Unverified(Error),
    /// An action of `tls:cert` has refused the certificate of this depth.
    Refused(usize),
}

impl TlsReportLine {
    /// The line of a failure of DANE.
    pub(crate) fn failed(failure: &Failure, address: Option<IpAddr>) -> Self {
        Self {
            policy_type: failure.policy_type.as_str(),
            policy_string: failure.policy_string.clone(),
            policy_domain: failure.policy_domain.to_string(),
            result_type: Some(failure.result.as_str()),
            receiving_mx_hostname: failure.receiving_host.as_ref().map(ToString::to_string),
            receiving_ip: address,
            failure_reason_code: Some(failure.reason.clone()),
        }
    }

    /// The line of a connection, or of a host without one: a success, or a fault.
    pub(crate) fn of(
        host: &HostPolicy,
        domain: &str,
        sts: Option<&StsPolicy>,
        address: Option<IpAddr>,
        fault: Option<&TlsFault<'_>>,
    ) -> Self {
        let failure = match (fault, &host.action) {
            (Some(fault), _) => failure(host, fault),
            (None, Action::Encrypt(Encrypt { mta_sts: false, .. })) => host.failure(),
            (None, _) => None,
        };
        if let Some(failure) = failure {
            return Self::failed(&failure, address);
        }
        let line = Self {
            receiving_mx_hostname: Some(host.host.to_string()),
            receiving_ip: address,
            result_type: fault.map(result_type),
            failure_reason_code: fault.map(reason),
            ..Self::default()
        };
        match (&host.action, sts) {
            (Action::Dane(dane), _) => {
                let policy_string = dane.records.records().map(TlsaRecord::to_string).collect();
                let base = dane.base_domain().map(ToString::to_string).unwrap_or_default();
                Self { policy_type: "tlsa", policy_string, policy_domain: base, ..line }
            }
            (_, Some(sts)) => {
                let (policy_string, policy_domain) = (sts.lines().to_vec(), domain.to_owned());
                Self { policy_type: "sts", policy_string, policy_domain, ..line }
            }
            _ => Self { policy_type: "no-policy-found", policy_domain: domain.to_owned(), ..line },
        }
    }
}

/// Returns the failure of a host with TLSA records.
pub(crate) fn failure(host: &HostPolicy, fault: &TlsFault<'_>) -> Option<Failure> {
    let text;
    let fault = match fault {
        TlsFault::NoStarttls => ConnectionFault::NoStarttls,
        TlsFault::Verdict(verdict) => ConnectionFault::Verdict(verdict),
        TlsFault::Handshake(error) => {
            text = error.to_string();
            ConnectionFault::Handshake(&text)
        }
        TlsFault::NotNamed | TlsFault::Unverified(_) | TlsFault::Refused(_) => return None,
    };
    matches!(host.host, Host::Name(_)).then(|| host.connection_failure(&fault)).flatten()
}

/// The result type of a fault without TLSA records (section 4.3).
fn result_type(fault: &TlsFault<'_>) -> &'static str {
    let error = match fault {
        TlsFault::NoStarttls => return "starttls-not-supported",
        TlsFault::Handshake(HandshakeError::Tls { error, .. }) | TlsFault::Unverified(error) => {
            error
        }
        _ => return "validation-failure",
    };
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "certificate-host-mismatch"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "certificate-expired"
            }
            CertificateError::InvalidOcspResponse => "validation-failure",
            _ => "certificate-not-trusted",
        },
        _ => "validation-failure",
    }
}

/// The reason in a line of its own, cut: a certificate may have thousands of names that an error lists.
pub(crate) fn reason(fault: &TlsFault<'_>) -> String {
    let mut reason = match fault {
        TlsFault::NoStarttls => "the server does not start TLS".to_owned(),
        TlsFault::NotNamed => Unused::NotInMtaSts.to_string(),
        TlsFault::Unverified(error) => error.to_string(),
        TlsFault::Refused(depth) => OpenError::CertificateRefused(*depth).to_string(),
        TlsFault::Handshake(error) => error.to_string(),
        TlsFault::Verdict(verdict) => verdict.to_string(),
    };
    reason.truncate(reason.floor_char_boundary(Failure::MAX_REASON));
    reason
}
