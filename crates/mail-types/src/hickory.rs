//! Asks the DNS through a resolver of [hickory](hickory_resolver), and reads its messages.
//!
//! No answer of a [`Resolver`] is [secure](DnssecStatus::Secure): a resolver's claim of validation is worth
//! nothing unless the resolver is near and trusted. A program that knows better reads its messages with
//! [`Walk`].

mod resolver;
mod walk;

use std::io;
use std::time::Duration;

use hickory_resolver::net::runtime::{Time, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr;

pub use resolver::{Resolver, ResolverError, ResolverSettings};
pub use walk::{Link, Walk, hickory_name, hickory_type, mail_name};

use crate::dns::{Answer, DnsFailure, DnssecStatus, Question, RecordType, Resolve, Resolving};
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

/// Asks one question, and again at the end of an alias that hickory has not followed.
pub async fn ask(resolver: &Resolver, question: &Question) -> Answer {
    let unknown = DnssecStatus::Indeterminate;
    let (mut asked, mut least) = (question.clone(), u32::MAX);
    for _ in 0..=Walk::MAX_ALIASES {
        let Some(name) = hickory_name(&asked.name) else { break };
        let walk = match resolver.lookup(name, hickory_type(asked.kind)).await {
            Ok(lookup) => Walk::new(&asked, lookup.message(), |_| Ok(unknown)),
            Err(error) => match unfollowed(resolver, &asked, &error).await {
                Some(walk) => walk,
                None => return absence(&error).behind_alias(unknown, least),
            },
        };
        match walk {
            Walk::End { answer, .. } => return answer.behind_alias(unknown, least),
            Walk::Alias { target, ttl, .. } => (asked.name, least) = (target, least.min(ttl)),
        }
    }
    Answer::Failed(DnsFailure::ServFail)
}

/// The way on behind an absence without a SOA record: hickory follows eight aliases, and then finds no records.
async fn unfollowed(resolver: &Resolver, asked: &Question, error: &NetError) -> Option<Walk> {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return None };
    let is_denied = none.soa.is_some() || none.response_code != ResponseCode::NoError;
    if is_denied || asked.kind == RecordType::Cname {
        return None;
    }
    let name = none.query.name();
    let lookup = resolver.lookup(name.clone(), rr::RecordType::CNAME).await.ok()?;
    let asked = Question::new(mail_name(name), asked.kind);
    let walk = Walk::new(&asked, lookup.message(), |_| Ok(DnssecStatus::Indeterminate));
    // A loop is a failure.
    let is_absence = matches!(walk, Walk::End { answer: Answer::Absent { .. }, .. });
    (!is_absence).then_some(walk)
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
