//! A mail server that does what a test wants, and records what it is told. It refuses `gone` of each domain, and defers `full`;
//! `many` gets 552, as for too many recipients (RFC 821), and `quota` takes no more.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The treatment of a client.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    pub(crate) greets: bool,
    pub(crate) tls: Tls,
    /// The extensions that it offers, in clear and then over TLS.
    pub(crate) offers: [&'static [&'static str]; 2],
    /// The number of replies, of those over TLS too, after which it closes the connection.
    pub(crate) replies: usize,
    /// The reply to the end of the message.
    pub(crate) last: &'static str,
}

/// The TLS of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tls {
    /// `STARTTLS` is not offered.
    No,
    /// It is refused with 454.
    Refused,
    /// The reply is followed by more in clear.
    Injected,
    /// The connection is closed in the handshake.
    Broken,
    /// It ends with the alert `unrecognized_name`.
    UnrecognizedName,
    Good,
}

impl Tls {
    /// The faults of a server that does not come to TLS.
    pub(crate) const FAULTS: [Self; 5] =
        [Self::No, Self::Refused, Self::Injected, Self::Broken, Self::UnrecognizedName];
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            greets: true,
            tls: Tls::Good,
            offers: [&["PIPELINING", "8BITMIME"]; 2],
            replies: usize::MAX,
            last: "250 2.0.0 taken",
        }
    }
}

/// The key and certificate of a server, and its staple, which is empty if there is none.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    /// Those that it sends behind its own.
    pub(crate) more: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
    pub(crate) staple: Vec<u8>,
}

impl Identity {
    pub(crate) fn of(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // Each is its own authority.
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, more: Vec::new(), key, staple: Vec::new() }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let chain = [std::slice::from_ref(&self.certificate), &self.more].concat();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert_with_ocsp(chain, key, self.staple.clone());
        Arc::new(config.unwrap())
    }
}

/// A server that runs until the tests end.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    told: Arc<Mutex<Told>>,
}

/// What clients have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The lines in clear, of all connections.
    pub(crate) clear: Vec<String>,
    /// Those over TLS.
    pub(crate) secret: Vec<String>,
    pub(crate) connections: usize,
    /// The messages that it took.
    pub(crate) messages: usize,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, behaviour: Behaviour, identity: &Identity) -> Self {
        let address = listener.local_addr().unwrap();
        let told = Arc::new(Mutex::new(Told::default()));
        let (shared, config) = (Arc::clone(&told), identity.config());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                locked(&shared).connections += 1;
                let (behaviour, told, config) =
                    (behaviour.clone(), Arc::clone(&shared), Arc::clone(&config));
                thread::spawn(move || {
                    // The client may have gone.
                    let _ = serve(stream, &behaviour, &told, config);
                });
            }
        });
        Self { address, told }
    }

    pub(crate) fn told(&self) -> Told {
        locked(&self.told).clone()
    }
}

fn locked(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    stream: TcpStream,
    behaviour: &Behaviour,
    told: &Mutex<Told>,
    config: Arc<ServerConfig>,
) -> io::Result<()> {
    if !behaviour.greets {
        thread::sleep(Duration::from_mins(1));
        return Ok(());
    }
    let mut left = behaviour.replies;
    let mut clear = BufReader::new(stream.try_clone()?);
    say(clear.get_mut(), "220 server.test ESMTP", &mut left)?;
    if !talk(&mut clear, behaviour, told, &mut left, false)? {
        return Ok(());
    }
    match behaviour.tls {
        Tls::Broken => return Ok(()),
        Tls::UnrecognizedName => {
            // The client hello begins with the five octets of its record.
            (&stream).read_exact(&mut [0; 5])?;
            // A record of an alert: fatal, unrecognized_name (RFC 6066 section 3).
            return (&stream).write_all(&[21, 3, 3, 0, 2, 2, 112]);
        }
        _ => {}
    }
    let session = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut secret = BufReader::new(StreamOwned::new(session, stream));
    talk(&mut secret, behaviour, told, &mut left, true)?;
    Ok(())
}

/// Answers commands; returns whether TLS follows.
fn talk<S: Read + Write>(
    client: &mut BufReader<S>,
    behaviour: &Behaviour,
    told: &Mutex<Told>,
    left: &mut usize,
    secret: bool,
) -> io::Result<bool> {
    let mut line = String::new();
    loop {
        line.clear();
        if client.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let command = line.trim_end().to_owned();
        {
            let mut told = locked(told);
            let lines = if secret { &mut told.secret } else { &mut told.clear };
            lines.push(command.clone());
        }
        let verb = command.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => ehlo(behaviour, secret),
            "STARTTLS" => match behaviour.tls {
                Tls::Refused => "454 4.7.0 no TLS now".to_owned(),
                Tls::Injected => {
                    say(client.get_mut(), "220 go ahead\r\n250 injected", left)?;
                    return Ok(false);
                }
                _ => {
                    say(client.get_mut(), "220 go ahead", left)?;
                    return Ok(true);
                }
            },
            "DATA" => {
                say(client.get_mut(), "354 go ahead", left)?;
                receive(client)?;
                // With the reply cut off, the client cannot know.
                locked(told).messages += usize::from(*left > 0);
                behaviour.last.to_owned()
            }
            "RCPT" if command.contains("<gone@") => "550 5.1.1 no such mailbox".to_owned(),
            "RCPT" if command.contains("<full@") => "452 4.2.2 the mailbox is full".to_owned(),
            "RCPT" if command.contains("<many@") => "552 5.5.3 too many recipients".to_owned(),
            "RCPT" if command.contains("<quota@") => "552 5.2.2 over quota".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 2.0.0 ok".to_owned(),
        };
        say(client.get_mut(), &reply, left)?;
        if verb == "QUIT" {
            return Ok(false);
        }
    }
}

fn ehlo(behaviour: &Behaviour, secret: bool) -> String {
    let [clear, over_tls] = behaviour.offers;
    let mut lines = vec!["server.test"];
    lines.extend(if secret { over_tls } else { clear });
    if !secret && behaviour.tls != Tls::No {
        lines.push("STARTTLS");
    }
    let last = lines.pop().unwrap_or_default();
    let lines = lines.iter().map(|line| format!("250-{line}\r\n"));
    lines.collect::<String>() + &format!("250 {last}")
}

/// Reads the message up to its final dot.
fn receive(client: &mut impl io::BufRead) -> io::Result<()> {
    let mut line = String::new();
    while line != ".\r\n" {
        line.clear();
        if client.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Sends a reply; when none is left, the connection ends instead.
fn say(client: &mut impl Write, reply: &str, left: &mut usize) -> io::Result<()> {
    if *left == 0 {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    *left -= 1;
    client.write_all(format!("{reply}\r\n").as_bytes())?;
    client.flush()
}
