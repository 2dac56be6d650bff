//! Records, decisions and outcomes for the crate `serde`.

use std::net::IpAddr;

use ::serde::de::Error as _;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use mail_types::dns::Name;
use mail_types::serde::Causes;

use crate::{
    Action, Decision, Encrypt, Host, HostPolicy, Limits, MismatchReason, RecordSet, TlsaRecord,
};

mail_types::serde_as_text!(TlsaRecord);

impl Serialize for RecordSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.records())
    }
}

impl<'de> Deserialize<'de> for RecordSet {
    /// Reads no more records than the default of [`Limits`].
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let records = Vec::<TlsaRecord>::deserialize(from)?;
        Self::new(records, &Limits::default()).map_err(|error| D::Error::custom(Causes(&error)))
    }
}

impl Serialize for MismatchReason {
    /// Writes a text for people.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A host and the action for it, as fields.
#[derive(Serialize)]
struct WrittenHost<'a> {
    host: &'a Host,
    preference: u16,
    addresses: &'a [IpAddr],
    /// The word of [`Action::as_str`].
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<&'a RecordSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_domain: Option<&'a Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_names: Option<&'a [Name]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticates_next_hop: Option<bool>,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Serialize for HostPolicy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let plain = WrittenHost {
            host: &self.host,
            preference: self.preference,
            addresses: &self.addresses,
            action: self.action.as_str(),
            records: None,
            base_domain: None,
            reference_names: None,
            authenticates_next_hop: None,
            reason: None,
        };
        let written = match &self.action {
            Action::Dane(dane) => WrittenHost {
                records: Some(&dane.records),
                base_domain: dane.base_domain(),
                reference_names: Some(&dane.reference_names),
                authenticates_next_hop: Some(dane.authenticates_next_hop),
                ..plain
            },
            Action::Encrypt(Encrypt { records, base_domain, .. }) => {
                WrittenHost { records: Some(records), base_domain: Some(base_domain), ..plain }
            }
            Action::MtaSts(reason) | Action::Opportunistic(reason) => {
                WrittenHost { reason: Some(reason.to_string()), ..plain }
            }
            Action::Skip(reason) => WrittenHost { reason: Some(reason.to_string()), ..plain },
        };
        written.serialize(to)
    }
}

/// A decision; reasons are texts for people.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum WrittenDecision<'a> {
    Hosts(&'a [HostPolicy]),
    Defer(String),
    Bounce(String),
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Hosts(hosts) => WrittenDecision::Hosts(hosts),
            Self::Defer(reason) => WrittenDecision::Defer(reason.to_string()),
            Self::Bounce(reason) => WrittenDecision::Bounce(reason.to_string()),
        };
        written.serialize(to)
    }
}
