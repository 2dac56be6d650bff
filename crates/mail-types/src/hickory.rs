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

pub use resolver::{Resolver, ResolverError, ResolverSettings};
pub use walk::{Link, Walk, hickory_name, hickory_type, mail_name};

use crate::dns::{Answer, DnsFailure, DnssecStatus, Question, Resolve, Resolving};
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
    let Some(name) = hickory_name(&question.name) else {
        return Answer::Failed(DnsFailure::ServFail);
    };
    let lookup = match resolver.lookup(name, hickory_type(question.kind)).await {
        Ok(lookup) => lookup,
        Err(error) => return absence(&error),
    };
    match Walk::new(question, lookup.message(), |_| Ok(DnssecStatus::Indeterminate)) {
        Walk::End { answer, .. } => answer,
        // hickory has asked for the end of the aliases itself, and there is no such record. The response has
        // no time to live for that.
        Walk::Alias { ttl, .. } => {
            let security = DnssecStatus::Indeterminate;
            Answer::Absent { exists: true, security, ttl: ttl.min(60) }
        }
    }
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
