//! A client's connection, in clear or secured by STARTTLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dane_tlsa::rustls::UnauthenticatedVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

pub(crate) struct Envelope {
    mail: Vec<u8>,
    rcpt: Vec<u8>,
}

impl Envelope {
    pub(crate) fn new(from: &str, rcpt: &str) -> Self {
        let (mail, rcpt) = (format!("MAIL FROM:<{from}>\r\n"), format!("RCPT TO:<{rcpt}>\r\n"));
        Self { mail: mail.into_bytes(), rcpt: rcpt.into_bytes() }
    }
}

/// How a connection is secured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Security {
    None,
    Tls,
}

pub(crate) struct Connection {
    reader: BufReader<Stream>,
    line: Vec<u8>,
}

impl Connection {
    /// Connects, waits for the banner, and greets; over TLS it greets again.
    pub(crate) fn open(server: SocketAddr, security: Security) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let reader = BufReader::with_capacity(1024, Stream::Clear(stream));
        let mut connection = Self { reader, line: Vec::new() };
        connection.reply(b'2')?;
        connection.command(b"EHLO load.test\r\n", b'2')?;
        if security == Security::Tls {
            connection.command(b"STARTTLS\r\n", b'2')?;
            connection = connection.secured()?;
            connection.command(b"EHLO load.test\r\n", b'2')?;
        }
        Ok(connection)
    }

    fn secured(self) -> io::Result<Self> {
        let socket = self.socket().try_clone()?;
        let name = ServerName::IpAddress(socket.peer_addr()?.ip().into());
        let tls = ClientConnection::new(Arc::clone(&TLS), name).map_err(io::Error::other)?;
        let stream = Stream::Tls(Box::new(StreamOwned::new(tls, socket)));
        Ok(Self { reader: BufReader::with_capacity(1024, stream), line: self.line })
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        match self.reader.get_ref() {
            Stream::Clear(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    /// Sends a message; returns how long its final reply took.
    pub(crate) fn message(&mut self, envelope: &Envelope, body: &[u8]) -> io::Result<Duration> {
        self.command(&envelope.mail, b'2')?;
        self.command(&envelope.rcpt, b'2')?;
        self.command(b"DATA\r\n", b'3')?;
        let ended = Instant::now();
        self.command(body, b'2')?;
        Ok(ended.elapsed())
    }

    pub(crate) fn command(&mut self, bytes: &[u8], wanted: u8) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)?;
        self.reply(wanted)
    }

    /// Reads one reply of any number of lines, whose code must begin with `wanted`.
    pub(crate) fn reply(&mut self, wanted: u8) -> io::Result<()> {
        loop {
            self.line.clear();
            self.reader.read_until(b'\n', &mut self.line)?;
            match *self.line {
                [code, _, _, b'-', ..] if code == wanted => {}
                [code, _, _, b' ', ..] if code == wanted => return Ok(()),
                _ => return Err(io::Error::other(String::from_utf8_lossy(&self.line))),
            }
        }
    }
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// The measured servers sign their own certificates.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let provider = default_provider();
    let verifier = UnauthenticatedVerifier::new(provider.signature_verification_algorithms);
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions();
    let Ok(config) = config else { unreachable!("the provider has the versions of TLS") };
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Arc::new(config.with_no_client_auth())
});
