//! Answers without a network, from a master file or from the program: RFC 1034 section 4.3.2.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use thiserror::Error;

use crate::dns::master_file::{MasterFile, rdata};
use crate::dns::{
    Answer, DnsFailure, DnssecStatus, Name, NameError, Question, RecordType, Records, Resolve,
    Resolving,
};

/// DNS names with their answers: for tests, demonstrations and recorded cases.
///
/// It answers as a resolver would: aliases are followed. For a name that does not exist, the
/// wildcard `*` of its closest existing ancestor answers, if any (RFC 4592). A name with records of
/// another type, or with a name below it, has [no such record](Answer::Absent); any other name does
/// not exist.
///
/// ```
/// use mail_types::dns::{Answer, RecordType, Question, Zone};
///
/// let zone = Zone::parse(r#"
/// $ORIGIN example.com.
/// @    300 IN TXT  "v=spf1 " "mx -all"
///          IN MX   10 mx
/// mx       IN A    192.0.2.1
/// "#)?;
/// let answer = zone.answer(&Question::new("example.com".parse()?, RecordType::Txt));
/// assert_eq!(answer.texts().and_then(|texts| texts.iter().next()), Some(&b"v=spf1 mx -all"[..]));
/// let answer = zone.answer(&Question::new("mx.example.com".parse()?, RecordType::Aaaa));
/// assert!(matches!(answer, Answer::Absent { exists: true, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Zone {
    entries: HashMap<Question, Answer>,
    /// The names with records. Those above them exist too, and precede them in the order of names.
    names: BTreeSet<Name>,
    records: usize,
    /// The status of each denial that was not set.
    denials: DnssecStatus,
}

impl Zone {
    /// The most records of a zone.
    pub const MAX_RECORDS: usize = 100_000;
    /// The most aliases that are followed; a longer chain is a failure.
    pub const MAX_ALIASES: usize = 16;
    /// The default time to live of an answer, in seconds.
    pub const TTL: u32 = 3600;

    /// Parses a master file (RFC 1035 section 5), with `$ORIGIN` and `$TTL`; without `$ORIGIN` a name needs no dot at
    /// its end, and `@` is an error. A time to live may have units, as `1h`. A record of a type other than a [`RecordType`] only makes its name exist. Every answer
    /// is [indeterminate](DnssecStatus::Indeterminate).
    ///
    /// # Errors
    ///
    /// [`MasterFileError`] with the line of the first fault.
    pub fn parse(text: &str) -> Result<Self, MasterFileError> {
        let mut zone = Self::default();
        let mut file = MasterFile::new(text);
        while let Some((name, ttl, records)) = file.next_record()? {
            let wrong = |error| MasterFileError { line: file.record_line(), error };
            match records {
                Some(records) => {
                    zone.insert(name, records, DnssecStatus::default(), ttl).map_err(wrong)?;
                }
                None => drop(zone.names.insert(name)),
            }
        }
        Ok(zone)
    }

    /// Gives this DNSSEC status to all answers so far, and to every denial: a zone without one of its own
    /// is [indeterminate](DnssecStatus::Indeterminate).
    ///
    /// ```
    /// use mail_types::dns::{Answer, DnssecStatus, Question, RecordType, Zone};
    ///
    /// let zone = Zone::parse("mx.example.com. A 192.0.2.1")?.with_security(DnssecStatus::Secure);
    /// let answer = zone.answer(&Question::new("mx.example.com".parse()?, RecordType::Aaaa));
    /// assert!(matches!(answer, Answer::Absent { security: DnssecStatus::Secure, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_security(mut self, status: DnssecStatus) -> Self {
        for answer in self.entries.values_mut() {
            match answer {
                Answer::Records { security, .. } | Answer::Absent { security, .. } => {
                    *security = status;
                }
                Answer::Failed(_) => {}
            }
        }
        Self { denials: status, ..self }
    }

    /// Adds a record. `data` is as in a master file; names are complete, with or without a dot at
    /// the end; a text is one string without quotes, with `\\` and `\DDD` for octets.
    ///
    /// All records of a name and type have the worst security that one of them was added with.
    ///
    /// # Errors
    ///
    /// [`ZoneError`] if `data` is not valid for this type, or the zone is full.
    pub fn add(
        &mut self,
        name: Name,
        kind: RecordType,
        data: &str,
        security: DnssecStatus,
    ) -> Result<(), ZoneError> {
        let parts: Vec<_> = if kind == RecordType::Txt {
            vec![data]
        } else {
            data.split_ascii_whitespace().collect()
        };
        self.insert(name, rdata(kind, &parts, None)?, security, Self::TTL)
    }

    /// Sets the answer to a question in place of all others: a failure or an absence, proven or
    /// not. For records use [`add`](Self::add).
    ///
    /// ```
    /// use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Question, RecordType, Zone};
    ///
    /// let mut zone = Zone::default();
    /// zone.add("mx.example.com".parse()?, RecordType::A, "192.0.2.1", DnssecStatus::Secure)?;
    /// let question = Question::new("mx.example.com".parse()?, RecordType::Aaaa);
    /// zone.set(question.clone(), Answer::Failed(DnsFailure::Timeout));
    /// assert_eq!(zone.answer(&question), Answer::Failed(DnsFailure::Timeout));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&mut self, question: Question, answer: Answer) {
        if !matches!(answer, Answer::Absent { exists: false, .. }) {
            self.names.insert(question.name.clone());
        }
        self.entries.insert(question, answer);
    }

    /// Answers a question.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Answer {
        let mut name = question.name.clone();
        let (mut worst, mut least) = (DnssecStatus::Secure, u32::MAX);
        for _ in 0..=Self::MAX_ALIASES {
            let owner = self.owner(&name);
            let entry = |kind| {
                let owner = owner.as_ref()?;
                self.entries.get(&Question::new(owner.clone(), kind))
            };
            let direct = entry(question.kind).or_else(|| self.overruled(&name, question.kind));
            if let Some(answer) = direct {
                return linked(answer.clone(), name, worst, least);
            }
            match entry(RecordType::Cname) {
                Some(Answer::Records {
                    records: Records::Cname(target), security, ttl, ..
                }) => {
                    name = target.clone();
                    (worst, least) = (worst.min(*security), least.min(*ttl));
                }
                Some(Answer::Failed(failure)) => return Answer::Failed(*failure),
                _ => {
                    let (exists, security) = (owner.is_some(), worst.min(self.denials));
                    return Answer::Absent { exists, security, ttl: least.min(Self::TTL) };
                }
            }
        }
        Answer::Failed(DnsFailure::ServFail)
    }

    /// The name itself if it exists, or the wildcard that answers for it.
    fn owner(&self, name: &Name) -> Option<Name> {
        if self.exists(name) {
            return Some(name.clone());
        }
        let mut above = name.parent();
        while let Some(encloser) = above {
            if self.exists(&encloser) {
                return encloser.child(b"*").ok().filter(|wild| self.exists(wild));
            }
            above = encloser.parent();
        }
        None
    }

    /// The answer set for a name that does not exist.
    fn overruled(&self, name: &Name, kind: RecordType) -> Option<&Answer> {
        self.entries.get(&Question::new(name.clone(), kind))
    }

    fn insert(
        &mut self,
        name: Name,
        records: Records,
        security: DnssecStatus,
        ttl: u32,
    ) -> Result<(), ZoneError> {
        if self.records >= Self::MAX_RECORDS {
            return Err(ZoneError::Full);
        }
        self.records += 1;
        self.names.insert(name.clone());
        let question = Question::new(name.clone(), records.kind());
        let held = self.entries.get_mut(&question);
        if let Some(Answer::Records { records: held, security: worst, ttl: least, .. }) = held {
            if question.kind == RecordType::Cname {
                return Err(ZoneError::SecondAlias);
            }
            held.append(records);
            (*worst, *least) = (security.min(*worst), ttl.min(*least));
        } else {
            let answer = Answer::Records { records, canonical: name, security, ttl };
            self.entries.insert(question, answer);
        }
        Ok(())
    }

    /// Tells whether this name, or one below it, has records: a parent is directly before its children.
    fn exists(&self, name: &Name) -> bool {
        self.names.range(name..).next().is_some_and(|next| next.is_within(name))
    }
}

impl Resolve for Zone {
    fn answer(&self, question: Question, _: Duration) -> Resolving<'_> {
        let answer = self.answer(&question);
        Box::pin(async move { (question, answer) })
    }
}

/// The reason why a record cannot be added to a [`Zone`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ZoneError {
    /// The data is not valid for the record type.
    #[error("invalid data of a {kind} record")]
    Data {
        /// The record type.
        kind: RecordType,
    },
    /// The data has an invalid name.
    #[error("invalid DNS name")]
    Name(#[from] NameError),
    /// The name already has an alias.
    #[error("second CNAME record of one name")]
    SecondAlias,
    /// The zone has [`Zone::MAX_RECORDS`].
    #[error("zone has more than 100000 records")]
    Full,
    /// A time to live is neither seconds nor numbers with the units w, d, h, m and s, or is too long.
    #[error("invalid time to live: expected seconds, or numbers with units as 1d12h")]
    Ttl,
    /// A line is `$INCLUDE`.
    #[error("$INCLUDE is not supported: put the records of the other file in this one")]
    Include,
    /// A line is `$GENERATE`.
    #[error("$GENERATE is not supported: write each record")]
    Generate,
    /// A record is a `DNAME`, which makes aliases of the names below.
    #[error("DNAME is not supported: write a CNAME record for each name below")]
    Dname,
    /// `@` stands for an origin, and no line with `$ORIGIN` is before it.
    #[error("@ without $ORIGIN")]
    NoOrigin,
    /// A line of a master file is neither a record nor a known directive.
    #[error("neither a record nor a known directive")]
    Line,
    /// A quote or a parenthesis is not closed, or closed without being open.
    #[error("unbalanced quote or parenthesis")]
    Unbalanced,
}

/// The reason why a text is not a master file.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("invalid master file, line {line}")]
#[non_exhaustive]
pub struct MasterFileError {
    /// The line where the record begins, from 1.
    pub line: usize,
    /// The fault.
    #[source]
    pub error: ZoneError,
}

/// The answer at the end of an alias chain, with the owner there.
fn linked(answer: Answer, name: Name, worst: DnssecStatus, least: u32) -> Answer {
    let mut answer = answer.behind_alias(worst, least);
    if let Answer::Records { canonical, .. } = &mut answer {
        *canonical = name;
    }
    answer
}
