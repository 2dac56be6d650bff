//! Whether reports may go where a record wants them: RFC 9990 section 4, RFC 9991 section 5.

use mail_types::dns::{Answer, Inquiry, Known, Name, RecordType, Session, Texts, Unanswered};
use mail_types::smtp::Domain;

use crate::walk::Memo;
use crate::{Discovery, Psd, Record, ReportUri};

/// The question which destinations of a record reports may be sent to, to be run in a
/// [`Session`](mail_types::dns::Session).
///
/// A destination outside the organization must say that it wants the reports: else a record could
/// have anybody flooded with them.
#[derive(Clone, Debug)]
pub struct Destinations {
    policy_domain: Domain,
    uris: Vec<ReportUri>,
    kind: ReportKind,
    discovery: Discovery,
}

impl Destinations {
    /// Asks where aggregate reports may go, for the record that was found for a domain.
    #[must_use]
    pub fn aggregate(policy_domain: Domain, record: &Record) -> Self {
        let (uris, kind) = (record.rua.clone(), ReportKind::Aggregate);
        Self { policy_domain, uris, kind, discovery: Discovery::default() }
    }

    /// Asks where failure reports may go: nowhere for a public suffix, which is not to see what
    /// others below it send (RFC 9991 section 2).
    #[must_use]
    pub fn failure(policy_domain: Domain, record: &Record) -> Self {
        let public = record.psd == Psd::Yes;
        let uris = if public { Vec::new() } else { record.ruf.clone() };
        let kind = ReportKind::Failure;
        Self { policy_domain, uris, kind, discovery: Discovery::default() }
    }

    /// Says how organizational domains are found; without it, by the walk up the tree.
    #[must_use]
    pub fn with_discovery(self, discovery: Discovery) -> Self {
        Self { discovery, ..self }
    }

    /// Begins a session with as many questions as any record may need.
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
            known.note(|| format!("{uri}: {permission:?}"));
            destinations.push(Destination { uri: uri.clone(), permission });
        }
        Ok(destinations)
    }
}

impl Destinations {
    /// Whether both have the same organizational domain. Where the DNS does not say, they have not.
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

/// A destination, and whether it may be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Destination {
    /// The URI of the record.
    pub uri: ReportUri,
    /// Whether it may be used.
    pub permission: Permission,
}

impl Destination {
    /// Returns where to send the report, which may be to several places or to none.
    #[must_use]
    pub fn targets(&self) -> &[ReportUri] {
        match &self.permission {
            Permission::Inside | Permission::Given => std::slice::from_ref(&self.uri),
            Permission::Elsewhere(uris) => uris,
            _ => &[],
        }
    }
}

/// Whether a destination may be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Permission {
    /// Yes: it is of the same organization.
    Inside,
    /// Yes: it says that it wants the reports.
    Given,
    /// It wants them at these addresses of the same host instead.
    Elsewhere(Vec<ReportUri>),
    /// No: it does not say so.
    Refused,
    /// No: it wants them at another host, which nobody may want of it.
    Astray,
    /// Not now: the DNS did not answer.
    Unknown,
    /// No: it is not an address of mail.
    Unsupported,
}

#[derive(Clone, Copy, Debug)]
enum ReportKind {
    Aggregate,
    Failure,
}

/// The walk of the policy domain, and for each URI a walk and its permission.
const QUESTIONS: usize = 8 + Record::MAX_URIS * 9;
