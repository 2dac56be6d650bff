//! Reading a header from a stream.

#![cfg(feature = "tokio")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use proxy_protocol::tokio_net::{peek_header, read_header, read_header_buffered};
use proxy_protocol::{Failure, HeaderOutcome, Options, Receiver};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

const HEADERS: [&[u8]; 4] = [
    b"PROXY UNKNOWN\r\n",
    b"PROXY TCP6 :: :: 0 0\r\n",
    b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\0\x19\x04\0\0",
];

fn receiver() -> Receiver {
    Receiver::new(Options::default(), Instant::now().into_std())
}

async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

fn failed(outcome: &HeaderOutcome) -> Failure {
    outcome.failure().unwrap_or_else(|| panic!("{outcome:?}"))
}

#[tokio::test]
async fn reads_no_byte_too_many() {
    for header in HEADERS {
        let mut stream = &[header, b"EHLO"].concat()[..];
        let outcome = read_header(&mut stream, &mut receiver()).await.unwrap();
        assert!(outcome.failure().is_none(), "{outcome:?}");
        assert_eq!(stream, b"EHLO");
    }
}

#[tokio::test]
async fn peeks_and_reads_no_byte_too_many() {
    for header in HEADERS {
        let (mut client, mut server) = connection().await;
        client.write_all(&[header, b"EHLO"].concat()).await.unwrap();
        drop(client);
        let outcome = peek_header(&mut server, &mut receiver()).await.unwrap();
        assert!(outcome.failure().is_none(), "{outcome:?}");
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"EHLO");
    }
}

#[tokio::test]
async fn keeps_what_is_behind() {
    for header in HEADERS {
        let (mut stream, mut buffer) = (&[header, b"EHLO"].concat()[..], Vec::new());
        let outcome = read_header_buffered(&mut stream, &mut receiver(), &mut buffer).await;
        assert!(outcome.unwrap().failure().is_none());
        assert_eq!((&buffer[..], stream), (&b"EHLO"[..], &b""[..]));
    }
}

#[tokio::test]
async fn takes_what_was_read_before() {
    let (before, behind) = HEADERS[2].split_at(20);
    let (mut stream, mut buffer) = (&[behind, b"EHLO"].concat()[..], before.to_vec());
    let outcome = read_header_buffered(&mut stream, &mut receiver(), &mut buffer).await.unwrap();
    assert!(outcome.failure().is_none(), "{outcome:?}");
    assert_eq!(buffer, b"EHLO");
}

#[tokio::test]
async fn a_header_in_pieces_is_waited_for() {
    for header in HEADERS {
        let (mut client, mut server) = connection().await;
        let send = async {
            for byte in header {
                client.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let mut receiver = receiver();
        let (outcome, ()) = tokio::join!(peek_header(&mut server, &mut receiver), send);
        assert!(outcome.unwrap().failure().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn one_deadline_for_the_whole_header() {
    let (mut client, mut server) = duplex(64);
    let start = Instant::now();
    // A byte a second never lets it rest, and never ends it.
    let drip = async {
        for byte in HEADERS[2] {
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(999)).await;
        }
    };
    let mut receiver = receiver();
    let outcome = tokio::select! {
        outcome = read_header(&mut server, &mut receiver) => outcome.unwrap(),
        () = drip => panic!("it must not wait for all"),
    };
    assert_eq!(failed(&outcome), Failure::TimedOut { received: 4 });
    let waited = start.elapsed();
    assert!((3000..3100).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_failure_in_each_mode() {
    let (_client, mut server) = duplex(64);
    let outcome = read_header(&mut server, &mut receiver()).await.unwrap();
    assert_eq!(failed(&outcome), Failure::TimedOut { received: 0 });
    let outcome = read_header_buffered(&mut server, &mut receiver(), &mut Vec::new()).await;
    assert_eq!(failed(&outcome.unwrap()), Failure::TimedOut { received: 0 });
    let (_client, mut server) = connection().await;
    let outcome = peek_header(&mut server, &mut receiver()).await.unwrap();
    assert_eq!(failed(&outcome), Failure::TimedOut { received: 0 });
}

/// After a header the connection may rest longer than the header might have taken.
#[tokio::test(start_paused = true)]
async fn the_deadline_is_gone_after_the_header() {
    let (mut client, mut server) = duplex(64);
    client.write_all(b"PROXY UNKNOWN\r\n").await.unwrap();
    assert_eq!(read_header(&mut server, &mut receiver()).await.unwrap(), HeaderOutcome::Unknown);
    let late = async {
        sleep(Duration::from_secs(60)).await;
        client.write_all(b"EHLO").await.unwrap();
    };
    let mut bytes = [0; 4];
    let (read, ()) = tokio::join!(server.read_exact(&mut bytes), late);
    assert_eq!((read.unwrap(), &bytes), (4, b"EHLO"));
}

#[tokio::test]
async fn the_end_of_the_stream_is_a_failure() {
    for end in [0, 1, 20, 55] {
        let (part, gone) = (&HEADERS[2][..end], Failure::EndOfInput { received: end });
        let outcome = read_header(&mut &*part, &mut receiver()).await.unwrap();
        assert_eq!(failed(&outcome), gone);
        let outcome = read_header_buffered(&mut &*part, &mut receiver(), &mut Vec::new()).await;
        assert_eq!(failed(&outcome.unwrap()), gone);
        let (mut client, mut server) = connection().await;
        client.write_all(part).await.unwrap();
        drop(client);
        let outcome = peek_header(&mut server, &mut receiver()).await.unwrap();
        assert_eq!(failed(&outcome), gone);
    }
}

#[tokio::test]
async fn what_is_no_header_fails_at_once() {
    let mut stream = &b"EHLO client.example\r\n"[..];
    let outcome = read_header(&mut stream, &mut receiver()).await.unwrap();
    assert!(matches!(failed(&outcome), Failure::Header(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_error_of_the_stream_is_returned() {
    struct Broken;
    impl AsyncRead for Broken {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into()))
        }
    }
    assert!(read_header(&mut Broken, &mut receiver()).await.is_err());
    assert!(read_header_buffered(&mut Broken, &mut receiver(), &mut Vec::new()).await.is_err());
}
