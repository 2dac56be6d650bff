//! The refusal of a peer whose header failed.

#![cfg(feature = "mail")]
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::time::{Duration, Instant};

use proxy_protocol::{Options, Receiver, Refusal, RefusalMode};

const REFUSED: &str = "503 Command refused, required Proxy negotiation failed";

/// A receiver that got this and then, if that was no failure yet, nothing more in time.
fn failed(input: &[u8], options: Options) -> Receiver {
    let start = Instant::now();
    let mut receiver = Receiver::new(options, start);
    let _ = receiver.handle_bytes(input);
    receiver.handle_time(start + Duration::from_secs(3));
    assert!(receiver.outcome().unwrap().failure().is_some());
    receiver
}

fn replies(refusal: &mut Refusal) -> Vec<String> {
    std::iter::from_fn(|| refusal.poll_reply()).map(|reply| reply.to_string()).collect()
}

fn quit_only(input: &[u8]) -> Refusal {
    Refusal::new(RefusalMode::QuitOnly, &failed(input, Options::default()))
}

#[test]
fn by_default_the_connection_is_dropped() {
    let receiver = failed(b"", Options::default());
    let mut refusal = Refusal::new(RefusalMode::default(), &receiver);
    assert!(refusal.is_closed());
    refusal.handle_bytes(b"EHLO a\r\nQUIT\r\n");
    assert_eq!(refusal.poll_reply(), None);
}

/// The session of the text of 2014: the header times out, then the peer speaks SMTP.
#[test]
fn every_command_but_quit_is_refused() {
    let mut refusal = quit_only(b"");
    refusal.handle_bytes(b"helo x.com\r\nMAIL FROM:<a@example.com>\r\n");
    refusal.handle_bytes(b"QUI");
    refusal.handle_bytes(b"T \n");
    assert_eq!(replies(&mut refusal), [REFUSED, REFUSED, "221 closing connection"]);
    assert!(refusal.is_closed());
    refusal.handle_bytes(b"NOOP\r\n");
    assert_eq!(refusal.poll_reply(), None);
}

#[test]
fn what_looks_like_quit_is_refused_too() {
    for line in ["QUITS", "QUIT now", "XQUIT", "", " QUIT", "QUI", "\0", "QUIT\0"] {
        let mut refusal = quit_only(b"");
        refusal.handle_bytes(format!("EHLO a\r\n{line}\r\n").as_bytes());
        assert_eq!(replies(&mut refusal), [REFUSED; 2], "{line:?}");
        assert!(!refusal.is_closed(), "{line:?}");
    }
}

/// The input before the failure, and the rest of the header after it, in one piece and byte
/// by byte, and then a command: only that is answered.
#[test]
fn no_byte_of_the_header_is_taken_for_smtp() {
    let block = |family: u8, length: u16| {
        [&b"\r\n\r\n\0\r\nQUIT\n\x21"[..], &[family], &length.to_be_bytes()].concat()
    };
    let smtp = b"MAIL FROM:<>\r\nQUIT\r\n".repeat(20);
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.2 1 25\r\n".to_vec();
    let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat();
    for (received, unread) in [
        // Too late, cut anywhere.
        (Vec::new(), line.clone()),
        (line[..3].to_vec(), line[3..].to_vec()),
        (line[..6].to_vec(), line[6..].to_vec()),
        (line[..30].to_vec(), line[30..].to_vec()),
        (Vec::new(), [block(0x11, 400), smtp.clone()].concat()),
        (block(0x11, 400)[..9].to_vec(), [&block(0x11, 400)[9..], &smtp].concat()),
        ([block(0x11, 400), smtp[..99].to_vec()].concat(), smtp[99..].to_vec()),
        // Wrong at once, and not all of it read.
        (b"PROXY TCP9".to_vec(), b" 192.0.2.1 198.51.100.2 1 25\r\n".to_vec()),
        (b"PROXY UNKNOWNX".to_vec(), b"\n\rQUIT\r\n".to_vec()),
        (long, b"QUIT\nQUIT\r\n".to_vec()),
        (block(0x41, 400), smtp.clone()),
        (block(0x41, 400)[..14].to_vec(), [&b"\x01\x90"[..], &smtp].concat()),
        (block(0x11, 4), b"QU\r\n".to_vec()),
        ([&block(0x11, 9000)[..], &[b'\n'; 8000]].concat(), [b'\n'; 1000].to_vec()),
        ([&block(0x11, 60_000)[..], &smtp].concat(), [&smtp[..], &b"\n".repeat(59_200)].concat()),
        // A command in place of a header, half of it read.
        (b"EHLO client.exa".to_vec(), b"mple\r\n".to_vec()),
        (b"EHLO client.example\r\n".to_vec(), Vec::new()),
    ] {
        let name = received.escape_ascii();
        let mut refusal = quit_only(&received);
        refusal.handle_bytes(&[&unread[..], b"NOOP\r\n"].concat());
        assert_eq!(replies(&mut refusal), [REFUSED], "{name}");

        let mut refusal = quit_only(&received);
        for byte in unread.iter().chain(b"NOOP\r\n") {
            refusal.handle_bytes(&[*byte]);
        }
        assert_eq!(replies(&mut refusal), [REFUSED], "{name}");
        assert!(!refusal.is_closed());
    }
}

#[test]
fn where_the_header_ends_must_be_known() {
    let unknown = b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c";
    assert!(quit_only(unknown).is_closed());

    // Too late, the same.
    let mut refusal = quit_only(b"");
    refusal.handle_bytes(unknown);
    refusal.handle_bytes(b"NOOP\r\n");
    assert!(refusal.is_closed());
    assert_eq!(refusal.poll_reply(), None);
}

#[test]
fn a_blank_line_is_no_header() {
    let mut refusal = quit_only(b"");
    refusal.handle_bytes(b"\r\nPROXIMA\r\n");
    assert_eq!(replies(&mut refusal), [REFUSED, REFUSED]);
}

#[test]
fn commands_are_limited() {
    let mut options = Options::default();
    options.limits.refused_commands = 3;
    let mut refusal = Refusal::new(RefusalMode::QuitOnly, &failed(b"", options));
    refusal.handle_bytes(b"NOOP\r\nNOOP\r\nNOOP\r\n");
    assert_eq!(replies(&mut refusal), [REFUSED; 3]);
    assert!(!refusal.is_closed());
    refusal.handle_bytes(b"NOOP\r\nNOOP\r\n");
    assert_eq!(replies(&mut refusal), ["421 too many commands, closing connection"]);
    assert!(refusal.is_closed());
}

#[test]
fn bytes_are_limited() {
    let mut options = Options::default();
    options.limits.refused_bytes = 100;
    let mut refusal = Refusal::new(RefusalMode::QuitOnly, &failed(b"", options));
    refusal.handle_bytes(&[b'x'; 98]);
    refusal.handle_bytes(b"\r\n");
    assert_eq!(replies(&mut refusal), [REFUSED]);
    assert!(!refusal.is_closed());
    refusal.handle_bytes(b"x");
    assert_eq!(replies(&mut refusal), ["421 too much input, closing connection"]);
    assert!(refusal.is_closed());
}
