//! Validation on this host, by hickory and a stricter rule for what does not exist.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::{DnsHandle, DnsResponseStream, FirstAnswer};
use hickory_net::{DnsError, NetError};
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::dnssec::{Proof, TrustAnchors};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Message, ResponseCode};
use hickory_proto::rr::{RData, Record};
use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Name, Question, Resolve, Resolving};
use mail_types::hickory::{Link, Walk, hickory_name, hickory_type, mail_name};
use tokio::time::timeout;

use super::exchange::{by_tcp, by_udp};
use crate::Stub;

/// A resolver that validates on this host, so that the servers and the way to them need no trust. It has no cache
/// of answers, only of signatures.
///
/// hickory 0.26 finds some secure answers bogus; mail for such names is deferred. Prefer a
/// [`StubResolver`](super::StubResolver) with a validating resolver on this host.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "hickory's handle has none")]
pub struct ValidatingResolver {
    handle: DnssecDnsHandle<Servers>,
}

impl ValidatingResolver {
    /// Asks these servers in their order, the next one after a failure, each at most `patience` long for a
    /// response. `anchors` are the keys that are trusted: those of the root by default.
    #[must_use]
    pub fn new(servers: &[SocketAddr], anchors: Arc<TrustAnchors>, patience: Duration) -> Self {
        let servers = Servers { servers: servers.into(), patience };
        Self { handle: DnssecDnsHandle::with_trust_anchor(servers, anchors) }
    }

    async fn finish(&self, question: &Question) -> Answer {
        let mut asked = question.clone();
        let (mut worst, mut least) = (DnssecStatus::Secure, u32::MAX);
        for _ in 0..=Walk::MAX_ALIASES {
            let walk = match self.lookup(&asked).await {
                Ok(response) => validated_walk(&asked, &response),
                Err(error) => match alias(&asked, &error) {
                    Some(walk) => walk,
                    None => return Answer::Failed(failure(&error)),
                },
            };
            match walk {
                Walk::End { answer, .. } => return answer.behind_alias(worst, least),
                Walk::Alias { target, security, ttl } => {
                    (worst, least) = (worst.min(security), least.min(ttl));
                    asked.name = target;
                }
            }
        }
        Answer::Failed(DnsFailure::ServFail)
    }

    async fn lookup(&self, question: &Question) -> Result<DnsResponse, NetError> {
        let name = hickory_name(&question.name).ok_or(NetError::from("the name is not valid"))?;
        let query = hickory_proto::op::Query::query(name, hickory_type(question.kind));
        let mut options = DnsRequestOptions::default();
        options.edns_payload_len = Stub::PAYLOAD;
        options.edns_set_dnssec_ok = true;
        self.handle.lookup(query, options).first_answer().await
    }
}

impl Resolve for ValidatingResolver {
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_> {
        Box::pin(async move {
            let answer = timeout(time, self.finish(&question)).await;
            let answer = answer.unwrap_or(Answer::Failed(DnsFailure::Timeout));
            (question, answer)
        })
    }
}

/// Walks through a response whose records have hickory's proofs. hickory takes a denial whose records are all
/// insecure, wherever they come from; here it counts only if proven for the name that was asked for:
///
/// - each record on the way must be secure or proven to be unsigned;
/// - a denial needs the SOA record of a zone that encloses the name: secure, with a secure NSEC or NSEC3 record, or
///   proven to be unsigned;
/// - a denial at the end of an alias does not count: the end is asked for by itself;
/// - a record from a wildcard needs a secure NSEC or NSEC3 record.
#[must_use]
pub fn validated_walk(question: &Question, response: &Message) -> Walk {
    let walk = Walk::new(question, response, |link| match link {
        Link::Record(record) if is_expanded(record, response) && !has_denials(response) => {
            Err(DnsFailure::Bogus)
        }
        Link::Record(record) => proven(record.proof),
        Link::Denial(name) if *name != question.name => Ok(DnssecStatus::Secure),
        Link::Denial(name) => denied(name, response),
    });
    ask_at_end(question, walk)
}

/// Turns an absence at the end of an alias into a question there.
fn ask_at_end(question: &Question, walk: Walk) -> Walk {
    match walk {
        Walk::End { answer: Answer::Absent { security, ttl, .. }, owner }
            if owner != question.name =>
        {
            Walk::Alias { target: owner, security, ttl }
        }
        walk => walk,
    }
}

/// The alias of a response that hickory refuses: its proof of what is not there is about the end of the alias, and
/// hickory looks for one about the beginning. Only records that need no such proof count.
fn alias(question: &Question, error: &NetError) -> Option<Walk> {
    let NetError::Dns(DnsError::Nsec { response, .. }) = error else { return None };
    let walk = Walk::new(question, response, |link| match link {
        Link::Record(record) if is_expanded(record, response) => Err(DnsFailure::Bogus),
        Link::Record(record) => proven(record.proof),
        Link::Denial(_) => Ok(DnssecStatus::Secure),
    });
    let walk = ask_at_end(question, walk);
    matches!(walk, Walk::Alias { .. }).then_some(walk)
}

fn proven(proof: Proof) -> Result<DnssecStatus, DnsFailure> {
    match proof {
        Proof::Secure => Ok(DnssecStatus::Secure),
        Proof::Insecure => Ok(DnssecStatus::Insecure),
        Proof::Bogus => Err(DnsFailure::Bogus),
        Proof::Indeterminate => Err(DnsFailure::ServFail),
    }
}

fn denied(name: &Name, response: &Message) -> Result<DnssecStatus, DnsFailure> {
    let encloses = |record: &&Record| {
        matches!(record.data, RData::SOA(_)) && name.is_within(&mail_name(&record.name))
    };
    let start = response.authorities.iter().find(encloses);
    match start.map(|record| record.proof) {
        Some(Proof::Secure) if has_denials(response) => Ok(DnssecStatus::Secure),
        Some(Proof::Insecure) => Ok(DnssecStatus::Insecure),
        _ => Err(DnsFailure::Bogus),
    }
}

/// hickory has verified them against the question, if there are any.
fn has_denials(response: &Message) -> bool {
    let is_denial = |record: &Record| {
        matches!(record.data, RData::DNSSEC(DNSSECRData::NSEC(_) | DNSSECRData::NSEC3(_)))
    };
    response.authorities.iter().any(|record| record.proof == Proof::Secure && is_denial(record))
}

/// Whether a signature says that the record comes from a wildcard.
fn is_expanded(record: &Record, response: &Message) -> bool {
    response.answers.iter().any(|signature| match &signature.data {
        RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => {
            signature.name == record.name
                && rrsig.input().type_covered == record.record_type()
                && rrsig.input().num_labels < record.name.num_labels()
        }
        _ => false,
    })
}

fn failure(error: &NetError) -> DnsFailure {
    match error {
        NetError::Dns(DnsError::Nsec { .. }) => DnsFailure::Bogus,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => DnsFailure::Refused,
        NetError::Timeout => DnsFailure::Timeout,
        _ => DnsFailure::ServFail,
    }
}

/// The servers of hickory's validation.
#[derive(Clone)]
struct Servers {
    servers: Arc<[SocketAddr]>,
    patience: Duration,
}

impl DnsHandle for Servers {
    type Response = DnsResponseStream;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> DnsResponseStream {
        let (servers, patience) = (Arc::clone(&self.servers), self.patience);
        let response = Box::pin(async move {
            let mut last = Err(NetError::Timeout);
            for server in servers.iter() {
                last = by_udp(*server, request.clone(), patience).await;
                if last.as_ref().is_ok_and(|response| response.metadata.truncation) {
                    last = by_tcp(*server, request.clone(), patience).await;
                }
                let is_answer = |response: &DnsResponse| {
                    let code = response.metadata.response_code;
                    matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
                        && !response.metadata.truncation
                };
                if last.as_ref().is_ok_and(is_answer) {
                    return last;
                }
            }
            match last {
                Ok(response) => Err(DnsError::ResponseCode(response.metadata.response_code).into()),
                Err(error) => Err(error),
            }
        });
        response.into()
    }
}
