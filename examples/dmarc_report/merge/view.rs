//! The merged view: totals, days, and a part for each domain.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::lines::Rows;
use super::texts::Texts;
use super::{Fact, Key, Merge, Shown, Sums};
use crate::case::{Policy, day_text, moment};
use crate::input::failure::Failure;

/// Everything that there is to show.
#[derive(Debug, Serialize)]
pub(crate) struct View<'m> {
    pub(crate) reports: usize,
    /// Reports that came again.
    pub(crate) repeated: u64,
    pub(crate) failure_reports: usize,
    /// Messages and files without a report.
    pub(crate) without_report: u64,
    #[serde(flatten)]
    pub(crate) totals: Totals,
    pub(crate) days: Vec<Day>,
    pub(crate) domains: Vec<DomainView<'m>>,
    pub(crate) unread: Vec<Unread<'m>>,
    pub(crate) rows: Rows<'m>,
}

/// Numbers of messages.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) messages: u64,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Day {
    /// Since 1970.
    #[serde(skip)]
    pub(crate) number: u32,
    #[serde(rename = "day")]
    pub(crate) text: String,
    #[serde(flatten)]
    pub(crate) totals: Totals,
}

/// The mail of a domain.
#[derive(Debug, Serialize)]
pub(crate) struct DomainView<'m> {
    /// `None` where a report breaks off before it.
    pub(crate) domain: Option<&'m str>,
    /// The policy in the report with the latest end.
    pub(crate) policy: Option<&'m Policy>,
    #[serde(flatten)]
    pub(crate) totals: Totals,
    pub(crate) reporters: Vec<Reporter<'m>>,
    pub(crate) days: Vec<Day>,
    /// Those with the most failures first.
    pub(crate) sources: Vec<SourceView<'m>>,
    pub(crate) odd: Vec<Odd<'m>>,
    pub(crate) failures: Vec<FailureView<'m>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Reporter<'m> {
    pub(crate) reporter: &'m str,
    #[serde(flatten)]
    pub(crate) totals: Totals,
}

/// A source of a domain's mail.
#[derive(Debug)]
pub(crate) struct SourceView<'m> {
    pub(crate) source: IpAddr,
    pub(crate) sums: Sums,
    pub(crate) reporters: usize,
    pub(crate) first: String,
    pub(crate) last: String,
    texts: &'m Texts,
}

impl SourceView<'_> {
    /// Returns the facts of a kind.
    pub(crate) fn facts(&self, fact: Fact) -> Vec<Shown<'_>> {
        self.sums.facts.shown(fact, self.texts)
    }
}

impl Serialize for SourceView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("source", &self.source)?;
        for (name, count) in self.sums.counts() {
            map.serialize_entry(name, &count)?;
        }
        map.serialize_entry("reporters", &self.reporters)?;
        map.serialize_entry("first", &self.first)?;
        map.serialize_entry("last", &self.last)?;
        for fact in Fact::ALL {
            map.serialize_entry(fact.name(), &self.facts(fact))?;
        }
        if self.sums.facts.others > 0 {
            map.serialize_entry("other_facts", &self.sums.facts.others)?;
        }
        map.end()
    }
}

/// A deviation of reports from the standards.
#[derive(Debug, Serialize)]
pub(crate) struct Odd<'m> {
    pub(crate) what: &'m str,
    pub(crate) reporter: &'m str,
    /// The number of its occurrences.
    pub(crate) count: u64,
    /// The first file with it.
    pub(crate) file: &'m str,
}

#[derive(Debug, Serialize)]
pub(crate) struct FailureView<'m> {
    pub(crate) file: &'m str,
    pub(crate) arrival: Option<String>,
    #[serde(flatten)]
    pub(crate) failure: &'m Failure,
}

/// An input that could not be read.
#[derive(Debug, Serialize)]
pub(crate) struct Unread<'m> {
    pub(crate) file: &'m str,
    pub(crate) error: &'m str,
}

impl Totals {
    fn add(&mut self, sums: &Sums) {
        self.messages = self.messages.saturating_add(sums.messages);
        self.passed = self.passed.saturating_add(sums.passed);
        self.failed = self.messages.saturating_sub(self.passed);
    }
}

/// The parts of a domain, while they are added up.
#[derive(Default)]
struct Parts {
    totals: Totals,
    reporters: BTreeMap<u32, Totals>,
    days: BTreeMap<u32, Totals>,
    sources: HashMap<IpAddr, Source>,
}

#[derive(Default)]
struct Source {
    sums: Sums,
    reporters: BTreeSet<u32>,
    days: BTreeSet<u32>,
}

impl Parts {
    fn add(&mut self, key: &Key, sums: &Sums) {
        self.totals.add(sums);
        self.reporters.entry(key.reporter).or_default().add(sums);
        self.days.entry(key.day).or_default().add(sums);
        let source = self.sources.entry(key.source).or_default();
        source.sums.merge(sums);
        source.reporters.insert(key.reporter);
        source.days.insert(key.day);
    }
}

impl Merge {
    /// Adds everything up.
    pub(crate) fn view(&self) -> View<'_> {
        let mut domains: BTreeMap<&str, (Option<u32>, Parts)> = BTreeMap::new();
        let (mut totals, mut days) = (Totals::default(), BTreeMap::<u32, Totals>::new());
        for (key, sums) in &self.rows {
            totals.add(sums);
            days.entry(key.day).or_default().add(sums);
            domains.entry(self.texts.text(key.domain)).or_default().1.add(key, sums);
        }
        // A domain may have a report without rows, or failure reports only.
        let noted = self.policies.keys().chain(self.odd.keys().map(|(domain, ..)| domain));
        for &domain in noted {
            domains.entry(self.texts.text(domain)).or_default().0 = Some(domain);
        }
        for (_, failure) in &self.failures {
            domains.entry(failure.domain.as_deref().unwrap_or_default()).or_default();
        }
        let domains = domains.into_iter();
        let mut domains: Vec<_> =
            domains.map(|(name, (number, parts))| self.domain(name, number, parts)).collect();
        domains.sort_by_key(|domain| u64::MAX - domain.totals.failed);
        let unread = self.unread.iter().map(|(file, error)| Unread { file, error });
        View {
            reports: self.seen.len(),
            repeated: self.repeated,
            failure_reports: self.failures.len(),
            without_report: self.without,
            totals,
            days: shown_days(days),
            domains,
            unread: unread.collect(),
            rows: Rows(self),
        }
    }

    fn domain<'m>(&'m self, name: &'m str, number: Option<u32>, parts: Parts) -> DomainView<'m> {
        let sources = parts.sources.into_iter().map(|(source, found)| SourceView {
            source,
            sums: found.sums,
            reporters: found.reporters.len(),
            first: found.days.first().map_or_else(String::new, |day| day_text(*day)),
            last: found.days.last().map_or_else(String::new, |day| day_text(*day)),
            texts: &self.texts,
        });
        let mut sources: Vec<_> = sources.collect();
        sources.sort_by_key(|source| {
            (u64::MAX - source.sums.failed(), u64::MAX - source.sums.messages, source.source)
        });
        let reporters = parts.reporters.iter();
        let mut reporters: Vec<_> = reporters
            .map(|(reporter, totals)| Reporter {
                reporter: self.texts.text(*reporter),
                totals: *totals,
            })
            .collect();
        reporters.sort_by_key(|reporter| (u64::MAX - reporter.totals.messages, reporter.reporter));
        let odd = self.odd.iter().filter(|((domain, ..), _)| Some(*domain) == number);
        let odd = odd.map(|((_, reporter, what), (count, file))| Odd {
            what,
            reporter: self.texts.text(*reporter),
            count: *count,
            file,
        });
        let failures = self.failures.iter();
        let failures =
            failures.filter(|(_, failure)| failure.domain.as_deref().unwrap_or_default() == name);
        let mut failures: Vec<_> = failures
            .map(|(file, failure)| FailureView {
                file,
                arrival: failure.arrival.map(moment),
                failure,
            })
            .collect();
        failures.sort_by_key(|view| u64::MAX - view.failure.arrival.unwrap_or(0));
        DomainView {
            domain: Some(name).filter(|name| !name.is_empty()),
            policy: number.and_then(|number| self.policies.get(&number)).map(|(_, policy)| policy),
            totals: parts.totals,
            reporters,
            days: shown_days(parts.days),
            sources,
            odd: odd.collect(),
            failures,
        }
    }
}

fn shown_days(days: BTreeMap<u32, Totals>) -> Vec<Day> {
    days.into_iter().map(|(day, totals)| Day { number: day, text: day_text(day), totals }).collect()
}
