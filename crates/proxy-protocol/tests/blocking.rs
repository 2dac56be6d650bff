//! Reading a header from a blocking stream.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use proxy_protocol::{Failure, HeaderError, HeaderOutcome, Limits, Options, blocking};

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";

fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

fn within(time: Duration) -> Options {
    Options::default().with_limits(Limits::default().with_time(time))
}

#[test]
fn the_bytes_behind_the_header_stay_in_the_stream() {
    let (mut client, mut server) = connection();
    server.set_read_timeout(Some(Duration::from_secs(7))).unwrap();
    client.write_all(&[LINE, b"EHLO"].concat()).unwrap();
    drop(client);
    let outcome = blocking::read_header(&mut server, &Options::default()).unwrap();
    assert!(matches!(outcome, HeaderOutcome::Proxied { .. }), "{outcome:?}");
    assert_eq!(server.read_timeout().unwrap(), Some(Duration::from_secs(7)));
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"EHLO");
}

#[test]
fn a_header_in_pieces_is_read() {
    let (mut client, mut server) = connection();
    let writer = thread::spawn(move || {
        for piece in LINE.chunks(7) {
            client.write_all(piece).unwrap();
            client.flush().unwrap();
            thread::sleep(Duration::from_millis(2));
        }
        client
    });
    let outcome = blocking::read_header(&mut server, &Options::default()).unwrap();
    assert!(matches!(outcome, HeaderOutcome::Proxied { .. }), "{outcome:?}");
    drop(writer.join().unwrap());
}

#[test]
fn the_deadline_is_for_the_whole_header() {
    let (mut client, mut server) = connection();
    let start = Instant::now();
    let writer = thread::spawn(move || {
        // A byte at a time, each long before a timeout of its own would be over.
        for byte in LINE {
            if client.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let outcome = blocking::read_header(&mut server, &within(Duration::from_millis(200))).unwrap();
    let Some(Failure::TimedOut { received }) = outcome.failure() else {
        unreachable!("{outcome:?}")
    };
    assert!(received < LINE.len());
    assert!(start.elapsed() >= Duration::from_millis(200));
    drop(server);
    writer.join().unwrap();
}

#[test]
fn faults_of_the_peer_are_outcomes() {
    let (client, mut server) = connection();
    drop(client);
    let outcome = blocking::read_header(&mut server, &Options::default()).unwrap();
    assert_eq!(outcome.failure(), Some(Failure::EndOfInput { received: 0 }));

    let (mut client, mut server) = connection();
    client.write_all(b"EHLO client.example\r\n").unwrap();
    let outcome = blocking::read_header(&mut server, &Options::default()).unwrap();
    let failure = Failure::Header(HeaderError::Signature { at: 0, found: b'E' });
    assert_eq!(outcome.failure(), Some(failure));
}

#[test]
fn a_timeout_that_ends_at_once_ends_at_once() {
    let (_client, mut server) = connection();
    let outcome = blocking::read_header(&mut server, &within(Duration::ZERO)).unwrap();
    assert_eq!(outcome.failure(), Some(Failure::TimedOut { received: 0 }));
    assert_eq!(server.read_timeout().unwrap(), None);
}
