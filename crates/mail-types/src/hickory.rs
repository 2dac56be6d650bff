//! Asks the DNS through a resolver of [hickory](hickory_resolver).
//!
//! No answer is [secure](DnssecStatus::Secure) here: a resolver's claim of validation is worth nothing
//! unless the resolver is near and trusted.

mod resolver;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hickory_resolver::net::runtime::{Time, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{self, RData, Record};

pub use resolver::{Resolver, ResolverError, ResolverSettings};

use crate::dns::{
    Answer, DnsFailure, DnssecStatus, Inquiry, Mx, Name, Question, RecordType, Records, Session,
    Step, Texts,
};

/// The time limit of a session in [`run`]: RFC 7208 section 4.6.4 demands at least 20 seconds.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a session to its end. Independent questions are asked concurrently; a question without an
/// answer after [`DEADLINE`] has failed.
///
/// [`run_cached`] takes another time limit, and a cache.
pub async fn run<I: Inquiry>(session: &mut Session<I>, resolver: &Resolver) -> I::Verdict {
    run_cached(session, resolver, DEADLINE, &|_| None).await
}

/// Runs a session to its end as [`run`] does, within `time`; a question in `cache` is not sent.
pub async fn run_cached<I: Inquiry>(
    session: &mut Session<I>,
    resolver: &Resolver,
    time: Duration,
    cache: &(dyn Fn(&Question) -> Option<Arc<Answer>> + Sync),
) -> I::Verdict {
    let mut flight: Vec<Pin<Box<dyn Future<Output = _> + Send>>> = Vec::new();
    let mut end: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(TokioTime::delay_for(time));
    loop {
        match session.poll_cached(cache) {
            Step::Done(verdict) => return verdict,
            Step::Ask(question) => {
                let resolver = resolver.clone();
                flight.push(Box::pin(async move {
                    let answer = ask(&resolver, &question).await;
                    (question, answer)
                }));
            }
            Step::Wait => {
                let answered = poll_fn(|context| {
                    for at in 0..flight.len() {
                        let ready = flight.get_mut(at).map(|asked| asked.as_mut().poll(context));
                        if let Some(Poll::Ready(answered)) = ready {
                            drop(flight.swap_remove(at));
                            return Poll::Ready(Some(answered));
                        }
                    }
                    if flight.is_empty() {
                        return Poll::Ready(None);
                    }
                    end.as_mut().poll(context).map(|()| None)
                });
                match answered.await {
                    Some((question, answer)) => session.handle_answer(&question, answer),
                    None => session.handle_timeout(),
                }
            }
        }
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
