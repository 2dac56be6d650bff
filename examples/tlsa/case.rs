//! A case and its result.

use std::error::Error;
use std::fmt::Write as _;

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::{Check, Limits, RecordSet, Review, Severity, TlsaRecord, Verdict};
use data_encoding::BASE64;
use examples::cases::certificates::time;
use examples::cases::shown::Shown;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use serde::{Deserialize, Serialize};

/// A case as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    tlsa: Vec<String>,
    chain: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    time: Option<String>,
}

/// A case, read.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) records: RecordSet,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) names: Vec<Name>,
    pub(crate) now: UnixTime,
}

impl Case {
    pub(crate) fn outcome(&self) -> Outcome {
        match self.subject() {
            Ok(subject) => subject.outcome(),
            Err(error) => Outcome::wrong(&error.to_string(), 0),
        }
    }

    fn subject(&self) -> Result<Subject, Box<dyn Error>> {
        let chain = self.chain.iter().enumerate().map(|(at, text)| {
            let der = BASE64.decode(text.as_bytes());
            der.map(CertificateDer::from).map_err(|error| format!("chain[{at}]: {error}"))
        });
        Ok(Subject {
            records: records(&self.tlsa).map_err(|error| format!("tlsa{error}"))?,
            chain: chain.collect::<Result<_, _>>()?,
            names: names(&self.names)?,
            now: match self.time.as_deref().map(time).transpose() {
                Ok(time) => time.unwrap_or_else(UnixTime::now),
                Err(error) => return Err(format!("time: {error}").into()),
            },
        })
    }
}

/// Reads records.
pub(crate) fn records(texts: &[String]) -> Result<RecordSet, Box<dyn Error>> {
    let record = |(at, text): (usize, &String)| {
        text.parse::<TlsaRecord>().map_err(|error| format!("[{at}]: {error}"))
    };
    let records: Result<Vec<_>, _> = texts.iter().enumerate().map(record).collect();
    let set = RecordSet::new(records?, &Limits::default());
    Ok(set.map_err(|error| format!(": {error}"))?)
}

fn names(texts: &[String]) -> Result<Vec<Name>, String> {
    let name = |(at, text): (usize, &String)| {
        text.parse().map_err(|error| format!("names[{at}]: {error}"))
    };
    texts.iter().enumerate().map(name).collect()
}

impl Subject {
    pub(crate) fn outcome(&self) -> Outcome {
        let algorithms = default_provider().signature_verification_algorithms.all;
        let check = Check::new(&self.records, &self.names, algorithms);
        Outcome::new(&check.review(&self.chain, self.now), &self.records)
    }
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    /// `match`, `no-match` or `unusable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// The place of the record that matches, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<usize>,
    /// That record.
    #[serde(skip_serializing_if = "Option::is_none")]
    tlsa: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    /// Why each record does not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<String>>,
    /// Faults, and facts worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    /// The line of the case, if it came from standard input and could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// A fault, or a fact worth knowing.
#[derive(Debug, Serialize)]
struct Found {
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<usize>,
    text: String,
}

impl Outcome {
    pub(crate) fn wrong(error: &str, at: usize) -> Self {
        Self { error: Some(error.to_owned()), at: Some(at), ..Self::default() }
    }

    /// Adds the line of a case that could not be read.
    pub(crate) fn on_line(self, line: usize) -> Self {
        Self { line: self.error.is_some().then_some(line), ..self }
    }

    fn new(review: &Review, records: &RecordSet) -> Self {
        let findings = review.findings.iter().map(|finding| Found {
            severity: match finding.severity() {
                Severity::Notice => "notice",
                Severity::Warning => "warning",
                Severity::Problem => "problem",
            },
            record: finding.record.map(|(place, _)| place),
            text: finding.to_string(),
        });
        let outcome = Self { findings: findings.collect(), ..Self::default() };
        let (verdict, why) = match &review.verdict {
            Verdict::Match(found) => {
                return Self {
                    verdict: Some("match"),
                    record: Some(found.record),
                    tlsa: records.get(found.record).map(ToString::to_string),
                    depth: Some(found.depth),
                    ..outcome
                };
            }
            Verdict::NoMatch(why) => ("no-match", why),
            Verdict::Unusable(why) => ("unusable", why),
        };
        let reasons = why.records.iter().map(ToString::to_string).collect();
        Self { verdict: Some(verdict), reasons: Some(reasons), ..outcome }
    }
}

impl Shown for Outcome {
    fn is_sound(&self) -> bool {
        self.verdict == Some("match")
    }

    fn text(&self) -> Vec<u8> {
        let mut text = self.verdict.unwrap_or("malformed").to_owned();
        text += &self.line.map(|line| format!(": line {line}")).unwrap_or_default();
        text += &self.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        text.push('\n');
        if let (Some(tlsa), Some(depth)) = (&self.tlsa, self.depth) {
            let _ = writeln!(text, "  record    {tlsa}\n  depth     {depth}");
        }
        for reason in self.reasons.iter().flatten() {
            let _ = writeln!(text, "  reason    {reason}");
        }
        for found in &self.findings {
            let _ = writeln!(text, "  {:<9} {}", found.severity, found.text);
        }
        text.into_bytes()
    }
}
