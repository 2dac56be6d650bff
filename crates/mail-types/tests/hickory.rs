//! Sessions over a resolver of hickory, with a server of the DNS on loopback.

#![cfg(all(feature = "hickory", feature = "zone"))]
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, TXT};
use hickory_resolver::proto::rr::{Name as HickoryName, RData, Record, RecordType};
use mail_types::{
    Answer, DnsFailure, Inquiry, Kind, Known, Name, Question, Session, Unanswered, hickory,
};
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

/// Answers until it is dropped with its runtime; what it does not know, it does not answer.
async fn serve(socket: UdpSocket) {
    let mut buffer = [0; 1024];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let mut message = Message::from_vec(buffer.get(..length).unwrap()).unwrap();
        message.metadata.message_type = MessageType::Response;
        message.metadata.recursion_available = true;
        let query = message.queries.first().unwrap().clone();
        let name = query.name().clone();
        let record = |name: &HickoryName, data| Record::from_rdata(name.clone(), 300, data);
        let target = HickoryName::from_ascii("host.example.").unwrap();
        match (name.to_ascii().as_str(), query.query_type()) {
            ("host.example.", RecordType::A) => {
                message.add_answer(record(&name, RData::A(A::new(192, 0, 2, 1))));
            }
            ("host.example.", RecordType::TXT) => {
                let text = TXT::from_bytes(vec![b"v=spf1 ", b"-all\xff"]);
                message.add_answer(record(&name, RData::TXT(text)));
            }
            ("host.example.", RecordType::MX) => {
                message.add_answer(record(&name, RData::MX(MX::new(10, target))));
            }
            ("alias.example.", RecordType::A) => {
                message.add_answer(record(&name, RData::CNAME(CNAME(target.clone()))));
                message.add_answer(record(&target, RData::A(A::new(192, 0, 2, 1))));
            }
            ("host.example.", _) => {}
            ("refused.example.", _) => message.metadata.response_code = ResponseCode::Refused,
            ("broken.example.", _) => message.metadata.response_code = ResponseCode::ServFail,
            ("silent.example.", _) => continue,
            _ => message.metadata.response_code = ResponseCode::NXDomain,
        }
        socket.send_to(&message.to_vec().unwrap(), peer).await.unwrap();
    }
}

fn resolver(server: SocketAddr) -> TokioResolver {
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let server = NameServerConfig::new(server.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.build().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn answers_are_what_the_server_says() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(serve(socket));
    let rows = [
        ("host.example", Kind::A, "host.example 300 192.0.2.1"),
        ("host.example", Kind::Txt, r"host.example 300 v=spf1 -all\255"),
        ("host.example", Kind::Mx, "host.example 300 10 host.example"),
        ("host.example", Kind::Aaaa, "absent, exists: true"),
        ("alias.example", Kind::A, "host.example 300 192.0.2.1"),
        ("nowhere.example", Kind::A, "absent, exists: false"),
        ("refused.example", Kind::A, "refused"),
        ("broken.example", Kind::A, "servfail"),
    ];
    let questions = rows.map(|(name, kind, _)| Question::new(name.parse().unwrap(), kind));
    let mut session = Session::new(All(questions.to_vec()), Vec::new(), 10);
    let time = Duration::from_secs(20);
    let verdict = hickory::run(&mut session, &resolver(server), time, &|_| None).await;
    assert_eq!(verdict, rows.map(|(_, _, expected)| expected));
}

#[tokio::test(flavor = "current_thread")]
async fn the_time_ends_a_session_that_waits() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(serve(socket));
    let silent: Name = "silent.example".parse().unwrap();
    let question = Question::new(silent, Kind::A);
    let mut session = Session::new(All(vec![question]), Vec::new(), 10);
    let time = Duration::from_millis(100);
    let verdict = hickory::run(&mut session, &resolver(server), time, &|_| None).await;
    assert_eq!(verdict, [DnsFailure::Timeout.as_str()]);
}
