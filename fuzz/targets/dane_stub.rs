//! Whatever servers answer, a stub resolver ends; it is secure only by AD of a trusted server in each response on
//! the way, tells an absence only if a response did, keeps no failure, and its cache stays within its limits.

#![no_main]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dane_tlsa::{
    CacheLimits, Lookup, LookupStep, Query, QueryType, Reply, Response, Stub, StubOptions,
};
use hickory_proto::op::Message;
use libfuzzer_sys::fuzz_target;
use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Records};
use mail_types::hickory::Walk;

const ENTRIES: usize = 3;
const OCTETS: usize = 1500;
const TTL: u32 = 100;
const TIME: Duration = Duration::from_secs(60);
/// Aliases, servers, rounds and ways of asking.
const MOST_QUERIES: usize = (Walk::MAX_ALIASES + 1) * 3 * 2 * 3 + 6;

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let choice = input.octet();
    let far: &[&str] = &["192.0.2.1:53", "[2001:db8::1]:53"];
    let near: &[&str] = &["127.0.0.1:53", "[::1]:53", "192.0.2.1:53"];
    let servers = if choice & 1 == 0 { near } else { far };
    let servers: Vec<SocketAddr> = servers.iter().map(|server| server.parse().unwrap()).collect();
    let limits = CacheLimits::default()
        .with_entries(ENTRIES)
        .with_octets(OCTETS)
        .with_ttl(Duration::from_secs(TTL.into()));
    let options = StubOptions::default()
        .with_trusted(choice & 2 != 0)
        .with_bogus_name((choice & 4 != 0).then(|| name(9)))
        .with_cache(limits);
    let is_trusted = choice & 1 == 0 || choice & 2 != 0;
    let mut world = World {
        stub: Stub::new(&servers, options),
        now: Instant::now(),
        is_trusted,
        told: HashMap::new(),
    };
    while !input.0.is_empty() {
        let kinds = [RecordType::A, RecordType::Tlsa, RecordType::Cname];
        let choice = input.octet();
        let question = Question::new(name(choice & 7), kinds[usize::from(choice >> 3) % 3]);
        world.now += Duration::from_secs(u64::from(input.octet()) / 4);
        world.ask(&question, &mut input);
    }
});

struct World {
    stub: Stub,
    now: Instant,
    /// Whether any server may be believed.
    is_trusted: bool,
    /// The last answer to each question that came from servers, and when.
    told: HashMap<Question, (Answer, Instant)>,
}

/// What the servers have said during a lookup.
#[derive(Default)]
struct Heard {
    queries: usize,
    /// A response on the way, which has come as it should, had no AD.
    without_ad: bool,
    /// The last of them.
    last: Option<Walk>,
}

impl World {
    fn ask(&mut self, question: &Question, input: &mut Input<'_>) {
        let mut lookup = self.stub.lookup(question.clone(), self.now, TIME);
        let start = self.now;
        let mut heard = Heard::default();
        let answer = loop {
            match self.stub.next(&mut lookup, self.now) {
                LookupStep::Done(answer) => break answer,
                LookupStep::Send(query) => self.exchange(&mut lookup, &query, &mut heard, input),
                LookupStep::Probe(mut probe) => self.probe(&mut probe, input),
                LookupStep::Probed => panic!("a question is no probe"),
            }
            assert!(heard.queries <= MOST_QUERIES);
            self.check_cache();
        };
        assert!(self.now.duration_since(start) <= TIME + Duration::from_secs(5));
        if heard.queries == 0 {
            return self.check_kept(question, &answer);
        }
        self.check(&answer, &heard);
        self.told.insert(question.clone(), (answer, self.now));
    }

    /// Sends a query: a response comes, or none.
    fn exchange(
        &mut self,
        lookup: &mut Lookup,
        query: &Query,
        heard: &mut Heard,
        input: &mut Input<'_>,
    ) {
        heard.queries += 1;
        assert!(self.stub.servers().any(|(server, _)| server == query.server));
        assert!(query.within <= TIME);
        let Some(response) = response(query, input) else {
            self.now += query.within;
            return self.stub.handle_silence(lookup, self.now);
        };
        self.now += Duration::from_millis(u64::from(input.octet()));
        let echoes = response.echo == Some((query.name.clone(), query.kind));
        let is_failure = |walk: &Walk| matches!(walk, Walk::End { answer: Answer::Failed(_), .. });
        if let (true, Reply::Answered(walk)) = (echoes, &response.reply)
            && !is_failure(walk)
        {
            heard.without_ad |= !response.authentic;
            heard.last = Some(walk.clone());
        }
        self.stub.handle_response(lookup, response, self.now);
    }

    fn probe(&mut self, probe: &mut Lookup, input: &mut Input<'_>) {
        let mut heard = Heard::default();
        while let LookupStep::Send(query) = self.stub.next(probe, self.now) {
            assert_eq!(query.kind, QueryType::Soa);
            self.exchange(probe, &query, &mut heard, input);
            assert!(heard.queries <= 8);
        }
    }

    /// Checks an answer from servers.
    fn check(&self, answer: &Answer, heard: &Heard) {
        let (said, security) = match (answer, &heard.last) {
            (Answer::Failed(_), _) => return,
            (answer, Some(Walk::End { answer: said, .. })) => (said, status(answer)),
            (answer, last) => panic!("{answer:?}, though the last response was {last:?}"),
        };
        assert_eq!(std::mem::discriminant(said), std::mem::discriminant(answer));
        let earned = self.is_trusted && !heard.without_ad;
        assert!(security != DnssecStatus::Secure || earned, "{answer:?}");
        assert!(self.is_trusted || security == DnssecStatus::Indeterminate);
        assert!(ttl(answer) <= ttl(said));
    }

    /// Checks an answer without a query: it was told before, was no failure, and its time is not over.
    fn check_kept(&self, question: &Question, answer: &Answer) {
        if matches!(answer, Answer::Failed(DnsFailure::Timeout)) {
            return; // Its time was over at once, by a probe.
        }
        let (told, when) = self.told.get(question).expect("an answer without a query");
        let left = ttl(told).min(TTL);
        let age = u32::try_from(self.now.duration_since(*when).as_secs()).unwrap();
        assert!(ttl(answer) + age <= left, "{answer:?} {age} {told:?}");
        assert!(!matches!(answer, Answer::Failed(_)), "{answer:?}");
        assert_eq!(status(answer), status(told));
    }

    fn check_cache(&self) {
        let (entries, octets) = self.stub.cached();
        assert!(entries <= ENTRIES && octets <= OCTETS, "{entries} {octets}");
    }
}

/// A response of the input's choice; `None` is silence.
fn response(query: &Query, input: &mut Input<'_>) -> Option<Response> {
    let choice = input.octet();
    let security = DnssecStatus::Indeterminate;
    let end = |answer| Reply::Answered(Walk::End { answer, owner: query.name.clone() });
    let ttl = u32::from(input.octet());
    let reply = match choice & 15 {
        0 => return None,
        1 => end(Answer::Absent { exists: ttl & 1 == 0, security, ttl }),
        2 => end(Answer::Failed(DnsFailure::ServFail)),
        3 => Reply::Answered(Walk::Alias { target: name(input.octet()), security, ttl }),
        4 => Reply::Truncated,
        5 => Reply::NotUnderstood,
        6 => Reply::Failed(DnsFailure::Refused),
        7 => Reply::Failed(DnsFailure::Bogus),
        8 => message(query, input),
        9 | 10 => Reply::Probe,
        _ => {
            let records = match query.kind {
                QueryType::Records(RecordType::Tlsa) => {
                    Records::Tlsa(vec![vec![3; usize::from(input.octet()) * 8].into()])
                }
                QueryType::Records(RecordType::Cname) => Records::Cname(name(input.octet())),
                _ => Records::A(vec![[192, 0, 2, input.octet()].into()]),
            };
            end(Answer::Records { records, canonical: query.name.clone(), security, ttl })
        }
    };
    let echo = match choice >> 5 {
        0 => None,
        1 => Some((name(input.octet()), query.kind)),
        2 => Some((query.name.clone(), QueryType::Soa)),
        _ => Some((query.name.clone(), query.kind)),
    };
    Some(Response { echo, authentic: choice & 16 == 0, reply })
}

/// A message of the input, as the adapter would walk through it.
fn message(query: &Query, input: &mut Input<'_>) -> Reply {
    let QueryType::Records(kind) = query.kind else { return Reply::Probe };
    let length = usize::from(input.octet());
    let Ok(message) = Message::from_vec(input.take(length)) else {
        return Reply::Failed(DnsFailure::ServFail);
    };
    let question = Question::new(query.name.clone(), kind);
    Reply::Answered(Walk::new(&question, &message, |_| Ok(DnssecStatus::Indeterminate)))
}

fn status(answer: &Answer) -> DnssecStatus {
    match answer {
        Answer::Records { security, .. } | Answer::Absent { security, .. } => *security,
        Answer::Failed(_) => DnssecStatus::Indeterminate,
    }
}

fn ttl(answer: &Answer) -> u32 {
    match answer {
        Answer::Records { ttl, .. } | Answer::Absent { ttl, .. } => *ttl,
        Answer::Failed(_) => 0,
    }
}

fn name(choice: u8) -> Name {
    let labels = ["a", "b", "mx", "_25._tcp.mx", "x.y"];
    format!("{}.example", labels[usize::from(choice) % labels.len()]).parse().unwrap()
}

/// The octets that are left; then zeros.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
