//! The defects of a published SPF record, for its publisher.

use std::fmt;
use std::sync::Arc;

use mail_types::dns::{
    Answer, DnsFailure, Inquiry, Known, Name, RecordType, Records, Session, Unanswered,
};

use crate::published::Published;
use crate::{DomainSpec, Limits, Mechanism, Qualifier, Record, RecordError};

/// Reads a domain's record with all records that it refers to, and lists every defect.
///
/// A check ends at the first matching term and at the first limit; a review does not: it counts the
/// lookups of the worst sender. Macros are not followed, since they depend on the sender.
///
/// ```
/// use mail_types::dns::Zone;
/// use spf_result::Review;
///
/// let zone = Zone::parse(r#"example.com TXT "v=spf1 ptr +all ip4:192.0.2.1""#)?;
/// let review = Review::new("example.com".parse()?).session().run(|question| zone.answer(question));
/// assert_eq!((review.records().len(), review.lookups()), (1, 1));
/// assert_eq!(review.findings()[0].defect.section(), "5.5");
/// let defects: Vec<_> = review.findings().iter().map(ToString::to_string).collect();
/// assert_eq!(defects, [
///     "example.com: ptr: slow and unreliable, do not publish",
///     "example.com: all: every host passes",
///     "example.com: ip4:192.0.2.1: never evaluated, after all",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Review {
    domain: Name,
    limits: Limits,
}

impl Review {
    /// The most findings of a review.
    pub const MAX_FINDINGS: usize = 200;
    /// The most records that a review returns.
    pub const MAX_RECORDS: usize = 200;
    /// The longest record, in octets, whose answer fits into UDP everywhere (RFC 7208 section 3.4).
    pub const MAX_PLAIN_OCTETS: usize = 450;

    /// Reviews the records of a domain, against the default limits.
    #[must_use]
    pub fn new(domain: Name) -> Self {
        Self { domain, limits: Limits::default() }
    }

    /// Starts a session with the question limit of a check.
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        Session::new(self, Vec::new(), self.limits.questions)
    }
}

impl Inquiry for &Review {
    type Verdict = Reviewed;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Reviewed, Unanswered> {
        let mut reviewed = Reviewed::default();
        let mut above = Vec::new();
        reviewed.domain(known, &self.domain, &mut above, &self.limits)?;
        for (count, most, defect) in [
            (reviewed.lookups, self.limits.lookups, Defect::TooManyLookups as fn(usize) -> Defect),
            (reviewed.void_lookups, self.limits.void_lookups, Defect::TooManyVoidLookups),
        ] {
            if count > usize::from(most) {
                reviewed.find(&self.domain, None, defect(count));
            }
        }
        Ok(reviewed)
    }
}

/// The findings of a [`Review`].
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Reviewed {
    findings: Vec<Finding>,
    records: Vec<ReviewedRecord>,
    lookups: usize,
    void_lookups: usize,
}

/// A record that a [`Review`] has read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ReviewedRecord {
    /// The domain of the record.
    pub domain: Name,
    /// The number of records that refer to it, one to the next; 0 for the record of the reviewed domain.
    pub depth: usize,
    /// The record, as it is understood.
    pub record: String,
    /// The number of terms that cause DNS queries, in it and in the records that it refers to.
    pub lookups: usize,
}

impl Reviewed {
    /// Returns the defects, in the order of the records; at most [`Review::MAX_FINDINGS`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the records in the order of their evaluation, each before those that it refers to; at
    /// most [`Review::MAX_RECORDS`].
    #[must_use]
    pub fn records(&self) -> &[ReviewedRecord] {
        &self.records
    }

    /// Returns the number of terms that cause DNS queries if nothing matches.
    #[must_use]
    pub fn lookups(&self) -> usize {
        self.lookups
    }

    /// Returns the number of void lookups of `a` and `mx`.
    #[must_use]
    pub fn void_lookups(&self) -> usize {
        self.void_lookups
    }

    fn domain(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
        above: &mut Vec<Name>,
        limits: &Limits,
    ) -> Result<(), Unanswered> {
        let answer = known.ask(domain, RecordType::Txt)?;
        if let Answer::Failed(failure) = &*answer {
            self.find(domain, None, Defect::Dns(*failure));
            return Ok(());
        }
        let texts = answer.texts();
        let published = texts.map(|texts| texts.derive(Published::select));
        let record = match published.as_deref() {
            None | Some(Published::None) => return self.only(domain, Defect::NoRecord),
            Some(Published::Several) => return self.only(domain, Defect::SeveralRecords),
            Some(Published::Wrong(error)) => return self.only(domain, Defect::Syntax(*error)),
            Some(Published::One(record)) => record,
        };
        let octets = texts.and_then(|texts| texts.iter().find(|text| Record::is_one(text)));
        if octets.is_some_and(|text| text.len() > Review::MAX_PLAIN_OCTETS) {
            self.find(domain, None, Defect::Long);
        }
        let (place, before) = (self.records.len(), self.lookups);
        self.read(domain, above.len(), record);
        above.push(domain.clone());
        let mut all = false;
        for directive in record.directives() {
            let term = directive.to_string();
            if all {
                self.find(domain, Some(&term), Defect::Unreachable);
            }
            if directive.qualifier == Qualifier::Pass && passes_all(&directive.mechanism) {
                self.find(domain, Some(&term), Defect::PassesAll);
            }
            all |= directive.mechanism == Mechanism::All;
            self.mechanism(known, domain, &directive.mechanism, above, limits)?;
        }
        match record.redirect() {
            Some(target) if all => {
                self.find(domain, Some(&format!("redirect={target}")), Defect::Unreachable);
            }
            Some(target) => {
                self.lookups += 1;
                self.refer(known, domain, target, above, limits)?;
            }
            None if !all => self.find(domain, None, Defect::NoEnd),
            None => {}
        }
        above.pop();
        let lookups = self.lookups - before;
        if let Some(reviewed) = self.records.get_mut(place) {
            reviewed.lookups = lookups;
        }
        Ok(())
    }

    fn read(&mut self, domain: &Name, depth: usize, record: &Record) {
        if self.records.len() < Review::MAX_RECORDS {
            let (domain, record) = (domain.clone(), record.to_string());
            self.records.push(ReviewedRecord { domain, depth, record, lookups: 0 });
        }
    }

    fn mechanism(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
        mechanism: &Mechanism,
        above: &mut Vec<Name>,
        limits: &Limits,
    ) -> Result<(), Unanswered> {
        self.lookups += usize::from(mechanism.is_lookup());
        let term = mechanism.to_string();
        match mechanism {
            Mechanism::Ptr(_) => self.find(domain, Some(&term), Defect::Ptr),
            Mechanism::Include(target) => self.refer(known, domain, target, above, limits)?,
            Mechanism::A { domain: spec, .. } => {
                let Some(target) = target(domain, spec.as_ref()) else { return Ok(()) };
                let found = [known.ask(target, RecordType::A), known.ask(target, RecordType::Aaaa)];
                let [v4, v6] = found;
                if is_absent(&v4?) & is_absent(&v6?) {
                    self.void_lookups += 1;
                    self.find(domain, Some(&term), Defect::Void);
                }
            }
            Mechanism::Mx { domain: spec, .. } => {
                let Some(target) = target(domain, spec.as_ref()) else { return Ok(()) };
                let answer = known.ask(target, RecordType::Mx)?;
                if is_absent(&answer) {
                    self.void_lookups += 1;
                    self.find(domain, Some(&term), Defect::Void);
                }
                if let Answer::Records { records: Records::Mx(hosts), .. } = &*answer
                    && hosts.len() > limits.mx_hosts
                {
                    self.find(domain, Some(&term), Defect::TooManyMxHosts(hosts.len()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Follows a reference to the record of another domain.
    fn refer(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
        target: &DomainSpec,
        above: &mut Vec<Name>,
        limits: &Limits,
    ) -> Result<(), Unanswered> {
        let Some(target) = target.name() else { return Ok(()) };
        if above.contains(target) {
            self.find(domain, Some(&target.to_string()), Defect::Loop);
            return Ok(());
        }
        // Deeper than any check goes, and within the stack.
        if above.len() > 2 * usize::from(limits.lookups) {
            return Ok(());
        }
        self.domain(known, target, above, limits)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is what the caller returns")]
    fn only(&mut self, domain: &Name, defect: Defect) -> Result<(), Unanswered> {
        self.find(domain, None, defect);
        Ok(())
    }

    fn find(&mut self, domain: &Name, term: Option<&str>, defect: Defect) {
        if self.findings.len() < Review::MAX_FINDINGS {
            let (domain, term) = (domain.clone(), term.map(Into::into));
            self.findings.push(Finding { domain, term, defect });
        }
    }
}

/// A defect, and its place.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The domain of the record.
    pub domain: Name,
    /// The term, unless the defect concerns the whole record.
    pub term: Option<Box<str>>,
    /// The defect.
    pub defect: Defect,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.domain)?;
        if let Some(term) = &self.term {
            write!(f, "{term}: ")?;
        }
        write!(f, "{}", self.defect)
    }
}

/// A defect of a published record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Defect {
    /// The domain, or the target of a reference, publishes no record.
    NoRecord,
    /// The domain publishes several records, so that none counts (RFC 7208 section 4.5).
    SeveralRecords,
    /// The record has a syntax error, and is invalid as a whole (RFC 7208 section 4.6).
    Syntax(RecordError),
    /// A DNS lookup failed.
    Dns(DnsFailure),
    /// The number of terms that cause DNS queries, more than 10 (RFC 7208 section 4.6.4).
    TooManyLookups(usize),
    /// The number of void lookups, more than two (RFC 7208 section 4.6.4).
    TooManyVoidLookups(usize),
    /// The number of mail exchangers, more than ten (RFC 7208 section 4.6.4).
    TooManyMxHosts(usize),
    /// The mechanism `ptr` (RFC 7208 section 5.5).
    Ptr,
    /// `+all`, or a network of all addresses.
    PassesAll,
    /// The domain of a term has no addresses, or no mail exchangers.
    Void,
    /// A term after `all`, or a `redirect` beside it (RFC 7208 sections 5.1 and 6.1).
    Unreachable,
    /// Neither `all` nor `redirect`: a client without a match is neutral (RFC 7208 section 4.7).
    NoEnd,
    /// A record refers to itself, directly or not.
    Loop,
    /// The record is longer than [`Review::MAX_PLAIN_OCTETS`].
    Long,
}

impl Defect {
    /// Returns the section of RFC 7208 that the defect offends, or that describes its effect.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::NoRecord | Self::SeveralRecords => "4.5",
            Self::Syntax(_) => "4.6",
            Self::Dns(_) => "4.4",
            Self::TooManyLookups(_)
            | Self::TooManyVoidLookups(_)
            | Self::TooManyMxHosts(_)
            | Self::Loop
            | Self::Void => "4.6.4",
            Self::Ptr => "5.5",
            Self::PassesAll => "2.6.3",
            Self::Unreachable => "5.1",
            Self::NoEnd => "4.7",
            Self::Long => "3.4",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("no SPF record"),
            Self::SeveralRecords => f.write_str("several SPF records, so none counts"),
            Self::Syntax(error) => write!(f, "{error}"),
            Self::Dns(failure) => write!(f, "the DNS failed: {failure}"),
            Self::TooManyLookups(count) => write!(f, "{count} DNS lookups, more than 10"),
            Self::TooManyVoidLookups(count) => {
                write!(f, "{count} void DNS lookups, more than 2")
            }
            Self::TooManyMxHosts(count) => write!(f, "{count} MX hosts, more than 10"),
            Self::Ptr => f.write_str("slow and unreliable, do not publish"),
            Self::PassesAll => f.write_str("every host passes"),
            Self::Void => f.write_str("the domain has no such records"),
            Self::Unreachable => f.write_str("never evaluated, after all"),
            Self::NoEnd => f.write_str("ends without all or redirect"),
            Self::Loop => f.write_str("refers to itself"),
            Self::Long => f.write_str("longer than 450 octets"),
        }
    }
}

fn passes_all(mechanism: &Mechanism) -> bool {
    match mechanism {
        Mechanism::All => true,
        Mechanism::Ip4 { prefix, .. } | Mechanism::Ip6 { prefix, .. } => *prefix == 0,
        _ => false,
    }
}

fn target<'a>(domain: &'a Name, spec: Option<&'a DomainSpec>) -> Option<&'a Name> {
    spec.map_or(Some(domain), DomainSpec::name)
}

fn is_absent(answer: &Arc<Answer>) -> bool {
    matches!(**answer, Answer::Absent { .. })
}
