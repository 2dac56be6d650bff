//! Receiving a header in pieces, in time, or not.

use std::time::{Duration, Instant};

use proxy_protocol::{Failure, HeaderError, HeaderOutcome, Options, Receiver};

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";

fn receiver(start: Instant) -> Receiver {
    Receiver::new(Options::default(), start)
}

#[test]
fn reading_what_is_needed_never_reads_beyond_the_header() {
    let headers = [
        LINE,
        b"PROXY UNKNOWN\r\n",
        b"PROXY TCP6 :: :: 0 0\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\0\x19\x04\0\0",
    ];
    for header in headers {
        let (mut receiver, mut stream) = (receiver(Instant::now()), header);
        while receiver.outcome().is_none() {
            let (part, rest) = stream.split_at(receiver.needed());
            assert_eq!(receiver.handle_bytes(part), part.len());
            stream = rest;
        }
        assert_eq!(stream, b"");
        assert!(receiver.outcome().unwrap().failure().is_none());
        assert_eq!((receiver.needed(), receiver.deadline()), (0, None));
    }
}

#[test]
fn byte_by_byte_nothing_is_visible_before_the_last() {
    let mut receiver = receiver(Instant::now());
    for byte in LINE {
        assert_eq!((receiver.outcome(), receiver.header()), (None, None));
        assert_eq!(receiver.handle_bytes(&[*byte]), 1);
    }
    assert!(matches!(receiver.outcome(), Some(HeaderOutcome::Proxied { .. })));
    assert!(receiver.header().is_some());
}

#[test]
fn the_deadline_is_for_the_whole_header() {
    let start = Instant::now();
    let mut receiver = receiver(start);
    let deadline = receiver.deadline().unwrap();
    assert_eq!(deadline, start + Duration::from_secs(3));
    assert_eq!(receiver.handle_bytes(&LINE[..9]), 9);
    assert_eq!(receiver.deadline(), Some(deadline));
    receiver.handle_time(start + Duration::from_nanos(2_999_999_999));
    assert_eq!(receiver.outcome(), None);
    receiver.handle_time(deadline);
    assert_eq!(receiver.outcome(), Some(&HeaderOutcome::Failed(Failure::TimedOut { received: 9 })));
}

#[test]
fn the_time_limit_is_an_option() {
    let start = Instant::now();
    for (time, expected) in [
        (Duration::from_secs(30), Some(start + Duration::from_secs(30))),
        (Duration::ZERO, Some(start)),
    ] {
        let mut options = Options::default();
        options.limits.time = time;
        assert_eq!(Receiver::new(options, start).deadline(), expected);
    }
    let mut options = Options::default();
    options.limits.time = Duration::MAX;
    assert!(Receiver::new(options, start).deadline() > Some(start + Duration::from_secs(86_400)));
}

#[test]
fn the_end_of_input_is_a_failure() {
    let mut receiver = receiver(Instant::now());
    assert_eq!(receiver.handle_bytes(&LINE[..20]), 20);
    receiver.handle_end();
    assert_eq!(
        receiver.outcome(),
        Some(&HeaderOutcome::Failed(Failure::EndOfInput { received: 20 }))
    );
    assert_eq!(receiver.header(), None);
}

#[test]
fn after_the_outcome_nothing_changes() {
    let start = Instant::now();
    let bad = HeaderOutcome::Failed(Failure::Header(HeaderError::Signature { at: 0, found: b'E' }));
    for (input, outcome) in [(&b"PROXY UNKNOWN\r\n"[..], HeaderOutcome::Unknown), (b"EHLO", bad)] {
        let mut receiver = receiver(start);
        assert_eq!(receiver.handle_bytes(input), input.len());
        assert_eq!(receiver.handle_bytes(LINE), 0);
        receiver.handle_end();
        receiver.handle_time(start + Duration::from_secs(9));
        assert_eq!(receiver.outcome(), Some(&outcome));
    }
}

#[test]
fn all_bytes_of_a_failure_are_taken() {
    let mut receiver = receiver(Instant::now());
    let input = [&b"PROXY TCP4 x"[..], &[b'y'; 9000]].concat();
    assert_eq!(receiver.handle_bytes(&input), input.len());
    assert!(receiver.outcome().unwrap().failure().is_some());
}

#[test]
fn a_header_with_much_behind_it_takes_its_own() {
    let mut receiver = receiver(Instant::now());
    let input = [LINE, &[b'y'; 9000]].concat();
    assert_eq!(receiver.handle_bytes(&input), LINE.len());
}
