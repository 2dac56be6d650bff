//! A resolver that asks validating resolvers, as a machine without clock and I/O.

mod lookup;
mod options;
mod server;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mail_types::dns::{Answer, DnsFailure, Question};
use mail_types::hickory::Walk;

use self::lookup::{End, Purpose};
pub use self::lookup::{Lookup, LookupStep, Query, QueryType, Reply, Response, Transport};
pub use self::options::StubOptions;
pub use self::server::{DnssecState, NoDnssec};
use self::server::{Probed, Server};
use crate::answer_cache::AnswerCache;

/// A stub resolver that believes the AD bit of validating resolvers on this host, or trusted by explicit word. It
/// is a machine without clock and I/O.
///
/// For each question make a [`Lookup`], call [`next`](Self::next), do what it says and report the result, until
/// it is done. No order of calls panics. Before a server's first answer, and from time to time, a probe tells
/// whether it validates.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use dane_tlsa::mail_types::dns::{Answer, DnsFailure, Question, RecordType};
/// use dane_tlsa::{LookupStep, QueryType, Stub, StubOptions};
///
/// let mut stub = Stub::new(&["127.0.0.1:53".parse()?], StubOptions::default());
/// let (now, time) = (Instant::now(), Duration::from_secs(20));
/// let mut lookup = stub.lookup(Question::new("example.com".parse()?, RecordType::Mx), now, time);
///
/// // The server is new: is the root signed for it?
/// let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) else { unreachable!() };
/// let LookupStep::Send(query) = stub.next(&mut probe, now) else { unreachable!() };
/// assert_eq!((query.name.is_root(), query.kind), (true, QueryType::Soa));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stub {
    servers: Vec<Server>,
    options: StubOptions,
    cache: AnswerCache,
    /// The server to begin with: the last that responded.
    first: usize,
}

impl Stub {
    /// The most servers; those after them are left out.
    pub const MAX_SERVERS: usize = 8;
    /// The most octets of a response by UDP (the DNS flag day of 2020).
    pub const PAYLOAD: u16 = 1232;

    /// Starts without any answer. If one of the servers is trusted, those that are not are never asked: their
    /// answer could stand in for one whose validation failed.
    #[must_use]
    pub fn new(servers: &[SocketAddr], options: StubOptions) -> Self {
        let all = servers.iter().map(|address| Server::new(*address, options.trusted));
        let mut all: Vec<_> = all.collect();
        if all.iter().any(Server::is_trusted) {
            all.retain(Server::is_trusted);
        }
        all.truncate(Self::MAX_SERVERS);
        let cache = AnswerCache::new(options.cache.clone());
        Self { servers: all, options, cache, first: 0 }
    }

    /// Returns the servers that are asked, and whether each validates.
    pub fn servers(&self) -> impl Iterator<Item = (SocketAddr, DnssecState)> {
        self.servers.iter().map(|server| (server.address, server.state))
    }

    /// Returns how many answers are kept, and how many octets they take.
    #[must_use]
    pub fn cached(&self) -> (usize, usize) {
        self.cache.size()
    }

    /// Begins with a question, which may take so much time in all.
    #[must_use]
    pub fn lookup(&mut self, question: Question, now: Instant, time: Duration) -> Lookup {
        let kept = self.cache.find(&question, now);
        let name = question.name.clone();
        let mut lookup =
            Lookup::new(Purpose::Question(question), name, self.first, later(now, time));
        lookup.end = kept.map(End::Answer);
        lookup
    }

    /// Returns the next step of a lookup.
    pub fn next(&mut self, lookup: &mut Lookup, now: Instant) -> LookupStep {
        if now >= lookup.deadline && lookup.end.is_none() {
            self.give_up(lookup, now);
        }
        if lookup.end.is_none() && !self.is_of_use(lookup.server, lookup) {
            self.turn(lookup);
        }
        match &lookup.end {
            Some(End::Answer(answer)) => return LookupStep::Done(answer.clone()),
            Some(End::Probed) => return LookupStep::Probed,
            None => {}
        }
        let Some(server) = self.servers.get(lookup.server) else {
            return LookupStep::Done(Answer::Failed(DnsFailure::ServFail));
        };
        if !lookup.is_probe() && server.is_probe_due(now) {
            let name = self.options.signed_name.clone();
            let end = later(now, self.options.patience).min(lookup.deadline);
            return LookupStep::Probe(Box::new(Lookup::new(
                Purpose::Signed,
                name,
                lookup.server,
                end,
            )));
        }
        let left = lookup.deadline.saturating_duration_since(now);
        LookupStep::Send(Query {
            name: lookup.name.clone(),
            kind: lookup.kind(),
            server: server.address,
            transport: lookup.transport,
            edns: lookup.edns,
            within: self.options.patience.min(left),
        })
    }

    /// Reports the response to the last query of a lookup.
    pub fn handle_response(&mut self, lookup: &mut Lookup, response: Response, now: Instant) {
        if lookup.end.is_some() {
            return;
        }
        self.first = lookup.server;
        let echoes = response.echo == Some((lookup.name.clone(), lookup.kind()));
        match response.reply {
            // A server that has read only the header repeats no question.
            Reply::NotUnderstood if lookup.edns && (echoes || response.echo.is_none()) => {
                lookup.turn_to(lookup.server, lookup.round, false);
            }
            Reply::Truncated if echoes && lookup.transport == Transport::Udp => {
                lookup.transport = Transport::Tcp;
            }
            Reply::Probe if echoes && lookup.is_probe() => {
                self.take_probe(lookup, response.authentic, now);
            }
            Reply::Answered(walk) if echoes => self.take(lookup, walk, response.authentic, now),
            Reply::Failed(failure) if echoes => self.reject(lookup, failure, now),
            Reply::NotUnderstood => self.reject(lookup, DnsFailure::Refused, now),
            _ => self.reject(lookup, DnsFailure::ServFail, now),
        }
    }

    /// Reports that the last query of a lookup had no response in its time, or cannot be sent.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use dane_tlsa::mail_types::dns::{Answer, DnsFailure, Question, RecordType};
    /// use dane_tlsa::{DnssecState, LookupStep, QueryType, Reply, Response, Stub, StubOptions};
    ///
    /// let server = "127.0.0.1:53".parse()?;
    /// let mut stub = Stub::new(&[server], StubOptions::default());
    /// let (now, time) = (Instant::now(), Duration::from_secs(20));
    /// let mut lookup = stub.lookup(Question::new("example.com".parse()?, RecordType::Mx), now, time);
    /// let LookupStep::Probe(mut probe) = stub.next(&mut lookup, now) else { unreachable!() };
    /// let LookupStep::Send(query) = stub.next(&mut probe, now) else { unreachable!() };
    /// // The answer about the root has AD: the server validates.
    /// let response = Response { echo: Some((query.name, QueryType::Soa)), authentic: true, reply: Reply::Probe };
    /// stub.handle_response(&mut probe, response, now);
    /// assert_eq!(stub.servers().collect::<Vec<_>>(), [(server, DnssecState::Available)]);
    /// // Of the question itself nothing is heard: that is a failure, and is not kept.
    /// while let LookupStep::Send(_) = stub.next(&mut lookup, now) {
    ///     stub.handle_silence(&mut lookup, now);
    /// }
    /// let LookupStep::Done(answer) = stub.next(&mut lookup, now) else { unreachable!() };
    /// assert_eq!((answer, stub.cached().0), (Answer::Failed(DnsFailure::Timeout), 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handle_silence(&mut self, lookup: &mut Lookup, now: Instant) {
        if lookup.end.is_some() {
            return;
        }
        if self.first == lookup.server {
            self.first = (lookup.server + 1) % self.servers.len().max(1);
        }
        lookup.note(DnsFailure::Timeout);
        if lookup.is_probe() { self.give_up(lookup, now) } else { self.turn(lookup) }
    }

    fn give_up(&mut self, lookup: &mut Lookup, now: Instant) {
        if lookup.is_probe() { self.probed(lookup, Probed::Silent, now) } else { lookup.fail() }
    }

    fn take(&mut self, lookup: &mut Lookup, walk: Walk, authentic: bool, now: Instant) {
        let Purpose::Question(question) = &lookup.purpose else {
            return self.reject(lookup, DnsFailure::ServFail, now);
        };
        let Some(server) = self.servers.get(lookup.server) else { return };
        let status = server.status(authentic);
        match walk {
            Walk::End { answer: Answer::Failed(failure), .. } => self.reject(lookup, failure, now),
            Walk::End { mut answer, .. } => {
                if let Answer::Records { security, .. } | Answer::Absent { security, .. } =
                    &mut answer
                {
                    *security = status;
                }
                let answer = answer.behind_alias(lookup.worst, lookup.least);
                self.cache.keep(question, &answer, now);
                lookup.end = Some(End::Answer(answer));
            }
            Walk::Alias { target, ttl, .. } => {
                lookup.aliases += 1;
                if lookup.aliases > Walk::MAX_ALIASES {
                    lookup.failure = Some(DnsFailure::ServFail);
                    return lookup.fail();
                }
                lookup.worst = lookup.worst.min(status);
                lookup.least = lookup.least.min(ttl);
                lookup.name = target;
                lookup.failed.clear();
                lookup.begin = lookup.server;
                lookup.turn_to(lookup.server, 0, true);
            }
        }
    }

    fn take_probe(&mut self, lookup: &mut Lookup, authentic: bool, now: Instant) {
        let known = match (&lookup.purpose, authentic) {
            (Purpose::Bogus, _) => DnssecState::Unavailable(NoDnssec::AcceptsBogus),
            (_, false) => DnssecState::Unavailable(NoDnssec::NotValidating),
            (_, true) => match &self.options.bogus_name {
                None => DnssecState::Available,
                Some(name) => {
                    let (name, deadline) = (name.clone(), lookup.deadline);
                    *lookup = Lookup::new(Purpose::Bogus, name, lookup.server, deadline);
                    return;
                }
            },
        };
        self.probed(lookup, Probed::Known(known), now);
    }

    /// Takes a failure that the server answers with.
    fn reject(&mut self, lookup: &mut Lookup, failure: DnsFailure, now: Instant) {
        let known = match (&lookup.purpose, failure) {
            (Purpose::Question(_), _) => {
                lookup.note(failure);
                lookup.failed.push(lookup.server);
                return self.turn(lookup);
            }
            (Purpose::Bogus, DnsFailure::ServFail | DnsFailure::Bogus) => DnssecState::Available,
            (_, DnsFailure::Refused) => DnssecState::Unavailable(NoDnssec::Refused),
            // The server cannot reach the name just now, or someone is in the way.
            _ => return self.probed(lookup, Probed::Silent, now),
        };
        self.probed(lookup, Probed::Known(known), now);
    }

    fn probed(&mut self, lookup: &mut Lookup, probed: Probed, now: Instant) {
        lookup.end = Some(End::Probed);
        let Some(server) = self.servers.get_mut(lookup.server) else { return };
        let success = probed == Probed::Known(DnssecState::Available);
        let wait = if success { self.options.probe_interval } else { self.options.probe_retry };
        server.due = Some(later(now, wait));
        if let Probed::Known(state) = probed
            && server.state != state
        {
            server.state = state;
            // Their status was by the old state.
            self.cache.clear();
        }
    }

    /// Whether a server may be asked for a lookup: one without DNSSEC only if no server has it.
    fn is_of_use(&self, server: usize, lookup: &Lookup) -> bool {
        let is_available = self.servers.get(server).is_some_and(Server::is_available);
        lookup.is_probe() || is_available || !self.servers.iter().any(Server::is_available)
    }

    /// Turns to the next server that may be asked, in the next round after the last.
    fn turn(&self, lookup: &mut Lookup) {
        let (count, rounds) = (self.servers.len(), self.options.rounds);
        let done = (lookup.server + count - lookup.begin.min(count)) % count.max(1);
        for step in 1..=count {
            let server = (lookup.server + step) % count;
            let round = lookup.round + u32::from(done + step >= count);
            if round < rounds && !lookup.failed.contains(&server) && self.is_of_use(server, lookup)
            {
                // A server, or a network before it, may drop what has EDNS.
                return lookup.turn_to(server, round, round == 0 || round + 1 < rounds);
            }
        }
        lookup.fail();
    }
}

/// A time that an instant cannot hold is as good as a year.
fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).or_else(|| now.checked_add(YEAR)).unwrap_or(now)
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);
