//! Clients that send one message after the other, and note each answer.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::load::sender::{Numbers, message, reply};
use crate::load::whole_name::whole_name;

/// A client's message.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// Header fields, each with its line end.
    pub(crate) fields: &'static str,
    /// Over TLS, if there is a configuration for it.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// From somewhere to the Maildir.
pub(crate) const MAIL: Mail =
    Mail { from: "a@client.test", to: "b@local.test", fields: "", tls: None };

/// The outcome of a message.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With the id in the reply.
    Taken(String),
    /// By a reply of 4yz.
    Deferred(String),
    /// By a reply of 5yz.
    Refused(String),
    /// The connection ended before the last reply.
    Lost,
}

impl Answer {
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self, Self::Taken(_))
    }

    pub(crate) fn is_deferred(&self) -> bool {
        matches!(self, Self::Deferred(_))
    }
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) from: &'static str,
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    pub(crate) answer: Answer,
}

/// The answers to the messages of this sender.
pub(crate) fn of<'a>(mail: &Mail, attempts: &'a [Attempt]) -> Vec<&'a Answer> {
    let from = mail.from;
    attempts.iter().filter(|attempt| attempt.from == from).map(|attempt| &attempt.answer).collect()
}

/// Clients that send until they are told to end.
pub(crate) struct Load {
    attempts: Arc<Mutex<Vec<Attempt>>>,
    ended: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
    senders: usize,
}

impl Load {
    /// Starts two clients for each mail; each mail has another sender.
    pub(crate) fn start(address: &str, mails: &[Mail]) -> Self {
        let attempts = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let clients = mails.iter().flat_map(|mail| [mail, mail]).map(|mail| {
            let (address, mail) = (address.to_owned(), mail.clone());
            let (attempts, ended) = (Arc::clone(&attempts), Arc::clone(&ended));
            thread::spawn(move || {
                while !ended.load(Ordering::Acquire) {
                    let attempt = attempt(&address, &mail);
                    attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
                    thread::sleep(BETWEEN);
                }
            })
        });
        let clients = clients.collect();
        Self { attempts, ended, clients, senders: mails.len() }
    }

    /// Waits until a message of each sender, begun after now, is taken or refused.
    pub(crate) fn wait_for_an_end(&self) {
        let start = Instant::now();
        loop {
            let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let is_over = |attempt: &&Attempt| {
                attempt.begun >= start
                    && matches!(attempt.answer, Answer::Taken(_) | Answer::Refused(_))
            };
            let done: HashSet<_> = attempts.iter().filter(is_over).map(|it| it.from).collect();
            if done.len() == self.senders {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "messages are deferred: {:?}", attempts.last());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends them after their last message; returns all.
    pub(crate) fn end(self) -> Vec<Attempt> {
        self.ended.store(true, Ordering::Release);
        for client in self.clients {
            client.join().unwrap();
        }
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sends one message over a connection of its own.
pub(crate) fn attempt(address: &str, mail: &Mail) -> Attempt {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (name, begun) = (format!("m{number}"), Instant::now());
    let mut numbers = Numbers::new(number as u64);
    let text = mail.fields.to_owned() + &message(&name, LINES, &mut numbers);
    let answer = talk(address, mail, &text).unwrap_or(Answer::Lost);
    Attempt { name, from: mail.from, begun, ended: Instant::now(), answer }
}

fn talk(address: &str, mail: &Mail, text: &str) -> io::Result<Answer> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut clear = BufReader::new(stream.try_clone()?);
    let greeting = ["", "EHLO client.test\r\n"];
    let Some(config) = &mail.tls else {
        return say(
            &mut clear,
            &[&greeting, &commands(mail, text).each_ref().map(String::as_str)[..]].concat(),
        );
    };
    let reply = say(&mut clear, &[&greeting[..], &["STARTTLS\r\n"]].concat())?;
    if !reply.is_taken() {
        return Ok(reply);
    }
    let name = ServerName::try_from("mx.test").map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut secret = BufReader::new(StreamOwned::new(session, stream));
    let commands = commands(mail, text);
    say(&mut secret, &[&greeting[1..], &commands.each_ref().map(String::as_str)[..]].concat())
}

fn commands(mail: &Mail, text: &str) -> [String; 4] {
    let (from, to) = (mail.from, mail.to);
    [
        format!("MAIL FROM:<{from}>\r\n"),
        format!("RCPT TO:<{to}>\r\n"),
        "DATA\r\n".to_owned(),
        format!("{text}.\r\n"),
    ]
}

/// Says commands, each after the reply to the one before, until one is not taken.
fn say<S: Read + Write>(server: &mut BufReader<S>, commands: &[&str]) -> io::Result<Answer> {
    let mut last = String::new();
    for command in commands {
        server.get_mut().write_all(command.as_bytes())?;
        server.get_mut().flush()?;
        reply(server)?.trim_end().clone_into(&mut last);
        match last.as_bytes().first() {
            Some(b'2' | b'3') => {}
            Some(b'4') => return Ok(Answer::Deferred(last)),
            _ => return Ok(Answer::Refused(last)),
        }
    }
    let (_, id) = last.split_once(" id=").unwrap_or(("", &last));
    Ok(Answer::Taken(id.to_owned()))
}

/// The file of each message in a Maildir, by its name; each is whole, and there once.
pub(crate) fn mail(maildir: &Path) -> HashMap<String, String> {
    let mut come = HashMap::new();
    for folder in ["new", ".Quarantine/new"] {
        for entry in fs::read_dir(maildir.join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let name = whole_name(&fs::read(&path).unwrap());
            let name = name.unwrap_or_else(|| panic!("{} is not whole", path.display()));
            let other = come.insert(name, file.clone());
            assert!(other.is_none(), "{file} came as {other:?} before");
        }
    }
    come
}

/// The longest message, in lines.
const LINES: u64 = 200;
/// Between two messages of a client.
const BETWEEN: Duration = Duration::from_millis(10);
/// The deadline of a step.
const PATIENCE: Duration = Duration::from_mins(1);
