//! A listener whose connections begin with a header.

#![cfg(feature = "tokio")]
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::time::Duration;

use proxy_protocol::{Failure, HeaderOutcome, Limits, Listener, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";

async fn listener(options: Options, is_proxy: bool) -> Listener {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Listener::new(tcp, options, move |peer| is_proxy && peer.is_loopback())
}

async fn connect(listener: &Listener, bytes: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.write_all(bytes).await.unwrap();
    client
}

#[tokio::test]
async fn a_slow_header_holds_up_nobody() {
    let mut listener = listener(Options::default(), true).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(connect(&listener, &LINE[..20]).await);
    }
    let quick = connect(&listener, &[LINE, b"EHLO"].concat()).await;
    let (mut stream, info) = listener.accept().await.unwrap();
    assert_eq!(info.client(), "192.0.2.1:56324".parse().unwrap());
    assert_eq!(info.peer(), quick.local_addr().unwrap());
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"EHLO");

    // The slow ones are handed out as soon as the rest has come, in that order.
    for client in slow.iter_mut().rev() {
        client.write_all(&LINE[20..]).await.unwrap();
        let (_, info) = listener.accept().await.unwrap();
        assert_eq!(info.peer(), client.local_addr().unwrap());
    }
}

#[tokio::test]
async fn a_header_that_does_not_come_is_an_outcome() {
    let options =
        Options::default().with_limits(Limits::default().with_time(Duration::from_millis(50)));
    let mut listener = listener(options, true).await;
    let client = connect(&listener, b"PROXY ").await;
    let (_, info) = listener.accept().await.unwrap();
    let failure = info.outcome().and_then(HeaderOutcome::failure);
    assert_eq!(failure, Some(Failure::TimedOut { received: 6 }));
    drop(client);
}

#[tokio::test]
async fn a_peer_that_is_not_trusted_has_no_header() {
    let mut listener = listener(Options::default(), false).await;
    let client = connect(&listener, LINE).await;
    let (mut stream, info) = listener.accept().await.unwrap();
    assert_eq!((info.outcome(), info.client()), (None, client.local_addr().unwrap()));
    let mut text = vec![0; LINE.len()];
    stream.read_exact(&mut text).await.unwrap();
    assert_eq!(text, LINE, "a header is data like any other");
}

#[tokio::test]
async fn no_more_than_the_limit_wait_for_a_header() {
    let mut listener = listener(Options::default(), true).await.with_waiting_max(2);
    let mut first = connect(&listener, b"PROXY").await;
    let _second = connect(&listener, b"PROXY").await;
    let third = connect(&listener, LINE).await;
    // The third waits in the system's queue, though its header is there.
    let early = timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(early.is_err());
    first.write_all(&LINE[5..]).await.unwrap();
    let (_, info) = listener.accept().await.unwrap();
    assert_eq!(info.peer(), first.local_addr().unwrap());
    let (_, info) = listener.accept().await.unwrap();
    assert_eq!(info.peer(), third.local_addr().unwrap());
}

#[tokio::test]
async fn an_accept_that_is_dropped_loses_no_connection() {
    let mut listener = listener(Options::default(), true).await;
    let mut client = connect(&listener, &LINE[..9]).await;
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(20), listener.accept()).await.is_err());
    }
    client.write_all(&LINE[9..]).await.unwrap();
    let (_, info) = listener.accept().await.unwrap();
    assert_eq!(info.peer(), client.local_addr().unwrap());
}
