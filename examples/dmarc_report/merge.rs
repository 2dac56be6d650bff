//! All reports together: for each domain, source, reporter and day.

mod facts;
mod lines;
mod texts;
mod view;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use dmarc_policy::{Feedback, FeedbackReading, FeedbackRow, RowDisposition};
use examples::cases::count::counted;
use thiserror::Error;

use crate::case::{Policy, day};
use crate::input::failure::Failure;

pub(crate) use facts::{Fact, Facts, Shown};
pub(crate) use lines::{write_csv, write_ndjson};
use texts::Texts;
pub(crate) use view::{Day, DomainView, FailureView, Odd, SourceView, Totals, Unread, View};

/// The limits on the merged view.
#[derive(Clone, Debug)]
pub(crate) struct MergeLimits {
    /// Different combinations of domain, source, reporter and day.
    pub(crate) rows: usize,
    /// Reports, and failure reports.
    pub(crate) reports: usize,
    /// Octets of all different texts.
    pub(crate) texts: usize,
}

impl Default for MergeLimits {
    fn default() -> Self {
        Self { rows: 1_000_000, reports: 200_000, texts: 128 << 20 }
    }
}

/// A report does not fit into the merged view, and is left out as a whole.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum MergeError {
    #[error("more than {} (--max-reports)", counted(*.limit, "report"))]
    Reports { limit: usize },
    #[error("more than {} (--max-rows)", counted(*.limit, "merged row"))]
    Rows { limit: usize },
    #[error("more than {limit} octets of different texts (--max-texts)")]
    Texts { limit: usize },
}

/// The rows of all reports so far.
#[derive(Debug)]
pub(crate) struct Merge {
    limits: MergeLimits,
    /// Whether rows are kept, or only the identities of the reports.
    keeps_rows: bool,
    texts: Texts,
    rows: HashMap<Key, Sums>,
    /// The reports, by organization, identifier and domain.
    seen: HashSet<[u32; 3]>,
    policies: BTreeMap<u32, (u64, Policy)>,
    odd: BTreeMap<(u32, u32, String), (u64, String)>,
    failures: Vec<(String, Failure)>,
    unread: Vec<(String, String)>,
    repeated: u64,
    without: u64,
}

/// The merged rows have this in common.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key {
    domain: u32,
    source: IpAddr,
    reporter: u32,
    /// Since 1970.
    day: u32,
}

/// The messages of a merged row, or of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) messages: u64,
    pub(crate) passed: u64,
    pub(crate) dkim: u64,
    pub(crate) spf: u64,
    pub(crate) quarantine: u64,
    pub(crate) reject: u64,
    pub(crate) facts: Facts,
}

impl Merge {
    pub(crate) fn new(limits: MergeLimits, keeps_rows: bool) -> Self {
        Self {
            limits,
            keeps_rows,
            texts: Texts::default(),
            rows: HashMap::new(),
            seen: HashSet::new(),
            policies: BTreeMap::new(),
            odd: BTreeMap::new(),
            failures: Vec::new(),
            unread: Vec::new(),
            repeated: 0,
            without: 0,
        }
    }

    /// Adds a report; returns `false` if it was there before.
    ///
    /// RFC 9990, "Definition of Report-ID", has an identifier unique among the reports of a reporter to the
    /// same domain.
    pub(crate) fn add(
        &mut self,
        reading: &FeedbackReading,
        place: &str,
    ) -> Result<bool, MergeError> {
        let Feedback { metadata, policy, rows, .. } = &reading.feedback;
        if self.texts.octets() > self.limits.texts {
            return Err(MergeError::Texts { limit: self.limits.texts });
        }
        let reporter = self.texts.number(metadata.org_name.trim());
        let domain = self.texts.number(&policy.domain.to_ascii_lowercase());
        // A report without an identifier has its period.
        let period = format!("{}-{}", metadata.begin, metadata.end);
        let id = if metadata.report_id.is_empty() { &period } else { &metadata.report_id };
        let identity = [reporter, self.texts.number(id), domain];
        if self.seen.contains(&identity) {
            self.repeated += 1;
            return Ok(false);
        }
        if self.seen.len() >= self.limits.reports {
            return Err(MergeError::Reports { limit: self.limits.reports });
        }
        if !self.keeps_rows {
            self.seen.insert(identity);
            return Ok(true);
        }
        let day = day(metadata.begin, metadata.end);
        let keys = rows.iter().map(|row| Key { domain, source: row.source, reporter, day });
        // A report near the limit is counted exactly.
        let is_near = self.rows.len().saturating_add(rows.len()) > self.limits.rows;
        let new = is_near.then(|| keys.filter(|key| !self.rows.contains_key(key)).collect());
        let new = new.map_or(0, |new: HashSet<_>| new.len());
        if self.rows.len().saturating_add(new) > self.limits.rows {
            return Err(MergeError::Rows { limit: self.limits.rows });
        }
        self.seen.insert(identity);
        for row in rows {
            let key = Key { domain, source: row.source, reporter, day };
            self.rows.entry(key).or_default().add(row, &mut self.texts);
        }
        let latest = self.policies.get(&domain).is_none_or(|(end, _)| *end <= metadata.end);
        if latest {
            self.policies.insert(domain, (metadata.end, Policy::new(&reading.feedback)));
        }
        self.note(reading, domain, reporter, place);
        Ok(true)
    }

    /// Takes down the deviations and the error text of a report.
    fn note(&mut self, reading: &FeedbackReading, domain: u32, reporter: u32, place: &str) {
        let error = reading.feedback.metadata.error.as_ref();
        let error = error.map(|error| format!("error in the record: {error}"));
        let kinds = reading.deviations.iter().map(|deviation| deviation.kind.to_string());
        for text in kinds.chain(error) {
            let key = (domain, reporter, text);
            if self.odd.len() >= MAX_ODD && !self.odd.contains_key(&key) {
                continue;
            }
            let (count, _) = self.odd.entry(key).or_insert_with(|| (0, place.to_owned()));
            *count += 1;
        }
    }

    pub(crate) fn add_failure(&mut self, failure: &Failure, place: &str) -> Result<(), MergeError> {
        if self.failures.len() >= self.limits.reports {
            return Err(MergeError::Reports { limit: self.limits.reports });
        }
        if self.keeps_rows {
            self.failures.push((place.to_owned(), failure.clone()));
        }
        Ok(())
    }

    /// Takes down an input that could not be read.
    pub(crate) fn add_unread(&mut self, place: &str, error: &str) {
        if self.keeps_rows && self.unread.len() < self.limits.reports {
            self.unread.push((place.to_owned(), error.to_owned()));
        }
    }

    /// Counts a message or file without a report.
    pub(crate) fn add_without(&mut self) {
        self.without += 1;
    }
}

/// The most different deviations.
const MAX_ODD: usize = 10_000;

impl Sums {
    fn add(&mut self, row: &FeedbackRow, texts: &mut Texts) {
        let count = row.count;
        let add = |sum: &mut u64, is_counted: bool| {
            *sum = sum.saturating_add(if is_counted { count } else { 0 });
        };
        add(&mut self.messages, true);
        add(&mut self.passed, row.passed());
        add(&mut self.dkim, row.dkim == Some(true));
        add(&mut self.spf, row.spf == Some(true));
        add(&mut self.quarantine, row.disposition == Some(RowDisposition::Quarantine));
        add(&mut self.reject, row.disposition == Some(RowDisposition::Reject));
        self.facts.add(row, texts);
    }

    /// Adds other messages.
    fn merge(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.messages, other.messages),
            (&mut self.passed, other.passed),
            (&mut self.dkim, other.dkim),
            (&mut self.spf, other.spf),
            (&mut self.quarantine, other.quarantine),
            (&mut self.reject, other.reject),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.facts.merge(&other.facts);
    }

    pub(crate) fn failed(&self) -> u64 {
        self.messages.saturating_sub(self.passed)
    }
}
