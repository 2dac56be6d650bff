//! The answer to a question in a message, with the aliases followed by their owners.

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{self, RData, Record};

use crate::dns::{
    Answer, DnsFailure, DnssecStatus, Mx, Name, Question, RecordType, Records, Texts,
};

/// The way from the name of a question to its answer, in one response.
///
/// Each alias is followed from its owner to its target, in whatever order the records stand; records of other
/// owners count for nothing. A loop, a second alias of one name, and a chain of more than
/// [`MAX_ALIASES`](Self::MAX_ALIASES) are failures, and so is a referral to other servers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle both")]
pub enum Walk {
    /// The response has the answer.
    End {
        /// The answer, or a failure.
        answer: Answer,
        /// The name at the end of the aliases.
        owner: Name,
    },
    /// The response has an alias without its end: ask again at the target, and let the worst status and the
    /// least time to live count for both answers.
    Alias {
        /// The last target.
        target: Name,
        /// The worst status of the aliases.
        security: DnssecStatus,
        /// The least time to live of the aliases, in seconds.
        ttl: u32,
    },
}

/// A part of a response whose DNSSEC status the caller of [`Walk::new`] knows.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must know the status of both")]
pub enum Link<'a> {
    /// A record on the way.
    Record(&'a Record),
    /// The absence of the records at the end of the way, or of this name.
    Denial(&'a Name),
}

impl Walk {
    /// The most aliases of an answer, as [`Zone::MAX_ALIASES`](crate::dns::Zone::MAX_ALIASES).
    pub const MAX_ALIASES: usize = 16;

    /// Walks through a response; `status` vouches for each record on the way, and for a denial at its end.
    /// A failure of `status` is the answer.
    ///
    /// ```
    /// use hickory_resolver::proto::op::Message;
    /// use hickory_resolver::proto::rr::rdata::{A, CNAME};
    /// use hickory_resolver::proto::rr::{Name, RData, Record};
    /// use mail_types::dns::{DnssecStatus, Question, RecordType};
    /// use mail_types::hickory::Walk;
    ///
    /// let mut response = Message::query();
    /// let [alias, host] = [Name::from_ascii("alias.example.")?, Name::from_ascii("host.example.")?];
    /// response.add_answer(Record::from_rdata(host.clone(), 60, RData::A(A::new(192, 0, 2, 1))));
    /// response.add_answer(Record::from_rdata(alias, 60, RData::CNAME(CNAME(host))));
    ///
    /// let question = Question::new("alias.example".parse()?, RecordType::A);
    /// let walk = Walk::new(&question, &response, |_| Ok(DnssecStatus::Indeterminate));
    /// assert!(matches!(walk, Walk::End { owner, .. } if owner.to_string() == "host.example"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(
        question: &Question,
        response: &Message,
        status: impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
    ) -> Self {
        let mut way =
            Way { owner: question.name.clone(), worst: DnssecStatus::Secure, least: u32::MAX };
        let walked = way.walk(question.kind, response, &status);
        match walked {
            Ok(End::Answer(answer)) => Self::End { answer, owner: way.owner },
            Ok(End::Alias) => {
                Self::Alias { target: way.owner, security: way.worst, ttl: way.least }
            }
            Err(failure) => Self::End { answer: Answer::Failed(failure), owner: way.owner },
        }
    }
}

enum End {
    Answer(Answer),
    Alias,
}

struct Way {
    owner: Name,
    worst: DnssecStatus,
    least: u32,
}

impl Way {
    fn walk(
        &mut self,
        kind: RecordType,
        response: &Message,
        status: &impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
    ) -> Result<End, DnsFailure> {
        let exists = match response.metadata.response_code {
            ResponseCode::NoError => true,
            ResponseCode::NXDomain => false,
            ResponseCode::Refused => return Err(DnsFailure::Refused),
            _ => return Err(DnsFailure::ServFail),
        };
        for aliases in 0..=Walk::MAX_ALIASES {
            if let Some(records) = self.records(kind, response, status)? {
                // A name that does not exist has no records.
                return if exists {
                    Ok(End::Answer(self.answer(records)))
                } else {
                    Err(DnsFailure::ServFail)
                };
            }
            let Some(target) = self.alias(response, status)? else {
                return self.absence(exists, aliases, response, status);
            };
            self.owner = target;
        }
        Err(DnsFailure::ServFail)
    }

    /// The records of the type at the owner.
    fn records(
        &mut self,
        kind: RecordType,
        response: &Message,
        status: &impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
    ) -> Result<Option<Records>, DnsFailure> {
        let mut all: Option<Records> = None;
        for record in &response.answers {
            let Some(found) = data(kind, record).filter(|_| self.is_owner_of(record)) else {
                continue;
            };
            self.take(record, status)?;
            match &mut all {
                Some(Records::Cname(_)) => return Err(DnsFailure::ServFail),
                Some(all) => all.append(found),
                None => all = Some(found),
            }
        }
        Ok(all)
    }

    /// The target of the owner's alias.
    fn alias(
        &mut self,
        response: &Message,
        status: &impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
    ) -> Result<Option<Name>, DnsFailure> {
        match self.records(RecordType::Cname, response, status)? {
            Some(Records::Cname(target)) => Ok(Some(target)),
            _ => Ok(None),
        }
    }

    fn take(
        &mut self,
        record: &Record,
        status: &impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
    ) -> Result<(), DnsFailure> {
        self.worst = self.worst.min(status(Link::Record(record))?);
        self.least = self.least.min(record.ttl);
        Ok(())
    }

    fn answer(&self, records: Records) -> Answer {
        let canonical = self.owner.clone();
        Answer::Records { records, canonical, security: self.worst, ttl: self.least }
    }

    /// No records at the end: denied there, or the response ends with an alias.
    fn absence(
        &self,
        exists: bool,
        aliases: usize,
        response: &Message,
        status: &impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
    ) -> Result<End, DnsFailure> {
        let authorities = || response.authorities.iter();
        let start = authorities().find_map(|record| match &record.data {
            RData::SOA(soa) => Some((record, soa)),
            _ => None,
        });
        let encloses = |record: &Record| self.owner.is_within(&mail_name(&record.name));
        if aliases > 0 && exists && start.is_none_or(|(record, _)| !encloses(record)) {
            return Ok(End::Alias);
        }
        if start.is_none()
            && exists
            && authorities().any(|record| matches!(record.data, RData::NS(_)))
        {
            return Err(DnsFailure::ServFail); // A referral.
        }
        let security = self.worst.min(status(Link::Denial(&self.owner))?);
        // RFC 2308 section 5: without a SOA record an absence has no time to live.
        let ttl = start.map_or(0, |(record, soa)| record.ttl.min(soa.minimum));
        Ok(End::Answer(Answer::Absent { exists, security, ttl: self.least.min(ttl) }))
    }

    fn is_owner_of(&self, record: &Record) -> bool {
        record.dns_class == rr::DNSClass::IN
            && Name::from_labels(record.name.iter()).is_ok_and(|name| name == self.owner)
    }
}

fn data(kind: RecordType, record: &Record) -> Option<Records> {
    Some(match (kind, &record.data) {
        (RecordType::A, RData::A(address)) => Records::A(vec![address.0]),
        (RecordType::Aaaa, RData::AAAA(address)) => Records::Aaaa(vec![address.0]),
        (RecordType::Cname, RData::CNAME(target)) => Records::Cname(mail_name(&target.0)),
        (RecordType::Ptr, RData::PTR(target)) => Records::Ptr(vec![mail_name(&target.0)]),
        (RecordType::Mx, RData::MX(mx)) => {
            Records::Mx(vec![Mx { preference: mx.preference, exchange: mail_name(&mx.exchange) }])
        }
        (RecordType::Txt, RData::TXT(text)) => Records::Txt(Texts::new([text.txt_data.concat()])),
        (RecordType::Tlsa, RData::TLSA(tlsa)) => {
            let mut data = vec![tlsa.cert_usage.into(), tlsa.selector.into(), tlsa.matching.into()];
            data.extend(&tlsa.cert_data);
            Records::Tlsa(vec![data.into()])
        }
        _ => return None,
    })
}

/// Returns hickory's form of a type.
#[must_use]
pub fn hickory_type(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Tlsa => rr::RecordType::TLSA,
        RecordType::Txt => rr::RecordType::TXT,
    }
}

/// Returns hickory's form of a name, absolute; `None` if hickory refuses it.
#[must_use]
pub fn hickory_name(name: &Name) -> Option<rr::Name> {
    let mut name = rr::Name::from_labels(name.labels()).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// Returns our form of a name of hickory.
///
/// ```
/// use mail_types::dns::{Name, RecordType};
/// use mail_types::hickory::{hickory_name, hickory_type, mail_name};
///
/// let name: Name = "_25._tcp.mx.example.com".parse()?;
/// let theirs = hickory_name(&name).ok_or("no name of hickory")?;
/// assert_eq!(mail_name(&theirs), name);
/// assert_eq!(hickory_type(RecordType::Tlsa).to_string(), "TLSA");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn mail_name(name: &rr::Name) -> Name {
    Name::from_labels(name.iter()).unwrap_or_else(|_| Name::root()) // Its limits are the same.
}
