//! The next hop of the relay comparison: a mail server with STARTTLS that discards every message, and the
//! name server that has its address and its TLSA record, as a validating resolver would answer.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;

use dane_tlsa::{MatchingType, TlsaRecord, Usage};
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::{A, SOA, TLSA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("usage: next_hop ADDRESS:PORT")?;
    let address: SocketAddr = address.parse()?;
    let key = KeyPair::generate()?;
    let record =
        TlsaRecord::of_key(&key.subject_public_key_info(), Usage::DANE_EE, MatchingType::SHA2_256)?;
    let [usage, selector, matching] = record.numbers();
    let tlsa = TLSA::new(usage.into(), selector.into(), matching.into(), record.data.to_vec());
    let names = UdpSocket::bind(address)?;
    thread::spawn(move || answer_names(&names, &tlsa));
    let (tls, listener) = (tls(&key)?, TcpListener::bind(address)?);
    for stream in listener.incoming() {
        let (stream, tls) = (stream?, Arc::clone(&tls));
        // The end of one connection is not that of the others.
        thread::spawn(move || take_mail(stream, tls));
    }
    Ok(())
}

fn tls(key: &KeyPair) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let certificate = CertificateParams::new(vec![HOST.to_owned()])?.self_signed(key)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key)?;
    Ok(Arc::new(config))
}

fn take_mail(stream: TcpStream, tls: Arc<ServerConfig>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    say(&mut stream, b"220 next.test ESMTP\r\n")?;
    if session(&mut stream, b"250-next.test\r\n250-8BITMIME\r\n250 STARTTLS\r\n")? == End::Tls {
        let tls = ServerConnection::new(tls).map_err(io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(tls, stream.into_inner()));
        session(&mut stream, b"250-next.test\r\n250 8BITMIME\r\n")?;
    }
    Ok(())
}

/// The end of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Quit,
    Tls,
}

fn session(stream: &mut BufReader<impl Read + Write>, offers: &[u8]) -> io::Result<End> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Ok(End::Quit);
        }
        match line.get(..4).unwrap_or_default() {
            b"EHLO" => say(stream, offers)?,
            b"STAR" => {
                say(stream, b"220 go ahead\r\n")?;
                return Ok(End::Tls);
            }
            b"DATA" => {
                say(stream, b"354 go ahead\r\n")?;
                while line != b".\r\n" {
                    line.clear();
                    if stream.read_until(b'\n', &mut line)? == 0 {
                        return Ok(End::Quit);
                    }
                }
                say(stream, b"250 2.0.0 taken\r\n")?;
            }
            b"QUIT" => {
                say(stream, b"221 2.0.0 bye\r\n")?;
                return Ok(End::Quit);
            }
            _ => say(stream, b"250 2.0.0 ok\r\n")?,
        }
    }
}

fn say(stream: &mut BufReader<impl Read + Write>, reply: &[u8]) -> io::Result<()> {
    stream.get_mut().write_all(reply)?;
    stream.get_mut().flush()
}

/// Answers every question by records that are secure by DNSSEC, or by none.
fn answer_names(socket: &UdpSocket, tlsa: &TLSA) -> io::Result<()> {
    let start = SOA::new(Name::root(), Name::root(), 1, 3600, 3600, 3600, 3600);
    let mut room = [0; 4096];
    loop {
        let (length, client) = socket.recv_from(&mut room)?;
        let Ok(query) = Message::from_vec(room.get(..length).unwrap_or_default()) else { continue };
        let Some(question) = query.queries.first().cloned() else { continue };
        let mut reply = query.into_response();
        (reply.metadata.recursion_available, reply.metadata.authentic_data) = (true, true);
        let name = question.name().to_ascii().to_ascii_lowercase();
        let data = match question.query_type() {
            RecordType::A if name == format!("{HOST}.") => Some(RData::A(A(Ipv4Addr::LOCALHOST))),
            RecordType::TLSA if name.ends_with(&format!("._tcp.{HOST}.")) => {
                Some(RData::TLSA(tlsa.clone()))
            }
            _ => None,
        };
        match data {
            Some(data) => reply.add_answer(record(question.name(), data)),
            // Without it the absence could not be cached.
            None => reply.add_authority(record(&Name::root(), RData::SOA(start.clone()))),
        };
        socket.send_to(&reply.to_vec().map_err(io::Error::other)?, client)?;
    }
}

fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), 3600, data)
}

/// The name of the host.
const HOST: &str = "next.test";
