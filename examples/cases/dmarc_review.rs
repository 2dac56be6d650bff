//! The review of a domain, as text and as JSON.

use std::fmt::Write;

use dmarc_policy::{Policy, Reviewed, ReviewedName};

use mail_types::dns::Name;
use mail_types::smtp::Domain;
use serde::Serialize;

use super::shown::Shown;

/// The records that count for a domain, and their defects.
#[derive(Debug, Serialize)]
pub struct DmarcReview {
    domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'static str>,
    /// The names of the tree walk.
    pub names: Vec<WalkedName>,
    /// The defects.
    pub defects: Vec<DmarcDefect>,
}

/// A name of the tree walk.
#[derive(Debug, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "only a review makes one")]
pub struct WalkedName {
    /// The name.
    pub name: String,
    /// Its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A defect of the records.
#[derive(Debug, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "only a review makes one")]
pub struct DmarcDefect {
    /// The name of the record.
    pub name: String,
    /// The defect.
    #[serde(rename = "defect")]
    pub text: String,
    /// The document, and its section.
    pub section: &'static str,
}

impl DmarcReview {
    /// Describes a review.
    #[must_use]
    pub fn new(domain: &Domain, reviewed: &Reviewed) -> Self {
        let names = reviewed.names().iter().map(|ReviewedName { name, record, .. }| WalkedName {
            name: name.to_string(),
            record: record.as_ref().map(ToString::to_string),
        });
        let defects = reviewed.findings().iter().map(|finding| DmarcDefect {
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

impl Shown for DmarcReview {
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
        for DmarcDefect { name, text: defect, section } in &self.defects {
            let _ = writeln!(text, "  defect: {name}: {defect} ({section})");
        }
        text.into_bytes()
    }
}
