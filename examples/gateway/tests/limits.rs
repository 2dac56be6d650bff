//! Limits, through a whole gateway.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::gateway::{Running, hop};
use super::scratch::Scratch;
use crate::gateway::server::host_limit::HostLimit;

const QUIET: &str = "event_action = ''\n";

/// A name server that knows no name, and which were asked for.
pub(super) async fn nameless() -> (SocketAddr, Arc<Mutex<BTreeSet<Vec<u8>>>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let names = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut packet = [0; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
            let end = packet[12..length].iter().position(|&octet| octet == 0).unwrap() + 12;
            // The root is the resolver's own question, whether the server validates.
            if end > 12 {
                names.lock().unwrap().insert(packet[12..end].to_ascii_lowercase());
            }
            // The question again, and in the header: an answer, NXDOMAIN, nothing behind it.
            packet[2..12].copy_from_slice(&[0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
            let _ = socket.send_to(&packet[..end + 5], peer).await;
        }
    });
    (address, asked)
}

fn kept(scratch: &Scratch) -> Vec<String> {
    let folders = ["maildir/new", "maildir/.Quarantine/new"].into_iter();
    let files = folders.flat_map(|folder| std::fs::read_dir(scratch.path().join(folder)));
    files.flatten().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// Texts that would go on with the last field that stands before them.
const CONTINUED: [&str; 3] = [
    "\t; dkim=pass header.d=bank.example\r\nFrom: a@bank.example\r\n\r\nb\r\n",
    " x\r\n\r\nb\r\n",
    "From ann@bank.example Mon Jan  1\r\nFrom: a@bank.example\r\n\r\nb\r\n",
];

/// Sends a message by `DATA` or `BDAT`; returns the last reply.
async fn send(running: &Running, recipient: &str, text: &str, chunk: bool) -> String {
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    client.say("MAIL FROM:<>").await;
    assert!(client.say(&format!("RCPT TO:<{recipient}>")).await.starts_with("250"));
    let last = if chunk {
        client.raw(format!("BDAT {} LAST\r\n", text.len()).as_bytes()).await;
        client.say(text.strip_suffix("\r\n").unwrap()).await
    } else {
        client.say("DATA").await;
        client.say(&format!("{text}.")).await
    };
    client.quit().await;
    last
}

const FIELDS: &str = "dmarc_verify_hosts = '*'\n";
const RULE: &str = "
[[acl_smtp_data]]
verb = 'warn'
add_header = 'X-Last: ours'

[[acl_smtp_data_prdr]]
verb = 'quarantine'
message = 'looked at'
";

#[tokio::test]
async fn a_message_continues_no_field_of_ours() {
    let (resolver, _) = nameless().await;
    let options = format!("{QUIET}{FIELDS}dns_resolver = '{resolver}'{RULE}");
    for text in CONTINUED {
        let running = Running::start(&options).await;
        for chunk in [false, true] {
            assert!(send(&running, "a@example.com", text, chunk).await.starts_with("250"));
        }
        let scratch = running.end().await;
        let messages = kept(&scratch);
        assert_eq!(messages.len(), 2);
        for message in messages {
            let (header, body) = message.split_once("\r\n\r\n").unwrap();
            assert_eq!(body, text);
            assert!(header.contains("X-Last: ours") && header.contains("X-Quarantine: "));
            assert!(header.contains("Authentication-Results: gw.example"), "{header}");
            assert!(!header.contains("bank.example"), "{header}");
        }
    }
}

#[tokio::test]
async fn nor_does_it_at_the_next_hop() {
    let (resolver, _) = nameless().await;
    let good = ["220 ESMTP\r\n", "250 next.example\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"];
    for text in CONTINUED {
        for chunk in [false, true] {
            let (address, task) = hop(&[&good[..], &["250 OK\r\n", "221 bye\r\n"]].concat()).await;
            let options = format!("{QUIET}{FIELDS}dns_resolver = '{resolver}'{RULE}");
            let running = Running::start(&Running::relaying(address, &options)).await;
            assert!(send(&running, "a@next.example", text, chunk).await.starts_with("250"));
            running.end().await;
            let sent = task.await.unwrap();
            let (_, message) = sent.split_once("DATA\r\n").unwrap();
            let (header, body) = message.split_once("\r\n\r\n").unwrap();
            assert!(body.starts_with(text) && !header.contains("bank.example"), "{message}");
            assert!(header.contains("X-Last: ours"), "{header}");
        }
    }
}

#[tokio::test]
async fn it_is_refused_where_an_author_is_wanted() {
    let (resolver, _) = nameless().await;
    let reject = "dmarc_invalid_from = 'reject'\n";
    let options = format!("{QUIET}{FIELDS}{reject}dns_resolver = '{resolver}'\n");
    let running = Running::start(&options).await;
    for text in CONTINUED {
        for chunk in [false, true] {
            let last = send(&running, "a@example.com", text, chunk).await;
            assert!(last.starts_with("554 5.6.0 "), "{text:?}: {last}");
        }
    }
    // A header without an author claims nothing, nor does one that has no field at all.
    for text in ["Subject: x\r\n\r\nb\r\n", "\r\nb\r\n"] {
        let last = send(&running, "a@example.com", text, false).await;
        assert!(last.starts_with("250"), "{text:?}: {last}");
    }
    running.end().await;
}

/// Without an accepted recipient; hosts on loopback are counted only if they are named.
#[tokio::test]
async fn refused_recipients_are_counted_for_those_who_are_named() {
    let flood = "RCPT TO:<a@other.example>\r\n".repeat(200);
    for (hosts, most) in [("", 200), ("smtp_max_refused_hosts = '!192.0.2.1 : *'\n", 21)] {
        let running = Running::start(&format!("{QUIET}{hosts}")).await;
        let mut client = running.client().await;
        client.say("EHLO c.example").await;
        client.say("MAIL FROM:<a@b.example>").await;
        client.raw(format!("{flood}QUIT\r\n").as_bytes()).await;
        let replies = client.rest().await;
        assert_eq!(replies.matches("550 ").count(), most, "{hosts}");
        let last = if most == 200 { "221 2.0.0 " } else { "421 4.7.0 too many refused " };
        assert!(replies.lines().last().unwrap().starts_with(last), "{replies}");
        running.end().await;
    }
}

/// Many senders in vain: their questions have one budget, and beyond it nobody gets by the rule.
#[tokio::test]
async fn senders_of_a_connection_share_their_questions() {
    let (resolver, asked) = nameless().await;
    let rule = "\n[[acl_smtp_mail]]\nverb = 'deny'\nspf = 'fail'\n";
    let options = format!("{QUIET}smtp_max_refused = 0\ndns_resolver = '{resolver}'{rule}");
    let running = Running::start(&options).await;
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    let (mut taken, mut put_off) = (0, 0);
    for number in 0..320 {
        let reply = client.say(&format!("MAIL FROM:<a@d{number}.example>")).await;
        if reply.starts_with("250") {
            taken += 1;
            client.say("RSET").await;
        } else {
            assert_eq!(reply, "451 4.7.0 temporary failure evaluating policy, try again later");
            put_off += 1;
        }
    }
    assert_eq!((taken, put_off), (300, 20));
    assert_eq!(asked.lock().unwrap().len(), 300);
    client.quit().await;
    // Each message that is accepted begins it anew.
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    for number in 0..301 {
        let reply = client.say(&format!("MAIL FROM:<a@e{number}.example>")).await;
        assert!(reply.starts_with("250"), "{number}: {reply}");
        if number == 150 {
            client.say("RCPT TO:<a@example.com>").await;
            client.say("DATA").await;
            assert!(client.say("a: b\r\n.").await.starts_with("250"));
        } else {
            client.say("RSET").await;
        }
    }
    client.quit().await;
    running.end().await;
}

#[tokio::test]
async fn what_has_no_room_is_refused_and_nobody_goes_for_it() {
    let options = format!("{QUIET}message_memory_limit = '4M'\nmessage_size_limit = '4M'\n");
    let running = Running::start(&options).await;
    // Half of it is held by another.
    let mut holder = running.client().await;
    for command in ["EHLO h.example", "MAIL FROM:<a@b.example>", "RCPT TO:<a@example.com>", "DATA"]
    {
        holder.say(command).await;
    }
    holder.raw(long_message(330_000).as_bytes()).await;
    let client = async || {
        let mut client = running.client().await;
        client.say("EHLO c.example").await;
        client
    };
    let mut refused = false;
    for _ in 0..100 {
        // What was sent may be on its way.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut client = client().await;
        let reply = client.say("MAIL FROM:<a@b.example> SIZE=3000000").await;
        refused = reply.starts_with("452 4.3.1 ");
        client.quit().await;
        if refused {
            break;
        }
    }
    assert!(refused);
    let mut client = client().await;
    for size in ["", " SIZE=100000"] {
        assert!(client.say(&format!("MAIL FROM:<a@b.example>{size}")).await.starts_with("250"));
        client.say("RCPT TO:<a@example.com>").await;
        client.say("DATA").await;
        client.raw(long_message(500_000).as_bytes()).await;
        assert!(client.say(".").await.starts_with("452 4.3.1 "));
    }
    client.say("MAIL FROM:<a@b.example> SIZE=100000").await;
    client.say("RCPT TO:<a@example.com>").await;
    client.say("DATA").await;
    client.raw(long_message(16_000).as_bytes()).await;
    assert!(client.say(".").await.starts_with("250"));
    assert!(holder.say(".").await.starts_with("250"));
    client.quit().await;
    running.end().await;
}

#[tokio::test]
async fn mixed_families_behind_a_proxy_are_taken_where_the_option_says_so() {
    for (option, taken) in [("", false), ("proxy_ipv4_in_tcp6 = true\n", true)] {
        let options = format!("{QUIET}proxy_required_hosts = '127.0.0.1'\n{option}");
        let running = Running::start(&options).await;
        for addresses in ["2001:db8::1 127.0.0.1", "192.0.2.1 2001:db8::1"] {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            let header = format!("PROXY TCP6 {addresses} 56324 25\r\n");
            stream.write_all(header.as_bytes()).await.unwrap();
            let mut banner = [0; 4];
            let read = stream.read(&mut banner).await.unwrap_or(0);
            assert_eq!(&banner[..read] == b"220 ", taken, "{addresses}");
        }
        running.end().await;
    }
}

#[tokio::test]
async fn the_list_of_proxies_is_expanded_for_each_connection() {
    for (list, must_announce) in [
        ("${if eq{$sender_host_address}{127.0.0.1}{*}}", true),
        ("${if eq{$sender_host_address}{127.0.0.1}{}{*}}", false),
        // Whether it is a proxy is not known, so it must send a header.
        ("${lookup sqlite{SELECT absent}}", true),
    ] {
        let list = format!("proxy_required_hosts = '{list}'\nproxy_protocol_timeout = '1s'\n");
        let running = Running::start(&format!("{QUIET}{list}")).await;
        for (header, greeted) in [("", !must_announce), ("PROXY UNKNOWN\r\n", must_announce)] {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            stream.write_all(header.as_bytes()).await.unwrap();
            let mut banner = [0; 4];
            let read = stream.read(&mut banner).await.unwrap_or(0);
            assert_eq!(&banner[..read] == b"220 ", greeted, "{list}{header}");
        }
        running.end().await;
    }
}

#[test]
fn a_host_with_ipv6_is_a_network() {
    let limit = Arc::new(HostLimit::new(2));
    let enter = |address: &str| limit.enter(address.parse().unwrap());
    let first = (enter("2001:db8:0:1::1"), enter("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert!(first.0.is_some() && first.1.is_some());
    assert!(enter("2001:db8:0:1::2").is_none());
    assert!(enter("2001:db8:0:2::1").is_some());
    drop(first);
    assert!(enter("2001:db8:0:1::2").is_some());
    let _mapped = (enter("::ffff:192.0.2.1"), enter("192.0.2.1"));
    assert!(enter("192.0.2.1").is_none() && enter("192.0.2.2").is_some());
}

/// A message with a short header section and so many lines.
fn long_message(lines: usize) -> String {
    format!("a: b\r\n\r\n{}", "a: b\r\n".repeat(lines))
}
