//! The review of a domain, as text and as JSON.

use std::fmt::Write;

use mail_types::smtp::Domain;
use serde::Serialize;
use spf_result::Reviewed;

use super::shown::Shown;

/// The published records of a domain, and their defects.
#[derive(Debug, Serialize)]
pub struct SpfReview {
    domain: String,
    /// Of at most ten.
    pub lookups: usize,
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
    /// The record.
    #[serde(rename = "record")]
    pub text: String,
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
            text: found.record.clone(),
        });
        let defects = reviewed.findings().iter().map(|finding| SpfDefect {
            domain: finding.domain.to_string(),
            term: finding.term.as_deref().map(str::to_owned),
            text: finding.defect.to_string(),
            section: finding.defect.section(),
        });
        Self {
            domain: domain.to_string(),
            lookups: reviewed.lookups(),
            void_lookups: reviewed.void_lookups(),
            records: records.collect(),
            defects: defects.collect(),
        }
    }
}

impl Shown for SpfReview {
    fn text(&self) -> Vec<u8> {
        let Self { domain, lookups, void_lookups, .. } = self;
        let mut text =
            format!("{domain}: {lookups} of 10 lookups, {void_lookups} of 2 void lookups\n");
        for ReviewedRecord { domain, depth, lookups, text: record } in &self.records {
            let indent = "  ".repeat(depth + 1);
            let _ = writeln!(text, "{indent}{domain} ({lookups} lookups): {record}");
        }
        for SpfDefect { domain, term, text: defect, section } in &self.defects {
            let term = term.as_ref().map(|term| format!("{term}: ")).unwrap_or_default();
            let _ =
                writeln!(text, "  defect: {domain}: {term}{defect} (RFC 7208 section {section})");
        }
        text.into_bytes()
    }
}
