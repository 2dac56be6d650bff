//! An aggregate report: section 3.1.1 of RFC 9990.

use mail_types::smtp::Domain;

use crate::{AlignmentMode, Discovery, FailureOptions, FeedbackRow, Policy, Record};

/// An aggregate report: what was seen of a domain's mail in a period.
///
/// ```
/// use dmarc_policy::{Feedback, FeedbackLimits, FeedbackRow, Policy, Record, PublishedPolicy};
/// use dmarc_policy::{Discovery, ReportMetadata, Tally};
///
/// let record = Record::new(Policy::Reject);
/// let policy = PublishedPolicy::new(&"example.com".parse()?, &record, &Discovery::TreeWalk);
/// let mut tally = Tally::new(1000);
/// tally.add(FeedbackRow::new("192.0.2.1".parse()?, "example.com"))?;
/// tally.add(FeedbackRow::new("192.0.2.1".parse()?, "example.com"))?;
///
/// let metadata = ReportMetadata::new("Example", "dmarc@mx.example.net", "1@mx.example.net", 0..86_400);
/// let report = Feedback::new(metadata, policy, tally.into_rows());
/// let xml = report.to_xml();
/// let read = Feedback::read(xml.as_bytes(), &FeedbackLimits::default())?;
/// assert_eq!((read.feedback.rows[0].count, read.deviations.len()), (2, 0));
/// assert_eq!(read.feedback, report);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Feedback {
    /// Who reports, and of when.
    pub metadata: ReportMetadata,
    /// What the domain's owner has published.
    pub policy: PublishedPolicy,
    /// What was seen. A report that is written has at least one row.
    pub rows: Vec<FeedbackRow>,
}

impl Feedback {
    /// Puts a report together.
    #[must_use]
    pub fn new(metadata: ReportMetadata, policy: PublishedPolicy, rows: Vec<FeedbackRow>) -> Self {
        Self { metadata, policy, rows }
    }

    /// Returns the number of messages, and how many of them had an aligned pass.
    #[must_use]
    pub fn messages(&self) -> (u64, u64) {
        self.rows.iter().fold((0, 0), |(all, passed), row| {
            let pass = if row.passed() { row.count } else { 0 };
            (all.saturating_add(row.count), passed.saturating_add(pass))
        })
    }
}

/// Who reports, and of when: section 3.1.1.3.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReportMetadata {
    /// The name of the organization that reports.
    pub org_name: String,
    /// Its address.
    pub email: String,
    /// How else it is reached.
    pub extra_contact_info: Option<String>,
    /// What tells this report from others to the same domain.
    pub report_id: String,
    /// Its first second, since 1970-01-01 00:00:00 UTC.
    pub begin: u64,
    /// Its last second.
    pub end: u64,
    /// What was wrong with the domain's record.
    pub error: Option<String>,
    /// The program that has made the report.
    pub generator: Option<String>,
}

impl ReportMetadata {
    /// Begins with what must be there; the period is in seconds since 1970, its end the first
    /// second that is not in it.
    #[must_use]
    pub fn new(org_name: &str, email: &str, report_id: &str, period: std::ops::Range<u64>) -> Self {
        Self {
            org_name: org_name.to_owned(),
            email: email.to_owned(),
            report_id: report_id.to_owned(),
            begin: period.start,
            end: period.end.saturating_sub(1).max(period.start),
            ..Self::default()
        }
    }

    /// Says how else the organization is reached.
    #[must_use]
    pub fn with_contact(self, text: &str) -> Self {
        Self { extra_contact_info: Some(text.to_owned()), ..self }
    }

    /// Says what was wrong with the domain's record.
    #[must_use]
    pub fn with_error(self, text: &str) -> Self {
        Self { error: Some(text.to_owned()), ..self }
    }

    /// Names the program that makes the report.
    #[must_use]
    pub fn with_generator(self, text: &str) -> Self {
        Self { generator: Some(text.to_owned()), ..self }
    }
}

/// What the owner of the domain has published: section 3.1.1.5.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PublishedPolicy {
    /// The domain whose record applied; empty where a report that was read does not say.
    pub domain: String,
    /// How it was found, if that is said.
    pub discovery: Option<DiscoveryMethod>,
    /// The policy for the domain itself; `None` where a report that was read does not say.
    pub p: Option<Policy>,
    /// The policy for subdomains, if it is said.
    pub sp: Option<Policy>,
    /// The policy for subdomains that do not exist, if it is said.
    pub np: Option<Policy>,
    /// How alike the domain of a signature had to be, if it is said.
    pub adkim: Option<AlignmentMode>,
    /// How alike the domain that SPF has tested had to be, if it is said.
    pub aspf: Option<AlignmentMode>,
    /// Which failures were to be reported, if it is said.
    pub fo: Option<FailureOptions>,
    /// Whether the policy was being tested, if it is said.
    pub testing: Option<bool>,
    /// The percentage of RFC 7489; it is read, but not written.
    pub pct: Option<u8>,
}

impl PublishedPolicy {
    /// Says what a record has.
    #[must_use]
    pub fn new(policy_domain: &Domain, record: &Record, discovery: &Discovery) -> Self {
        Self {
            domain: policy_domain.as_str().to_owned(),
            discovery: Some(match discovery {
                Discovery::Psl(_) => DiscoveryMethod::Psl,
                Discovery::TreeWalk | Discovery::TreeWalkThenPsl(_) => DiscoveryMethod::TreeWalk,
            }),
            p: Some(record.policy().unwrap_or_default()),
            sp: record.sp,
            np: record.np,
            adkim: Some(record.adkim),
            aspf: Some(record.aspf),
            fo: Some(record.fo),
            testing: Some(record.t),
            pct: None,
        }
    }
}

/// How a record was found, in the words of section 3.1.1.5.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9990 has no more")]
pub enum DiscoveryMethod {
    /// With a list of public suffixes.
    Psl,
    /// By the walk up the tree.
    TreeWalk,
}

impl DiscoveryMethod {
    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Psl => "psl",
            Self::TreeWalk => "treewalk",
        }
    }
}
