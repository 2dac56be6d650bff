//! The content of a report, as text and as JSON.

use std::fmt::{Display, Write};

use dmarc_policy::{
    AlignmentMode, DiscoveryMethod, Feedback, FeedbackReading, FeedbackRow, RowDisposition,
};
use examples::cases::shown;
use mail_types::results::{AuthResult, SpfIdentity};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::input::failure::Failure;
use crate::input::opening::{Content, Found};
use examples::cases::count::counted;

/// What there is to say of a report.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The archives and parts of messages that hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    /// Whether a report of this organization, identifier and domain came before.
    #[serde(skip_serializing_if = "is_false")]
    repeated: bool,
    #[serde(flatten)]
    pub(crate) outcome: ReportResult,
}

/// The report, or the reason why it cannot be read.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ReportResult {
    Report(Box<Report>),
    Failure {
        #[serde(skip_serializing_if = "Option::is_none")]
        arrival: Option<String>,
        failure_report: Box<Failure>,
    },
    Failed {
        error: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<usize>,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `null` where the report breaks off before it.
    pub(crate) domain: Option<String>,
    pub(crate) org_name: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_contact_info: Option<String>,
    #[serde(rename = "report_id")]
    pub(crate) id: String,
    pub(crate) begin: String,
    pub(crate) end: String,
    #[serde(rename = "error_text", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generator: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) messages: u64,
    pub(crate) passed: u64,
    pub(crate) rows: Vec<Row>,
    pub(crate) deviations: Vec<DeviationEntry>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Policy {
    /// `null` where the report does not say, here and below.
    p: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    np: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adkim: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aspf: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    testing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pct: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery_method: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) source: String,
    pub(crate) count: u64,
    pub(crate) disposition: Option<&'static str>,
    pub(crate) dkim: Option<bool>,
    pub(crate) spf: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
    pub(crate) header_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope_to: Option<String>,
    signatures: Vec<Evaluation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spf_result: Option<Evaluation>,
}

#[derive(Debug, Serialize)]
struct Reason {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// What a method has found for a domain.
#[derive(Debug, Serialize)]
struct Evaluation {
    domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    human_result: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DeviationEntry {
    pub(crate) at: usize,
    pub(crate) what: String,
}

impl Case {
    /// Makes the case of a place in a file.
    pub(crate) fn new(file: Option<String>, found: &Found, repeated: bool) -> Self {
        let outcome = match &found.content {
            Content::Report(reading) => ReportResult::Report(Box::new(Report::new(reading))),
            Content::Failure(failure) => ReportResult::Failure {
                arrival: failure.arrival.map(moment),
                failure_report: failure.clone(),
            },
            Content::Fault(error) => {
                ReportResult::Failed { error: error.to_string(), at: error.at() }
            }
        };
        let within = Some(found.within.clone()).filter(|within| !within.is_empty());
        Self { file, within, repeated, outcome }
    }

    /// Makes the case of a file that cannot be read, or has no report.
    pub(crate) fn unread(file: Option<String>, error: &dyn Display) -> Self {
        let outcome = ReportResult::Failed { error: error.to_string(), at: None };
        Self { file, within: None, repeated: false, outcome }
    }
}

impl shown::Shown for Case {
    fn text(&self) -> Vec<u8> {
        let mut text = self.file.clone().unwrap_or_default();
        if let Some(within) = &self.within {
            text.push_str(if text.is_empty() { "" } else { ", " });
            text.push_str(within);
        }
        text.push_str(if text.is_empty() { "" } else { ": " });
        match &self.outcome {
            ReportResult::Report(report) => report.text(&mut text),
            ReportResult::Failure { arrival, failure_report } => {
                write_failure(&mut text, arrival.as_deref(), failure_report);
            }
            ReportResult::Failed { error, .. } => text.extend([error, "\n"]),
        }
        if self.repeated {
            text.push_str("  a repetition: it counts once\n");
        }
        text.into_bytes()
    }
}

/// The failure report as text.
pub(crate) fn write_failure(text: &mut String, arrival: Option<&str>, failure: &Failure) {
    let domain = failure.domain.as_deref().unwrap_or(NOT_GIVEN);
    let reporter = failure.reporter.as_deref().unwrap_or(NOT_GIVEN);
    let _ =
        writeln!(text, "{domain}, failure report by {reporter}, {}", arrival.unwrap_or(NOT_GIVEN));
    let source = failure.source.map(|source| source.to_string());
    for (name, value) in [
        ("source", source.as_ref()),
        ("failure", failure.auth_failure.as_ref()),
        ("not aligned", failure.identity_alignment.as_ref()),
        ("delivery", failure.delivery_result.as_ref()),
        ("envelope from", failure.envelope_from.as_ref()),
        ("from", failure.header_from.as_ref()),
        ("subject", failure.subject.as_ref()),
        ("dkim domain", failure.dkim_domain.as_ref()),
        ("selector", failure.dkim_selector.as_ref()),
        ("spf record", failure.spf_dns.as_ref()),
    ] {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<13} {value}");
        }
    }
    for deviation in &failure.deviations {
        let _ = writeln!(text, "  odd: {deviation}");
    }
}

impl Report {
    fn new(FeedbackReading { feedback, deviations, .. }: &FeedbackReading) -> Self {
        let Feedback { metadata, rows, .. } = feedback;
        let (messages, passed) = feedback.messages();
        Self {
            domain: Some(feedback.policy.domain.clone()).filter(|domain| !domain.is_empty()),
            org_name: metadata.org_name.clone(),
            email: metadata.email.clone(),
            extra_contact_info: metadata.extra_contact_info.clone(),
            id: metadata.report_id.clone(),
            begin: moment(metadata.begin),
            end: moment(metadata.end),
            error: metadata.error.clone(),
            generator: metadata.generator.clone(),
            policy: Policy::new(feedback),
            messages,
            passed,
            rows: rows.iter().map(Row::new).collect(),
            deviations: deviations
                .iter()
                .map(|deviation| DeviationEntry {
                    at: deviation.at,
                    what: deviation.kind.to_string(),
                })
                .collect(),
        }
    }

    fn text(&self, text: &mut String) {
        let Self { domain, org_name, begin, end, messages, passed, .. } = self;
        let domain = domain.as_deref().unwrap_or(NOT_GIVEN);
        let _ = writeln!(text, "{domain} by {org_name}, {begin} to {end}");
        let _ = writeln!(text, "  policy {}", self.policy.text());
        let _ = writeln!(text, "  {passed} of {} passed", counted(*messages, "message"));
        if let Some(error) = &self.error {
            let _ = writeln!(text, "  error: {error}");
        }
        let source = self.rows.iter().map(|row| row.source.len()).max().unwrap_or(0).max(6);
        if !self.rows.is_empty() {
            let name = "source";
            let _ = writeln!(text, "  {name:<source$}    count dkim spf  disposition from");
        }
        for row in &self.rows {
            let Row { source: address, count, disposition, header_from, .. } = row;
            let (dkim, spf) = (word(row.dkim), word(row.spf));
            let disposition = disposition.unwrap_or(NOT_GIVEN);
            let _ = write!(text, "  {address:<source$} {count:>8} {dkim:<4} {spf:<4} ");
            let _ = write!(text, "{disposition:<11} {header_from}");
            for reason in &row.reasons {
                let _ = write!(text, ", {}", reason.kind);
            }
            text.push('\n');
        }
        for deviation in &self.deviations {
            let _ = writeln!(text, "  odd at byte {}: {}", deviation.at, deviation.what);
        }
    }
}

impl Policy {
    pub(crate) fn new(feedback: &Feedback) -> Self {
        let policy = &feedback.policy;
        let mode = |mode| if mode == AlignmentMode::Strict { "s" } else { "r" };
        Self {
            p: policy.p.map(dmarc_policy::Policy::as_str),
            sp: policy.sp.map(dmarc_policy::Policy::as_str),
            np: policy.np.map(dmarc_policy::Policy::as_str),
            adkim: policy.adkim.map(mode),
            aspf: policy.aspf.map(mode),
            fo: policy.fo.map(|fo| fo.to_string()),
            testing: policy.testing,
            pct: policy.pct,
            discovery_method: policy.discovery.map(DiscoveryMethod::as_str),
        }
    }

    /// The tags, as a record has them.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("p={}", self.p.unwrap_or(NOT_GIVEN));
        let pct = self.pct.map(|pct| pct.to_string());
        for (name, value) in [
            ("sp", self.sp),
            ("np", self.np),
            ("adkim", self.adkim),
            ("aspf", self.aspf),
            ("fo", self.fo.as_deref()),
            ("t", self.testing.map(|testing| if testing { "y" } else { "n" })),
            ("pct", pct.as_deref()),
        ] {
            if let Some(value) = value {
                let _ = write!(text, "; {name}={value}");
            }
        }
        text
    }
}

impl Row {
    fn new(row: &FeedbackRow) -> Self {
        let reasons = row.reasons.iter();
        let signatures = row.signatures.iter();
        Self {
            source: row.source.to_string(),
            count: row.count,
            disposition: row.disposition.map(RowDisposition::as_str),
            dkim: row.dkim,
            spf: row.spf,
            reasons: reasons
                .map(|reason| Reason {
                    kind: reason.kind.as_str(),
                    comment: reason.comment.clone(),
                })
                .collect(),
            header_from: row.header_from.clone(),
            envelope_from: row.envelope_from.clone(),
            envelope_to: row.envelope_to.clone(),
            signatures: signatures
                .map(|signature| Evaluation {
                    domain: signature.domain.clone(),
                    selector: Some(signature.selector.clone()),
                    scope: None,
                    result: signature.result.map(AuthResult::as_str),
                    human_result: signature.human_result.clone(),
                })
                .collect(),
            spf_result: row.spf_result.as_ref().map(|spf| Evaluation {
                domain: spf.domain.clone(),
                selector: None,
                scope: spf.scope.map(|scope| match scope {
                    SpfIdentity::MailFrom => "mfrom",
                    SpfIdentity::Helo => "helo",
                }),
                result: spf.result.map(AuthResult::as_str),
                human_result: spf.human_result.clone(),
            }),
        }
    }
}

/// Whether a method has passed, as a word.
pub(crate) fn word(passed: Option<bool>) -> &'static str {
    match passed {
        Some(true) => "pass",
        Some(false) => "fail",
        None => NOT_GIVEN,
    }
}

/// The text for a value that the report does not give.
pub(crate) const NOT_GIVEN: &str = "-";

/// A second since 1970 as RFC 3339 writes it; as a number where that cannot.
pub(crate) fn moment(second: u64) -> String {
    let time = i64::try_from(second).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| second.to_string())
}

/// The day of a period, since 1970: that of its middle, since not every reporter's day is that of UTC.
pub(crate) fn day(begin: u64, end: u64) -> u32 {
    let middle = begin.saturating_add(end.saturating_sub(begin) / 2);
    u32::try_from(middle / 86_400).unwrap_or(u32::MAX)
}

/// A day since 1970 as RFC 3339 writes it; as a number where that cannot.
pub(crate) fn day_text(day: u32) -> String {
    let second = i64::from(day) * 86_400;
    let time = OffsetDateTime::from_unix_timestamp(second);
    time.map_or_else(|_| day.to_string(), |time| time.date().to_string())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}
