//! A name server that can be silent, or lie.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record};

/// The server's fault, or its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// It answers truly.
    Sound,
    Silent,
    Failing,
    /// It lies, under the number of another question.
    WrongNumber,
    /// It lies, as if another name had been asked for.
    WrongQuestion,
    /// It lies, with records of another name.
    OtherNames,
    /// It lies in the first two ways, and then answers truly.
    LiesBefore,
}

impl Mode {
    pub(crate) const DEAD: [Self; 2] = [Self::Silent, Self::Failing];
    pub(crate) const FORGED: [Self; 2] = [Self::WrongNumber, Self::WrongQuestion];
    const ALL: [Self; 7] = [
        Self::Sound,
        Self::Silent,
        Self::Failing,
        Self::WrongNumber,
        Self::WrongQuestion,
        Self::OtherNames,
        Self::LiesBefore,
    ];
}

/// Data of a name without its last dot.
pub(crate) type Entry = (&'static str, RData);

/// It answers until the tests end.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    mode: Arc<AtomicU8>,
}

impl NameServer {
    /// Starts one with true records, which are secure, and false ones.
    pub(crate) fn start(truth: Vec<Entry>, lies: Vec<Entry>) -> Self {
        // A port that is free for both.
        let both = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            Some((TcpListener::bind(socket.local_addr().unwrap()).ok()?, socket))
        };
        let (listener, socket) = (0..100).find_map(|_| both()).unwrap();
        let mode = Arc::new(AtomicU8::new(0));
        let server = Self { address: socket.local_addr().unwrap(), mode: Arc::clone(&mode) };
        let whole = truth.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = connection(stream, &whole);
            }
        });
        thread::spawn(move || {
            let mut room = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut room) {
                let Ok(query) = Message::from_vec(&room[..length]) else { continue };
                let mode = Mode::ALL[usize::from(mode.load(Ordering::Acquire))];
                for mut response in responses(&query, mode, &truth, &lies) {
                    if response.to_vec().unwrap().len() > MOST {
                        response.metadata.truncation = true;
                        response.answers.clear();
                    }
                    let _ = socket.send_to(&response.to_vec().unwrap(), client);
                }
            }
        });
        server
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::Release);
    }
}

/// Answers one question whose answer is too long for a datagram.
fn connection(mut stream: TcpStream, truth: &[Entry]) -> io::Result<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut query = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut query)?;
    let query = Message::from_vec(&query).map_err(io::Error::other)?;
    let response = answer(&query, truth).to_vec().map_err(io::Error::other)?;
    let length = u16::try_from(response.len()).map_err(io::Error::other)?.to_be_bytes();
    stream.write_all(&[&length[..], &response].concat())
}

fn responses(query: &Message, mode: Mode, truth: &[Entry], lies: &[Entry]) -> Vec<Message> {
    let elsewhere = || Name::from_ascii("elsewhere.example.").unwrap();
    let wrong_number = || {
        let mut response = answer(query, lies);
        response.metadata.id ^= 1;
        response
    };
    let wrong_question = || {
        let mut response = answer(query, lies);
        response.queries[0].set_name(elsewhere());
        response
    };
    match mode {
        Mode::Sound => vec![answer(query, truth)],
        Mode::Silent => vec![],
        Mode::Failing => {
            let mut response = answer(query, &[]);
            response.metadata.response_code = ResponseCode::ServFail;
            vec![response]
        }
        Mode::WrongNumber => vec![wrong_number()],
        Mode::WrongQuestion => vec![wrong_question()],
        Mode::OtherNames => {
            let mut response = answer(query, lies);
            for record in &mut response.answers {
                record.name = elsewhere();
            }
            vec![response]
        }
        Mode::LiesBefore => vec![wrong_number(), wrong_question(), answer(query, truth)],
    }
}

fn answer(query: &Message, entries: &[Entry]) -> Message {
    let question = query.queries[0].clone();
    let mut response = query.clone().into_response();
    response.metadata.recursion_available = true;
    response.metadata.authentic_data = true;
    let name = question.name().to_ascii().to_lowercase();
    let name = name.trim_end_matches('.');
    let here = |(owner, _): &&Entry| *owner == name;
    if !entries.iter().any(|(owner, _)| owner.ends_with(name)) {
        response.metadata.response_code = ResponseCode::NXDomain;
    }
    for (_, data) in entries.iter().filter(here) {
        if data.record_type() == question.query_type() {
            response.add_answer(Record::from_rdata(question.name().clone(), 0, data.clone()));
        }
    }
    response
}

pub(crate) fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.to_owned()]))
}

pub(crate) fn loopback() -> RData {
    RData::A(A::new(127, 0, 0, 1))
}

/// The octets of the longest datagram.
const MOST: usize = 1232;
