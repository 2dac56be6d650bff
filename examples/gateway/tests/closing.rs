//! Connections that are to be closed, and clients that do not read.

use std::future::{pending, ready};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::gateway::{Running, handshake};
use super::scratch::Scratch;
use crate::gateway::server::wire::Deadlines;

const QUIET: &str = "event_action = ''\n";

#[tokio::test]
async fn what_ends_a_connection_has_its_time_and_less_where_the_server_stops() {
    let (minute, moment) = (Duration::from_mins(1), Duration::from_millis(20));
    let (stop, mut stopped) = watch::channel(None);
    let closing = |closing, stopping| Deadlines { closing, stopping, message: minute };
    let ended = closing(minute, minute).closing(&mut stopped, ready(7)).await;
    assert_eq!(ended, Some(7));
    let start = Instant::now();
    let ended = closing(moment, Duration::ZERO).closing(&mut stopped, pending::<()>()).await;
    assert!(ended.is_none() && start.elapsed() >= moment);
    // The server stops; what can be done at once is done.
    stop.send_replace(Some(tokio::time::Instant::now()));
    let start = Instant::now();
    let ended = closing(minute, moment).closing(&mut stopped, pending::<()>()).await;
    assert!(ended.is_none() && start.elapsed() >= moment && start.elapsed() < minute);
    assert_eq!(closing(minute, Duration::ZERO).closing(&mut stopped, ready(7)).await, Some(7));
    // So many seconds are the gateway's.
    let Deadlines { closing, stopping, message } = Deadlines::default();
    assert_eq!((closing.as_secs(), stopping.as_secs(), message.as_secs()), (10, 1, 10));
}

/// A client that stops reading, in clear or over TLS, keeps its slot until it was silent for too long and
/// then as long as a connection may take to be closed.
#[tokio::test]
async fn who_does_not_read_keeps_no_slot() {
    for tls in [false, true] {
        // The system keeps some megabytes of replies for a client.
        let refusal = "no ".repeat(1000);
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nmessage = '{refusal}'\n");
        let options = format!("smtp_accept_max = 1\nsmtp_receive_timeout = '1s'\n{rule}");
        let options = format!("{QUIET}{options}");
        let scratch = Scratch::new();
        let config = Running::config(scratch.path(), &options);
        let running = Running::serve_changed(scratch, config, |gateway| {
            gateway.deadlines.closing = Duration::from_millis(500);
        });
        let running = running.await;
        let stream = narrow(&running).await;
        let flooding = tokio::spawn(flood(stream, tls, running.scratch.path().to_owned()));
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(banner(&running).await, "421", "with TLS: {tls}");
        let free = async {
            while banner(&running).await != "220" {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(timeout(Duration::from_secs(20), free).await.is_ok(), "with TLS: {tls}");
        running.end().await;
        flooding.abort();
    }
}

async fn banner(running: &Running) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let mut code = [0; 3];
    stream.read_exact(&mut code).await.unwrap();
    String::from_utf8_lossy(&code).into_owned()
}

/// A server that stops waits for no client that does not read, in clear or over TLS.
#[tokio::test]
async fn who_does_not_read_holds_up_nothing() {
    for tls in [false, true] {
        let running = Running::start(QUIET).await;
        let stream = narrow(&running).await;
        let flooding = tokio::spawn(flood(stream, tls, running.scratch.path().to_owned()));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!flooding.is_finished());
        let ended = timeout(Duration::from_secs(6), running.end()).await;
        assert!(ended.is_ok(), "with TLS: {tls}");
        flooding.abort();
    }
}

/// A client between two messages has its 421 at once, one within a message when the time for that is over.
#[tokio::test]
async fn clients_are_told_that_the_server_stops() {
    let scratch = Scratch::new();
    let config = Running::config(scratch.path(), QUIET);
    let running = Running::serve_changed(scratch, config, |gateway| {
        gateway.deadlines.message = Duration::from_millis(1500);
    });
    let running = running.await;
    let mut sending = running.client().await;
    sending.say("EHLO client.example").await;
    sending.say("MAIL FROM:<ann@client.example>").await;
    sending.say("RCPT TO:<bob@example.com>").await;
    assert!(sending.say("DATA").await.starts_with("354"));
    sending.raw(b"Subject: half\r\n").await;
    let mut idle = running.client().await;
    let mut finishing = running.client().await;
    finishing.say("EHLO client.example").await;
    finishing.say("MAIL FROM:<ann@client.example>").await;
    finishing.say("RCPT TO:<bob@example.com>").await;
    assert!(finishing.say("DATA").await.starts_with("354"));
    let start = Instant::now();
    let stopping = tokio::spawn(running.end());
    assert!(idle.reply().await.starts_with("421 4.3.2 "));
    assert!(start.elapsed() < Duration::from_secs(1));
    // A message that ends in time is taken.
    assert!(finishing.say("Subject: whole\r\n\r\nall\r\n.").await.starts_with("250 "));
    assert!(finishing.reply().await.starts_with("421 4.3.2 "));
    assert!(sending.reply().await.starts_with("421 4.3.2 "));
    assert!(start.elapsed() >= Duration::from_millis(1500));
    let scratch = stopping.await.unwrap();
    let kept = std::fs::read_dir(scratch.path().join("maildir/new")).unwrap().count();
    assert_eq!(kept, 1);
}

/// A connection that holds few replies which nobody reads.
async fn narrow(running: &Running) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.connect(running.address).await.unwrap()
}

/// Sends commands without end, and reads nothing.
async fn flood(mut stream: TcpStream, tls: bool, spool: PathBuf) {
    until(&mut stream, b"ESMTP\r\n").await;
    stream.write_all(b"EHLO c.example\r\n").await.unwrap();
    until(&mut stream, b"HELP\r\n").await;
    let greeting = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n";
    let commands = greeting.to_owned() + &"RCPT TO:<a@other.example>\r\n".repeat(10_000);
    if !tls {
        while stream.write_all(commands.as_bytes()).await.is_ok() {}
        return;
    }
    stream.write_all(b"STARTTLS\r\n").await.unwrap();
    until(&mut stream, b"go ahead\r\n").await;
    let mut stream = handshake(stream, &spool).await;
    while stream.write_all(commands.as_bytes()).await.is_ok() {}
}

async fn until(stream: &mut (impl AsyncRead + Unpin), end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0);
    }
}
