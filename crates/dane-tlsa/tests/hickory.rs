//! The stub resolver over the network, with a name server on loopback that has every fault.

#![cfg(feature = "hickory")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a helper of tests may panic")]

#[path = "support/name_server.rs"]
mod name_server;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dane_tlsa::hickory::StubResolver;
use dane_tlsa::mail_types::dns::{
    self, Answer, DnssecStatus, Question, RecordType, Records, Resolve,
};
use dane_tlsa::{Decision, DnssecState, NextHop, NoDnssec, Policy, PolicyOptions, StubOptions};

use self::name_server::NameServer;

const TIME: Duration = Duration::from_secs(10);

fn options() -> StubOptions {
    StubOptions::default().with_patience(Duration::from_millis(400), 2)
}

fn resolver(servers: &[SocketAddr]) -> StubResolver {
    StubResolver::new(servers, options())
}

async fn asked(resolver: &StubResolver, name: &str, kind: RecordType) -> Answer {
    let question = Question::new(name.parse().unwrap(), kind);
    let (same, answer) = resolver.answer(question.clone(), TIME).await;
    assert_eq!(same, question);
    answer
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Records { records, canonical, security, .. } => {
            format!("{canonical} {security} {}", records.presentation().join(" "))
        }
        Answer::Absent { exists, security, .. } => format!("absent {security} {exists}"),
        Answer::Failed(failure) => failure.to_string(),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_and_failures_are_what_the_server_says() {
    let server = NameServer::start(true).await;
    let resolver = resolver(&[server.address]);
    for (name, expected) in [
        ("host.example", "host.example secure 192.0.2.1"),
        ("noad.example", "noad.example insecure 192.0.2.1"),
        ("nowhere.example", "absent secure false"),
        ("nodata.example", "absent secure true"),
        ("flags.example", "flags.example secure 192.0.2.1"),
        ("reversed.example", "target.example secure 192.0.2.1"),
        ("half.example", "target.example secure 192.0.2.1"),
        ("halfnoad.example", "noad.example insecure 192.0.2.1"),
        ("circle.example", "servfail"),
        ("truncated.example", "truncated.example secure 192.0.2.1"),
        ("forged.example", "forged.example secure 192.0.2.1"),
        ("old.example", "old.example secure 192.0.2.1"),
        ("older.example", "older.example secure 192.0.2.1"),
        ("servfail.example", "servfail"),
        ("bogus.example", "bogus"),
        ("refused.example", "refused"),
        ("notimp.example", "refused"),
        ("formerr.example", "refused"),
        ("garbage.example", "timeout"),
        ("silent.example", "timeout"),
    ] {
        assert_eq!(told(&asked(&resolver, name, RecordType::A).await), expected, "{name}");
    }
    assert_eq!(resolver.servers(), [(server.address, DnssecState::Available)]);
    let by_tcp = server.asked().into_iter().filter(|(_, tcp)| *tcp);
    assert_eq!(by_tcp.map(|(name, _)| name).collect::<Vec<_>>(), ["truncated.example."]);
}

/// The alias is in the response too, and is followed as any other (RFC 6672 section 3.1).
#[tokio::test(flavor = "current_thread")]
async fn point_35_a_dname_record_needs_nothing_special() {
    let server = NameServer::start(true).await;
    let resolver = resolver(&[server.address]);
    let answer = asked(&resolver, "dname.old.example", RecordType::A).await;
    assert_eq!(told(&answer), "dname.new.example secure 192.0.2.1");
}

#[tokio::test(flavor = "current_thread")]
async fn a_hundred_records_come_by_tcp() {
    let server = NameServer::start(true).await;
    let answer = asked(&resolver(&[server.address]), "many.example", RecordType::Tlsa).await;
    let Answer::Records { records: Records::Tlsa(all), security, .. } = answer else {
        unreachable!()
    };
    assert_eq!((all.len(), security), (100, DnssecStatus::Secure));
    assert!((0..100).all(|at| all.iter().any(|it| it[..] == [&[3, 1, 1], &[at; 32][..]].concat())));
}

#[tokio::test(flavor = "current_thread")]
async fn answers_out_of_order_belong_to_their_questions() {
    let server = NameServer::start(true).await;
    let resolver = resolver(&[server.address]);
    let flight: Vec<_> = (1..=50)
        .map(|at| {
            let resolver = resolver.clone();
            tokio::spawn(async move {
                let name = format!("n{at}.example");
                (at, told(&asked(&resolver, &name, RecordType::A).await))
            })
        })
        .collect();
    for answered in flight {
        let (at, answer) = answered.await.unwrap();
        assert_eq!(answer, format!("n{at}.example secure 192.0.2.{at}"));
    }
    let probes = server.asked().into_iter().filter(|(name, _)| name == ".").count();
    assert_eq!(probes, 1, "one probe for all questions");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_is_asked_for_once_and_a_failure_again() {
    let server = NameServer::start(true).await;
    let resolver = resolver(&[server.address]);
    for (name, count) in [("host.example", 1), ("nowhere.example", 1), ("servfail.example", 3)] {
        for _ in 0..3 {
            asked(&resolver, name, RecordType::A).await;
        }
        let questions = server.asked();
        let dotted = format!("{name}.");
        assert_eq!(questions.iter().filter(|(asked, _)| *asked == dotted).count(), count, "{name}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_dead_server_gives_way_to_the_next() {
    let dead = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = NameServer::start(true).await;
    let resolver = resolver(&[dead.local_addr().unwrap(), server.address]);
    let answer = asked(&resolver, "host.example", RecordType::A).await;
    assert_eq!(told(&answer), "host.example secure 192.0.2.1");
    // The next question begins with the server that responds.
    let start = Instant::now();
    asked(&resolver, "other.example", RecordType::A).await;
    assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "current_thread")]
async fn the_time_of_a_question_is_its_limit() {
    let server = NameServer::start(true).await;
    let resolver = StubResolver::new(&[server.address], StubOptions::default());
    let question = Question::new("silent.example".parse().unwrap(), RecordType::A);
    let start = Instant::now();
    let (_, answer) = resolver.answer(question, Duration::from_millis(300)).await;
    assert_eq!(told(&answer), "timeout");
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}

/// A resolver that does not validate: mail goes on without DANE, is deferred where DANE is required, and the
/// state tells it.
#[tokio::test(flavor = "current_thread")]
async fn without_validation_opportunistic_mail_goes_on_and_mandatory_is_deferred() {
    let server = NameServer::start(false).await;
    let resolver = resolver(&[server.address]);
    let answer = asked(&resolver, "host.example", RecordType::A).await;
    assert_eq!(told(&answer), "host.example indeterminate 192.0.2.1");
    let policy = Policy::new(NextHop::Relay("host.example".parse().unwrap()), 25);
    let decision = dns::run(&mut policy.session(), &resolver).await;
    assert_eq!(decision.hosts()[0].action.as_str(), "opportunistic", "{decision}");
    let policy = policy.with_options(PolicyOptions::default().with_required(true));
    let decision = dns::run(&mut policy.session(), &resolver).await;
    let deferred = match &decision {
        Decision::Defer(_) => true,
        Decision::Hosts(hosts) => hosts.iter().all(|host| host.action.as_str() == "defer-host"),
        Decision::Bounce(_) => false,
    };
    assert!(deferred, "{decision}");
    let state = DnssecState::Unavailable(NoDnssec::NotValidating);
    assert_eq!(resolver.servers(), [(server.address, state)]);
}
