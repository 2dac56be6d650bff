//! The review of a domain, as text and as JSON.

use std::fmt::Write;

use dmarc_policy::{Policy, Reviewed, ReviewedName};
use examples::cases::shown::Shown;
use mail_types::dns::Name;
use mail_types::smtp::Domain;
use serde::Serialize;

/// The records that count for a domain, and their defects.
#[derive(Debug, Serialize)]
pub(crate) struct DomainReview {
    domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'static str>,
    names: Vec<WalkedName>,
    defects: Vec<Defect>,
}

/// A name of the tree walk.
#[derive(Debug, Serialize)]
struct WalkedName {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
}

#[derive(Debug, Serialize)]
struct Defect {
    name: String,
    #[serde(rename = "defect")]
    text: String,
    /// The document, and its section.
    section: &'static str,
}

impl DomainReview {
    pub(crate) fn new(domain: &Domain, reviewed: &Reviewed) -> Self {
        let names = reviewed.names().iter().map(|ReviewedName { name, record, .. }| WalkedName {
            name: name.to_string(),
            record: record.as_ref().map(ToString::to_string),
        });
        let defects = reviewed.findings().iter().map(|finding| Defect {
            name: finding.name.to_string(),
            text: finding.defect.to_string(),
            section: finding.defect.section(),
        });
        Self {
            domain: domain.to_string(),
            org_domain: reviewed.org_domain().map(Name::to_string),
            policy_domain: reviewed.policy_domain().map(Name::to_string),
            policy: reviewed.policy().map(Policy::as_str),
            names: names.collect(),
            defects: defects.collect(),
        }
    }
}

impl Shown for DomainReview {
    fn text(&self) -> Vec<u8> {
        let mut text = match (&self.policy, &self.policy_domain) {
            (Some(policy), Some(of)) => format!("{}: policy {policy} of {of}\n", self.domain),
            _ => format!("{}: DMARC does not apply\n", self.domain),
        };
        if let Some(org) = &self.org_domain {
            let _ = writeln!(text, "  organizational domain {org}");
        }
        for WalkedName { name, record } in &self.names {
            let record = record.as_deref().unwrap_or("no record");
            let _ = writeln!(text, "  {name}: {record}");
        }
        for Defect { name, text: defect, section } in &self.defects {
            let _ = writeln!(text, "  defect: {name}: {defect} ({section})");
        }
        text.into_bytes()
    }
}
