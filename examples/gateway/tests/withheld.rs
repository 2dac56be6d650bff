//! Messages that waive the policies for TLS: RFC 8689 section 4.2.2.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::gateway::Running;
use crate::gateway::message::tls_required::waives_tls;

/// A next hop without TLS, which refuses `bad` and takes everything else; returns the commands of all connections.
async fn hop_without_tls() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let commands = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Arc::clone(&commands)));
        }
    });
    (address, told)
}

async fn answer(stream: TcpStream, told: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 next\r\n").await.unwrap();
    let (mut line, mut is_data) = (String::new(), false);
    while stream.read_line(&mut line).await.is_ok_and(|octets| octets > 0) {
        let command = line.trim_end().to_owned();
        line.clear();
        let reply = match command.as_str() {
            "." => {
                is_data = false;
                "250 2.0.0 taken\r\n"
            }
            _ if is_data => continue,
            "DATA" => {
                is_data = true;
                "354 go on\r\n"
            }
            "RCPT TO:<bad@next.example>" => "550 5.1.1 no\r\n",
            "EHLO gw.example" => "250-next\r\n250 SIZE\r\n",
            _ => "250 2.0.0 ok\r\n",
        };
        told.lock().unwrap().push(command);
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Sends a message through a gateway whose next hop must use TLS; returns the replies to the recipients and to the
/// message.
async fn sent(recipients: &[&str], header: &str) -> (Vec<String>, String, Vec<String>) {
    let (hop, told) = hop_without_tls().await;
    let options = Running::relaying(hop, "remote_smtp.hosts_require_tls = '*'");
    let running = Running::start(&options).await;
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    client.say("MAIL FROM:<a@c.example>").await;
    let mut replies = Vec::new();
    for recipient in recipients {
        replies.push(client.say(&format!("RCPT TO:<{recipient}@next.example>")).await);
    }
    client.say("DATA").await;
    let last = client.say(&format!("{header}\r\n\r\nbody\r\n.")).await;
    client.quit().await;
    running.end().await;
    let told = told.lock().unwrap().clone();
    (replies, last, told)
}

#[tokio::test]
async fn a_message_that_waives_tls_goes_where_policies_would_keep_it() {
    let (replies, last, told) = sent(&["ann", "bob"], "TLS-Required: No\r\nSubject: x").await;
    assert!(replies.iter().all(|reply| reply.starts_with("250 2.1.5")), "{replies:?}");
    assert!(last.starts_with("250 2.0.0 taken"), "{last}");
    let mails: Vec<_> = told.iter().filter(|command| command.starts_with("MAIL")).collect();
    // The size is known by then, though the client has not told it.
    assert!(mails.len() == 1 && mails[0].contains("> SIZE="), "{told:?}");
}

#[tokio::test]
async fn any_other_message_is_deferred_and_sent_to_nobody() {
    for header in ["Subject: x", "TLS-Required: Yes", "X-TLS-Required: No"] {
        let (replies, last, told) = sent(&["ann"], header).await;
        assert!(replies.iter().all(|reply| reply.starts_with("250 2.1.5")), "{replies:?}");
        assert!(last.starts_with("451 4.7.4"), "{header}: {last}");
        assert!(!told.iter().any(|command| command.starts_with("MAIL")), "{header}: {told:?}");
    }
}

#[tokio::test]
async fn a_recipient_that_is_refused_after_all_keeps_the_message_from_all() {
    let (_, last, told) = sent(&["ann", "bad"], "TLS-Required: No").await;
    assert!(last.starts_with("550 5.1.1"), "{last}");
    assert!(!told.contains(&"DATA".to_owned()), "{told:?}");
}

#[test]
fn the_field_counts_once_and_with_its_only_value() {
    for (message, waives) in [
        ("TLS-Required: No\r\n\r\n", true),
        ("A: b\r\ntls-required:no \r\n\r\n", true),
        ("TLS-Required:\r\n No\r\n\r\n", true),
        ("TLS-Required: No\r\nTLS-Required: No\r\n\r\n", false),
        ("TLS-Required: No, really\r\n\r\n", false),
        ("A: b\r\n\r\nTLS-Required: No\r\n", false),
        ("TLS-Required: Nope\r\n\r\n", false),
        ("", false),
    ] {
        assert_eq!(waives_tls(message.as_bytes()), waives, "{message:?}");
    }
}
