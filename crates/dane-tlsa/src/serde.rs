//! Records, decisions and outcomes for the crate `serde`.

use std::fmt;
use std::net::IpAddr;

use ::serde::de::{Error as _, SeqAccess, Visitor};
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use mail_types::dns::Name;
use mail_types::serde::Causes;

use crate::failure::line;
use crate::{
    Action, Decision, Encrypt, Failure, Host, HostPolicy, Limits, MismatchReason, PolicyType,
    RecordSet, ResultType, TlsaRecord,
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
        from.deserialize_seq(ReadRecords)
    }
}

/// Reads a list as far as the limit.
struct ReadRecords;

impl<'de> Visitor<'de> for ReadRecords {
    type Value = RecordSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of TLSA records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RecordSet, A::Error> {
        let (mut records, limits) = (Vec::new(), Limits::default());
        // One more shows that there are too many.
        while records.len() <= limits.records
            && let Some(record) = list.next_element::<TlsaRecord>()?
        {
            records.push(record);
        }
        RecordSet::new(records, &limits).map_err(|error| A::Error::custom(Causes(&error)))
    }
}

/// A failure whose fields may not fit each other.
#[derive(Deserialize)]
pub(crate) struct StoredFailure {
    result: ResultType,
    policy_type: PolicyType,
    policy_string: RecordSet,
    policy_domain: Name,
    receiving_host: Option<Name>,
    reason: String,
}

impl TryFrom<StoredFailure> for Failure {
    type Error = &'static str;

    fn try_from(stored: StoredFailure) -> Result<Self, &'static str> {
        let StoredFailure { result, policy_type, policy_domain, receiving_host, .. } = stored;
        let policy_string: Vec<_> =
            stored.policy_string.records().map(ToString::to_string).collect();
        let before_records = matches!(result, ResultType::DnssecInvalid | ResultType::DaneRequired);
        if before_records != (policy_type == PolicyType::NoPolicyFound) {
            return Err("the policy type does not fit the result");
        }
        if before_records && !policy_string.is_empty() {
            return Err("the result has no TLSA records");
        }
        if !before_records && receiving_host.is_none() {
            return Err("the result needs the host");
        }
        if line(&stored.reason) != stored.reason {
            return Err("the reason is not a line of at most 512 octets");
        }
        let reason = stored.reason;
        Ok(Self { result, policy_type, policy_string, policy_domain, receiving_host, reason })
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
