//! Checks that report destinations accept the reports: RFC 9990 section 4, RFC 9991 section 5.

use std::fmt;

use mail_types::dns::{Answer, Inquiry, Known, Name, RecordType, Session, Texts, Unanswered};
use mail_types::smtp::Domain;

use crate::walk::Memo;
use crate::{Discovery, Psd, Record, ReportUri};

/// The check of a record's report destinations, run in a [`Session`](mail_types::dns::Session).
///
/// A destination outside the organization must confirm that it accepts the reports: else a record
/// could flood any mailbox with them.
///
/// ```
/// use dmarc_policy::{Destinations, Discovery, FailureOptions, Permission, Policy, Record};
/// use mail_types::dns::Zone;
///
/// let zone = Zone::parse(r#"
/// example.com._report._dmarc.reports.example.net  TXT "v=DMARC1"
/// "#)?;
/// let record = Record::new(Policy::None)
///     .with_rua("mailto:dmarc@reports.example.net".parse()?)
///     .with_rua("mailto:dmarc@victim.example.org".parse()?)
///     .with_ruf("mailto:dmarc@example.com".parse()?, FailureOptions::default());
///
/// let aggregate = Destinations::aggregate("example.com".parse()?, &record);
/// let found = aggregate.session().run(|question| zone.answer(question));
/// assert_eq!((&found[0].permission, found[0].targets().len()), (&Permission::Given, 1));
/// assert_eq!((&found[1].permission, found[1].targets().len()), (&Permission::Refused, 0));
///
/// let failure = Destinations::failure("example.com".parse()?, &record).with_discovery(Discovery::TreeWalk);
/// let found = failure.session().run(|question| zone.answer(question));
/// assert_eq!(found[0].permission, Permission::Inside);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Destinations {
    policy_domain: Domain,
    uris: Vec<ReportUri>,
    kind: ReportKind,
    discovery: Discovery,
}

impl Destinations {
    /// Checks the destinations of aggregate reports in a domain's record.
    #[must_use]
    pub fn aggregate(policy_domain: Domain, record: &Record) -> Self {
        let (uris, kind) = (record.rua.clone(), ReportKind::Aggregate);
        Self { policy_domain, uris, kind, discovery: Discovery::default() }
    }

    /// Checks the destinations of failure reports in a domain's record. A public suffix gets none:
    /// it must not see reports on the domains below it (RFC 9991 section 2).
    #[must_use]
    pub fn failure(policy_domain: Domain, record: &Record) -> Self {
        let public = record.psd == Psd::Yes;
        let uris = if public { Vec::new() } else { record.ruf.clone() };
        let kind = ReportKind::Failure;
        Self { policy_domain, uris, kind, discovery: Discovery::default() }
    }

    /// Sets the discovery of organizational domains; the default is the tree walk.
    #[must_use]
    pub fn with_discovery(self, discovery: Discovery) -> Self {
        Self { discovery, ..self }
    }

    /// Starts a session with enough questions for any record.
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        Session::new(self, Vec::new(), QUESTIONS)
    }
}

impl Inquiry for &Destinations {
    type Verdict = Vec<Destination>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Vec<Destination>, Unanswered> {
        let hosts: Vec<_> = self.uris.iter().map(ReportUri::domain).collect();
        let mut memo = Memo::default();
        let mut destinations = Vec::new();
        for (uri, host) in self.uris.iter().zip(&hosts) {
            let permission = match host {
                None => Permission::Unsupported,
                Some(host) if self.is_inside(host, &mut memo, known)? => Permission::Inside,
                Some(host) => self.permission(host, known)?,
            };
            known.note(|| format!("{uri}: {permission}"));
            destinations.push(Destination { uri: uri.clone(), permission });
        }
        Ok(destinations)
    }
}

impl Destinations {
    /// Tells whether both have the same organizational domain; without a DNS answer they do not.
    fn is_inside<'d>(
        &'d self,
        host: &'d Domain,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<bool, Unanswered> {
        if host == &self.policy_domain {
            return Ok(true);
        }
        if let Discovery::Psl(list) = &self.discovery {
            return Ok(list.org_domain(host) == list.org_domain(&self.policy_domain));
        }
        let ours = memo.walk(known, self.policy_domain.as_str().as_bytes())?;
        if ours.is_broken {
            return Ok(false);
        }
        let theirs = memo.walk(known, host.as_str().as_bytes())?;
        Ok(!theirs.is_broken && ours.org_domain() == theirs.org_domain())
    }

    fn permission(&self, host: &Domain, known: &mut Known<'_>) -> Result<Permission, Unanswered> {
        let labels = self.policy_domain.labels().chain(["_report", "_dmarc"]).chain(host.labels());
        let Ok(name) = Name::from_labels(labels.map(str::as_bytes)) else {
            return Ok(Permission::Refused);
        };
        let answer = known.ask(&name, RecordType::Txt)?;
        if matches!(*answer, Answer::Failed(_)) {
            return Ok(Permission::Unknown);
        }
        let texts = answer.texts().into_iter().flat_map(Texts::iter);
        let records: Vec<_> = texts.filter_map(|text| Record::parse(text).ok()).collect();
        if records.is_empty() {
            return Ok(Permission::Refused);
        }
        let overrides: Vec<_> = records
            .into_iter()
            .flat_map(|record| match self.kind {
                ReportKind::Aggregate => record.rua,
                ReportKind::Failure => record.ruf,
            })
            .collect();
        Ok(if overrides.is_empty() {
            Permission::Given
        } else if overrides.iter().all(|uri| uri.domain().as_ref() == Some(host)) {
            Permission::Elsewhere(overrides)
        } else {
            Permission::Astray
        })
    }
}

/// A destination, and its permission.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Destination {
    /// The URI of the record.
    pub uri: ReportUri,
    /// The permission to send reports to it.
    pub permission: Permission,
}

impl Destination {
    /// Returns the addresses for the report: none, one or several.
    #[must_use]
    pub fn targets(&self) -> &[ReportUri] {
        match &self.permission {
            Permission::Inside | Permission::Given => std::slice::from_ref(&self.uri),
            Permission::Elsewhere(uris) => uris,
            _ => &[],
        }
    }
}

/// The permission to send reports to a destination.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Permission {
    /// Permitted: it belongs to the same organization.
    Inside,
    /// Permitted: it confirms that it accepts the reports.
    Given,
    /// Permitted at these other addresses of the same host.
    Elsewhere(Vec<ReportUri>),
    /// Not permitted: it does not confirm.
    Refused,
    /// Not permitted: it names an address at another host, which a destination must not do.
    Astray,
    /// Unknown: the DNS did not answer.
    Unknown,
    /// Not supported: it is not a mail address.
    Unsupported,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inside => "permitted, in the same organization",
            Self::Given => "permitted",
            Self::Elsewhere(uris) => {
                f.write_str("permitted at")?;
                return uris.iter().try_for_each(|uri| write!(f, " {uri}"));
            }
            Self::Refused => "not confirmed",
            Self::Astray => "at another host, which is not permitted",
            Self::Unknown => "unknown, since the DNS did not answer",
            Self::Unsupported => "not a mail address",
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum ReportKind {
    Aggregate,
    Failure,
}

/// The tree walk of the policy domain, and for each URI a walk and its permission.
const QUESTIONS: usize = 8 + Record::MAX_URIS * 9;
