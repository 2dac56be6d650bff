//! Names of clients, from a small name server on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, PTR};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use mail_types::hickory::{Resolver, ResolverSettings};
use tokio::net::UdpSocket;

use crate::gateway::server::host_name::HostNames;

/// The zone: who points where, and who has which address.
const POINTERS: &[(&str, &str)] = &[
    ("1.2.0.192.in-addr.arpa.", "mx.example."),
    ("2.2.0.192.in-addr.arpa.", "forged.example."),
    ("3.2.0.192.in-addr.arpa.", "nowhere.example."),
    ("4.2.0.192.in-addr.arpa.", "forged.example."),
    ("4.2.0.192.in-addr.arpa.", "second.example."),
];
const ADDRESSES: &[(&str, [u8; 4])] = &[
    ("mx.example.", [192, 0, 2, 1]),
    ("forged.example.", [198, 51, 100, 1]),
    ("second.example.", [192, 0, 2, 4]),
];

/// Answers from the zone; about `silent.example` and 192.0.2.9 it says nothing at all.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut room = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut room).await {
            let query = Message::from_vec(room.get(..length).unwrap()).unwrap();
            if let Some(reply) = answer(query) {
                socket.send_to(&reply.to_vec().unwrap(), peer).await.unwrap();
            }
        }
    });
    address
}

async fn resolver() -> Resolver {
    Resolver::new(ResolverSettings::of_server(name_server().await)).unwrap()
}

fn answer(query: Message) -> Option<Message> {
    let question = query.queries.first()?.clone();
    let (name, kind) = (question.name().to_ascii().to_lowercase(), question.query_type());
    if name.starts_with("9.2.0.192.") {
        return None;
    }
    let mut reply = query.into_response();
    let found: Vec<RData> = match kind {
        RecordType::PTR => POINTERS
            .iter()
            .filter(|(owner, _)| *owner == name)
            .map(|(_, to)| RData::PTR(PTR(Name::from_ascii(to).unwrap())))
            .collect(),
        RecordType::A => ADDRESSES
            .iter()
            .filter(|(owner, _)| *owner == name)
            .map(|(_, address)| RData::A(A((*address).into())))
            .collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    for data in found {
        reply.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    }
    Some(reply)
}

#[tokio::test]
async fn only_a_name_that_has_the_address_counts() {
    let names = HostNames::new(Arc::new(resolver().await), Duration::from_secs(5));
    for (address, name) in [
        ("192.0.2.1", Some("mx.example")),
        ("::ffff:192.0.2.1", Some("mx.example")),
        ("192.0.2.2", None), // The name has another address.
        ("192.0.2.3", None), // The name has none.
        ("192.0.2.4", Some("second.example")),
        ("192.0.2.5", None), // There is no name.
    ] {
        let found = names.of(address.parse().unwrap(), |_, _, _| {}).await;
        assert_eq!(found.map(|name| name.to_string()).as_deref(), name, "{address}");
    }
}

#[tokio::test]
async fn a_silent_name_server_costs_the_deadline_and_no_more() {
    let names = HostNames::new(Arc::new(resolver().await), Duration::from_millis(50));
    let asked = names.of("192.0.2.9".parse().unwrap(), |_, _, _| {});
    let found = tokio::time::timeout(Duration::from_secs(4), asked).await;
    assert_eq!(found, Ok(None), "the resolver's own five seconds were not waited for");
}

/// Exim's words; a name that is there, but has another address, has not failed.
#[tokio::test]
async fn failures_are_told_with_their_questions() {
    let names = HostNames::new(Arc::new(resolver().await), Duration::from_secs(5));
    for (address, expected) in [
        ("192.0.2.1", &[][..]),
        ("192.0.2.2", &[]),
        ("192.0.2.3", &["DNS_NOMATCH:nowhere.example:A"]),
        ("192.0.2.5", &["DNS_NOMATCH:5.2.0.192.in-addr.arpa:PTR"]),
    ] {
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |why: &str, name: &str, kind: &str| {
            told.lock().unwrap().push(format!("{why}:{name}:{kind}"));
        };
        names.of(address.parse().unwrap(), tell).await;
        assert_eq!(told.into_inner().unwrap(), expected, "{address}");
    }
}
