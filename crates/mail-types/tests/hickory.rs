//! Sessions over a resolver of hickory, with a server of the DNS on loopback.

#![cfg(all(feature = "hickory", feature = "zone"))]
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, TXT};
use hickory_resolver::proto::rr::{self, RData, Record};
use mail_types::dns::{
    Answer, DnsFailure, Inquiry, Known, Name, Question, RecordType, Session, Unanswered,
};
use mail_types::hickory;
use mail_types::hickory::{Resolver, ResolverError, ResolverSettings};
use tokio::net::UdpSocket;

/// Asks all at once.
struct All(Vec<Question>);

impl Inquiry for All {
    type Verdict = Vec<String>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Vec<String>, Unanswered> {
        let asked: Vec<_> = self.0.iter().map(|q| known.ask(&q.name, q.kind)).collect();
        asked.into_iter().map(|answer| Ok(said(&*answer?))).collect()
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Records { records, canonical, ttl, .. } => {
            format!("{canonical} {ttl} {}", records.presentation().join("|"))
        }
        Answer::Absent { exists, .. } => format!("absent, exists: {exists}"),
        Answer::Failed(failure) => failure.to_string(),
    }
}

/// A server for known questions, until it is dropped with its runtime; others get no answer.
async fn serve(socket: UdpSocket) {
    let mut buffer = [0; 1024];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let mut message = Message::from_vec(buffer.get(..length).unwrap()).unwrap();
        message.metadata.message_type = MessageType::Response;
        message.metadata.recursion_available = true;
        let query = message.queries.first().unwrap().clone();
        let name = query.name().clone();
        let record = |name: &rr::Name, data| Record::from_rdata(name.clone(), 300, data);
        let target = rr::Name::from_ascii("host.example.").unwrap();
        match (name.to_ascii().as_str(), query.query_type()) {
            ("host.example.", rr::RecordType::A) => {
                message.add_answer(record(&name, RData::A(A::new(192, 0, 2, 1))));
            }
            ("host.example.", rr::RecordType::TXT) => {
                let text = TXT::from_bytes(vec![b"v=spf1 ", b"-all\xff"]);
                message.add_answer(record(&name, RData::TXT(text)));
            }
            ("host.example.", rr::RecordType::MX) => {
                message.add_answer(record(&name, RData::MX(MX::new(10, target))));
            }
            ("alias.example.", rr::RecordType::A) => {
                message.add_answer(record(&name, RData::CNAME(CNAME(target.clone()))));
                message.add_answer(record(&target, RData::A(A::new(192, 0, 2, 1))));
            }
            ("circle.example.", _) => {
                message.add_answer(record(&name, RData::CNAME(CNAME(name.clone()))));
            }
            (text, _) if text.starts_with("chain") => {
                let left: u8 = text.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
                let next =
                    rr::Name::from_ascii(format!("chain{}.example.", left.max(1) - 1)).unwrap();
                let next = if left == 0 { target } else { next };
                message.add_answer(record(&name, RData::CNAME(CNAME(next))));
            }
            ("host.example.", _) => {}
            ("refused.example.", _) => message.metadata.response_code = ResponseCode::Refused,
            ("broken.example.", _) => message.metadata.response_code = ResponseCode::ServFail,
            ("silent.example.", _) => continue,
            (text, rr::RecordType::A) if message.edns.is_some() && text.starts_with("old") => {
                message.edns = None;
                message.metadata.response_code = match text {
                    "old.form.example." => ResponseCode::FormErr,
                    "old.not.example." => ResponseCode::NotImp,
                    // The reply of a server that has read only the header.
                    _ => {
                        message.queries.clear();
                        ResponseCode::FormErr
                    }
                };
            }
            (text, rr::RecordType::A) if text.starts_with("old") => {
                message.add_answer(record(&name, RData::A(A::new(192, 0, 2, 2))));
            }
            ("never.example.", _) => message.metadata.response_code = ResponseCode::FormErr,
            _ => message.metadata.response_code = ResponseCode::NXDomain,
        }
        socket.send_to(&message.to_vec().unwrap(), peer).await.unwrap();
    }
}

fn resolver(server: SocketAddr) -> Resolver {
    Resolver::new(ResolverSettings::of_server(server)).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn answers_are_what_the_server_says() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(serve(socket));
    let rows = [
        ("host.example", RecordType::A, "host.example 300 192.0.2.1"),
        ("host.example", RecordType::Txt, r"host.example 300 v=spf1 -all\255"),
        ("host.example", RecordType::Mx, "host.example 300 10 host.example"),
        ("host.example", RecordType::Aaaa, "absent, exists: true"),
        ("alias.example", RecordType::A, "host.example 300 192.0.2.1"),
        ("nowhere.example", RecordType::A, "absent, exists: false"),
        ("refused.example", RecordType::A, "refused"),
        ("broken.example", RecordType::A, "servfail"),
    ];
    let questions = rows.map(|(name, kind, _)| Question::new(name.parse().unwrap(), kind));
    let mut session = Session::new(All(questions.to_vec()), Vec::new(), 10);
    let time = Duration::from_secs(20);
    let verdict = hickory::run_cached(&mut session, &resolver(server), time, &|_| None).await;
    assert_eq!(verdict, rows.map(|(_, _, expected)| expected));
}

#[tokio::test(flavor = "current_thread")]
async fn the_time_ends_a_session_that_waits() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(serve(socket));
    let silent: Name = "silent.example".parse().unwrap();
    let question = Question::new(silent, RecordType::A);
    let mut session = Session::new(All(vec![question]), Vec::new(), 10);
    let time = Duration::from_millis(100);
    let verdict = hickory::run_cached(&mut session, &resolver(server), time, &|_| None).await;
    assert_eq!(verdict, [DnsFailure::Timeout.as_str()]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_without_edns_is_asked_without_it() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(serve(socket));
    let rows = [
        ("old.form.example", "old.form.example 300 192.0.2.2"),
        ("old.not.example", "old.not.example 300 192.0.2.2"),
        ("old.header.example", "old.header.example 300 192.0.2.2"),
        ("never.example", "servfail"),
    ];
    let questions = rows.map(|(name, _)| Question::new(name.parse().unwrap(), RecordType::A));
    let mut session = Session::new(All(questions.to_vec()), Vec::new(), 10);
    let time = Duration::from_secs(20);
    let start = std::time::Instant::now();
    let verdict = hickory::run_cached(&mut session, &resolver(server), time, &|_| None).await;
    assert_eq!(verdict, rows.map(|(_, expected)| expected));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn a_system_without_a_line_for_a_server_asks_this_host() {
    let file = std::env::temp_dir().join(format!("mail-types-resolv-{}.conf", std::process::id()));
    for (text, servers) in [
        ("", &["127.0.0.1"][..]),
        ("# nameserver 192.0.2.1\n;nameserver 192.0.2.1\n", &["127.0.0.1"]),
        ("search a.example\noptions edns0 timeout:0 attempts:0\n", &["127.0.0.1"]),
        ("search ..a\\..\ndomain -\nsomething else\n\u{0}", &["127.0.0.1"]),
        ("nameserver 192.0.2.1\nnameserver\nnameserver x\n", &["192.0.2.1"]),
        ("\tnameserver ::1 # this\nnameserver 192.0.2.1", &["::1", "192.0.2.1"]),
    ] {
        std::fs::write(&file, text).unwrap();
        let settings = ResolverSettings::of_system(&file).unwrap();
        let found: Vec<_> = settings.servers().iter().map(ToString::to_string).collect();
        assert_eq!(found, servers, "{text:?}");
    }
    std::fs::remove_file(&file).unwrap();
    let settings = ResolverSettings::of_system(&file).unwrap();
    assert_eq!(settings.servers(), [std::net::IpAddr::from([127, 0, 0, 1])], "it is not there");
}

#[test]
fn a_system_that_names_no_server_is_an_error_with_its_cause() {
    let file = std::env::temp_dir().join(format!("mail-types-none-{}.conf", std::process::id()));
    let shown = file.display();
    for (text, line, told) in [
        ("nameserver dns.example\n", 1, "nameserver dns.example"),
        ("search x\n\n nameserver\nnameserver 192.0.2.300\n", 3, "nameserver"),
        ("nameserver 192.0.2.1:53", 1, "nameserver 192.0.2.1:53"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = ResolverSettings::of_system(&file).unwrap_err();
        let expected = format!("no name server address in {shown}: line {line} has {told:?}");
        assert_eq!(error.to_string(), expected);
    }
    std::fs::remove_file(&file).unwrap();
    let folder = std::env::temp_dir();
    let error = ResolverSettings::of_system(&folder).unwrap_err();
    assert!(matches!(error, ResolverError::Unreadable { .. }), "{error}");
}

/// hickory follows a few aliases, and gives back what it has.
#[tokio::test(flavor = "current_thread")]
async fn a_long_chain_of_aliases_is_followed_and_one_without_end_fails() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(serve(socket));
    let rows = [
        ("chain12.example", RecordType::A, "host.example 300 192.0.2.1"),
        ("chain12.example", RecordType::Aaaa, "absent, exists: true"),
        ("circle.example", RecordType::A, "servfail"),
    ];
    let questions = rows.map(|(name, kind, _)| Question::new(name.parse().unwrap(), kind));
    let mut session = Session::new(All(questions.to_vec()), Vec::new(), 10);
    let time = Duration::from_secs(20);
    let verdict = hickory::run_cached(&mut session, &resolver(server), time, &|_| None).await;
    assert_eq!(verdict, rows.map(|(_, _, expected)| expected));
}
