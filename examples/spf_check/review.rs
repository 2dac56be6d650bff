//! The review of a domain, as text and as JSON.

use std::fmt::Write;

use examples::cases::shown::Shown;
use mail_types::smtp::Domain;
use serde::Serialize;
use spf_result::Reviewed;

/// The published records of a domain, and their defects.
#[derive(Debug, Serialize)]
pub(crate) struct DomainReview {
    domain: String,
    lookups: usize,
    void_lookups: usize,
    records: Vec<Record>,
    defects: Vec<Defect>,
}

#[derive(Debug, Serialize)]
struct Record {
    domain: String,
    /// How many records refer to it, one to the next.
    depth: usize,
    lookups: usize,
    #[serde(rename = "record")]
    text: String,
}

#[derive(Debug, Serialize)]
struct Defect {
    domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<String>,
    #[serde(rename = "defect")]
    text: String,
    /// Of RFC 7208.
    section: &'static str,
}

impl DomainReview {
    pub(crate) fn new(domain: &Domain, reviewed: &Reviewed) -> Self {
        let records = reviewed.records().iter().map(|found| Record {
            domain: found.domain.to_string(),
            depth: found.depth,
            lookups: found.lookups,
            text: found.record.clone(),
        });
        let defects = reviewed.findings().iter().map(|finding| Defect {
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

impl Shown for DomainReview {
    fn text(&self) -> Vec<u8> {
        let Self { domain, lookups, void_lookups, .. } = self;
        let mut text =
            format!("{domain}: {lookups} of 10 lookups, {void_lookups} of 2 void lookups\n");
        for Record { domain, depth, lookups, text: record } in &self.records {
            let indent = "  ".repeat(depth + 1);
            let _ = writeln!(text, "{indent}{domain} ({lookups} lookups): {record}");
        }
        for Defect { domain, term, text: defect, section } in &self.defects {
            let term = term.as_ref().map(|term| format!("{term}: ")).unwrap_or_default();
            let _ =
                writeln!(text, "  defect: {domain}: {term}{defect} (RFC 7208 section {section})");
        }
        text.into_bytes()
    }
}
