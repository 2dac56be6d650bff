//! The stub resolver with responses of a test's choice.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dane_tlsa::mail_types::dns::{Answer, DnssecStatus, Name, Question, RecordType, Records};
use dane_tlsa::mail_types::hickory::Walk;
use dane_tlsa::{Lookup, LookupStep, Query, Reply, Response, Stub, StubOptions};

pub(crate) const NEAR: &str = "127.0.0.1:53";
pub(crate) const TIME: Duration = Duration::from_secs(20);

pub(crate) fn stub(servers: &[&str], options: StubOptions) -> Stub {
    let servers: Vec<SocketAddr> = servers.iter().map(|server| server.parse().unwrap()).collect();
    Stub::new(&servers, options)
}

pub(crate) fn question(name: &str) -> Question {
    Question::new(name.parse().unwrap(), RecordType::A)
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// An address, as a response with all of it says.
pub(crate) fn address(owner: &str, ttl: u32) -> Reply {
    let (records, canonical) = (Records::A(vec![[192, 0, 2, 1].into()]), name(owner));
    let security = DnssecStatus::Indeterminate;
    let answer = Answer::Records { records, canonical, security, ttl };
    Reply::Answered(Walk::End { answer, owner: name(owner) })
}

pub(crate) fn absent(owner: &str, ttl: u32) -> Reply {
    let answer = Answer::Absent { exists: false, security: DnssecStatus::Indeterminate, ttl };
    Reply::Answered(Walk::End { answer, owner: name(owner) })
}

/// A response to this query.
pub(crate) fn response(query: &Query, authentic: bool, reply: Reply) -> Response {
    Response { echo: Some((query.name.clone(), query.kind)), authentic, reply }
}

pub(crate) fn sent(stub: &mut Stub, lookup: &mut Lookup, now: Instant) -> Query {
    match stub.next(lookup, now) {
        LookupStep::Send(query) => query,
        other => panic!("{other:?}"),
    }
}

/// The next query; probes before it succeed.
pub(crate) fn proven(stub: &mut Stub, lookup: &mut Lookup, now: Instant) -> Query {
    loop {
        match stub.next(lookup, now) {
            LookupStep::Send(query) => return query,
            LookupStep::Probe(mut probe) => {
                let query = sent(stub, &mut probe, now);
                stub.handle_response(&mut probe, response(&query, true, Reply::Probe), now);
                assert!(matches!(stub.next(&mut probe, now), LookupStep::Probed));
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn status(answer: &Answer) -> DnssecStatus {
    match answer {
        Answer::Records { security, .. } | Answer::Absent { security, .. } => *security,
        Answer::Failed(failure) => panic!("{failure}"),
    }
}
