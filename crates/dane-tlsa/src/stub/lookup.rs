//! One question on its way through a stub resolver.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Name, Question, RecordType};
use mail_types::hickory::Walk;

/// The progress of one question; made by [`Stub::lookup`](crate::Stub::lookup).
#[derive(Clone, Debug)]
pub struct Lookup {
    pub(super) purpose: Purpose,
    /// The name that is asked for now: the question's, or the end of an alias.
    pub(super) name: Name,
    pub(super) server: usize,
    /// The server that a round begins with.
    pub(super) begin: usize,
    pub(super) round: u32,
    pub(super) transport: Transport,
    pub(super) edns: bool,
    /// The servers that have answered with a failure, which is final.
    pub(super) failed: Vec<usize>,
    pub(super) failure: Option<DnsFailure>,
    pub(super) aliases: usize,
    pub(super) worst: DnssecStatus,
    pub(super) least: u32,
    pub(super) deadline: Instant,
    pub(super) end: Option<End>,
}

#[derive(Clone, Debug)]
pub(super) enum Purpose {
    Question(Question),
    /// Probes one server, with the signed name.
    Signed,
    /// Probes one server, with the name whose validation must fail.
    Bogus,
}

#[derive(Clone, Debug)]
pub(super) enum End {
    Answer(Answer),
    Probed,
}

impl Lookup {
    pub(super) fn new(purpose: Purpose, name: Name, server: usize, deadline: Instant) -> Self {
        Self {
            purpose,
            name,
            server,
            begin: server,
            round: 0,
            transport: Transport::Udp,
            edns: true,
            failed: Vec::new(),
            failure: None,
            aliases: 0,
            worst: DnssecStatus::Secure,
            least: u32::MAX,
            deadline,
            end: None,
        }
    }

    pub(super) fn kind(&self) -> QueryType {
        match &self.purpose {
            Purpose::Question(question) => QueryType::Records(question.kind),
            Purpose::Signed | Purpose::Bogus => QueryType::Soa,
        }
    }

    /// Asks this server afresh.
    pub(super) fn turn_to(&mut self, server: usize, round: u32, edns: bool) {
        (self.server, self.round, self.edns) = (server, round, edns);
        self.transport = Transport::Udp;
    }

    /// Keeps the failure to report: that of a server that answered rather than a silence.
    pub(super) fn note(&mut self, failure: DnsFailure) {
        if matches!(self.failure, None | Some(DnsFailure::Timeout)) {
            self.failure = Some(failure);
        }
    }

    pub(super) fn is_probe(&self) -> bool {
        !matches!(self.purpose, Purpose::Question(_))
    }

    pub(super) fn fail(&mut self) {
        let failure = self.failure.unwrap_or(DnsFailure::Timeout);
        self.end = Some(End::Answer(Answer::Failed(failure)));
    }
}

/// The next step for a [`Lookup`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must do each")]
#[must_use]
pub enum LookupStep {
    /// Send this query, and report its response or its silence.
    Send(Query),
    /// Do this lookup first, up to its end: it tells whether the server validates.
    Probe(Box<Lookup>),
    /// The answer.
    Done(Answer),
    /// The end of a probe.
    Probed,
}

/// A query for a server. It has the bits RD and AD, never CD, and with EDNS the bit DO and the size
/// [`Stub::PAYLOAD`](crate::Stub::PAYLOAD).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// The name.
    pub name: Name,
    /// The type.
    pub kind: QueryType,
    /// The server.
    pub server: SocketAddr,
    /// How it is sent.
    pub transport: Transport,
    /// Whether it has an OPT record.
    pub edns: bool,
    /// How long to wait for the response.
    pub within: Duration,
}

/// The type of a [`Query`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must send both")]
pub enum QueryType {
    /// The start of authority: a probe.
    Soa,
    /// Records of a question.
    Records(RecordType),
}

/// How a [`Query`] is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must know both")]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A connection: the datagram had no room for the answer.
    Tcp,
}

/// The response to a [`Query`] with the same id, from the server that was asked.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a driver makes it, and must give all three")]
pub struct Response {
    /// The question that it repeats; `None` if it has none, or more than one.
    pub echo: Option<(Name, QueryType)>,
    /// The AD bit.
    pub authentic: bool,
    /// The rest.
    pub reply: Reply,
}

/// The meaning of a [`Response`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must tell all apart")]
pub enum Reply {
    /// NOERROR or NXDOMAIN, and the way to the answer.
    Answered(Walk),
    /// NOERROR or NXDOMAIN for [`QueryType::Soa`]: only the AD bit counts.
    Probe,
    /// The response has the bit TC.
    Truncated,
    /// FORMERR, NOTIMP or BADVERS.
    NotUnderstood,
    /// Another failure.
    Failed(DnsFailure),
}
