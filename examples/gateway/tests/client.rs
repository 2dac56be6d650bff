//! The client machine with scripted servers, without a network.

use std::time::Instant;

use bytes::Bytes;
use mail_types::smtp::{Mailbox, Reply, ReversePath};
use prdr::RecipientOutcome;

use crate::gateway::smtp::client::{
    CannotTake, Client, ClientLimits, ClientSettings, ClientStep, Declared, Delivery, Lost,
    RecipientResult,
};

pub(super) const GREETING: &str = "220 mx.example\r\n";
pub(super) const ALL: &str = "250-mx.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n\
                              250-ENHANCEDSTATUSCODES\r\n250-PRDR\r\n250 8BITMIME\r\n";
const MESSAGE: &str = "Subject: a\r\n\r\n.b\r\n";

/// A server that hands over the next reply whenever the client waits, and keeps what it was sent.
pub(super) struct Server<'a> {
    pub(super) client: Client,
    pub(super) replies: Vec<&'a str>,
    /// The texts that were sent, one for each write.
    pub(super) sent: Vec<String>,
}

pub(super) fn settings() -> ClientSettings {
    ClientSettings {
        helo: "client.example".parse().unwrap(),
        try_prdr: true,
        try_chunking: true,
        limits: ClientLimits::default(),
        until: None,
    }
}

impl<'a> Server<'a> {
    pub(super) fn new(settings: ClientSettings, replies: &[&'a str]) -> Self {
        let client = Client::new(settings, Instant::now());
        Self { client, replies: replies.to_vec(), sent: Vec::new() }
    }

    /// One that has greeted, and has replied to `EHLO`.
    pub(super) fn greeted(settings: ClientSettings, ehlo: &'a str, replies: &[&'a str]) -> Self {
        let replies = [&[GREETING, ehlo], replies].concat();
        let mut server = Self::new(settings, &replies);
        assert!(matches!(server.run(), ClientStep::Replied(_)));
        server.client.hello();
        assert!(matches!(server.run(), ClientStep::Replied(_)));
        assert_eq!(server.sent, ["EHLO client.example\r\n"]);
        server.sent.clear();
        server
    }

    /// Goes on to the result of the operation; after the last reply the server closes the connection.
    pub(super) fn run(&mut self) -> ClientStep {
        loop {
            match self.client.poll(Instant::now()) {
                ClientStep::Send(_) => {
                    self.sent.push(String::from_utf8(self.client.output().to_vec()).unwrap());
                    self.client.handle_sent(Instant::now());
                }
                ClientStep::Read(_) if self.replies.is_empty() => self.client.handle_end(),
                ClientStep::Read(_) => self.client.handle_bytes(self.replies.remove(0).as_bytes()),
                step => return step,
            }
        }
    }

    /// Sends a message to these recipients at once.
    fn transact(&mut self, recipients: &[&str], declared: Declared) -> Delivery {
        let recipients = recipients.iter().map(|text| text.parse().unwrap()).collect();
        self.client.transact((&sender(), recipients), declared, &message(MESSAGE)).unwrap();
        self.delivery()
    }

    fn delivery(&mut self) -> Delivery {
        match self.run() {
            ClientStep::Finished(delivery) => delivery,
            step => panic!("{step:?}"),
        }
    }
}

fn sender() -> ReversePath {
    "<a@client.example>".parse().unwrap()
}

fn message(text: &str) -> Vec<Bytes> {
    vec!["X: y\r\n".into(), text.to_owned().into()]
}

fn reply(text: &str) -> Reply {
    text.trim_end().parse().unwrap()
}

fn delivered(text: &str) -> RecipientResult {
    RecipientResult::Message(RecipientOutcome::Delivered(reply(text)))
}

fn permanent(text: &str) -> RecipientResult {
    RecipientResult::Message(RecipientOutcome::Permanent(reply(text)))
}

fn refused(text: &str) -> RecipientResult {
    RecipientResult::Refused(reply(text))
}

const TWO: [&str; 2] = ["b@mx.example", "c@mx.example"];
const PIPELINING: &str = "250-mx.example\r\n250 PIPELINING\r\n";
const GROUP: &str = "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\n\
                     RCPT TO:<c@mx.example>\r\nDATA\r\n";
const DATA: &str = "X: y\r\nSubject: a\r\n\r\n..b\r\n.\r\n";
const PLAIN: Declared =
    Declared { size: 0, eight_bit: false, utf8: false, prdr: false, require_tls: false };

/// RFC 2920 section 3.1.
#[test]
fn commands_go_out_together_where_the_server_says_so() {
    let replies = ["250 s\r\n250 b\r\n", "550 c\r\n354 go\r\n", "250 2.0.0 queued\r\n"];
    let mut server = Server::greeted(settings(), PIPELINING, &replies);
    let delivery = server.transact(&TWO, PLAIN);
    assert_eq!(server.sent, [GROUP, DATA]);
    assert_eq!(delivery.recipients, [delivered("250 2.0.0 queued"), refused("550 c")]);
    assert_eq!((delivery.last, delivery.lost), (Some(reply("250 2.0.0 queued")), None));
}

#[test]
fn else_each_command_waits_for_the_reply_to_the_one_before() {
    let replies = ["250 s\r\n", "250 b\r\n", "450 c\r\n", "354 go\r\n", "250 queued\r\n"];
    let mut server = Server::greeted(settings(), "250 mx.example\r\n", &replies);
    let delivery = server.transact(&TWO, PLAIN);
    let lines: Vec<_> = GROUP.split_inclusive('\n').chain([DATA]).collect();
    assert_eq!(server.sent, lines);
    assert_eq!(delivery.recipients, [delivered("250 queued"), refused("450 c")]);
    // After a refusal of the sender nothing more is sent.
    let mut server = Server::greeted(settings(), "250 mx.example\r\n", &["550 s\r\n"]);
    let delivery = server.transact(&TWO, PLAIN);
    assert_eq!(server.sent, lines[..1]);
    assert_eq!(delivery.recipients, [permanent("550 s"), permanent("550 s")]);
    // Nor where no recipient is left.
    let mut server =
        Server::greeted(settings(), "250 mx.example\r\n", &["250 s\r\n", "550 b\r\n", "450 c\r\n"]);
    let delivery = server.transact(&TWO, PLAIN);
    assert_eq!(server.sent, lines[..3]);
    assert_eq!(delivery.recipients, [refused("550 b"), refused("450 c")]);
    assert_eq!((delivery.last, delivery.lost), (None, None));
}

/// RFC 2920 section 3.1: "the client SMTP should send a single dot".
#[test]
fn after_354_for_no_recipient_the_message_is_empty() {
    for last in ["554 no recipients\r\n", "250 what\r\n", "354 what\r\n"] {
        let replies = ["250 s\r\n", "550 b\r\n", "450 c\r\n", "354 go\r\n", last];
        let mut server = Server::greeted(settings(), PIPELINING, &replies);
        let delivery = server.transact(&TWO, PLAIN);
        assert_eq!(server.sent, [GROUP, ".\r\n"]);
        assert_eq!(delivery.recipients, [refused("550 b"), refused("450 c")]);
        assert_eq!((delivery.last, delivery.lost), (None, None));
    }
    // The replies to the recipients of a refused sender mean nothing.
    let replies = ["550 5.7.1 s\r\n", "503 b\r\n", "503 c\r\n", "503 d\r\n"];
    let mut server = Server::greeted(settings(), PIPELINING, &replies);
    let delivery = server.transact(&TWO, PLAIN);
    assert_eq!((server.sent, server.client.stage()), (vec![GROUP.to_owned()], MAIL));
    assert_eq!(delivery.recipients, [permanent("550 5.7.1 s"), permanent("550 5.7.1 s")]);
    // An empty message to recipients whom the server has accepted would be delivered.
    let replies = ["550 s\r\n", "250 b\r\n", "250 c\r\n", "354 go\r\n", "250 queued\r\n"];
    let mut server = Server::greeted(settings(), PIPELINING, &replies);
    let delivery = server.transact(&TWO, PLAIN);
    assert_eq!(server.sent, [GROUP]);
    assert_eq!(delivery.lost, Some(Lost::Malformed));
    assert!(!delivery.recipients.iter().any(RecipientResult::is_delivered));
}

const MAIL: &str = "MAIL FROM:<a@client.example>";

#[test]
fn a_large_group_is_cut_so_that_neither_side_waits_for_the_other() {
    let recipients: Vec<String> = (0..150).map(|n| format!("r{n}@mx.example")).collect();
    let recipients: Vec<_> = recipients.iter().map(String::as_str).collect();
    let mut replies = vec!["250 ok\r\n"; 151];
    replies.extend(["354 go\r\n", "250 queued\r\n"]);
    let mut server = Server::greeted(settings(), PIPELINING, &replies);
    let delivery = server.transact(&recipients, PLAIN);
    let lines: Vec<_> = server.sent.iter().map(|sent| sent.lines().count()).collect();
    assert_eq!(lines, [100, 52, DATA.lines().count()]);
    assert!(delivery.recipients.iter().all(RecipientResult::is_delivered));
}

/// RFC 3030 section 2.
#[test]
fn a_message_goes_by_bdat_where_chunking_is_offered_and_wanted() {
    for (text, chunk) in [
        (MESSAGE, "BDAT 24 LAST\r\nX: y\r\nSubject: a\r\n\r\n.b\r\n"),
        ("no end", "BDAT 14 LAST\r\nX: y\r\nno end\r\n"),
    ] {
        let replies = ["250 s\r\n", "250 b\r\n", "550 c\r\n", "250 queued\r\n"];
        let mut server = Server::greeted(settings(), ALL, &replies);
        let recipients = TWO.map(|text| text.parse().unwrap()).to_vec();
        server.client.transact((&sender(), recipients), PLAIN, &message(text)).unwrap();
        let delivery = server.delivery();
        assert_eq!(server.sent, [GROUP.trim_end_matches("DATA\r\n"), chunk]);
        assert_eq!(delivery.recipients, [delivered("250 queued"), refused("550 c")]);
    }
    // For no recipient nothing is sent.
    let replies = ["250 s\r\n", "550 b\r\n", "550 c\r\n"];
    let mut server = Server::greeted(settings(), ALL, &replies);
    assert_eq!(server.transact(&TWO, PLAIN).last, None);
    assert_eq!(server.sent.len(), 1);
}

#[test]
fn each_recipient_has_a_reply_of_its_own_by_data_and_by_bdat() {
    let asking = Declared { prdr: true, ..PLAIN };
    let three = ["b@mx.example", "c@mx.example", "d@mx.example"];
    for (try_chunking, go) in [(false, Some("354 go\r\n")), (true, None)] {
        let mut replies = vec!["250 s\r\n", "250 b\r\n", "550 c\r\n", "250 d\r\n"];
        replies.extend(go);
        let block = "353 go\r\n250 b has it\r\n550 d does not\r\n250 2.0.0 end\r\n";
        replies.push(block);
        let mut server =
            Server::greeted(ClientSettings { try_chunking, ..settings() }, ALL, &replies);
        let delivery = server.transact(&three, asking);
        assert!(server.sent[0].starts_with("MAIL FROM:<a@client.example> PRDR\r\n"));
        let expected = [delivered("250 b has it"), refused("550 c"), permanent("550 d does not")];
        assert_eq!(delivery.recipients, expected);
        assert_eq!((delivery.last, delivery.prdr), (Some(reply("250 2.0.0 end")), true));
        // Octets after the last reply make all of them doubtful.
        let longer = format!("{block}250 one more\r\n");
        *replies.last_mut().unwrap() = &longer;
        let mut server =
            Server::greeted(ClientSettings { try_chunking, ..settings() }, ALL, &replies);
        let delivery = server.transact(&three, asking);
        assert_eq!(delivery.lost, Some(Lost::Malformed));
        assert!(!delivery.recipients.iter().any(RecipientResult::is_delivered));
    }
    // A single recipient has its own reply anyway.
    let mut server = Server::greeted(settings(), ALL, &["250 s\r\n", "250 b\r\n", "250 end\r\n"]);
    assert_eq!(server.transact(&TWO[..1], asking).recipients, [delivered("250 end")]);
    assert!(server.sent[0].starts_with("MAIL FROM:<a@client.example>\r\n"));
}

/// The octets of a session are cut at each place.
#[test]
fn a_connection_cut_anywhere_loses_no_message_and_tells_none_twice() {
    let ways = [
        (PIPELINING, vec!["250 s\r\n", "250 b\r\n", "550 c\r\n", "354 go\r\n", "250 end\r\n"]),
        ("250 mx\r\n", vec!["250 s\r\n", "250 b\r\n", "550 c\r\n", "354 go\r\n", "250 end\r\n"]),
        (ALL, vec!["250 s\r\n", "250 b\r\n", "550 c\r\n", "250 end\r\n"]),
        (
            ALL,
            vec!["250 s\r\n", "250 b\r\n", "250 c\r\n", "353 go\r\n250 b\r\n550 c\r\n250 end\r\n"],
        ),
    ];
    for (ehlo, replies) in ways {
        let declared = Declared { prdr: replies.len() == 4, ..PLAIN };
        for turn in 0..replies.len() {
            for end in 0..replies[turn].len() {
                let cut = [&replies[..turn], &[&replies[turn][..end]]].concat();
                let mut server = Server::greeted(settings(), ehlo, &cut);
                let delivery = server.transact(&TWO, declared);
                let place = format!("{ehlo} {turn} {end}: {delivery:?}");
                assert_eq!(delivery.lost, Some(Lost::Closed), "{place}");
                assert!(!delivery.recipients.iter().any(RecipientResult::is_delivered), "{place}");
                let in_doubt = turn + 1 == replies.len();
                assert_eq!(delivery.is_in_doubt(), in_doubt, "{place}");
                let known = replies[2].starts_with("550") && turn > 2;
                assert_eq!(delivery.recipients[1] == refused("550 c"), known, "{place}");
                assert_eq!(server.run(), ClientStep::Lost(Lost::Closed), "told once");
            }
        }
        let mut server = Server::greeted(settings(), ehlo, &replies);
        let delivery = server.transact(&TWO, declared);
        assert!(delivery.recipients[0].is_delivered(), "{delivery:?}");
        assert_eq!(server.run(), ClientStep::Idle, "told once");
    }
}

#[test]
fn a_transaction_that_has_not_ended_is_reset_before_the_next() {
    let first = ["250 s\r\n", "250 b\r\n", "250 c\r\n", "452 full\r\n"];
    let next =
        ["250 reset\r\n", "250 s\r\n", "250 b\r\n", "250 c\r\n", "354 go\r\n", "250 end\r\n"];
    let last = ["250 s\r\n", "250 b\r\n", "250 c\r\n", "354 go\r\n", "250 end\r\n"];
    let replies = [&first[..], &next, &last].concat();
    let mut server = Server::greeted(settings(), PIPELINING, &replies);
    let delivery = server.transact(&TWO, PLAIN);
    let put_off = RecipientResult::Message(RecipientOutcome::Temporary(reply("452 full")));
    assert_eq!(delivery.recipients, [put_off.clone(), put_off]);
    assert_eq!(server.client.stage(), "DATA");
    assert!(server.transact(&TWO, PLAIN).recipients.iter().all(RecipientResult::is_delivered));
    assert!(server.transact(&TWO, PLAIN).recipients.iter().all(RecipientResult::is_delivered));
    let group = format!("RSET\r\n{GROUP}");
    assert_eq!(server.sent, [GROUP, &group, DATA, GROUP, DATA]);
}

/// RFC 5321 section 4.5.3.1.10: at RCPT it means 452, unless the enhanced code names a permanent cause.
#[test]
fn a_552_is_temporary_at_rcpt_only() {
    let said = "(the server said 552)";
    for (wrong, meant) in [
        ("552 5.5.3 too many recipients\r\n", format!("452 4.5.3 too many recipients {said}")),
        ("552 too many\r\n", format!("452 too many {said}")),
        ("552\r\n", format!("452 {said}")),
        ("552 5.3.1 full\r\n", format!("452 4.3.1 full {said}")),
        ("552-5.5.3 too\r\n552 5.5.3 many\r\n", format!("452-4.5.3 too\r\n452 4.5.3 many {said}")),
        ("552 5.2.2 mailbox full\r\n", "552 5.2.2 mailbox full".to_owned()),
        ("552 5.2.3 too large for it\r\n", "552 5.2.3 too large for it".to_owned()),
        ("552 5.3.4 too large\r\n", "552 5.3.4 too large".to_owned()),
        ("552 5.1.1 nobody\r\n", "552 5.1.1 nobody".to_owned()),
        ("552 5.7.1 policy\r\n", "552 5.7.1 policy".to_owned()),
        ("553 5.5.3 other\r\n", "553 5.5.3 other".to_owned()),
    ] {
        // In a pipeline, and one by one.
        let replies = ["250 s\r\n250 r\r\n", wrong, "354 go\r\n", "250 q\r\n"];
        let mut server = Server::greeted(settings(), PIPELINING, &replies);
        let results = server.transact(&TWO, PLAIN).recipients;
        assert_eq!(results, [delivered("250 q"), refused(&meant)], "{wrong}");
        let mut server = Server::greeted(settings(), "250 mx.example\r\n", &["250 s\r\n", wrong]);
        server.client.mail(&sender(), PLAIN).unwrap();
        server.run();
        server.client.rcpt(&TWO[0].parse().unwrap()).unwrap();
        assert_eq!(server.run(), ClientStep::Replied(reply(&meant)), "{wrong}");
    }
    // The sender, DATA, the message, and the recipients after it are refused for good.
    let bare = "552 no\r\n";
    for replies in [
        &[bare][..],
        &["250 s\r\n", "250 r\r\n", bare],
        &["250 s\r\n", "250 r\r\n", "354 go\r\n", bare],
    ] {
        let mut server = Server::greeted(settings(), "250 mx.example\r\n", replies);
        assert_eq!(server.transact(&TWO[..1], PLAIN).recipients, [permanent(bare)]);
    }
    let each = "353 each\r\n250 b\r\n552 c\r\n250 q\r\n";
    let mut server = Server::greeted(settings(), ALL, &["250 s\r\n250 b\r\n250 c\r\n", each]);
    let results = server.transact(&TWO, Declared { prdr: true, ..PLAIN }).recipients;
    assert_eq!(results, [delivered("250 b"), permanent("552 c")]);
}

#[test]
fn the_server_lacks_an_extension_and_nothing_is_sent() {
    let needy: Mailbox = "ü@mx.example".parse().unwrap();
    let mut server = Server::greeted(settings(), "250-mx.example\r\n250 SIZE 100\r\n", &[]);
    let mut transact = |recipient: &Mailbox, declared, text: &str| {
        let recipients = vec![recipient.clone()];
        server.client.transact((&sender(), recipients), declared, &message(text)).unwrap_err()
    };
    let plain: Mailbox = TWO[0].parse().unwrap();
    assert_eq!(transact(&needy, PLAIN, MESSAGE), CannotTake::Utf8);
    assert_eq!(transact(&plain, Declared { utf8: true, ..PLAIN }, MESSAGE), CannotTake::Utf8);
    assert_eq!(transact(&plain, Declared { size: 101, ..PLAIN }, MESSAGE), CannotTake::Size);
    assert_eq!(transact(&plain, PLAIN, &"x".repeat(95)), CannotTake::Size, "without SIZE");
    let require_tls = Declared { require_tls: true, ..PLAIN };
    assert_eq!(transact(&plain, require_tls, MESSAGE), CannotTake::RequireTls);
    assert_eq!(transact(&plain, PLAIN, "é\r\n"), CannotTake::EightBit);
    assert_eq!(transact(&plain, PLAIN, "a\nb\r\n"), CannotTake::BareLineEnd);
    assert_eq!(server.run(), ClientStep::Idle);
    assert!(server.sent.is_empty());
}

#[test]
fn an_operation_too_many_loses_the_session() {
    let mut server = Server::greeted(settings(), ALL, &[]);
    server.client.mail(&sender(), PLAIN).unwrap();
    assert!(matches!(server.client.poll(Instant::now()), ClientStep::Send(_)));
    server.client.quit();
    assert_eq!(server.run(), ClientStep::Lost(Lost::Interrupted));
    assert!(server.sent.is_empty());
}

#[test]
fn replies_without_end_are_not_kept() {
    let mut server = Server::greeted(settings(), ALL, &[]);
    server.client.quit();
    for _ in 0..1000 {
        server.client.handle_bytes(&[b'2'; 1000]);
        assert!(server.client.held() < 1 << 20);
    }
    assert_eq!(server.run(), ClientStep::Lost(Lost::Malformed));
}

/// A fault is seen as soon as its last octet is there, however the octets come.
#[test]
fn a_malformed_reply_is_seen_octet_by_octet() {
    let long = format!("250-ok\r\n250 {}", "x".repeat(Reply::MAX_LINE_READ - 5));
    for wrong in ["250 ok\rx", "250 ok\n", "25x ok\r\n", &long] {
        let mut server = Server::greeted(settings(), ALL, &[]);
        server.client.quit();
        assert!(matches!(server.client.poll(Instant::now()), ClientStep::Send(_)));
        server.client.handle_sent(Instant::now());
        for octet in wrong.as_bytes() {
            assert!(matches!(server.client.poll(Instant::now()), ClientStep::Read(_)));
            server.client.handle_bytes(&[*octet]);
        }
        assert_eq!(server.run(), ClientStep::Lost(Lost::Malformed));
    }
}
