//! A name server with faults, each in the names that it is part of: it has the zones `_tcp.mx-FAULT.secure.test`, and
//! `faulty.test` with the hosts `mx-FAULT`, which are domains too.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, NS, SOA, TLSA, tlsa};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// Starts the server, which answers until the tests end.
pub(crate) fn start(address: SocketAddr) {
    let (udp, tcp) = (UdpSocket::bind(address).unwrap(), TcpListener::bind(address).unwrap());
    thread::spawn(move || {
        let mut room = [0; 4096];
        while let Ok((length, client)) = udp.recv_from(&mut room) {
            let (query, udp) = (room.get(..length).unwrap().to_vec(), udp.try_clone().unwrap());
            thread::spawn(move || {
                response(&query, false).map(|response| udp.send_to(&response, client))
            });
        }
    });
    thread::spawn(move || {
        while let Ok((stream, _)) = tcp.accept() {
            thread::spawn(move || connection(stream));
        }
    });
}

fn connection(mut stream: TcpStream) -> Option<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut query = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut query).ok()?;
        let response = response(&query, true)?;
        let length = u16::try_from(response.len()).ok()?.to_be_bytes();
        stream.write_all(&[&length[..], &response].concat()).ok()?;
    }
}

/// The response with the fault of its name; `None` is silence.
fn response(query: &[u8], tcp: bool) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(query).ok()?.into_response();
    let question = message.queries.first()?.clone();
    let labels: Vec<_> = question.name().iter().map(String::from_utf8_lossy).collect();
    let fault = labels.iter().find_map(|label| label.strip_prefix("mx-")).unwrap_or("sound");
    let fault = fault.to_owned();
    message.metadata.authoritative = true;
    let codes = [
        ("servfail", ResponseCode::ServFail),
        ("refused", ResponseCode::Refused),
        ("formerr", ResponseCode::FormErr),
        ("notimp", ResponseCode::NotImp),
    ];
    if let Some((_, code)) = codes.into_iter().find(|(name, _)| *name == fault) {
        message.metadata.response_code = code;
        return message.to_vec().ok();
    }
    match fault.as_str() {
        "silent" => return None,
        "garbage" => {
            let garbage = [&b"\x84\0\0\x01\0\x01\0\0\0\0"[..], &[0xff; 9]].concat();
            return Some([query.get(..2)?, &garbage].concat());
        }
        "wrongid" => message.metadata.id ^= 1,
        "slow" => thread::sleep(Duration::from_secs(3)),
        "truncated" if !tcp => {
            message.metadata.truncation = true;
            return message.to_vec().ok();
        }
        _ => {}
    }
    answer(&mut message, question.name(), question.query_type());
    message.to_vec().ok()
}

/// Answers from a zone that is not signed.
fn answer(message: &mut Message, name: &Name, kind: RecordType) {
    let is_host = name.to_ascii().ends_with(".faulty.test.");
    let zone = name.trim_to(if is_host { 2 } else { 4 });
    let [server, owner] = ["ns.test.", "hostmaster.test."].map(|it| Name::from_ascii(it).unwrap());
    let data = match kind {
        RecordType::TLSA if !is_host && *name != zone => RData::TLSA(TLSA::new(
            tlsa::CertUsage::DaneEe,
            tlsa::Selector::Spki,
            tlsa::Matching::Sha256,
            vec![0xab; 32],
        )),
        RecordType::A if is_host => RData::A(A::new(127, 0, 1, 1)),
        RecordType::MX if is_host => RData::MX(MX::new(10, name.clone())),
        RecordType::NS if *name == zone => RData::NS(NS(server)),
        _ => {
            let soa = SOA::new(server, owner, 1, 7200, 3600, 1_209_600, 300);
            message.add_authority(Record::from_rdata(zone, 300, RData::SOA(soa)));
            return;
        }
    };
    message.add_answer(Record::from_rdata(name.clone(), 300, data));
}
