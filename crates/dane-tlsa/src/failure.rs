//! Failures as reports have them: RFC 8460 sections 1.1 and 4.3.

use std::fmt;

use mail_types::dns::{Name, RecordType};
use mail_types::exim::is_invisible;

use crate::decision::{Decision, Deferral};
use crate::host_policy::{Action, Dane, Encrypt, Host, HostPolicy, NoDane, Skip};
use crate::path_fault::PathFault;
use crate::policy::Policy;
use crate::record_set::RecordSet;
use crate::verdict::{MismatchReason, Mismatches, Verdict};

/// A failure of DANE with all that a report about TLS says of it
/// ([RFC 8460 section 4.4](https://www.rfc-editor.org/rfc/rfc8460#section-4.4)).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(try_from = "crate::serde::StoredFailure")
)]
#[non_exhaustive]
pub struct Failure {
    /// `result-type`.
    pub result: ResultType,
    /// `policy-type`.
    pub policy_type: PolicyType,
    /// `policy-string`: the TLSA records in presentation form; empty without any, and with more than the limit.
    pub policy_string: Vec<String>,
    /// `policy-domain`: the TLSA base domain; if that is not known, the host, or the next hop.
    pub policy_domain: Name,
    /// `receiving-mx-hostname`, unless it failed before a host was known.
    pub receiving_host: Option<Name>,
    /// `failure-reason-code`: a line of at most [`Failure::MAX_REASON`] octets.
    pub reason: String,
}

impl Failure {
    /// The most octets of a reason.
    pub const MAX_REASON: usize = 512;
}

/// The result types of [RFC 8460 section 4.3](https://www.rfc-editor.org/rfc/rfc8460#section-4.3) that DANE
/// can have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ResultType {
    /// The server offers no STARTTLS.
    StarttlsNotSupported,
    /// The certificate has none of the reference names.
    CertificateHostMismatch,
    /// A certificate has expired.
    CertificateExpired,
    /// The certificate does not lead to the trust anchor.
    CertificateNotTrusted,
    /// Another failure to authenticate, such as another key than that of the record.
    ValidationFailure,
    /// None of the TLSA records can be used.
    TlsaInvalid,
    /// A lookup failed, so that it is not known whether there are records.
    DnssecInvalid,
    /// The sender requires DANE, and the host has no TLSA records in a secure answer.
    DaneRequired,
}

impl ResultType {
    /// Returns the word of RFC 8460.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StarttlsNotSupported => "starttls-not-supported",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::ValidationFailure => "validation-failure",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::DaneRequired => "dane-required",
        }
    }

    /// Returns the word of Exim's event `dane:fail`, which has four: `starttls-not-supported`, `dnssec-invalid`,
    /// `dane-required`, and `validation-failure` for all that a certificate or a handshake can lack.
    #[must_use]
    pub fn event_word(self) -> &'static str {
        match self {
            Self::StarttlsNotSupported | Self::DnssecInvalid | Self::DaneRequired => self.as_str(),
            Self::TlsaInvalid => Self::DaneRequired.as_str(),
            Self::CertificateHostMismatch
            | Self::CertificateExpired
            | Self::CertificateNotTrusted
            | Self::ValidationFailure => Self::ValidationFailure.as_str(),
        }
    }
}

impl fmt::Display for ResultType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The types of a policy that DANE can have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum PolicyType {
    /// TLSA records.
    Tlsa,
    /// No TLSA records were found.
    NoPolicyFound,
}

impl PolicyType {
    /// Returns the word of RFC 8460 section 4.4.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tlsa => "tlsa",
            Self::NoPolicyFound => "no-policy-found",
        }
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fault of a connection to a host that must use TLS.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ConnectionFault<'a> {
    /// The server offers no STARTTLS, or refuses it.
    NoStarttls,
    /// The TLS handshake failed before the server could be verified; the text says how.
    Handshake(&'a str),
    /// The server is not authenticated.
    Verdict(&'a Verdict),
}

impl Policy {
    /// Returns the failure of a message that is deferred before a host is known; an address has none.
    #[must_use]
    pub fn failure(&self, decision: &Decision) -> Option<Failure> {
        let Decision::Defer(reason) = decision else { return None };
        let result = match reason {
            Deferral::MxLookup(_) => ResultType::DnssecInvalid,
            Deferral::Required(_) => ResultType::DaneRequired,
            Deferral::NoHosts => return None,
        };
        Some(Failure {
            result,
            policy_type: PolicyType::NoPolicyFound,
            policy_string: Vec::new(),
            policy_domain: self.next_hop().name()?.clone(),
            receiving_host: None,
            reason: line(reason),
        })
    }
}

impl HostPolicy {
    /// Returns the failure of DANE that is known before a connection: the host is skipped, or none of its TLSA
    /// records can be used ([`ResultType::TlsaInvalid`]), though mail may go on
    /// ([RFC 8460 section 4.3.2.1](https://www.rfc-editor.org/rfc/rfc8460#section-4.3.2.1)).
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let skip = match &self.action {
            Action::Skip(skip) => skip,
            Action::Encrypt(Encrypt { base_domain, records, .. }) => {
                let reason = format_args!("none of the TLSA records of {base_domain} can be used");
                let found = Found::of(base_domain, records);
                return self.failed(ResultType::TlsaInvalid, found, line(&reason));
            }
            Action::Dane(_) | Action::MtaSts(_) | Action::Opportunistic(_) => return None,
        };
        let (result, found) = match skip {
            Skip::NoAddress | Skip::AddressInMx | Skip::Required(NoDane::Literal) => return None,
            Skip::Lookup { name, kind: RecordType::Tlsa, .. } => {
                (ResultType::DnssecInvalid, Found::none(base_domain(name)))
            }
            Skip::Lookup { .. } => (ResultType::DnssecInvalid, Found::default()),
            Skip::TooManyRecords { name, .. } => {
                let policy_type = PolicyType::Tlsa;
                (ResultType::TlsaInvalid, Found { policy_type, ..Found::none(base_domain(name)) })
            }
            Skip::Required(_) => (ResultType::DaneRequired, Found::default()),
            Skip::RequiredUsable { base_domain, records } => {
                (ResultType::TlsaInvalid, Found::of(base_domain, records))
            }
        };
        self.failed(result, found, line(skip))
    }

    /// Returns the failure of a connection to a host that must use TLS by its TLSA records; `None` if that
    /// is not DANE's affair.
    ///
    /// ```
    /// use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
    /// use dane_tlsa::{Action, ConnectionFault, NextHop, Policy, PolicyType, ResultType, Verdict};
    ///
    /// let zone = Zone::parse("
    /// example.com.             MX   10 mx.example.com.
    /// mx.example.com.          A    192.0.2.1
    /// _25._tcp.mx.example.com. TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
    /// ")?.with_security(DnssecStatus::Secure);
    /// let policy = Policy::new(NextHop::Domain("example.com".parse()?), 25);
    /// let decision = policy.session().run(|question| zone.answer(question));
    /// assert_eq!(policy.failure(&decision), None);
    /// let host = &decision.hosts()[0];
    /// assert_eq!(host.failure(), None);
    /// let failure = host.connection_failure(&ConnectionFault::NoStarttls).ok_or("no failure")?;
    /// assert_eq!((failure.result, failure.policy_type), (ResultType::StarttlsNotSupported, PolicyType::Tlsa));
    /// assert_eq!((failure.result.as_str(), failure.policy_type.as_str()), ("starttls-not-supported", "tlsa"));
    /// assert_eq!(ResultType::CertificateExpired.event_word(), "validation-failure");
    /// // The variables of Exim, with the verdict on a server that has sent no certificate.
    /// let Action::Dane(dane) = &host.action else { unreachable!() };
    /// # let now = dane_tlsa::rustls_pki_types::UnixTime::now();
    /// let verdict = dane.check(webpki::ALL_VERIFICATION_ALGS).verify(&[], now);
    /// assert_eq!(dane.variable("tls_out_dane", &verdict).as_deref(), Some("no"));
    /// assert_eq!(dane.variable("tls_out_tlsa_usage", &verdict).as_deref(), Some("8"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn connection_failure(&self, fault: &ConnectionFault<'_>) -> Option<Failure> {
        let (base_domain, records) = match &self.action {
            Action::Dane(dane) => (dane.base_domain()?, &dane.records),
            Action::Encrypt(Encrypt { base_domain, records, .. }) => (base_domain, records),
            _ => return None,
        };
        let (result, reason) = match fault {
            ConnectionFault::NoStarttls => {
                (ResultType::StarttlsNotSupported, line(&"the server offers no STARTTLS"))
            }
            ConnectionFault::Handshake(text) => (ResultType::ValidationFailure, line(text)),
            ConnectionFault::Verdict(verdict) => (result_of(verdict)?, line(verdict)),
        };
        self.failed(result, Found::of(base_domain, records), reason)
    }

    fn failed(&self, result: ResultType, found: Found, reason: String) -> Option<Failure> {
        let Host::Name(host) = &self.host else { return None };
        let Found { base_domain, policy_type, policy_string } = found;
        let policy_domain = base_domain.unwrap_or_else(|| host.clone());
        let receiving_host = Some(host.clone());
        Some(Failure { result, policy_type, policy_string, policy_domain, receiving_host, reason })
    }
}

/// The TLSA policy of a host, as far as it was found.
struct Found {
    base_domain: Option<Name>,
    policy_type: PolicyType,
    policy_string: Vec<String>,
}

impl Found {
    fn of(base_domain: &Name, records: &RecordSet) -> Self {
        Self {
            base_domain: Some(base_domain.clone()),
            policy_type: PolicyType::Tlsa,
            policy_string: records.records().map(ToString::to_string).collect(),
        }
    }

    fn none(base_domain: Option<Name>) -> Self {
        Self { base_domain, ..Self::default() }
    }
}

impl Default for Found {
    fn default() -> Self {
        let policy_type = PolicyType::NoPolicyFound;
        Self { base_domain: None, policy_type, policy_string: Vec::new() }
    }
}

/// Returns the base domain of the records of an owner, such as `_25._tcp.mx.example.net`.
fn base_domain(owner: &Name) -> Option<Name> {
    owner.parent()?.parent()
}

impl Dane {
    /// Returns the value of one of Exim's variables after a server was verified: `tls_out_dane`, which is
    /// `yes` or `no`, or `tls_out_tlsa_usage`, a number whose bit n is set for records of usage n; `None`
    /// for another name.
    ///
    /// For a host without DANE they are `no` and `0`.
    #[must_use]
    pub fn variable(&self, name: &str, verdict: &Verdict) -> Option<String> {
        match name {
            "tls_out_dane" => Some(if verdict.is_match() { "yes" } else { "no" }.to_owned()),
            "tls_out_tlsa_usage" => Some(self.records.usage_bits().to_string()),
            _ => None,
        }
    }
}

/// Returns the most exact type; `None` for a server that is authenticated or need not be.
fn result_of(verdict: &Verdict) -> Option<ResultType> {
    let Verdict::NoMatch(Mismatches { records, .. }) = verdict else { return None };
    let has = |is: fn(&MismatchReason) -> bool| records.iter().any(|mismatch| is(&mismatch.reason));
    Some(if has(|reason| matches!(reason, MismatchReason::Name)) {
        ResultType::CertificateHostMismatch
    } else if has(|reason| matches!(reason, MismatchReason::Path(PathFault::Expired { .. }))) {
        ResultType::CertificateExpired
    } else if has(|reason| {
        matches!(reason, MismatchReason::Path(_) | MismatchReason::AnchorNotSent)
    }) {
        ResultType::CertificateNotTrusted
    } else {
        ResultType::ValidationFailure
    })
}

/// Writes a reason as a line of printable characters, cut to its limit.
pub(crate) fn line(text: &dyn fmt::Display) -> String {
    let text = text.to_string();
    let is_hidden =
        |c: char| c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}');
    let mut line: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    let end = (0..=Failure::MAX_REASON.min(line.len())).rev().find(|&at| line.is_char_boundary(at));
    line.truncate(end.unwrap_or_default());
    line
}
