//! Asks the DNS through a resolver of [hickory](hickory_resolver).
//!
//! No answer is [secure](DnssecStatus::Secure) here: a resolver's claim of validation is worth nothing
//! unless the resolver is near and trusted.

mod resolver;

use std::io;
use std::time::Duration;

use hickory_resolver::net::runtime::{Time, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{self, RData, Record};

pub use resolver::{Resolver, ResolverError, ResolverSettings};

use crate::dns::{
    Answer, DnsFailure, DnssecStatus, Mx, Name, Question, RecordType, Records, Resolve, Resolving,
    Texts,
};
pub use crate::dns::{run, run_cached};

impl Resolve for Resolver {
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_> {
        let (resolver, asked) = (self.clone(), question.clone());
        let answer = async move { ask(&resolver, &asked).await };
        Box::pin(async move {
            let answer = TokioTime::timeout(time, answer).await;
            let answer = answer.unwrap_or(Answer::Failed(DnsFailure::Timeout));
            (question, answer)
        })
    }
}

/// Asks one question.
pub async fn ask(resolver: &Resolver, question: &Question) -> Answer {
    let kind = match question.kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Tlsa => rr::RecordType::TLSA,
        RecordType::Txt => rr::RecordType::TXT,
    };
    let labels = question.name.labels();
    let Ok(mut name) = rr::Name::from_labels(labels) else {
        return Answer::Failed(DnsFailure::ServFail);
    };
    name.set_fqdn(true);
    match resolver.lookup(name, kind).await {
        Ok(lookup) => records(question, lookup.answers()),
        Err(error) => absence(&error),
    }
}

/// Reads the records of an answer: those of the type, and their owner at the end of the aliases.
fn records(question: &Question, answers: &[Record]) -> Answer {
    let of_kind = answers.iter().filter_map(|record| Some((record, data(question.kind, record)?)));
    let ttl = answers.iter().map(|record| record.ttl).min().unwrap_or(0);
    let security = DnssecStatus::Indeterminate;
    let mut owner = None;
    let mut all: Option<Records> = None;
    for (record, data) in of_kind {
        owner = Some(name(&record.name));
        match &mut all {
            Some(all) => all.append(data),
            None => all = Some(data),
        }
    }
    if let Some((records, canonical)) = all.zip(owner) {
        return Answer::Records { records, canonical, security, ttl };
    }
    // The response has no time to live for the missing end of an alias chain.
    Answer::Absent { exists: true, security, ttl: ttl.min(60) }
}

fn data(kind: RecordType, record: &Record) -> Option<Records> {
    Some(match (kind, &record.data) {
        (RecordType::A, RData::A(address)) => Records::A(vec![address.0]),
        (RecordType::Aaaa, RData::AAAA(address)) => Records::Aaaa(vec![address.0]),
        (RecordType::Cname, RData::CNAME(target)) => Records::Cname(name(&target.0)),
        (RecordType::Ptr, RData::PTR(target)) => Records::Ptr(vec![name(&target.0)]),
        (RecordType::Mx, RData::MX(mx)) => {
            Records::Mx(vec![Mx { preference: mx.preference, exchange: name(&mx.exchange) }])
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

fn absence(error: &NetError) -> Answer {
    let failed = Answer::Failed;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            let (security, ttl) = (DnssecStatus::Indeterminate, none.negative_ttl.unwrap_or(0));
            match none.response_code {
                ResponseCode::NoError => Answer::Absent { exists: true, security, ttl },
                ResponseCode::NXDomain => Answer::Absent { exists: false, security, ttl },
                ResponseCode::Refused => failed(DnsFailure::Refused),
                _ => failed(DnsFailure::ServFail),
            }
        }
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => failed(DnsFailure::Refused),
        NetError::Timeout => failed(DnsFailure::Timeout),
        NetError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            failed(DnsFailure::Timeout)
        }
        _ => failed(DnsFailure::ServFail),
    }
}

fn name(name: &rr::Name) -> Name {
    Name::from_labels(name.iter()).unwrap_or_else(|_| Name::root()) // Its limits are the same.
}
