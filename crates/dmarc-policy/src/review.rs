//! The defects of the records that count for a domain, for their publisher.

use std::fmt;

use mail_types::dns::{Answer, DnsFailure, Inquiry, Known, Name, RecordType, Session, Unanswered};
use mail_types::smtp::Domain;

use crate::ground::policy_below;
use crate::walk::{Memo, query_name, walked_names};
use crate::{
    Defect, DefectKind, Destinations, Permission, Policy, Psd, Record, RecordError, ReportUri,
};

/// Reads the records on the tree walk of a domain, and lists every defect, with the destinations of reports that
/// do not accept them.
///
/// ```
/// use dmarc_policy::Review;
/// use mail_types::dns::Zone;
///
/// let zone = Zone::parse(r#"
/// _dmarc.example.com  TXT "v=DMARC1; p=quarantine; pct=20; rua=mailto:d@example.net"
/// "#)?;
/// let review = Review::new("news.example.com".parse()?);
/// let reviewed = review.session().run(|question| zone.answer(question));
/// assert_eq!(reviewed.policy_domain().map(ToString::to_string).as_deref(), Some("example.com"));
/// assert_eq!(reviewed.names().len(), 3);
/// assert!(reviewed.findings().iter().all(|finding| finding.defect.section().starts_with("RFC 99")));
/// let findings: Vec<_> = reviewed.findings().iter().map(ToString::to_string).collect();
/// assert_eq!(findings, [
///     "_dmarc.example.com: byte 24: tag of RFC 7489 without effect in RFC 9989",
///     "_dmarc.example.com: mailto:d@example.net: the destination does not confirm that it accepts the reports",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Review {
    domain: Domain,
}

impl Review {
    /// The most findings of a review.
    pub const MAX_FINDINGS: usize = 200;

    /// Reviews the records that count for a domain.
    #[must_use]
    pub fn new(domain: Domain) -> Self {
        Self { domain }
    }

    /// Starts a session with enough questions for any records.
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        Session::new(self, Vec::new(), QUESTIONS)
    }
}

impl Inquiry for &Review {
    type Verdict = Reviewed;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Reviewed, Unanswered> {
        let mut reviewed = Reviewed::default();
        let text = self.domain.as_str().as_bytes();
        for at in walked_names(text) {
            // A name too long for the DNS has no record.
            let Ok(name) = query_name(text.get(at..).unwrap_or_default()) else { continue };
            if reviewed.name(known, name)? {
                break;
            }
        }
        let mut memo = Memo::default();
        let walk = memo.walk(known, text)?;
        let name_at = |at: usize| Name::from_dotted(text.get(at..).unwrap_or_default()).ok();
        let policy = walk.policy();
        // Above a name without an answer, another record may count.
        reviewed.org_domain = name_at(walk.org_at()).filter(|_| !walk.is_broken);
        let Some((at, found)) = policy else {
            if !walk.is_broken {
                reviewed.find(Name::from(&self.domain), ReviewDefect::NoRecord);
            }
            return Ok(reviewed);
        };
        reviewed.policy_domain = name_at(at);
        let record = memo.published(found).and_then(|published| published.0.as_ref());
        let Some(record) = record else { return Ok(reviewed) };
        reviewed.policy = record.policy();
        if let Some(own) = reviewed.policy.filter(|_| at > 0) {
            let domain = Name::from(&self.domain);
            let below = policy_below(&domain, record, own, known)?;
            reviewed.policy = Some(below.unwrap_or_else(|milder| milder));
        }
        reviewed.destinations(known, text.get(at..).unwrap_or_default(), record)?;
        Ok(reviewed)
    }
}

/// The findings of a [`Review`].
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Reviewed {
    names: Vec<ReviewedName>,
    findings: Vec<Finding>,
    org_domain: Option<Name>,
    policy_domain: Option<Name>,
    policy: Option<Policy>,
}

/// A name that the tree walk has asked for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ReviewedName {
    /// The name, which begins with `_dmarc`.
    pub name: Name,
    /// The record that counts there, if there is one.
    pub record: Option<Record>,
    /// That record, as it is published: positions of faults are in this text.
    pub text: Option<Box<[u8]>>,
    /// The published texts that are records, or were probably meant to be one, and do not count.
    pub ignored: Vec<Box<[u8]>>,
    /// The failure of the lookup: the name may have a record.
    pub failure: Option<DnsFailure>,
}

impl Reviewed {
    /// Returns the names of the tree walk, in the order of the walk.
    #[must_use]
    pub fn names(&self) -> &[ReviewedName] {
        &self.names
    }

    /// Returns the defects, in the order of the names; at most [`Review::MAX_FINDINGS`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the organizational domain (RFC 9989 section 4.10.2); `None` if a lookup of the walk has failed.
    #[must_use]
    pub fn org_domain(&self) -> Option<&Name> {
        self.org_domain.as_ref()
    }

    /// Returns the domain whose record counts; `None` if no record does.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Name> {
        self.policy_domain.as_ref()
    }

    /// Returns the policy for the domain, that for missing domains (`np`) if it does not exist, and the milder one if the
    /// DNS does not tell; `None` means that DMARC does not apply, or that [a lookup has failed](ReviewedName::failure).
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        self.policy
    }

    /// Reads the texts of a name; tells whether the walk ends there.
    fn name(&mut self, known: &mut Known<'_>, name: Name) -> Result<bool, Unanswered> {
        let answer = known.ask(&name, RecordType::Txt)?;
        let failure = match &*answer {
            Answer::Failed(failure) => Some(*failure),
            _ => None,
        };
        if let Some(failure) = failure {
            self.find(name.clone(), ReviewDefect::Dns(failure));
        }
        let (mut records, mut ignored, mut defects) = (Vec::new(), Vec::new(), Vec::new());
        let mut others = Vec::new();
        for text in answer.texts().into_iter().flat_map(mail_types::dns::Texts::iter) {
            match Record::parse_and_check(text) {
                Ok((record, found)) => {
                    defects.extend(found.into_iter().map(ReviewDefect::Tag));
                    records.push((record, text.into()));
                }
                // Another text at the name is nobody's mistake.
                Err(RecordError::Version) if !is_of_dmarc(text) => {}
                Err(RecordError::Version) => others.push(text),
                Err(error) => {
                    defects.push(ReviewDefect::Syntax(error));
                    ignored.push(text.into());
                }
            }
        }
        // A record of another version may stand beside one of this version.
        for text in others.into_iter().filter(|_| records.is_empty()) {
            defects.push(ReviewDefect::Syntax(RecordError::Version));
            ignored.push(text.into());
        }
        if records.len() > 1 {
            defects.insert(0, ReviewDefect::SeveralRecords);
            ignored.extend(records.drain(..).map(|(_, text)| text));
        }
        for defect in defects {
            self.find(name.clone(), defect);
        }
        let (record, text) = records.pop().unzip();
        let is_end = record.as_ref().is_some_and(|record: &Record| record.psd != Psd::Unknown);
        self.names.push(ReviewedName { name, record, text, ignored, failure });
        Ok(is_end)
    }

    /// Finds destinations that get no reports.
    fn destinations(
        &mut self,
        known: &mut Known<'_>,
        policy_domain: &[u8],
        record: &Record,
    ) -> Result<(), Unanswered> {
        let text = str::from_utf8(policy_domain).unwrap_or_default();
        let (Ok(domain), Ok(name)) = (text.parse::<Domain>(), query_name(policy_domain)) else {
            return Ok(());
        };
        let of_aggregates = Destinations::aggregate(domain.clone(), record);
        let of_failures = Destinations::failure(domain, record);
        for checked in [&of_aggregates, &of_failures] {
            for destination in { checked }.evaluate(known)? {
                if destination.targets().is_empty() {
                    let (uri, permission) = (destination.uri, destination.permission);
                    self.find(name.clone(), ReviewDefect::Destination(uri, permission));
                }
            }
        }
        Ok(())
    }

    fn find(&mut self, name: Name, defect: ReviewDefect) {
        let finding = Finding { name, defect };
        // A destination of both kinds of reports is one finding.
        if self.findings.len() < Review::MAX_FINDINGS && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// A defect, and its place.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the record, or the domain that has none.
    pub name: Name,
    /// The defect.
    pub defect: ReviewDefect,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.defect)
    }
}

/// A defect of published records.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReviewDefect {
    /// No record counts for the domain.
    NoRecord,
    /// A name has several records, so that none counts.
    SeveralRecords,
    /// A text was probably meant to be a record.
    Syntax(RecordError),
    /// A part of a record.
    Tag(Defect),
    /// A DNS lookup failed.
    Dns(DnsFailure),
    /// A destination that gets no reports.
    Destination(ReportUri, Permission),
}

impl ReviewDefect {
    /// Returns the position of the defect in the text of the record, in bytes, if it has one.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        match self {
            Self::Syntax(error) => error.at(),
            Self::Tag(defect) => Some(defect.at).filter(|at| *at > 0),
            _ => None,
        }
    }

    /// Returns the document and section that the defect offends, or that describes its effect.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::NoRecord | Self::Dns(_) => "RFC 9989 section 4.10.1",
            Self::SeveralRecords => "RFC 9989 section 4.10",
            Self::Syntax(_) => "RFC 9989 section 4.8",
            Self::Tag(defect) => match defect.kind {
                DefectKind::NoValue
                | DefectKind::Repeated
                | DefectKind::VersionAgain
                | DefectKind::Value => "RFC 9989 section 4.8",
                DefectKind::PolicyValue | DefectKind::NoPolicy | DefectKind::PolicyOff => {
                    "RFC 9989 section 4.10.1"
                }
                _ => "RFC 9989 section 4.7",
            },
            Self::Destination(..) => "RFC 9990 section 4",
        }
    }
}

impl fmt::Display for ReviewDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("no DMARC record for the domain"),
            Self::SeveralRecords => f.write_str("several DMARC records, so none counts"),
            Self::Syntax(error) => write!(f, "{error}"),
            Self::Tag(defect) => write!(f, "{defect}"),
            Self::Dns(failure) => write!(f, "the DNS failed: {failure}"),
            Self::Destination(uri, permission) => {
                write!(f, "{uri}: ")?;
                f.write_str(match permission {
                    Permission::Refused => {
                        "the destination does not confirm that it accepts the reports"
                    }
                    Permission::Astray => "the destination names an address at another host",
                    Permission::Unknown => {
                        "the DNS does not tell whether the destination accepts the reports"
                    }
                    _ => "reports are sent to mail addresses only",
                })
            }
        }
    }
}

/// Tells whether a text begins like a record of some version.
fn is_of_dmarc(text: &[u8]) -> bool {
    let [b'v' | b'V', rest @ ..] = text.trim_ascii_start() else { return false };
    let value = rest.trim_ascii_start().strip_prefix(b"=").unwrap_or_default().trim_ascii_start();
    value.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"DMARC"))
}

/// The tree walk, and for each of the destinations of both kinds a walk and its permission.
const QUESTIONS: usize = 8 + 2 * Record::MAX_URIS * 9;
