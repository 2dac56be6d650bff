//! A name server with the answers of a test.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// What is said of a name in lower case, without the dot at its end.
pub(crate) enum Said {
    Text(String),
    Alias(&'static str),
    Pointer(&'static str),
    Address(Ipv4Addr),
    Code(ResponseCode),
    /// It is silent.
    Nothing,
}

/// It answers until the tests end.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// Starts one; without `edns` it does not understand that.
    pub(crate) fn start(
        edns: bool,
        said: impl Fn(&str, RecordType) -> Said + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address: socket.local_addr().unwrap(), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            let mut room = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut room) {
                let Ok(query) = Message::from_vec(room.get(..length).unwrap_or_default()) else {
                    continue;
                };
                let has_edns = query.edns.is_some();
                let question = query.queries.first().unwrap().clone();
                let name = question.name().to_ascii().to_lowercase();
                let mut reply = query.into_response();
                reply.metadata.recursion_available = true;
                if has_edns && !edns {
                    reply.edns = None;
                    reply.metadata.response_code = ResponseCode::FormErr;
                } else {
                    let name = name.trim_end_matches('.');
                    asked.lock().unwrap().push(name.to_owned());
                    let data = match said(name, question.query_type()) {
                        Said::Text(text) => Some(RData::TXT(TXT::new(vec![text]))),
                        Said::Alias(to) => Some(RData::CNAME(CNAME(Name::from_ascii(to).unwrap()))),
                        Said::Pointer(to) => Some(RData::PTR(PTR(Name::from_ascii(to).unwrap()))),
                        Said::Address(address) => Some(RData::A(A(address))),
                        Said::Code(code) => {
                            reply.metadata.response_code = code;
                            None
                        }
                        Said::Nothing => continue,
                    };
                    if let Some(data) = data {
                        reply.add_answer(Record::from_rdata(question.name().clone(), 60, data));
                    }
                }
                let _ = socket.send_to(&reply.to_vec().unwrap(), client);
            }
        });
        server
    }

    /// The names that it was asked about, in their order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
