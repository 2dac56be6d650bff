//! An aggregate report: section 3.1.1 of RFC 9990.

use mail_types::smtp::Domain;

use crate::{AlignmentMode, Discovery, FailureOptions, FeedbackRow, Policy, Record};

/// An aggregate report: the mail of a domain seen in a period.
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
/// let metadata = metadata.with_contact("+1 555 0100").with_error("p=rejct").with_generator("example 1");
/// let report = Feedback::new(metadata, policy, tally.into_rows());
/// assert_eq!(report.messages(), (2, 0), "none of two has passed");
/// assert_eq!(Feedback::read(&report.to_gzip(), &FeedbackLimits::default())?.feedback, report);
/// let xml = report.to_xml();
/// let read = Feedback::read(xml.as_bytes(), &FeedbackLimits::default())?;
/// assert_eq!((read.feedback.rows[0].count, read.deviations.len()), (2, 0));
/// assert_eq!(read.feedback, report);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct Feedback {
    /// The reporter, and the period.
    pub metadata: ReportMetadata,
    /// The published policy of the domain.
    pub policy: PublishedPolicy,
    /// The rows. A written report has at least one.
    pub rows: Vec<FeedbackRow>,
}

impl Feedback {
    /// Makes a report.
    #[must_use]
    pub fn new(metadata: ReportMetadata, policy: PublishedPolicy, rows: Vec<FeedbackRow>) -> Self {
        Self { metadata, policy, rows }
    }

    /// Returns the number of messages, and the number of those with an aligned pass.
    #[must_use]
    pub fn messages(&self) -> (u64, u64) {
        self.rows.iter().fold((0, 0), |(all, passed), row| {
            let pass = if row.passed() { row.count } else { 0 };
            (all.saturating_add(row.count), passed.saturating_add(pass))
        })
    }
}

/// The reporter, and the period: section 3.1.1.3.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct ReportMetadata {
    /// The name of the reporting organization.
    pub org_name: String,
    /// Its mail address.
    pub email: String,
    /// Other contact information.
    pub extra_contact_info: Option<String>,
    /// The identifier of this report among those to the same domain.
    pub report_id: String,
    /// Its first second, since 1970-01-01 00:00:00 UTC.
    pub begin: u64,
    /// Its last second.
    pub end: u64,
    /// The error in the domain's record.
    pub error: Option<String>,
    /// The program that generated the report.
    pub generator: Option<String>,
}

impl ReportMetadata {
    /// Starts with the required elements. The period is in seconds since 1970; its end is the first
    /// second after it.
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

    /// Sets other contact information.
    #[must_use]
    pub fn with_contact(self, text: &str) -> Self {
        Self { extra_contact_info: Some(text.to_owned()), ..self }
    }

    /// Sets the error in the domain's record.
    #[must_use]
    pub fn with_error(self, text: &str) -> Self {
        Self { error: Some(text.to_owned()), ..self }
    }

    /// Sets the name of the generating program.
    #[must_use]
    pub fn with_generator(self, text: &str) -> Self {
        Self { generator: Some(text.to_owned()), ..self }
    }
}

/// The published policy of the domain: section 3.1.1.5.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Deserialize, ::serde::Serialize))]
#[non_exhaustive]
pub struct PublishedPolicy {
    /// The domain whose record applied; empty if a received report does not name it.
    pub domain: String,
    /// The discovery method, if given.
    pub discovery: Option<DiscoveryMethod>,
    /// The policy for the domain itself; `None` if a received report does not give it.
    pub p: Option<Policy>,
    /// The policy for subdomains, if given.
    pub sp: Option<Policy>,
    /// The policy for subdomains that do not exist, if given.
    pub np: Option<Policy>,
    /// The alignment mode for the domain of a signature, if given.
    pub adkim: Option<AlignmentMode>,
    /// The alignment mode for the domain of SPF, if given.
    pub aspf: Option<AlignmentMode>,
    /// The failures to report, if given.
    pub fo: Option<FailureOptions>,
    /// Whether the policy was in test mode, if given.
    pub testing: Option<bool>,
    /// The percentage of RFC 7489; read, but not written.
    pub pct: Option<u8>,
}

impl PublishedPolicy {
    /// Takes the policy of a record.
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

/// The discovery method of a record, in the words of section 3.1.1.5.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9990 has just these")]
pub enum DiscoveryMethod {
    /// By a list of public suffixes.
    Psl,
    /// By the tree walk.
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
