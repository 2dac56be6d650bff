//! Validation on this host, by hickory and a stricter rule for what does not exist.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

use super::dname::with_dname_aliases;
use super::exchange::{by_tcp, by_udp};
use super::{now, wildcard};
use crate::answer_cache::AnswerCache;
use crate::{CacheLimits, Stub};

/// A resolver that validates on this host, so that the servers and the way to them need no trust; clones share its
/// cache.
///
/// hickory 0.26 may find a valid denial bogus; mail for such a name is deferred. Prefer a
/// [`StubResolver`](super::StubResolver) with a validating resolver on this host.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "hickory's handle has none")]
pub struct ValidatingResolver {
    handle: DnssecDnsHandle<Servers>,
    cache: Arc<Mutex<AnswerCache>>,
}

impl ValidatingResolver {
    /// Asks these servers in their order, the next one after a failure, each at most `patience` long for a
    /// response. `anchors` are the keys that are trusted: those of the root by default.
    #[must_use]
    pub fn new(servers: &[SocketAddr], anchors: Arc<TrustAnchors>, patience: Duration) -> Self {
        let servers = Servers { servers: servers.into(), patience };
        let handle = DnssecDnsHandle::with_trust_anchor(servers, anchors);
        Self { handle, cache: Arc::new(Mutex::new(AnswerCache::new(CacheLimits::default()))) }
    }

    /// Starts with an empty cache of other limits.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use dane_tlsa::CacheLimits;
    /// use dane_tlsa::hickory::{TrustAnchors, ValidatingResolver};
    /// use dane_tlsa::mail_types::dns::{Answer, Question, RecordType, Resolve};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// // Nobody answers there: that is a failure, and no absence.
    /// let (servers, patience) = (["127.0.0.1:1".parse()?], Duration::from_millis(100));
    /// let resolver = ValidatingResolver::new(&servers, Arc::new(TrustAnchors::default()), patience);
    /// let resolver = resolver.with_cache(CacheLimits::default().with_entries(100));
    /// let question = Question::new("example.com".parse()?, RecordType::Mx);
    /// let (_, answer) = resolver.answer(question, Duration::from_secs(1)).await;
    /// assert!(matches!(answer, Answer::Failed(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_cache(self, limits: CacheLimits) -> Self {
        Self { cache: Arc::new(Mutex::new(AnswerCache::new(limits))), ..self }
    }

    fn cache(&self) -> MutexGuard<'_, AnswerCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers from the cache, or finishes a question and keeps its answer.
    async fn cached(&self, question: &Question) -> Answer {
        let kept = self.cache().find(question, now());
        if let Some(kept) = kept {
            return kept;
        }
        let answer = self.finish(question).await;
        self.cache().keep(question, &answer, now());
        answer
    }

    async fn finish(&self, question: &Question) -> Answer {
        let mut asked = question.clone();
        let (mut worst, mut least) = (DnssecStatus::Secure, u32::MAX);
        for _ in 0..=Walk::MAX_ALIASES {
            let walk = match self.lookup(&asked).await {
                Ok(response) => validated_walk(&asked, &response),
                Err(NetError::Dns(DnsError::Nsec { response, .. })) => {
                    refused_walk(&asked, &response)
                }
                Err(error) => return Answer::Failed(failure(&error)),
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
            let answer = timeout(time, self.cached(&question)).await;
            let answer = answer.unwrap_or(Answer::Failed(DnsFailure::Timeout));
            (question, answer)
        })
    }
}

/// Walks through a response whose records have hickory's proofs. hickory takes a denial whose records are all
/// insecure, wherever they come from; here it counts only if proven for the name that was asked for:
///
/// - each record on the way must be secure or proven to be unsigned; an alias without a signature is secure if it
///   follows from a secure DNAME record (RFC 6672 section 5.3.1);
/// - a record of a wildcard needs a secure NSEC or NSEC3 record by which no nearer name exists;
/// - a denial needs the SOA record of a zone that encloses the name: secure, with a secure NSEC or NSEC3 record, or
///   proven to be unsigned;
/// - a denial at the end of an alias does not count: the end is asked for by itself.
///
/// ```
/// use dane_tlsa::hickory::validated_walk;
/// use dane_tlsa::mail_types::dns::{Answer, Question, RecordType};
/// use dane_tlsa::mail_types::hickory::Walk;
/// use hickory_proto::op::{Message, MessageType, OpCode};
///
/// // A response without a record, and so without a proof of absence, is a failure.
/// let response = Message::new(0, MessageType::Response, OpCode::Query);
/// let question = Question::new("example.com".parse()?, RecordType::Tlsa);
/// let Walk::End { answer, .. } = validated_walk(&question, &response) else { unreachable!() };
/// assert!(matches!(answer, Answer::Failed(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn validated_walk(question: &Question, response: &Message) -> Walk {
    walk(question, response, |name| denied(name, response))
}

/// Walks through a response that hickory refuses: its NSEC or NSEC3 records do not prove what hickory expects of them.
/// They may be about the end of an alias, or a wildcard. So only records count, and no denial.
fn refused_walk(question: &Question, response: &Message) -> Walk {
    walk(question, response, |_| Err(DnsFailure::Bogus))
}

fn walk(
    question: &Question,
    response: &Message,
    denied: impl Fn(&Name) -> Result<DnssecStatus, DnsFailure>,
) -> Walk {
    let response = &*with_dname_aliases(response);
    let walk = Walk::new(question, response, |link| match link {
        Link::Record(record) => proven(record, response),
        Link::Denial(name) if *name != question.name => Ok(DnssecStatus::Secure),
        Link::Denial(name) => denied(name),
    });
    // An absence at the end of an alias becomes a question there.
    match walk {
        Walk::End { answer: Answer::Absent { security, ttl, .. }, owner }
            if owner != question.name =>
        {
            Walk::Alias { target: owner, security, ttl }
        }
        walk => walk,
    }
}

fn proven(record: &Record, response: &Message) -> Result<DnssecStatus, DnsFailure> {
    match record.proof {
        Proof::Secure => wildcard::status(record, response).ok_or(DnsFailure::Bogus),
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

fn failure(error: &NetError) -> DnsFailure {
    match error {
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
