//! An attacker between a resolver and its server, over UDP and TCP, who changes responses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NS, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// The attack on the responses about the attacked names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attack {
    /// All responses as they are.
    None,
    /// Without signatures and proofs.
    Strip,
    /// No records, and no proof.
    Empty,
    /// No such name, and no proof.
    NoName,
    /// No records, by the unsigned SOA record of a zone that is proven to be unsigned.
    ForeignNoData,
    /// The same, and no such name.
    ForeignNoName,
    /// No records, by the unsigned SOA record of a zone that begins at the name itself, and NS records for it.
    OwnZone,
    /// The signed denial of another name in the same zone.
    OtherDenial,
    /// Other records, with the signatures of the right ones.
    Forge,
    /// An unsigned alias into an unsigned zone.
    Alias,
    /// An unsigned delegation of the name itself.
    Delegate,
    /// No DS records.
    NoDs,
    /// No keys.
    NoKeys,
    Refuse,
}

impl Attack {
    pub(crate) const ALL: [Self; 13] = [
        Self::Strip,
        Self::Empty,
        Self::NoName,
        Self::ForeignNoData,
        Self::ForeignNoName,
        Self::OwnZone,
        Self::OtherDenial,
        Self::Forge,
        Self::Alias,
        Self::Delegate,
        Self::NoDs,
        Self::NoKeys,
        Self::Refuse,
    ];

    /// Whether it is about the questions of one type.
    pub(crate) fn is_of_one_kind(self) -> bool {
        !matches!(self, Self::None | Self::Strip | Self::NoDs | Self::NoKeys | Self::Refuse)
    }
}

/// The attacker at one address, until the tests end.
#[derive(Clone)]
pub(crate) struct OnPath {
    server: SocketAddr,
    plan: Arc<Mutex<(Attack, RecordType)>>,
}

impl OnPath {
    /// Stands before `server`, at the address that is returned. The plan is an attack, and the type whose
    /// questions it is about.
    pub(crate) fn start(server: SocketAddr, plan: Arc<Mutex<(Attack, RecordType)>>) -> SocketAddr {
        let on_path = Self { server, plan };
        // Not a port of the test: its threads outlive it.
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).unwrap();
        let by_udp = on_path.clone();
        thread::spawn(move || {
            let mut room = [0; 4096];
            while let Ok((length, client)) = udp.recv_from(&mut room) {
                let (on_path, udp) = (by_udp.clone(), udp.try_clone().unwrap());
                let query = room.get(..length).unwrap().to_vec();
                thread::spawn(move || {
                    let response = on_path.response(&query, ask_by_udp);
                    response.map(|response| udp.send_to(&response, client))
                });
            }
        });
        thread::spawn(move || {
            while let Ok((stream, _)) = tcp.accept() {
                let on_path = on_path.clone();
                thread::spawn(move || on_path.connection(stream));
            }
        });
        address
    }

    fn connection(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let query = read(&mut stream)?;
            write(&mut stream, &self.response(&query, ask_by_tcp)?)?;
        }
    }

    fn response(&self, query: &[u8], ask: Ask) -> Option<Vec<u8>> {
        let octets = ask(self.server, query)?;
        let mut message = Message::from_vec(&octets).ok()?;
        let (attack, kind) = *self.plan.lock().unwrap();
        let asked = message.queries.first()?.clone();
        let is_attacked = match attack {
            Attack::None => false,
            // The zones have names of two labels: these stay.
            Attack::OwnZone if asked.query_type() == RecordType::NS => {
                asked.name().num_labels() > 2
            }
            _ if attack.is_of_one_kind() => asked.query_type() == kind,
            Attack::NoDs => asked.query_type() == RecordType::DS,
            Attack::NoKeys => asked.query_type() == RecordType::DNSKEY,
            _ => true,
        };
        if !is_attacked {
            return Some(octets);
        }
        self.change(attack, &asked, &mut message);
        message.to_vec().ok()
    }

    fn change(&self, attack: Attack, asked: &Query, message: &mut Message) {
        match attack {
            Attack::None => {}
            Attack::Strip => {
                for section in
                    [&mut message.answers, &mut message.authorities, &mut message.additionals]
                {
                    section.retain(|record| {
                        let kind = record.record_type();
                        !matches!(kind, RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3)
                    });
                }
            }
            Attack::Forge => message.answers.iter_mut().for_each(forge),
            Attack::Refuse => {
                empty(message);
                message.metadata.response_code = ResponseCode::Refused;
            }
            Attack::Empty | Attack::NoDs | Attack::NoKeys => empty(message),
            Attack::NoName => {
                empty(message);
                message.metadata.response_code = ResponseCode::NXDomain;
            }
            Attack::ForeignNoData | Attack::ForeignNoName => {
                empty(message);
                message.add_authority(unsigned_start(name("insecure.test.")));
                if attack == Attack::ForeignNoName {
                    message.metadata.response_code = ResponseCode::NXDomain;
                }
            }
            Attack::OwnZone => {
                empty(message);
                let owner = asked.name().clone();
                if asked.query_type() == RecordType::NS {
                    let server = RData::NS(NS(name("ns.test.")));
                    message.add_answer(Record::from_rdata(owner, 60, server));
                } else {
                    message.add_authority(unsigned_start(owner));
                }
            }
            Attack::OtherDenial => {
                empty(message);
                self.deny_by_another(asked, message);
            }
            Attack::Alias => {
                empty(message);
                let target = RData::CNAME(CNAME(name("shared.insecure.test.")));
                message.add_answer(Record::from_rdata(asked.name().clone(), 60, target));
            }
            Attack::Delegate => {
                empty(message);
                let server = RData::NS(NS(name("ns.test.")));
                message.add_authority(Record::from_rdata(asked.name().clone(), 60, server));
            }
        }
    }

    /// Puts the denial of a name that does not exist, from the zone of the name that was asked for.
    fn deny_by_another(&self, asked: &Query, message: &mut Message) {
        let zone = asked.name().trim_to(2);
        let other = Name::from_ascii("nowhere").unwrap().append_domain(&zone).unwrap();
        let mut query = Message::query();
        query.add_query(Query::query(other, asked.query_type()));
        query.metadata.recursion_desired = true;
        query.edns.get_or_insert_default().set_dnssec_ok(true).set_max_payload(1232);
        let response = ask_by_tcp(self.server, &query.to_vec().unwrap()).unwrap();
        let denial = Message::from_vec(&response).unwrap();
        message.metadata.response_code = denial.metadata.response_code;
        message.add_authorities(denial.authorities);
    }
}

fn empty(message: &mut Message) {
    (message.answers, message.authorities) = (Vec::new(), Vec::new());
    message.additionals = Vec::new();
    message.metadata.response_code = ResponseCode::NoError;
}

/// Other data of the same type.
fn forge(record: &mut Record) {
    match &mut record.data {
        RData::A(address) => *address = A::new(127, 0, 6, 66),
        RData::CNAME(target) => target.0 = name("real.insecure.test."),
        RData::MX(mx) => mx.exchange = name("mx.insecure.test."),
        RData::TLSA(tlsa) => tlsa.cert_data = vec![0x66; 32],
        _ => {}
    }
}

fn unsigned_start(zone: Name) -> Record {
    let soa = SOA::new(name("ns.test."), name("hostmaster.test."), 1, 7200, 3600, 1_209_600, 300);
    Record::from_rdata(zone, 300, RData::SOA(soa))
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

type Ask = fn(SocketAddr, &[u8]) -> Option<Vec<u8>>;

fn ask_by_udp(server: SocketAddr, query: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    socket.send_to(query, server).ok()?;
    let mut room = vec![0; 4096];
    let length = socket.recv(&mut room).ok()?;
    room.truncate(length);
    Some(room)
}

fn ask_by_tcp(server: SocketAddr, query: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(server).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write(&mut stream, query)?;
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut octets = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut octets).ok()?;
    Some(octets)
}

fn write(stream: &mut TcpStream, octets: &[u8]) -> Option<()> {
    let length = u16::try_from(octets.len()).ok()?.to_be_bytes();
    stream.write_all(&[&length[..], octets].concat()).ok()
}
