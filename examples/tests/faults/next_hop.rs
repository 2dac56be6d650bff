//! A next hop that is silent, or never ends a reply.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::clients::{Answer, MAIL, Mail, of};
use super::fault::{Gateway, check_mail, under_load};
use crate::load::whole_name::whole_name;

/// At which reply it has the fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum At {
    Nowhere,
    Greeting,
    Ehlo,
    Rcpt,
    /// The reply to the end of the message, which it has then.
    End,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Silence,
    /// Lines of one reply that never ends.
    Flood,
    /// One line that never ends.
    LongLine,
}

struct State {
    fault: Fault,
    at: At,
    /// The connections that are open.
    open: Vec<TcpStream>,
    /// The messages that it has answered by 250.
    taken: HashMap<String, String>,
}

pub(super) struct NextHop {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl NextHop {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (open, taken) = (Vec::new(), HashMap::new());
        let state = State { fault: Fault::Silence, at: At::Nowhere, open, taken };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                locked(&state).open.push(stream.try_clone().unwrap());
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state }
    }

    pub(super) fn begin(&self, fault: Fault, at: At) {
        let mut state = locked(&self.state);
        (state.fault, state.at) = (fault, at);
    }

    /// Ends the fault, and what it holds.
    pub(super) fn end(&self) {
        let mut state = locked(&self.state);
        state.at = At::Nowhere;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    say(stream, state, At::Greeting, "220 next.test")?;
    let mut message = None::<String>;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match (&mut message, line.get(..4).unwrap_or(&line)) {
            (Some(text), _) if line == ".\r\n" => {
                let name = whole_name(text.as_bytes()).unwrap_or_else(|| panic!("cut: {text}"));
                say(stream, state, At::End, &format!("250 2.0.0 ok id={name}"))?;
                locked(state).taken.insert(name.clone(), name);
                message = None;
            }
            (Some(text), _) => text.push_str(line.strip_prefix('.').unwrap_or(&line)),
            (None, "DATA") => {
                message = Some(String::new());
                say(stream, state, At::Nowhere, "354 go")?;
            }
            (None, "EHLO") => say(stream, state, At::Ehlo, "250 next.test")?,
            (None, "RCPT") => say(stream, state, At::Rcpt, "250 2.0.0 ok")?,
            (None, _) => say(stream, state, At::Nowhere, "250 2.0.0 ok")?,
        }
    }
}

/// Says a reply, or has the fault, which lasts as long as the connection.
fn say(mut stream: &TcpStream, state: &Mutex<State>, at: At, reply: &str) -> io::Result<()> {
    let (fault, is_faulty) = {
        let state = locked(state);
        (state.fault, at != At::Nowhere && state.at == at)
    };
    if !is_faulty {
        return stream.write_all(format!("{reply}\r\n").as_bytes());
    }
    let piece = match fault {
        Fault::Silence => {
            // Until the end of the fault, or of the client.
            io::copy(&mut stream, &mut io::sink())?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Fault::Flood => format!("{}-more of it\r\n", &reply[..3]).repeat(100),
        Fault::LongLine => format!("{}-{}", &reply[..3], "x".repeat(4000)),
    };
    loop {
        stream.write_all(piece.as_bytes())?;
    }
}

/// To the next hop, beside others to the Maildir.
pub(super) const RELAYED: Mail = Mail { from: "r@client.test", to: "b@next.test", ..MAIL };

pub(super) fn start(name: &str) -> (NextHop, Gateway) {
    let hop = NextHop::start();
    let options = format!("relay_to_domains = 'next.test'\nroute_data = '{}'", hop.address);
    let gateway = Gateway::start(name, &options);
    (hop, gateway)
}

/// Has one fault; returns the answers to messages for the next hop meanwhile.
fn run(hop: &NextHop, gateway: &Gateway, fault: Fault, at: At) -> Vec<Answer> {
    let told =
        under_load(&gateway.address, &[MAIL, RELAYED], || hop.begin(fault, at), || hop.end());
    let local = of(&MAIL, &told.during);
    assert!(local.len() > 10 && local.iter().all(|answer| answer.is_taken()), "{at:?}: {local:?}");
    check_mail(|| gateway.mail(), &of_sender(&MAIL, &told.all));
    // The next hop may have a message whose last reply has not come.
    let taken = locked(&hop.state).taken.clone();
    for attempt in of_sender(&RELAYED, &told.all) {
        if attempt.answer.is_taken() {
            assert!(taken.contains_key(&attempt.name), "{} is lost", attempt.name);
        }
    }
    of(&RELAYED, &told.during).into_iter().cloned().collect()
}

fn of_sender(mail: &Mail, attempts: &[super::clients::Attempt]) -> Vec<super::clients::Attempt> {
    attempts.iter().filter(|attempt| attempt.from == mail.from).cloned().collect()
}

#[test]
fn a_silent_next_hop_takes_nothing_and_holds_nobody_else_up() {
    let (hop, gateway) = start("faults-silent-hop");
    for at in [At::Greeting, At::Rcpt, At::End] {
        let answers = run(&hop, &gateway, Fault::Silence, at);
        assert!(!answers.iter().any(Answer::is_taken), "{at:?}: {answers:?}");
    }
}

#[test]
fn a_next_hop_that_never_ends_a_reply_is_left_and_costs_no_memory() {
    let (hop, gateway) = start("faults-flooding-hop");
    let before = gateway.memory();
    for fault in [Fault::Flood, Fault::LongLine] {
        for at in [At::Greeting, At::Ehlo, At::Rcpt, At::End] {
            let answers = run(&hop, &gateway, fault, at);
            assert!(!answers.is_empty(), "{fault:?} {at:?}");
            let all = answers.iter().all(Answer::is_deferred);
            assert!(all, "{fault:?} {at:?}: {answers:?}");
        }
    }
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
}
