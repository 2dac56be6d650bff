//! The client never panics, keeps little, does not depend on the pieces of its input, and counts a
//! recipient as delivered only after the whole message was sent and the last reply, of 2yz, has come.

#![no_main]

use std::time::{Duration, Instant};

use examples::gateway::smtp::client::{
    Client, ClientLimits, ClientSettings, ClientStep, Declared, Delivery,
};
use libfuzzer_sys::fuzz_target;
use mail_types::smtp::{Reply, Severity};

const MESSAGE: &[u8] = b"Subject: a\r\n\r\n.b\r\n";

fuzz_target!(|input: (u16, &[u8])| {
    let (choices, bytes) = input;
    let whole = Talk::new(choices, bytes, Pieces::Replies).run();
    assert_eq!(whole, Talk::new(choices, bytes, Pieces::Octets).run());
    // A server that speaks out of turn.
    Talk::new(choices, bytes, Pieces::AtOnce).run();
});

/// How the client gets the octets of the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pieces {
    /// A reply whenever it waits for one.
    Replies,
    /// The same, octet by octet.
    Octets,
    AtOnce,
}

/// A session of a client with a server that says what the input has.
struct Talk<'a> {
    client: Client,
    choices: u16,
    rest: &'a [u8],
    /// The same from the start of the current reply.
    reply: &'a [u8],
    all: usize,
    pieces: Pieces,
    now: Instant,
    /// What was sent and the results, as text.
    said: Vec<String>,
    /// The octets sent since the last result.
    sent: Vec<u8>,
    last: Option<Reply>,
}

impl<'a> Talk<'a> {
    fn new(choices: u16, bytes: &'a [u8], pieces: Pieces) -> Self {
        let now = Instant::now();
        let settings = ClientSettings {
            helo: "client.example".parse().unwrap(),
            try_prdr: choices & 1 != 0,
            try_chunking: choices & 2 != 0,
            limits: ClientLimits::default(),
            until: (choices & 4 != 0).then(|| now + Duration::from_secs(40)),
        };
        Self {
            client: Client::new(settings, now),
            choices,
            rest: bytes,
            reply: bytes,
            all: bytes.len(),
            pieces,
            now,
            said: Vec::new(),
            sent: Vec::new(),
            last: None,
        }
    }

    fn run(mut self) -> Vec<String> {
        self.goes_on();
        self.client.hello();
        self.goes_on();
        if self.choices & 8 != 0 {
            self.client.start_tls();
            if self.goes_on() {
                self.client.handle_tls();
                self.client.hello();
                self.goes_on();
            }
        }
        for _ in 0..2 {
            if self.choices & 16 != 0 { self.transact() } else { self.command_by_command() }
        }
        self.client.quit();
        self.goes_on();
        self.said
    }

    fn declared(&self) -> Declared {
        let given = |bit: u16| self.choices & bit != 0;
        let size = if given(32) { 20 } else { 0 };
        Declared { size, eight_bit: given(64), prdr: given(1), ..Declared::default() }
    }

    fn transact(&mut self) {
        let sender = "<a@client.example>".parse().unwrap();
        let count = usize::from(self.choices >> 8) % 5;
        let recipients = (0..count).map(|n| format!("r{n}@mx.example").parse().unwrap()).collect();
        let parts = [MESSAGE.to_vec().into()];
        if self.client.transact((&sender, recipients), self.declared(), &parts).is_ok() {
            self.goes_on();
        }
    }

    fn command_by_command(&mut self) {
        let sender = "<a@client.example>".parse().unwrap();
        if self.client.mail(&sender, self.declared()).is_err() || !self.goes_on() {
            return;
        }
        let mut accepted = 0;
        for n in 0..usize::from(self.choices >> 8) % 5 {
            let recipient = format!("r{n}@mx.example").parse().unwrap();
            self.client.rcpt(&recipient).unwrap();
            accepted += usize::from(self.goes_on());
        }
        // All of them, or all but the first.
        let takers: Vec<_> = (usize::from(self.choices >> 15)..accepted).collect();
        if self.client.message(&[MESSAGE.to_vec().into()], &takers).is_ok() {
            self.goes_on();
        }
    }

    /// Goes on to the next result; tells whether it is a positive one.
    fn goes_on(&mut self) -> bool {
        loop {
            assert!(self.client.held() < 200_000 + 3 * self.all);
            let step = self.client.poll(self.now);
            match step {
                ClientStep::Send(by) => {
                    assert!(by > self.now && !self.client.output().is_empty());
                    self.sent.extend_from_slice(self.client.output());
                    self.said.push(String::from_utf8_lossy(self.client.output()).into_owned());
                    self.now += Duration::from_secs(1);
                    self.client.handle_sent(self.now);
                    continue;
                }
                ClientStep::Read(by) => {
                    assert!(by > self.now);
                    self.answer();
                    continue;
                }
                ClientStep::Finished(ref delivery) => self.check(delivery),
                ClientStep::StartTls(by) => assert!(by > self.now),
                ClientStep::Replied(_) | ClientStep::Lost(_) | ClientStep::Idle => {}
            }
            self.sent.clear();
            let positive = match &step {
                ClientStep::Replied(reply) => reply.code().severity() == Severity::Completed,
                ClientStep::StartTls(_) => true,
                _ => false,
            };
            // The time in a step differs with the pieces.
            let text =
                if let ClientStep::StartTls(_) = step { "TLS".into() } else { format!("{step:?}") };
            self.said.push(text);
            return positive;
        }
    }

    /// Hands in the next piece, or the end.
    fn answer(&mut self) {
        if self.rest.is_empty() {
            return match self.choices & 128 {
                0 => self.client.handle_end(),
                _ => self.client.handle_timeout(),
            };
        }
        let behind = Reply::parse(self.reply).map_or(&[][..], |(behind, _)| behind);
        let length = match self.pieces {
            Pieces::Replies => self.rest.len() - behind.len(),
            Pieces::Octets => 1,
            Pieces::AtOnce => self.rest.len(),
        };
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        if rest.len() == behind.len() {
            self.last = Reply::parse(self.reply).ok().map(|(_, reply)| reply);
            self.reply = rest;
        }
        self.client.handle_bytes(piece);
    }

    fn check(&self, delivery: &Delivery) {
        assert!(delivery.recipients.len() < 5);
        assert!(!delivery.is_in_doubt() || delivery.lost.is_some());
        if !delivery.recipients.iter().any(|result| result.is_delivered()) {
            return;
        }
        assert_eq!(delivery.lost, None);
        let last = delivery.last.as_ref().unwrap();
        assert_eq!(last.code().severity(), Severity::Completed);
        if self.pieces != Pieces::AtOnce {
            assert_eq!(self.last.as_ref(), Some(last));
        }
        let (stuffed, chunk) = (&b"\r\n..b\r\n.\r\n"[..], &b"LAST\r\nSubject: a\r\n\r\n.b\r\n"[..]);
        assert!(self.sent.ends_with(stuffed) || self.sent.ends_with(chunk));
    }
}
