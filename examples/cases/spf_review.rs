//! The review of a domain, as text and as JSON.

use std::fmt::Write;

use mail_types::smtp::Domain;
use serde::{Serialize, Serializer};
use spf_result::{Defect, Finding, Reviewed};

use super::count::counted;
use super::published::PublishedText;
use super::shown::Shown;

/// The published records of a domain, and their defects.
#[derive(Debug, Serialize)]
pub struct SpfReview {
    domain: String,
    /// Why it is not known whether the domain has a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Of at most ten.
    lookups: usize,
    void_lookups: usize,
    /// The record of the domain, and behind each record those that it refers to.
    pub records: Vec<ReviewedRecord>,
    /// The defects.
    pub defects: Vec<SpfDefect>,
}

/// A record of the tree.
#[derive(Debug, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "only a review makes one")]
pub struct ReviewedRecord {
    /// The name of the record.
    pub domain: String,
    /// How many records refer to it, one to the next.
    pub depth: usize,
    /// The lookups that its own terms cause.
    pub lookups: usize,
    /// The record, as it is published.
    #[serde(rename = "record", serialize_with = "plain")]
    pub text: PublishedText,
    /// The reason why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// A defect of the records.
#[derive(Debug, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "only a review makes one")]
pub struct SpfDefect {
    /// The name of the record.
    pub domain: String,
    /// The term, if it is one of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// The defect.
    #[serde(rename = "defect")]
    pub text: String,
    /// Its position in the record, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Of RFC 7208.
    pub section: &'static str,
}

impl SpfReview {
    /// Describes a review.
    #[must_use]
    pub fn new(domain: &Domain, reviewed: &Reviewed) -> Self {
        let records = reviewed.records().iter().map(|found| ReviewedRecord {
            domain: found.domain.to_string(),
            depth: found.depth,
            lookups: found.lookups,
            text: PublishedText::new(&found.record, found.defect.as_ref().and_then(Defect::at)),
            ignored: found.defect.as_ref().map(ToString::to_string),
        });
        let defects = reviewed.findings().iter().map(|finding| SpfDefect {
            domain: finding.domain.to_string(),
            term: finding.term.as_deref().map(str::to_owned),
            text: finding.defect.to_string(),
            at: finding.defect.at(),
            section: finding.defect.section(),
        });
        // The lookup of the own record is the first, and a review ends with its failure.
        let failure = match reviewed.findings() {
            [Finding { defect: Defect::Dns(failure), term: None, .. }]
                if reviewed.records().is_empty() =>
            {
                Some(failure.to_string())
            }
            _ => None,
        };
        Self {
            domain: domain.to_string(),
            failure,
            lookups: reviewed.lookups(),
            void_lookups: reviewed.void_lookups(),
            records: records.collect(),
            defects: defects.collect(),
        }
    }
}

impl SpfReview {
    /// Returns the number of lookups, or says that the DNS failed.
    #[must_use]
    pub fn result(&self) -> String {
        let Self { lookups, void_lookups, .. } = self;
        match &self.failure {
            Some(failure) => format!("the DNS failed: {failure}"),
            None => format!("{lookups} of 10 lookups, {void_lookups} of 2 void lookups"),
        }
    }

    /// Tells whether the domain has no text that is a record, or was meant to be one.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.records.is_empty() && self.failure.is_none()
    }
}

impl ReviewedRecord {
    /// Returns the lookups of the record, or says that it does not count.
    #[must_use]
    pub fn state(&self) -> String {
        match self.ignored {
            Some(_) => "ignored".to_owned(),
            None => counted(self.lookups, "lookup"),
        }
    }
}

impl Shown for SpfReview {
    fn is_sound(&self) -> bool {
        self.defects.is_empty()
    }

    fn text(&self) -> Vec<u8> {
        let mut text = format!("{}: {}\n", self.domain, self.result());
        if self.is_absent() {
            let _ = writeln!(text, "  {}: no record", self.domain);
        }
        for record in &self.records {
            let head = format!(
                "{}{} ({}): ",
                "  ".repeat(record.depth + 1),
                record.domain,
                record.state()
            );
            let _ = writeln!(text, "{head}{}", record.text.text());
            if let Some(marks) = record.text.marks() {
                let _ = writeln!(text, "{}{marks}", " ".repeat(head.len()));
            }
        }
        for SpfDefect { domain, term, text: defect, section, .. } in &self.defects {
            let term = term.as_ref().map(|term| format!("{term}: ")).unwrap_or_default();
            let _ =
                writeln!(text, "  defect: {domain}: {term}{defect} (RFC 7208 section {section})");
        }
        text.into_bytes()
    }
}

/// Writes the text without its marks.
fn plain<S: Serializer>(text: &PublishedText, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text.text())
}
