//! The result of making a report.

use dmarc_policy::{Destination, Feedback, Permission};
use examples::cases::count::counted;
use examples::cases::shown::Shown;
use serde::Serialize;

/// The outcome of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Made {
    domain: String,
    #[serde(rename = "report_id")]
    id: String,
    messages: u64,
    passed: u64,
    rows: usize,
    /// None if nobody may have it.
    files: Vec<String>,
    destinations: Vec<Told>,
}

/// A destination, and whether it may be used.
#[derive(Debug, Serialize)]
struct Told {
    uri: String,
    permission: &'static str,
    /// Where the report goes.
    targets: Vec<String>,
}

impl Made {
    pub(crate) fn new(report: &Feedback, destinations: &[Destination], files: Vec<String>) -> Self {
        let (messages, passed) = report.messages();
        let told = |destination: &Destination| Told {
            uri: destination.uri.to_string(),
            permission: match destination.permission {
                Permission::Inside => "inside",
                Permission::Given => "given",
                Permission::Elsewhere(_) => "elsewhere",
                Permission::Refused => "refused",
                Permission::Astray => "astray",
                Permission::Unsupported => "unsupported",
                _ => "unknown",
            },
            targets: destination.targets().iter().map(ToString::to_string).collect(),
        };
        Self {
            domain: report.policy.domain.clone(),
            id: report.metadata.report_id.clone(),
            messages,
            passed,
            rows: report.rows.len(),
            files,
            destinations: destinations.iter().map(told).collect(),
        }
    }
}

impl Shown for Made {
    fn text(&self) -> Vec<u8> {
        let Self { domain, messages, passed, .. } = self;
        let mut text = format!("{domain}: {passed} of {} passed\n", counted(*messages, "message"));
        for Told { uri, permission, .. } in &self.destinations {
            text.extend(["  ", uri, ": ", permission, "\n"]);
        }
        for file in &self.files {
            text.extend(["  ", file, "\n"]);
        }
        if self.destinations.is_empty() {
            text.push_str(
                "  not written: the record names no destination for aggregate reports (rua)\n",
            );
        } else if self.files.is_empty() {
            text.push_str("  not written: no destination may get it\n");
        }
        text.into_bytes()
    }
}
