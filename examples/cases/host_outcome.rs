//! The decision about a host of a next hop, as the tools show it.

use std::fmt::Write as _;

use dane_tlsa::{Action, HostPolicy, RecordSet, TlsaRecord};
use serde::Serialize;

/// The decision about a host.
#[derive(Debug, Default, Serialize)]
pub struct HostOutcome {
    host: String,
    preference: u16,
    addresses: Vec<String>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_domain: Option<String>,
    /// The first is the server name of the TLS handshake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reference_names: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tlsa: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticates_next_hop: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    #[serde(skip)]
    is_tried: bool,
}

impl HostOutcome {
    /// Describes the decision.
    #[must_use]
    pub fn new(policy: &HostPolicy) -> Self {
        let texts =
            |records: &RecordSet| records.records().map(TlsaRecord::to_string).collect::<Vec<_>>();
        let outcome = Self {
            host: policy.host.to_string(),
            preference: policy.preference,
            addresses: policy.addresses.iter().map(ToString::to_string).collect(),
            action: policy.action.as_str(),
            is_tried: !matches!(policy.action, Action::Skip(_)),
            failure: policy.failure().map(|failure| failure.result.as_str()),
            ..Self::default()
        };
        match &policy.action {
            Action::Dane(dane) => Self {
                base_domain: dane.base_domain().map(ToString::to_string),
                reference_names: dane.reference_names.iter().map(ToString::to_string).collect(),
                tlsa: texts(&dane.records),
                authenticates_next_hop: Some(dane.authenticates_next_hop),
                ..outcome
            },
            Action::Encrypt(encrypt) => Self {
                base_domain: Some(encrypt.base_domain.to_string()),
                tlsa: texts(&encrypt.records),
                reason: Some("none of the TLSA records can be used".to_owned()),
                ..outcome
            },
            Action::MtaSts(reason) | Action::Opportunistic(reason) => {
                Self { reason: Some(reason.to_string()), ..outcome }
            }
            Action::Skip(reason) => Self { reason: Some(reason.to_string()), ..outcome },
            _ => outcome,
        }
    }

    /// Tells whether the host can be tried.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        self.is_tried
    }

    /// Tells whether DANE authenticates the host.
    #[must_use]
    pub fn uses_dane(&self) -> bool {
        self.authenticates_next_hop.is_some()
    }

    /// Returns the host, its action and the reason, in one line.
    #[must_use]
    pub fn line(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {}: {reason}", self.host, self.action),
            None => format!("{}: {}", self.host, self.action),
        }
    }

    /// Returns the addresses.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Returns the TLSA records.
    #[must_use]
    pub fn tlsa(&self) -> &[String] {
        &self.tlsa
    }

    /// Gives the reason why DANE does not apply.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    /// Appends lines for people.
    pub fn write(&self, text: &mut String) {
        self.write_as(self.action, text);
    }

    /// Appends lines for people, beside others that tell how the connection is secured.
    pub fn write_dane(&self, text: &mut String) {
        let is_without = self.action == "opportunistic";
        self.write_as(if is_without { "DANE is not used" } else { self.action }, text);
    }

    fn write_as(&self, action: &str, text: &mut String) {
        let _ = writeln!(text, "{}: {action}", self.host);
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "  {name:<10} {value}");
        };
        if !self.addresses.is_empty() {
            line("addresses", &self.addresses.join(" "));
        }
        if let (Some(base_domain), true) = (&self.base_domain, self.reference_names.is_empty()) {
            line("base", base_domain);
        }
        if !self.reference_names.is_empty() {
            line("names", &self.reference_names.join(" "));
        }
        self.tlsa.iter().for_each(|record| line("record", record));
        if self.authenticates_next_hop == Some(false) {
            line("note", "the MX records are not secure: it may be a host of somebody else");
        }
        if let Some(reason) = &self.reason {
            line("reason", reason);
        }
        if let Some(failure) = self.failure {
            line("report", failure);
        }
    }
}
