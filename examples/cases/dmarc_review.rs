//! The review of a domain, as text and as JSON.

use std::fmt::Write;

use dmarc_policy::{DefectKind, Policy, ReviewDefect, Reviewed, ReviewedName};
use mail_types::dns::Name;
use mail_types::smtp::Domain;
use serde::{Serialize, Serializer};

use super::published::PublishedText;
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
    /// Whether each defect is a choice that its owner may make.
    #[serde(skip)]
    is_sound: bool,
}

/// A name of the tree walk.
#[derive(Debug, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "only a review makes one")]
pub struct WalkedName {
    /// The name.
    pub name: String,
    /// The record that counts, as it is published.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "plain")]
    pub record: Option<PublishedText>,
    /// The published texts that do not count: each of several records, and what is a record but for a mistake.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "each_plain")]
    pub ignored: Vec<PublishedText>,
    /// Why it is not known whether the name has a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
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
    /// Its position in the record, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// The document, and its section.
    pub section: &'static str,
}

impl DmarcReview {
    /// Describes a review.
    #[must_use]
    pub fn new(domain: &Domain, reviewed: &Reviewed) -> Self {
        let names = reviewed.names().iter().map(|name| WalkedName::new(name, reviewed));
        let defects = reviewed.findings().iter().map(|finding| DmarcDefect {
            name: finding.name.to_string(),
            text: finding.defect.to_string(),
            at: finding.defect.at(),
            section: finding.defect.section(),
        });
        Self {
            domain: domain.to_string(),
            org_domain: reviewed.org_domain().map(Name::to_string),
            policy_domain: reviewed.policy_domain().map(Name::to_string),
            policy: reviewed.policy().map(Policy::as_str),
            names: names.collect(),
            defects: defects.collect(),
            is_sound: reviewed.findings().iter().all(|finding| is_choice(&finding.defect)),
        }
    }

    /// Returns the policy and the domain whose record has it, or says that DMARC does not apply, or that the DNS failed.
    #[must_use]
    pub fn result(&self) -> String {
        match (&self.policy, &self.policy_domain) {
            (Some(policy), Some(of)) => format!("policy {policy} of {of}"),
            (_, None) if self.names.iter().any(|name| name.failure.is_some()) => {
                "policy not known: a lookup failed".to_owned()
            }
            _ => "DMARC does not apply".to_owned(),
        }
    }

    /// Returns the organizational domain.
    #[must_use]
    pub fn org_domain(&self) -> Option<&str> {
        self.org_domain.as_deref()
    }
}

impl WalkedName {
    /// Describes a name with its texts.
    fn new(name: &ReviewedName, reviewed: &Reviewed) -> Self {
        let findings = reviewed.findings().iter().filter(|finding| finding.name == name.name);
        let at = |of_record: bool| {
            let is_of =
                move |defect: &ReviewDefect| matches!(defect, ReviewDefect::Syntax(_)) != of_record;
            let defects = findings.clone().map(|finding| &finding.defect);
            defects.filter(move |defect| is_of(defect)).filter_map(ReviewDefect::at)
        };
        // Of several texts it is not known which one has a defect.
        let is_alone = name.ignored.len() == 1;
        Self {
            name: name.name.to_string(),
            record: name.text.as_deref().map(|text| PublishedText::new(text, at(true))),
            ignored: name
                .ignored
                .iter()
                .map(|text| PublishedText::new(text, at(false).filter(|_| is_alone)))
                .collect(),
            failure: name.failure.map(|failure| failure.to_string()),
        }
    }

    /// Returns the published texts, each with its state in words.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &PublishedText)> {
        let record = self.record.iter().map(|text| ("", text));
        record.chain(self.ignored.iter().map(|text| (" (ignored)", text)))
    }

    /// Says that the name has no text, or why that is not known; `None` if it has one.
    #[must_use]
    pub fn without_text(&self) -> Option<String> {
        match &self.failure {
            Some(failure) => Some(format!("the DNS failed: {failure}")),
            None => self.texts().next().is_none().then(|| "no record".to_owned()),
        }
    }
}

impl Shown for DmarcReview {
    fn is_sound(&self) -> bool {
        self.is_sound
    }

    fn text(&self) -> Vec<u8> {
        let mut text = format!("{}: {}\n", self.domain, self.result());
        if let Some(org) = &self.org_domain {
            let _ = writeln!(text, "  organizational domain {org}");
        }
        for walked in &self.names {
            for (head, published) in walked.texts() {
                let head = format!("  {}{head}: ", walked.name);
                let _ = writeln!(text, "{head}{}", published.text());
                if let Some(marks) = published.marks() {
                    let _ = writeln!(text, "{}{marks}", " ".repeat(head.len()));
                }
            }
            if let Some(why) = walked.without_text() {
                let _ = writeln!(text, "  {}: {why}", walked.name);
            }
        }
        for DmarcDefect { name, text: defect, section, .. } in &self.defects {
            let _ = writeln!(text, "  defect: {name}: {defect} ({section})");
        }
        text.into_bytes()
    }
}

/// Tells whether a defect is legal and has an effect that the owner may want.
fn is_choice(defect: &ReviewDefect) -> bool {
    use DefectKind::{PublicSuffix, ReportsOnly, TestMode, WeakerBelow};

    let ReviewDefect::Tag(defect) = defect else { return false };
    matches!(defect.kind, ReportsOnly | WeakerBelow | TestMode | PublicSuffix)
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn plain<S: Serializer>(text: &Option<PublishedText>, to: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(PublishedText::text).serialize(to)
}

fn each_plain<S: Serializer>(texts: &[PublishedText], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(texts.iter().map(PublishedText::text))
}
