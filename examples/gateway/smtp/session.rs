//! An SMTP session on the server side: RFC 5321, without I/O.
//!
//! Hand in the bytes that arrive, and carry out the steps of [`Session::poll`] until it asks for more.
//! Policy is outside: the session asks a [`Question`], and continues with the reply.

mod contents;
mod decisions;
mod envelope;
mod fault;
mod greeting;
mod patience;
mod reception;
mod settings;
pub(crate) mod stray_header;
mod turns;
mod unasked;
mod verdicts;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode};

use super::command::Command;
use super::framing::{Data, Input, InputLine};
use super::replies::{bare_line_end, going, line_too_long, say, unsynchronized, write};
use super::transaction::Transaction;
pub(crate) use fault::Fault;
pub use greeting::Greeting;
pub use settings::SessionSettings;
use stray_header::ConnectionStart;
#[cfg(feature = "gateway")]
pub(crate) use unasked::MessageEnd;
pub(crate) use unasked::Unasked;
use verdicts::Verdicts;

/// The next action for the driver of a [`Session`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionStep {
    /// Send the output, then hand in the bytes that arrive.
    Read,
    /// Let other connections run first: this client has sent many commands at once.
    Turn,
    /// Send the output, wait for this time, then call [`Session::handle_pause_end`].
    Pause(Duration),
    /// Answer with [`Session::handle_decision`].
    Decide(Question),
    /// Send the output, do the TLS handshake, then call [`Session::handle_tls`].
    StartTls,
    /// Send the output and close the connection.
    Close,
}

/// A question of policy; a reply of 2yz means yes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// Whether to accept this client.
    Connect,
    /// Whether to accept the name in `HELO` or `EHLO`.
    Greeting,
    /// Whether to accept mail from the [transaction's](Session::transaction) sender.
    Mail,
    /// Whether to accept the recipient, the [candidate](Session::candidate).
    Recipient,
    /// The verdict of one of the [transaction's](Session::transaction) recipients, by its number from
    /// 0, on the [message](Session::message).
    Verdict(usize),
    /// The delivery of the [message](Session::take_message) to the recipients of the transaction, who
    /// have all accepted it.
    Message,
}

/// A running session. No order of calls panics; a call out of order has no effect.
#[derive(Debug)]
pub struct Session {
    settings: Arc<SessionSettings>,
    /// Whether a `HELO` that is neither a domain nor an address is accepted.
    junk_helo: bool,
    state: SessionState,
    input: Input,
    output: Vec<u8>,
    greeting: Greeting,
    /// The greeting to decide on.
    offered: Option<Greeting>,
    transaction: Option<Transaction>,
    candidate: Option<Mailbox>,
    /// The current command, as received.
    line: Vec<u8>,
    counts: Counts,
    /// The octets dropped since a chunk was refused, while only chunks follow: the client may have sent more chunks
    /// of its message.
    refused_chunks: Option<u64>,
    /// The client's mistakes since the last call of `take_faults`.
    faults: Vec<(Fault, Reply)>,
    unasked: Unasked,
    start: ConnectionStart,
}

#[derive(Debug)]
enum SessionState {
    Ready,
    Deciding(Question),
    Data(Data),
    /// Within a chunk; `refusal` is the reply at its end, if it is refused.
    Chunk {
        left: u64,
        last: bool,
        refusal: Option<Reply>,
    },
    /// Before a delayed reply.
    Pausing {
        wait: Duration,
        reply: Reply,
    },
    /// After a message, until its last reply.
    Replying(Verdicts),
    Handshake,
    Closed,
}

#[derive(Debug, Default)]
struct Counts {
    errors: u32,
    unknown: u32,
    /// Commands since the last message that do not advance a transaction.
    nonmail: u32,
    messages: u32,
    /// `HELO` and `EHLO` with a valid name, since TLS was started.
    greetings: u32,
    /// Recipients refused, and transactions without a message, since the last message.
    refused: u32,
    /// Those that were refused for now.
    deferred: u32,
    /// Commands since the last turn of other connections.
    at_once: u32,
    /// Commands since the last message.
    commands: u32,
}

impl Session {
    /// Starts before the banner; with `junk_helo` the client may use any name.
    #[must_use]
    pub fn new(settings: Arc<SessionSettings>, junk_helo: bool) -> Self {
        Self {
            settings,
            junk_helo,
            state: SessionState::Deciding(Question::Connect),
            input: Input::default(),
            output: Vec::new(),
            greeting: Greeting::default(),
            offered: None,
            transaction: None,
            candidate: None,
            line: Vec::new(),
            counts: Counts::default(),
            refused_chunks: None,
            faults: Vec::new(),
            unasked: Unasked::default(),
            start: ConnectionStart::default(),
        }
    }

    /// Takes bytes that have arrived. A client must not send any before the banner (RFC 5321 section 3.1).
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        let is_stray = self.begin(bytes);
        match self.state {
            SessionState::Closed => {}
            // The address of the client would be that of its proxy.
            _ if is_stray => self.violate(&unsynchronized()),
            SessionState::Deciding(Question::Connect) | SessionState::Handshake
                if !bytes.is_empty() =>
            {
                self.violate(&unsynchronized());
            }
            _ => self.input.push(bytes),
        }
    }

    /// The client has closed the connection.
    pub(crate) fn handle_end(&mut self) {
        self.note_end();
        self.state = SessionState::Closed;
        self.transaction = None;
    }

    /// Replies that the time limit has passed, and closes.
    pub fn handle_timeout(&mut self) {
        self.fail(&going(EnhancedCode::of::<4, 4, 2>(), "SMTP timeout, closing connection"));
    }

    /// The message exceeds the memory limit: it is dropped, and refused at its end.
    pub(crate) fn handle_no_room(&mut self) {
        if let Some(body) = self.transaction.as_mut().and_then(|t| t.body.as_mut()) {
            body.give_up();
        }
    }

    /// Replies that faster clients need the memory of this message, and closes.
    pub(crate) fn handle_eviction(&mut self) {
        self.fail(&going(
            EnhancedCode::of::<4, 3, 1>(),
            "message data too slow while the server is short of memory",
        ));
    }

    /// Replies that the server stops, and closes; recipients without a reply get theirs before.
    pub(crate) fn handle_stop(&mut self) {
        self.stop_replying();
        self.fail(&going(EnhancedCode::of::<4, 3, 2>(), "server shutting down, try again later"));
    }

    /// TLS is on: the session starts anew (RFC 3207 section 4.2).
    pub fn handle_tls(&mut self) {
        match self.state {
            SessionState::Handshake => {
                self.transaction = None;
                self.refused_chunks = None;
                self.state = SessionState::Ready;
            }
            // TLS on connect: the banner is sent inside it.
            SessionState::Deciding(Question::Connect) => {}
            _ => return,
        }
        self.greeting = Greeting { tls: true, ..Greeting::default() };
        self.counts.greetings = 0;
    }

    /// Continues as far as possible, and returns the next step.
    pub fn poll(&mut self) -> SessionStep {
        loop {
            match &mut self.state {
                SessionState::Deciding(question) => return SessionStep::Decide(*question),
                SessionState::Handshake => return SessionStep::StartTls,
                SessionState::Closed => return SessionStep::Close,
                SessionState::Pausing { wait, .. } => return SessionStep::Pause(*wait),
                SessionState::Ready => match self.next_line() {
                    None => return SessionStep::Turn,
                    Some(InputLine::Incomplete) => return SessionStep::Read,
                    Some(InputLine::Text(line)) => {
                        self.line = line;
                        self.command();
                    }
                    Some(InputLine::TooLong) => self.violate(&line_too_long()),
                    Some(InputLine::Bare) => self.violate(&bare_line_end()),
                },
                SessionState::Replying(_) => match self.poll_verdicts() {
                    Some(question) => return SessionStep::Decide(question),
                    None => self.replied(),
                },
                SessionState::Data(_) => {
                    if !self.data_read() {
                        return SessionStep::Read;
                    }
                }
                SessionState::Chunk { left: 0, .. } => self.chunk_end(),
                SessionState::Chunk { .. } => {
                    if !self.chunk_read() {
                        return SessionStep::Read;
                    }
                }
            }
        }
    }

    /// Takes the output to be sent.
    pub fn take_output(&mut self) -> Vec<u8> {
        mem::take(&mut self.output)
    }

    /// Tells whether there is output to be sent.
    pub(crate) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    fn command(&mut self) {
        let command = match Command::parse(&self.line) {
            Ok(command) => command,
            Err(error) => return self.malformed(&error),
        };
        if self.is_idle_talk(&command) {
            self.counts.nonmail += 1;
            if self.counts.nonmail > self.settings.smtp_accept_max_nonmail {
                return self
                    .fail(&going(EnhancedCode::of::<4, 7, 0>(), "too many nonmail commands"));
            }
        }
        if !matches!(command, Command::Bdat(..)) {
            self.refused_chunks = None;
        }
        match command {
            Command::Helo(name) => self.greet(&name, false),
            Command::Ehlo(name) => self.greet(&name, true),
            Command::Mail(sender, parameters) => {
                let transaction = Transaction::new(sender);
                self.mail(transaction, &parameters);
            }
            Command::Rcpt(recipient, parameters) => self.rcpt(recipient, &parameters),
            Command::Data => self.data(),
            Command::Bdat(size, last) => self.bdat(size, last),
            Command::Rset => {
                self.end_transaction(&say(ReplyCode::OK, EnhancedCode::SUCCESS, "reset"));
            }
            Command::Noop => self.answer(&say(ReplyCode::OK, EnhancedCode::SUCCESS, "ok")),
            Command::Vrfy => {
                let text = "not verified, but mail for it may be accepted";
                self.answer(&say(ReplyCode::CANNOT_VERIFY, EnhancedCode::of::<2, 5, 2>(), text));
            }
            Command::Expn => self.answer(&say(
                ReplyCode::NOT_IMPLEMENTED,
                EnhancedCode::of::<5, 5, 1>(),
                "EXPN: not implemented",
            )),
            Command::Help => {
                let text = "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS";
                self.answer(&say(ReplyCode::HELP, EnhancedCode::SUCCESS, text));
            }
            Command::Quit => {
                let text = format!("{} closing connection", self.settings.primary_hostname);
                self.fail(&say(ReplyCode::CLOSING, EnhancedCode::SUCCESS, &text));
            }
            Command::StartTls => self.start_tls(),
        }
    }

    /// Tells whether a command does not advance a transaction, as an empty chunk; the first greeting and TLS do.
    fn is_idle_talk(&self, command: &Command) -> bool {
        match command {
            Command::Helo(_) | Command::Ehlo(_) => self.counts.greetings > 0,
            Command::Rset => self.transaction.is_none(),
            Command::Noop
            | Command::Vrfy
            | Command::Expn
            | Command::Help
            | Command::Bdat(0, false) => true,
            _ => false,
        }
    }

    /// Writes a reply; text that is not ASCII requires SMTPUTF8.
    fn answer(&mut self, reply: &Reply) {
        let utf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.utf8);
        write(reply, utf8, &mut self.output);
    }

    /// Replies, and counts an error.
    fn error(&mut self, reply: &Reply) {
        self.note(reply);
        self.answer(reply);
        self.counts.errors += 1;
        if self.counts.errors > self.settings.smtp_max_synprot_errors {
            self.fail(&going(EnhancedCode::of::<4, 7, 0>(), "too many syntax or protocol errors"));
        }
    }

    /// Replies, and closes: all further input is ignored.
    fn fail(&mut self, reply: &Reply) {
        if !matches!(self.state, SessionState::Closed) {
            self.answer(reply);
            self.handle_end();
        }
    }
}
