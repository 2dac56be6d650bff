//! A name server on loopback, over UDP and TCP, whose faults are named by the first label of a question.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::rdata::{A, CNAME, NULL, SOA, TLSA, tlsa};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::BinEncodable as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// The server, until its runtime ends.
#[derive(Clone, Debug)]
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    /// The questions that came, and whether by TCP.
    pub(crate) asked: Arc<Mutex<Vec<(String, bool)>>>,
    /// Whether the root has AD.
    pub(crate) validates: bool,
}

impl NameServer {
    pub(crate) async fn start(validates: bool) -> Self {
        loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = udp.local_addr().unwrap();
            let Ok(tcp) = TcpListener::bind(address).await else { continue };
            let server = Self { address, asked: Arc::default(), validates };
            tokio::spawn(server.clone().by_udp(Arc::new(udp)));
            tokio::spawn(server.clone().by_tcp(tcp));
            return server;
        }
    }

    pub(crate) fn asked(&self) -> Vec<(String, bool)> {
        self.asked.lock().unwrap().clone()
    }

    async fn by_udp(self, socket: Arc<UdpSocket>) {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_vec(&buffer[..length]).unwrap();
            let (server, socket) = (self.clone(), Arc::clone(&socket));
            tokio::spawn(async move {
                for response in server.responses(&query, false).await {
                    socket.send_to(&response, peer).await.unwrap();
                }
            });
        }
    }

    async fn by_tcp(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().connection(stream));
        }
    }

    async fn connection(self, mut stream: TcpStream) {
        while let Ok(length) = stream.read_u16().await {
            let mut octets = vec![0; length.into()];
            if stream.read_exact(&mut octets).await.is_err() {
                return;
            }
            let query = Message::from_vec(&octets).unwrap();
            for response in self.responses(&query, true).await {
                let length = u16::try_from(response.len()).unwrap();
                stream.write_u16(length).await.unwrap();
                stream.write_all(&response).await.unwrap();
            }
        }
    }

    async fn responses(&self, query: &Message, tcp: bool) -> Vec<Vec<u8>> {
        let asked = query.queries[0].clone();
        let label =
            asked.name().iter().next().map(|label| String::from_utf8_lossy(label).into_owned());
        let label = label.unwrap_or_default();
        self.asked.lock().unwrap().push((asked.name().to_ascii(), tcp));
        let mut message = query.clone();
        message.metadata.message_type = MessageType::Response;
        message.metadata.recursion_available = true;
        message.metadata.authentic_data =
            if asked.name().is_root() { self.validates } else { !label.starts_with("noad") };
        let name = asked.name().clone();
        match label.as_str() {
            "silent" => return Vec::new(),
            "garbage" => return vec![[&query.metadata.id.to_be_bytes()[..], &[0xff; 30]].concat()],
            "forged" => return forgeries(message, &name),
            "truncated" | "many" if !tcp => message.metadata.truncation = true,
            label if fail(label, query, &mut message) => {}
            "nowhere" => {
                message.metadata.response_code = ResponseCode::NXDomain;
                message.add_authority(start("example.", 60));
            }
            "nodata" => {
                message.add_authority(start("example.", 60));
            }
            "half" | "halfnoad" | "circle" => {
                let end = if label == "half" { "target" } else { label.trim_start_matches("half") };
                message.add_answer(alias(&name, &format!("{end}.example.")));
            }
            // `old.example` has a DNAME record.
            "dname" if name.num_labels() == 3 && name.iter().nth(1) == Some(b"old") => {
                message.add_answers(below_dname(&name));
            }
            "reversed" => {
                let target = Name::from_ascii("target.example.").unwrap();
                message.add_answer(address(&target, 1));
                message.add_answer(address(&Name::from_ascii("foreign.example.").unwrap(), 9));
                message.add_answer(alias(&name, "target.example."));
            }
            "flags" => {
                message.add_answers(has_all_bits(query).then(|| address(&name, 1)));
            }
            "slow" => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                message.add_answer(address(&name, 1));
            }
            "many" => {
                message.add_answers((0..100).map(|at| association(&name, at)));
            }
            _ => {
                // The number in the name, so that each name has an address of its own.
                let number = label.trim_start_matches(|c: char| !c.is_ascii_digit()).parse();
                if let Ok(number) = number {
                    tokio::time::sleep(Duration::from_millis(u64::from(200 - number))).await;
                }
                message.add_answer(address(&name, number.unwrap_or(1)));
            }
        }
        vec![message.to_vec().unwrap()]
    }
}

/// The answer for a name below the owner of a DNAME record.
fn below_dname(name: &Name) -> [Record; 3] {
    let target = Name::from_ascii("new.example.").unwrap();
    let rdata = NULL::with(target.to_bytes().unwrap());
    let dname = RData::Unknown { code: RecordType::DNAME, rdata };
    let end = Name::from_ascii("dname.new.example.").unwrap();
    [
        Record::from_rdata(name.base_name(), 300, dname),
        alias(name, "dname.new.example."),
        address(&end, 1),
    ]
}

/// Makes the response a failure, if the label is that of one.
fn fail(label: &str, query: &Message, message: &mut Message) -> bool {
    message.metadata.response_code = match label {
        "servfail" => ResponseCode::ServFail,
        "refused" => ResponseCode::Refused,
        "notimp" => ResponseCode::NotImp,
        "formerr" => ResponseCode::FormErr,
        "bogus" => {
            let edns = message.edns.get_or_insert_with(Edns::new);
            edns.options_mut().insert(EdnsOption::Unknown(15, vec![0, 6]));
            ResponseCode::ServFail
        }
        "old" if query.edns.is_some() => {
            message.edns = None;
            ResponseCode::FormErr
        }
        // It has read only the header.
        "older" if query.edns.is_some() => {
            (message.edns, message.queries) = (None, Vec::new());
            ResponseCode::FormErr
        }
        _ => return false,
    };
    true
}

/// Whether a query has the bits RD, AD and DO, not CD, and the size 1232.
fn has_all_bits(query: &Message) -> bool {
    let edns = query.edns.as_ref();
    let has_edns = edns.is_some_and(|it| it.max_payload() == 1232 && it.flags().dnssec_ok);
    let metadata = &query.metadata;
    let bits = metadata.recursion_desired && metadata.authentic_data;
    has_edns && bits && !metadata.checking_disabled
}

/// Another id, another question, and then the answer.
fn forgeries(mut message: Message, name: &Name) -> Vec<Vec<u8>> {
    let mut forged = message.clone();
    forged.add_answer(address(name, 66));
    forged.metadata.id = forged.metadata.id.wrapping_add(1);
    let other_id = forged.to_vec().unwrap();
    forged.metadata.id = message.metadata.id;
    let other = Name::from_ascii("other.example.").unwrap();
    forged.queries = vec![Query::query(other, RecordType::A)];
    let other_question = forged.to_vec().unwrap();
    message.add_answer(address(name, 1));
    vec![other_id, other_question, message.to_vec().unwrap()]
}

fn address(owner: &Name, last: u8) -> Record {
    Record::from_rdata(owner.clone(), 300, RData::A(A::new(192, 0, 2, last)))
}

fn alias(owner: &Name, target: &str) -> Record {
    let target = Name::from_ascii(target).unwrap();
    Record::from_rdata(owner.clone(), 300, RData::CNAME(CNAME(target)))
}

fn start(owner: &str, minimum: u32) -> Record {
    let owner = Name::from_ascii(owner).unwrap();
    let soa = SOA::new(owner.clone(), owner.clone(), 1, 1, 1, 1, minimum);
    Record::from_rdata(owner, 600, RData::SOA(soa))
}

fn association(owner: &Name, at: u8) -> Record {
    let (usage, selector, matching) =
        (tlsa::CertUsage::DaneEe, tlsa::Selector::Spki, tlsa::Matching::Sha256);
    let tlsa = TLSA::new(usage, selector, matching, vec![at; 32]);
    Record::from_rdata(owner.clone(), 300, RData::TLSA(tlsa))
}
