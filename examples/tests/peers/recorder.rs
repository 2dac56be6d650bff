//! A man in the middle, on loopback in front of a server: he records what clients send, and may change what they hear.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The changes that he makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attack {
    /// None: he only records.
    Watch,
    /// The reply to `EHLO` does not offer `STARTTLS`.
    Strip,
    /// `EHLO` is refused, so that the client says `HELO`.
    RefuseEhlo,
    /// `STARTTLS` is refused.
    RefuseTls,
    /// `STARTTLS` is answered, and the server's TLS is kept from the client.
    SpeakClear,
}

/// He listens until the tests end.
pub(crate) struct Recorder {
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// Listens at `at`, in front of `server`.
    pub(crate) fn start(at: SocketAddr, server: SocketAddr, attack: Attack) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let sent = Arc::clone(&shared);
                // Either side may have gone.
                thread::spawn(move || serve(client, server, attack, &sent));
            }
        });
        Self { sent }
    }

    /// All that clients have sent so far, over all connections.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }

    /// Tells whether a client has sent this in clear.
    pub(crate) fn heard(&self, word: &str) -> bool {
        self.sent().windows(word.len()).any(|window| window == word.as_bytes())
    }
}

fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    attack: Attack,
    sent: &Mutex<Vec<u8>>,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let (from, to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || answer(from, to, attack));
    let (mut buffer, mut in_clear) = ([0; 8192], false);
    loop {
        let count = client.read(&mut buffer)?;
        let said = &buffer[..count];
        sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(said);
        let own = match attack {
            _ if count == 0 => return server.shutdown(std::net::Shutdown::Both),
            Attack::RefuseEhlo if said.starts_with(b"EHLO") => "502 5.5.1 not implemented\r\n",
            Attack::RefuseTls if said.starts_with(b"STARTTLS") => "454 4.7.0 no TLS now\r\n",
            Attack::SpeakClear if said.starts_with(b"STARTTLS") => {
                in_clear = true;
                "220 go ahead\r\n"
            }
            Attack::SpeakClear if in_clear => "250 2.0.0 ok\r\n",
            _ => "",
        };
        if own.is_empty() {
            server.write_all(said)?;
        } else {
            client.write_all(own.as_bytes())?;
        }
    }
}

/// Passes on what the server says.
fn answer(mut server: TcpStream, mut client: TcpStream, attack: Attack) -> io::Result<()> {
    let mut buffer = [0; 8192];
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return client.shutdown(std::net::Shutdown::Both);
        }
        let mut said = buffer[..count].to_vec();
        let offer = said.windows(8).position(|window| window == b"STARTTLS");
        if let (Attack::Strip, Some(at)) = (attack, offer) {
            said[at..at + 8].copy_from_slice(b"XXXXXXXX");
        }
        client.write_all(&said)?;
    }
}
