//! The time limits of the client machine, and its way into TLS.

use std::time::{Duration, Instant};

use super::client::{ALL, GREETING, Server, settings};
use crate::gateway::smtp::client::{
    Client, ClientLimits, ClientSettings, ClientStep, Declared, Lost,
};

const PLAIN: Declared =
    Declared { size: 0, eight_bit: false, utf8: false, prdr: false, require_tls: false };

/// A client with a clock of its own: each step takes a second.
struct Timed {
    client: Client,
    now: Instant,
}

impl Timed {
    /// Returns the time that the next step has, after what precedes it was done.
    fn wait(&mut self) -> (&'static str, u64) {
        self.now += Duration::from_secs(1);
        let (what, by) = match self.client.poll(self.now) {
            ClientStep::Send(by) => ("send", by),
            ClientStep::Read(by) => ("read", by),
            ClientStep::StartTls(by) => ("tls", by),
            _ => ("other", self.now),
        };
        (what, (by - self.now).as_secs())
    }

    fn sent(&mut self) -> (&'static str, u64) {
        self.client.handle_sent(self.now);
        self.wait()
    }

    fn answer(&mut self, reply: &str) -> (&'static str, u64) {
        self.client.handle_bytes(reply.as_bytes());
        self.wait()
    }
}

/// RFC 5321 section 4.5.3.2: greeting 5 minutes, MAIL 5, RCPT 5, DATA 2, block 3, end 10. A second has
/// passed since the command was sent.
#[test]
fn each_step_has_its_time() {
    let now = Instant::now();
    let mut timed = Timed { client: Client::new(settings(), now), now };
    assert_eq!(timed.wait(), ("read", 299));
    timed.answer(GREETING);
    timed.client.hello();
    assert_eq!((timed.wait(), timed.sent()), (("send", 180), ("read", 299)));
    timed.answer("250-mx.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n");
    timed.client.start_tls();
    assert_eq!((timed.wait(), timed.sent()), (("send", 180), ("read", 299)));
    assert_eq!(timed.answer("220 go\r\n"), ("tls", 300));
    timed.client.handle_tls();
    timed.client.hello();
    timed.wait();
    timed.sent();
    timed.answer("250-mx.example\r\n250 PIPELINING\r\n");
    let recipients = vec!["b@mx.example".parse().unwrap()];
    let sender = "<a@client.example>".parse().unwrap();
    timed.client.transact((&sender, recipients), PLAIN, &["a\r\n".into()]).unwrap();
    assert_eq!((timed.wait(), timed.sent()), (("send", 180), ("read", 299)));
    assert_eq!(timed.answer("250 s\r\n"), ("read", 300), "for RCPT from the reply before");
    assert_eq!(timed.answer("250 b\r\n"), ("read", 120), "for DATA");
    assert_eq!(timed.answer("354 go\r\n"), ("send", 180));
    assert_eq!(timed.sent(), ("read", 599));
    timed.client.handle_timeout();
    let ClientStep::Finished(delivery) = timed.client.poll(now) else { panic!("no result") };
    assert_eq!((delivery.lost, timed.client.stage()), (Some(Lost::Slow), "end of data"));
}

#[test]
fn the_whole_session_has_a_time_too() {
    let now = Instant::now();
    let until = Some(now + Duration::from_mins(1));
    let client = Client::new(ClientSettings { until, ..settings() }, now);
    let mut timed = Timed { client, now };
    assert_eq!(timed.wait(), ("read", 59));
    timed.answer(GREETING);
    timed.client.hello();
    assert_eq!((timed.wait(), timed.sent()), (("send", 57), ("read", 56)));
    // A server that says a word now and then gets no more time by it.
    timed.now += Duration::from_secs(56);
    timed.client.handle_bytes(b"250-mx.example\r\n");
    assert_eq!(timed.client.poll(timed.now), ClientStep::Lost(Lost::Slow));
}

#[test]
fn quit_has_little_time() {
    let mut server = Server::greeted(settings(), ALL, &[]);
    server.client.quit();
    let now = Instant::now();
    let quit = ClientLimits::default().quit;
    assert_eq!(server.client.poll(now), ClientStep::Send(now + quit));
    server.client.handle_sent(now);
    assert_eq!(server.client.poll(now), ClientStep::Read(now + quit));
}

const OFFERS: &str =
    "250-mx.example\r\n250-STARTTLS\r\n250-REQUIRETLS\r\n250-PIPELINING\r\n250 SIZE 1000\r\n";

/// RFC 3207 section 4.2, RFC 8689 section 2.
#[test]
fn nothing_that_was_said_before_tls_counts_in_it() {
    let inside = "250-mx.example\r\n250-STARTTLS\r\n250 REQUIRETLS\r\n";
    let mut server = Server::greeted(settings(), OFFERS, &["220 go\r\n", inside, "250 s\r\n"]);
    let offers = server.client.offers();
    assert!(offers.start_tls && !offers.require_tls && offers.pipelining);
    server.client.start_tls();
    assert!(matches!(server.run(), ClientStep::StartTls(_)));
    server.client.handle_tls();
    let offers = server.client.offers();
    assert!(!offers.start_tls && !offers.pipelining && offers.size.is_none());
    assert_eq!(server.client.ehlo(), None);
    server.client.hello();
    server.run();
    let offers = server.client.offers();
    assert!(!offers.start_tls && offers.require_tls && !offers.pipelining);
    let sender = "<a@client.example>".parse().unwrap();
    let declared = Declared { require_tls: true, size: 5000, ..PLAIN };
    server.client.mail(&sender, declared).unwrap();
    server.run();
    let mail = "MAIL FROM:<a@client.example> REQUIRETLS\r\n";
    assert_eq!(server.sent, ["STARTTLS\r\n", "EHLO client.example\r\n", mail]);
}

/// RFC 3207 section 6, and CVE-2011-0411.
#[test]
fn octets_behind_the_reply_to_starttls_end_the_session() {
    for behind in ["\r\n", "2", "250 mx.example\r\n", "\u{16}\u{3}\u{1}"] {
        let reply = format!("220 go\r\n{behind}");
        let mut server = Server::greeted(settings(), OFFERS, &[&reply]);
        server.client.start_tls();
        assert_eq!(server.run(), ClientStep::Lost(Lost::OutOfTurn), "{behind:?}");
        assert_eq!(server.client.stage(), "STARTTLS");
    }
    // Or if they come while the handshake runs.
    let mut server = Server::greeted(settings(), OFFERS, &["220 go\r\n"]);
    server.client.start_tls();
    assert!(matches!(server.run(), ClientStep::StartTls(_)));
    server.client.handle_bytes(b"250 mx.example\r\n");
    server.client.handle_tls();
    server.client.hello();
    assert_eq!(server.run(), ClientStep::Lost(Lost::OutOfTurn));
}

#[test]
fn a_refusal_of_starttls_is_a_reply_and_nonsense_is_not() {
    for (text, lost) in [
        ("454 4.7.0 not now", None),
        ("500 what", None),
        ("501 5.5.4 no", None),
        ("354 go", Some(Lost::Malformed)),
        ("421 bye", Some(Lost::NotWilling("421 bye".parse().unwrap()))),
    ] {
        let reply = format!("{text}\r\n");
        let mut server = Server::greeted(settings(), OFFERS, &[&reply, "250 s\r\n"]);
        server.client.start_tls();
        let expected = match lost {
            Some(lost) => ClientStep::Lost(lost),
            None => ClientStep::Replied(text.parse().unwrap()),
        };
        assert_eq!(server.run(), expected);
        // The offers of a session in clear stand.
        assert!(server.client.offers().pipelining);
    }
}

#[test]
fn helo_is_said_to_those_who_do_not_know_ehlo() {
    for (ehlo, helo, lost) in [
        ("502 what\r\n", "250 mx\r\n", None),
        ("550 no\r\n", "550 no\r\n", Some(Lost::NotWilling("550 no".parse().unwrap()))),
        ("354 go\r\n", "250 mx\r\n", None),
    ] {
        let mut server = Server::new(settings(), &[GREETING, ehlo, helo]);
        server.run();
        server.client.hello();
        match lost {
            Some(lost) => assert_eq!(server.run(), ClientStep::Lost(lost)),
            None => assert!(matches!(server.run(), ClientStep::Replied(_))),
        }
        assert_eq!(server.sent, ["EHLO client.example\r\n", "HELO client.example\r\n"]);
        assert_eq!(server.client.ehlo().map(ToString::to_string).as_deref(), Some(ehlo.trim_end()));
    }
}
