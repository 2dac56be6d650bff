//! Connections that end within the replies, on either side: no message is lost, and no recipient counts
//! as delivered too early.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;
use super::servers::{Peers, have};

const FILTERS: &str = include_str!("../../gateway/tests/data/content-filters.toml");
const REPLIES: [&str; 5] = ["353 ", "550 5.7.1 ", "450 4.7.1 ", "250 2.1.5 ", "250 2.0.0 "];

/// Sends a message to three recipients; what comes next are the replies.
fn send(
    port: u16,
    domain: &str,
    subject: &str,
    chunked: bool,
) -> Dialogue<std::net::TcpStream, std::net::TcpStream> {
    let mut smtp = Dialogue::connect(port);
    smtp.reply();
    for command in ["EHLO client.test", "MAIL FROM:<a@sender.test> PRDR"] {
        assert!(smtp.say(command).starts_with("250"), "{command}");
    }
    for rcpt in ["ann", "bob", "dora"] {
        assert!(smtp.say(&format!("RCPT TO:<{rcpt}@{domain}>")).starts_with("250"));
    }
    let message = format!("Subject: lottery {subject}.\r\n\r\nbody\r\n");
    if chunked {
        smtp.send(format!("BDAT {} LAST\r\n{message}", message.len()).as_bytes());
    } else {
        assert!(smtp.say("DATA").starts_with("354"));
        smtp.send(format!("{message}.\r\n").as_bytes());
    }
    smtp
}

/// Whoever has read the last reply can rely on it; whoever has not comes again, and only then may the
/// message be there twice.
#[test]
fn a_client_that_is_cut_off_comes_again_and_has_its_message_kept() {
    let block = Block::claim();
    let options = FILTERS.replace("local_domains = \"local.test\"\n", "");
    let mut gateway = Gateway::start(block.own(0), &options);
    for (at, chunked) in (0..=REPLIES.len()).flat_map(|at| [(at, false), (at, true)]) {
        let subject = format!("{at} {chunked}");
        let mut smtp = send(gateway.port(), "local.test", &subject, chunked);
        for expected in &REPLIES[..at] {
            let reply = smtp.reply();
            assert!(reply.starts_with(expected), "{reply}");
        }
        drop(smtp);
        if at < REPLIES.len() {
            let mut smtp = send(gateway.port(), "local.test", &subject, chunked);
            let replies = [(); REPLIES.len()].map(|()| smtp.reply());
            assert!(replies.iter().zip(REPLIES).all(|(reply, r)| reply.starts_with(r)));
        }
        let words = format!("Subject: lottery {subject}.");
        let message = gateway.message(&words);
        assert!(message.contains("\r\nDelivered-To: dora@local.test\r\n"), "{message}");
        let copies = gateway.messages().iter().filter(|m| m.contains(&words)).count();
        assert!(copies == 1 || (copies == 2 && at < REPLIES.len()), "{copies} of {words}");
    }
    for message in gateway.messages() {
        assert!(message.contains("\r\nDelivered-To: dora@local.test\r\n"), "{message}");
    }
}

const BLOCK: [&str; 5] = ["353 a", "550 5.7.1 b", "450 4.2.1 c", "250 2.1.5 d", "250 2.0.0 e"];

/// A next hop that offers PRDR, takes one message, and closes after these replies to it.
fn cutting_next_hop(port: u16, replies: &'static [&'static str]) -> JoinHandle<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        stream.write_all(b"220 next.test\r\n").unwrap();
        let (mut data, mut last) = (false, false);
        while let Some(Ok(line)) = lines.next() {
            let reply = match line.get(..4).unwrap_or(&line) {
                "." if data => {
                    last = true;
                    replies.join("\r\n")
                }
                _ if data => continue,
                "EHLO" => {
                    "250-next.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 PRDR".into()
                }
                "DATA" => {
                    data = true;
                    "354 go".into()
                }
                _ => "250 2.0.0 ok".into(),
            };
            let end = if reply.is_empty() { "" } else { "\r\n" };
            stream.write_all((reply + end).as_bytes()).unwrap();
            if last {
                return;
            }
        }
    })
}

fn relaying(block: &Block, option: &str) -> (Gateway, u16) {
    let port = block.own(1);
    let options = format!(
        "prdr_enable = true\nrelay_to_domains = \"next.test\"\nroute_data = \"127.0.0.1:{port}\"\n{option}"
    );
    (Gateway::start(block.own(0), &options), port)
}

/// Until the next hop has said its last, the client is told to come again, for every recipient.
#[test]
fn a_next_hop_that_cuts_the_connection_leaves_everybody_to_be_tried_again() {
    let block = Block::claim();
    let (gateway, port) = relaying(&block, "");
    for replies in 0..=REPLIES.len() {
        let next = cutting_next_hop(port, BLOCK.split_at(replies).0);
        let mut smtp = send(gateway.port(), "next.test", &replies.to_string(), false);
        let heard = [(); REPLIES.len()].map(|()| smtp.reply());
        let expected = if replies == REPLIES.len() {
            BLOCK.map(|reply| if reply.starts_with("353") { "353 " } else { reply })
        } else {
            ["353 ", "451 4.4.2 ", "451 4.4.2 ", "451 4.4.2 ", "450 4.0.0 "]
        };
        assert!(
            heard.iter().zip(expected).all(|(reply, e)| reply.starts_with(e)),
            "after {replies} replies: {heard:?}"
        );
        assert!(smtp.say("QUIT").starts_with("221"));
        next.join().unwrap();
    }
    assert_eq!(gateway.arrivals().len(), 1);
    assert!(gateway.messages().is_empty());
}

/// What a next hop that was not asked says is for everybody, and said of each.
#[test]
fn one_reply_of_a_next_hop_is_a_reply_for_each_recipient() {
    let block = Block::claim();
    let (gateway, port) = relaying(&block, "remote_smtp.hosts_try_prdr = \"\"");
    for (reply, each, last) in [
        (&["250 2.0.0 all"], "250 2.0.0 all", "250 2.0.0 all"),
        (&["554 5.6.0 none"], "550 5.6.0 none", "550 5.7.1 message refused for all recipients"),
        (&["452 4.3.1 later"], "452 4.3.1 later", "450 4.0.0 "),
    ] {
        let next = cutting_next_hop(port, reply);
        let mut smtp = send(gateway.port(), "next.test", each, false);
        let heard = [(); REPLIES.len()].map(|()| smtp.reply());
        let expected = ["353 ", each, each, each, last];
        assert!(heard.iter().zip(expected).all(|(reply, e)| reply.starts_with(e)), "{heard:?}");
        assert!(smtp.say("QUIT").starts_with("221"));
        next.join().unwrap();
    }
    assert_eq!(gateway.arrivals().len(), 1);
}

/// With Exim as the client and a next hop that breaks off: it keeps all three in its queue.
#[test]
fn exim_keeps_what_a_next_hop_behind_us_has_not_confirmed() {
    if !have(&["exim4"]) {
        return;
    }
    let block = Block::claim();
    let (gateway, port) = relaying(&block, "");
    let peers = Peers::of(&block);
    for replies in 0..REPLIES.len() {
        let next = cutting_next_hop(port, BLOCK.split_at(replies).0);
        let rcpts = ["ann@next.test", "bob@next.test", "dora@next.test"];
        let message = "From: <exim@sender.test>\nSubject: cut\n\nbody\n";
        let (_, log) = peers.exim_send(&gateway.address(), &rcpts, message);
        for rcpt in rcpts {
            assert!(log.contains(&format!(" == {rcpt} ")), "{rcpt} after {replies}: {log}");
            assert!(!log.contains(&format!("> {rcpt} ")), "{rcpt} after {replies}: {log}");
        }
        next.join().unwrap();
    }
    assert!(gateway.arrivals().is_empty());
}
