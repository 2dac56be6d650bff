//! The relay with next hops, correct and faulty.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use mail_types::smtp::{Mailbox, Reply, ReversePath, Severity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::scenario::Scenario;
use crate::gateway::config::Config;
use crate::gateway::delivery::next_hop::RouteData;
use crate::gateway::delivery::relay::Relay;
use crate::gateway::delivery::remote::{Demands, Remote};
use crate::gateway::delivery::settings::{RemoteLimits, RemoteSettings};
use crate::gateway::events::origin::Origin;
use crate::gateway::message::id::MessageId;
use crate::gateway::smtp::client::{ClientLimits, Declared};
use crate::gateway::store::Message;

const SMALL: &str = "Subject: a\r\n\r\n.b\r\n";
const EHLO: &str = "250-next.example\r\n250-size 1000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
/// The replies to: connection, EHLO, MAIL, RCPT, DATA, the message.
const GOOD: [&str; 6] = [
    "220 next.example\r\n",
    EHLO,
    "250 2.1.0 sender\r\n",
    "250 2.1.5 recipient\r\n",
    "354 go on\r\n",
    "250-2.0.0 queued\r\n250 as 17\r\n",
];

/// A next hop that gives the next reply to each line, and one to a message; it closes after the
/// last, or stays silent. Its task returns all it was sent.
pub(super) async fn next_hop(replies: Vec<String>, then: Then) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut sent, mut at) = (String::new(), 0);
        for (turn, reply) in replies.iter().enumerate() {
            let last_is_data = turn > 0 && replies[turn - 1].starts_with("354");
            let end = if last_is_data { "\r\n.\r\n" } else { "\r\n" };
            while turn > 0 && !sent[at..].ends_with(end) {
                if read_some(&mut stream, &mut sent).await == 0 {
                    return sent;
                }
            }
            at = sent.len();
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        if then == Then::Listen {
            while read_some(&mut stream, &mut sent).await > 0 {}
        }
        sent
    });
    (address, task)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    Close,
    Listen,
}

async fn read_some(stream: &mut TcpStream, sent: &mut String) -> usize {
    let mut bytes = [0; 4096];
    let read = stream.read(&mut bytes).await.unwrap_or(0);
    sent.push_str(&String::from_utf8_lossy(&bytes[..read]));
    read
}

/// A next hop, and the settings for it.
pub(super) struct NextHop {
    pub(super) route: RouteData,
    pub(super) settings: RemoteSettings,
}

/// Each step takes at most so long.
pub(super) fn settings(address: SocketAddr, wait: Duration) -> NextHop {
    settings_with("", address, wait)
}

/// The same, with this list of `hosts_try_prdr`.
pub(super) fn trying_prdr(hosts: &str, address: SocketAddr, wait: Duration) -> NextHop {
    settings_with(&format!("[remote_smtp]\nhosts_try_prdr = \"{hosts}\""), address, wait)
}

pub(super) fn settings_with(options: &str, address: SocketAddr, wait: Duration) -> NextHop {
    let text = format!(
        "primary_hostname = 'gw.example'\nrelay_to_domains = 'next.example'\nprdr_enable = true\n\
         route_data = '{address}'\n{options}"
    );
    let mut settings = Config::parse(&text).unwrap().server.live.remote;
    settings.limits = RemoteLimits {
        connect: wait,
        open: wait * 20,
        session: ClientLimits {
            greeting: wait,
            command: wait,
            data: wait,
            block: wait,
            end: wait,
            quit: wait,
        },
    };
    NextHop { route: address.to_string().parse().unwrap(), settings }
}

/// Connects to a next hop, with mail for a domain.
pub(super) async fn connect(next_hop: &NextHop) -> Result<Relay, Reply> {
    let services = Scenario::new().services;
    let remote = Remote::new(next_hop.settings.clone(), services.resolver, services.lookups);
    let (demands, origin) = (Demands::default(), Origin::default());
    let (remote, mail) = (remote.unwrap(), (&sender(), &recipient()));
    let relay = Relay::connect(&remote, &next_hop.route, demands, mail, &origin).await;
    relay.map_err(|failure| failure.reply)
}

pub(super) fn message(text: impl Into<bytes::Bytes>) -> Message {
    Message { id: MessageId::next(SystemTime::now()), parts: vec!["X: y\r\n".into(), text.into()] }
}

pub(super) fn sender() -> ReversePath {
    "<a@client.example>".parse().unwrap()
}

pub(super) fn recipient() -> Mailbox {
    "b@next.example".parse().unwrap()
}

/// Goes through a whole transaction as far as it goes; returns the replies to MAIL, RCPT and the
/// message, or the one instead of a connection.
async fn transact(settings: &NextHop, declared: Declared, message: Message) -> Vec<Reply> {
    let mut relay = match connect(settings).await {
        Ok(relay) => relay,
        Err(reply) => return vec![reply],
    };
    let mut replies = vec![relay.mail(&sender(), declared).await];
    if done(&replies) {
        replies.push(relay.rcpt(&recipient()).await);
    }
    if done(&replies) {
        replies.push(relay.message(&message, &[0]).await.last);
    }
    relay.quit().await;
    replies
}

fn done(replies: &[Reply]) -> bool {
    replies.iter().all(|reply| reply.code().severity() == Severity::Completed)
}

fn texts(replies: &[Reply]) -> Vec<String> {
    replies.iter().map(ToString::to_string).collect()
}

async fn against(replies: &[&str], then: Then, wait: Duration) -> (Vec<String>, String) {
    let replies = replies.iter().map(ToString::to_string).collect();
    let (address, task) = next_hop(replies, then).await;
    let replies = transact(&settings(address, wait), Declared::default(), message(SMALL)).await;
    (texts(&replies), task.await.unwrap())
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_message_is_passed_on_and_the_reply_passed_back() {
    let (replies, sent) = against(&[&GOOD[..], &["221 bye\r\n"]].concat(), Then::Close, LONG).await;
    assert_eq!(
        replies,
        ["250 2.1.0 sender", "250 2.1.5 recipient", "250-2.0.0 queued\r\n250 2.0.0 as 17"]
    );
    assert_eq!(
        sent,
        "EHLO gw.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@next.example>\r\nDATA\r\n\
         X: y\r\nSubject: a\r\n\r\n..b\r\n.\r\nQUIT\r\n"
    );
}

#[tokio::test]
async fn whatever_reply_is_cut_nothing_is_believed_delivered() {
    for turn in 0..GOOD.len() {
        for end in 0..GOOD[turn].len() {
            let mut replies = GOOD[..turn].to_vec();
            replies.push(&GOOD[turn][..end]);
            let (replies, _) = against(&replies, Then::Close, LONG).await;
            let last = replies.last().unwrap();
            assert_eq!(last, "451 4.4.2 the next hop closed the connection", "{turn}, {end}");
            assert_eq!(replies.len(), turn.saturating_sub(1).clamp(1, 3), "{turn}, {end}");
        }
    }
}

#[tokio::test]
async fn whoever_falls_silent_is_not_waited_for_longer_than_said() {
    for turn in 0..GOOD.len() {
        let mut replies = GOOD[..turn].to_vec();
        let half = GOOD[turn].len() / 2;
        replies.push(&GOOD[turn][..half]);
        let (replies, _) = against(&replies, Then::Listen, SHORT).await;
        assert_eq!(replies.last().unwrap(), "451 4.4.2 the next hop did not answer in time");
        assert_eq!(replies.len(), turn.saturating_sub(1).clamp(1, 3));
    }
}

#[tokio::test]
async fn a_no_is_passed_back_and_a_421_or_nonsense_is_temporary() {
    let unwilling = "451 4.4.1 the next hop accepts no mail now";
    let nonsense = "451 4.5.0 malformed reply from the next hop";
    for (turn, reply, expected) in [
        (0, "554 no\r\n", unwilling),
        (0, "421 no\r\n", unwilling),
        (0, "SSH-2.0-OpenSSH\r\n", nonsense),
        (1, "421 no\r\n", unwilling),
        (2, "550 5.7.1 no\r\n", "550 5.7.1 no"),
        (2, "354 go on\r\n", nonsense),
        (3, "452 4.5.3 many\r\n", "452 4.5.3 many"),
        (3, "552 5.5.3 many\r\n", "452 4.5.3 many (the server said 552)"),
        (3, "552 5.2.2 full\r\n", "552 5.2.2 full"),
        (3, "550-5.1.1 no\r\n550 5.1.1 such\r\n", "550-5.1.1 no\r\n550 5.1.1 such"),
        (3, "421 no\r\n", unwilling),
        (3, "25O ok\r\n", nonsense),
        (3, "250 ok\n", nonsense),
        (4, "554 no\r\n", "554 no"),
        (4, "250 ok\r\n", nonsense),
        (4, "355 ok\r\n", nonsense),
        (4, "421 no\r\n", unwilling),
        (5, "552 5.3.4 large\r\n", "552 5.3.4 large"),
        (5, "452 4.3.1 full\r\n", "452 4.3.1 full"),
        (5, "421 no\r\n", unwilling),
        (5, "354 go on\r\n", nonsense),
        (5, "250-ok\r\n251 ok\r\n", nonsense),
        (5, "200ok\r\n", nonsense),
    ] {
        let mut replies = GOOD[..turn].to_vec();
        replies.push(reply);
        let (replies, _) = against(&replies, Then::Listen, LONG_ENOUGH).await;
        assert_eq!(replies.last().unwrap(), expected, "{turn}: {reply}");
    }
}

#[tokio::test]
async fn a_reply_without_end_makes_no_sense() {
    for reply in ["250-ok\r\n".repeat(101), format!("250 {}", "x".repeat(3000))] {
        let replies = [GOOD[0], GOOD[1], GOOD[2], &reply];
        let (replies, _) = against(&replies, Then::Listen, LONG).await;
        assert_eq!(replies.last().unwrap(), "451 4.5.0 malformed reply from the next hop");
    }
}

/// For a next hop that answers at once; QUIT is never answered and takes all of it.
const LONG_ENOUGH: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_reply_given_too_early_is_no_reply() {
    for (turn, early) in [
        (0, "220 hi\r\n250 EHLO, I guess\r\n"),
        (3, "250 ok\r\n354 go on\r\n"),
        (4, "354 go on\r\n250 queued\r\n"),
    ] {
        let mut replies = GOOD[..turn].to_vec();
        replies.push(early);
        let (replies, _) = against(&replies, Then::Listen, LONG).await;
        assert_eq!(replies.last().unwrap(), "451 4.5.0 unexpected reply from the next hop");
    }
}

#[tokio::test]
async fn a_lost_connection_stays_lost() {
    let replies = GOOD[..3].iter().chain(&["421 no\r\n", "250 ok\r\n"]);
    let (address, task) = next_hop(replies.map(ToString::to_string).collect(), Then::Close).await;
    let mut relay = connect(&settings(address, LONG)).await.unwrap();
    relay.mail(&sender(), Declared::default()).await;
    let lost = "451 4.4.1 the next hop accepts no mail now";
    assert_eq!(relay.rcpt(&recipient()).await.to_string(), lost);
    assert_eq!(relay.rcpt(&recipient()).await.to_string(), lost);
    assert_eq!(relay.message(&message(SMALL), &[]).await.last.to_string(), lost);
    relay.quit().await;
    assert!(task.await.unwrap().ends_with("RCPT TO:<b@next.example>\r\n"));
}

#[tokio::test]
async fn a_command_broken_off_ends_the_session() {
    let (address, task) =
        next_hop(GOOD[..2].iter().map(ToString::to_string).collect(), Then::Listen).await;
    let mut relay = connect(&settings(address, LONG)).await.unwrap();
    let from = sender();
    let mail = relay.mail(&from, Declared::default());
    tokio::time::timeout(SHORT, mail).await.unwrap_err();
    let broken = "451 4.4.2 session with the next hop interrupted";
    assert_eq!(relay.rcpt(&recipient()).await.to_string(), broken);
    relay.quit().await;
    task.await.unwrap();
}

#[tokio::test]
async fn nobody_listening_is_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(&settings(address, LONG)).await.unwrap_err();
    assert_eq!(error.to_string(), "451 4.4.1 cannot reach the next hop");
}

#[tokio::test]
async fn extensions_are_used_where_they_are_offered_and_missed_where_they_are_needed() {
    let plain = Declared::default();
    let size = |size| Declared { size, ..plain };
    let eight_bit = Declared { eight_bit: true, ..plain };
    let utf8 = Declared { utf8: true, ..plain };
    let all = Declared { size: 1000, eight_bit: true, utf8: true, ..plain };
    let no_utf8 = "553 5.6.7 the next hop does not support SMTPUTF8";
    for (offers, declared, text, expected, line) in [
        (EHLO, plain, SMALL, GOOD[5], ">\r\n"),
        (EHLO, all, "é\r\n", GOOD[5], "> SIZE=1000 BODY=8BITMIME SMTPUTF8\r\n"),
        (EHLO, size(1001), SMALL, "552 5.3.4 message too large for the next hop", ""),
        ("250-n\r\n250 SIZE 0\r\n", size(1001), SMALL, GOOD[5], "> SIZE=1001\r\n"),
        ("250-n\r\n250 SIZE\r\n", size(1001), SMALL, GOOD[5], "> SIZE=1001\r\n"),
        ("250 n\r\n", size(1001), SMALL, GOOD[5], ">\r\n"),
        ("250 n\r\n", eight_bit, SMALL, GOOD[5], ">\r\n"),
        (
            "250 n\r\n",
            eight_bit,
            "é\r\n",
            "554 5.6.3 the next hop does not support 8-bit text",
            ">\r\n",
        ),
        (
            "250 8BITMIME\r\n",
            plain,
            "é\r\n",
            "554 5.6.3 the next hop does not support 8-bit text",
            ">\r\n",
        ),
        ("250-n\r\n250 8BITMIME\r\n", utf8, SMALL, no_utf8, ""),
        (EHLO, plain, "a\nb\r\n", "554 5.6.0 message has a line end other than CRLF", ">\r\n"),
        (EHLO, plain, "a\r", "554 5.6.0 message has a line end other than CRLF", ">\r\n"),
    ] {
        let replies = [&[GOOD[0], offers], &GOOD[2..]].concat();
        let replies = replies.into_iter().map(str::to_owned).collect();
        let (address, task) = next_hop(replies, Then::Close).await;
        let settings = settings(address, LONG_ENOUGH);
        let replies = transact(&settings, declared, message(text)).await;
        let sent = task.await.unwrap();
        let expected: Reply = expected.trim_end().parse().unwrap();
        assert_eq!(replies.last(), Some(&expected), "{offers} {declared:?} {text}");
        let mail = sent.split_inclusive('\n').find_map(|line| line.strip_prefix(MAIL));
        assert_eq!(mail.unwrap_or_default(), line, "{offers} {declared:?}");
    }
}

const MAIL: &str = "MAIL FROM:<a@client.example";

#[tokio::test]
async fn an_address_in_utf8_needs_smtputf8() {
    let needy: Mailbox = "ü@next.example".parse().unwrap();
    let plain = [GOOD[0], "250 n\r\n", GOOD[2], GOOD[3]].map(str::to_owned).to_vec();
    let (address, _task) = next_hop(plain, Then::Close).await;
    let mut relay = connect(&settings(address, LONG)).await.unwrap();
    let refused = "553 5.6.7 the next hop does not support SMTPUTF8";
    let from = ReversePath::from(needy.clone());
    assert_eq!(relay.mail(&from, Declared::default()).await.to_string(), refused);
    assert_eq!(relay.rcpt(&needy).await.to_string(), refused);

    let (address, task) =
        next_hop(GOOD[..3].iter().map(ToString::to_string).collect(), Then::Close).await;
    let mut relay = connect(&settings(address, LONG)).await.unwrap();
    assert_eq!(relay.mail(&from, Declared::default()).await.to_string(), "250 2.1.0 sender");
    assert!(task.await.unwrap().ends_with("MAIL FROM:<ü@next.example> SMTPUTF8\r\n"));
}

#[tokio::test]
async fn who_does_not_know_ehlo_is_told_helo() {
    let replies = [GOOD[0], "502 what\r\n", "250 n\r\n", GOOD[2]].map(str::to_owned).to_vec();
    let (address, task) = next_hop(replies, Then::Close).await;
    let mut relay = connect(&settings(address, LONG)).await.unwrap();
    relay.mail(&sender(), Declared { size: 5, eight_bit: true, ..Declared::default() }).await;
    let sent = "EHLO gw.example\r\nHELO gw.example\r\nMAIL FROM:<a@client.example>\r\n";
    assert_eq!(task.await.unwrap(), sent);
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let text = ".a line of text that begins with a dot\r\n".repeat(50_000);
    let replies = GOOD.map(|reply| reply.replace("size 1000", "size")).to_vec();
    let (address, task) = next_hop(replies, Then::Close).await;
    let settings = settings(address, LONG);
    let replies = transact(&settings, Declared::default(), message(text.clone())).await;
    assert!(done(&replies), "{replies:?}");
    let sent = task.await.unwrap();
    let (_, data) = sent.split_once("DATA\r\n").unwrap();
    let expected =
        format!("X: y\r\n{}.\r\n", text.replace("\r\n.", "\r\n..").replacen('.', "..", 1));
    assert!(data == expected);
}
