//! The defects of a published SPF record, for its publisher.

use std::fmt;
use std::sync::Arc;

use mail_types::dns::{
    Answer, DnsFailure, Inquiry, Known, Name, RecordType, Records, Session, Texts, Unanswered,
};

use crate::published::Published;
use crate::{Defect, DomainSpec, Limits, Mechanism, Qualifier, Record};

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
    /// The most records of a review: behind the last one no reference is followed.
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

/// A published text that is a record, or was probably meant to be one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ReviewedRecord {
    /// The domain of the record.
    pub domain: Name,
    /// The number of records that refer to it, one to the next; 0 for the record of the reviewed domain.
    pub depth: usize,
    /// The record, as the domain publishes it: positions of faults are in this text.
    pub record: Box<[u8]>,
    /// The reason why it does not count, if there is one.
    pub defect: Option<Defect>,
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

    /// Returns the number of terms that cause DNS queries if nothing matches, in at most [`Review::MAX_RECORDS`] records.
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
        let Some(texts) = answer.texts() else {
            self.find(domain, None, Defect::NoRecord);
            return Ok(());
        };
        let (place, before) = (self.records.len(), self.lookups);
        let published = texts.derive(Published::select);
        let record = match &*published {
            Published::One(record) => record,
            Published::None => return self.without_record(domain, above.len(), texts),
            Published::Several => {
                return self.ignored(domain, above.len(), texts, &Defect::SeveralRecords);
            }
            Published::Wrong(error) => {
                return self.ignored(domain, above.len(), texts, &Defect::Syntax(*error));
            }
        };
        for text in texts.iter().filter(|text| Record::is_one(text)) {
            if text.len() > Review::MAX_PLAIN_OCTETS {
                self.find(domain, None, Defect::Long);
            }
            self.read(domain, above.len(), text, None);
        }
        above.push(domain.clone());
        self.terms(known, domain, record, above, limits)?;
        above.pop();
        let lookups = self.lookups - before;
        if let Some(reviewed) = self.records.get_mut(place) {
            reviewed.lookups = lookups;
        }
        Ok(())
    }

    /// Reads the terms of a record, and what they refer to.
    fn terms(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
        record: &Record,
        above: &mut Vec<Name>,
        limits: &Limits,
    ) -> Result<(), Unanswered> {
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
        Ok(())
    }

    /// Shows the texts of a domain without a record that were probably meant to be one.
    #[expect(clippy::unnecessary_wraps, reason = "it is what the caller returns")]
    fn without_record(
        &mut self,
        domain: &Name,
        depth: usize,
        texts: &Texts,
    ) -> Result<(), Unanswered> {
        let mut meant = texts.iter().filter(|text| is_meant(text)).peekable();
        let defect = if meant.peek().is_some() { Defect::Version } else { Defect::NoRecord };
        for text in meant {
            self.read(domain, depth, text, Some(defect.clone()));
        }
        self.find(domain, None, defect);
        Ok(())
    }

    /// Shows records that do not count.
    #[expect(clippy::unnecessary_wraps, reason = "it is what the caller returns")]
    fn ignored(
        &mut self,
        domain: &Name,
        depth: usize,
        texts: &Texts,
        defect: &Defect,
    ) -> Result<(), Unanswered> {
        for text in texts.iter().filter(|text| Record::is_one(text)) {
            self.read(domain, depth, text, Some(defect.clone()));
        }
        self.find(domain, None, defect.clone());
        Ok(())
    }

    fn read(&mut self, domain: &Name, depth: usize, text: &[u8], defect: Option<Defect>) {
        if self.records.len() < Review::MAX_RECORDS {
            let (domain, record) = (domain.clone(), text.into());
            self.records.push(ReviewedRecord { domain, depth, record, defect, lookups: 0 });
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
                let (v4, v6) = (v4?, v6?);
                if let Some(failure) = failure(&v4).or(failure(&v6)) {
                    self.find(domain, Some(&term), Defect::Dns(failure));
                }
                if is_absent(&v4) & is_absent(&v6) {
                    self.void_lookups += 1;
                    self.find(domain, Some(&term), Defect::Void);
                }
            }
            Mechanism::Mx { domain: spec, .. } => {
                let Some(target) = target(domain, spec.as_ref()) else { return Ok(()) };
                let answer = known.ask(target, RecordType::Mx)?;
                if let Some(failure) = failure(&answer) {
                    self.find(domain, Some(&term), Defect::Dns(failure));
                }
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
        // Deeper than any check goes, and within the stack; few records can have endless paths.
        let is_full = self.records.len() >= Review::MAX_RECORDS;
        if is_full || above.len() > 2 * usize::from(limits.lookups) {
            return Ok(());
        }
        self.domain(known, target, above, limits)
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

fn failure(answer: &Answer) -> Option<DnsFailure> {
    match answer {
        Answer::Failed(failure) => Some(*failure),
        _ => None,
    }
}

/// Tells whether a text that is no record begins like one, behind quotes or blanks.
fn is_meant(text: &[u8]) -> bool {
    let start = text.iter().position(u8::is_ascii_alphanumeric).unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    text.get(..MEANT.len()).is_some_and(|start| start.eq_ignore_ascii_case(MEANT))
}

/// The beginning of a text that was probably meant to be a record.
const MEANT: &[u8] = b"v=spf";
