//! The memory of the framing, for input cut anywhere.

use super::session::{Talk, settings};
use crate::gateway::smtp::framing::{Body, Data, DataEnd, Input, InputLine};

/// 100 MB of commands of 4096 octets, in pieces that never end where a command does.
#[test]
fn what_was_taken_is_dropped_though_the_input_is_never_empty() {
    let mut command = b"RCPT TO:<z@example.com>".to_vec();
    command.resize(4094, b' ');
    command.extend(b"\r\n");
    for piece in [16_384, 4096, 4095, 1000] {
        let mut input = Input::default();
        let mut stream = command.iter().copied().cycle();
        input.push(b"NOOP");
        input.push(&stream.by_ref().take(0).collect::<Vec<_>>());
        let whole: Vec<u8> = stream.by_ref().take(piece * 4096).collect();
        let (mut sent, mut lines, mut most) = (0, 0, 0);
        // The first line is longer by four, so that no read ends at a line's end.
        while sent < 100 << 20 {
            let at = sent % whole.len();
            input.push(&whole[at..at + piece]);
            sent += piece;
            loop {
                match input.take_line(5000) {
                    InputLine::Text(_) => lines += 1,
                    line => break assert_eq!(line, InputLine::Incomplete),
                }
                assert!(lines <= sent / 4096, "a line is taken twice");
            }
            assert!(input.capacity() >= input.rest().len());
            most = most.max(input.capacity());
        }
        assert_eq!(lines, sent / 4096);
        assert!(most < 64 << 10, "{most} octets for pieces of {piece}");
    }
}

/// Else a client that sends many commands at once would have all of them moved for each.
#[test]
fn what_is_still_unread_is_not_moved_for_a_few_octets_before_it() {
    let mut input = Input::default();
    input.push(&b"NOOP\r\n".repeat(100));
    input.push(&b"NOOP\r\n".repeat(10));
    assert!(matches!(input.take_line(512), InputLine::Text(_)));
    let (unread, at) = (input.rest().len(), input.rest().as_ptr());
    input.push(b"QUIT\r\n");
    assert_eq!((input.rest().len(), input.rest().as_ptr()), (unread + 6, at));
}

/// The same through a session: nor do the replies pile up that nobody has read yet.
#[test]
fn a_stream_of_commands_takes_no_memory_in_a_session() {
    let mut quiet = settings();
    (quiet.smtp_max_refused, quiet.recipients_max) = (0, 0);
    let mut talk = Talk::new(quiet);
    talk.replies();
    talk.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    let line = format!("{:<4094}\r\n", "RCPT TO:<z@example.com>");
    let stream = line.repeat(16);
    talk.say(&line[..10]);
    for at in (0..20 << 20).step_by(16_384) {
        let at = (at + 10) % 4096;
        let replies = talk.say(&stream[at..at + 16_384]);
        assert!(replies.len() < 1000);
        assert!(talk.session.held() < 64 << 10);
    }
}

#[test]
fn a_message_has_no_more_than_its_largest_size_allows() {
    let (mut input, mut body) = (Input::default(), Body::new(100_000));
    let mut data = Data::default();
    for _ in 0..1562 {
        input.push(format!("{:<62}\r\n", "x").as_bytes());
        assert_eq!(data.read(&mut input, &mut body), DataEnd::Incomplete);
        assert!(body.capacity() <= 100_004);
    }
    assert_eq!(body.len(), 1562 * 64);
    body.give_up();
    assert_eq!(body.capacity(), 0);
    input.push(b"more\r\n.\r\n");
    assert_eq!(data.read(&mut input, &mut body), DataEnd::Complete);
    assert_eq!((body.len(), body.capacity()), (0, 0));
}

/// RFC 5321 section 4.5.3.1.4: the limit of a command includes its CRLF.
#[test]
fn a_line_is_too_long_as_soon_as_its_end_cannot_be_within_the_limit() {
    let text = |line: &[u8]| InputLine::Text(line.to_vec());
    for (bytes, expected) in [
        (&b""[..], InputLine::Incomplete),
        (b"12345678", InputLine::Incomplete),
        (b"12345678\r", InputLine::Incomplete),
        (b"12345678\r\n", text(b"12345678")),
        (b"\r\n", text(b"")),
        (b"123456789", InputLine::TooLong),
        (b"123456789\r", InputLine::TooLong),
        (b"123456789\r\n", InputLine::TooLong),
        (b"1\r2", InputLine::Bare),
        (b"1\n", InputLine::Bare),
    ] {
        let mut input = Input::default();
        input.push(bytes);
        assert_eq!(input.take_line(10), expected, "{bytes:?}");
        let is_taken = matches!(expected, InputLine::Text(_));
        assert_eq!(input.rest(), if is_taken { &b""[..] } else { bytes });
    }
}

/// RFC 1870 section 5: the limit is the size of the largest message that is accepted.
#[test]
fn a_message_is_over_its_limit_with_one_octet_more() {
    for (octets, is_over, is_hopeless) in [
        (999, false, false),
        (1000, false, false),
        (1001, true, false),
        (2001, true, false),
        (2002, true, true),
    ] {
        let mut body = Body::new(1000);
        for _ in 0..octets {
            body.push(b"x");
            assert!(body.capacity() < 2 * body.len().max(1), "{} {}", body.capacity(), body.len());
        }
        assert_eq!((body.seen(), body.is_over()), (octets, is_over));
        assert_eq!(body.is_hopeless(), is_hopeless, "{octets} octets");
        let kept = if is_over { 0 } else { octets };
        assert_eq!(body.len() as u64, kept);
        assert!(body.capacity() as u64 >= kept && body.capacity() <= 1004);
        assert!(!is_over || body.capacity() == 0);
    }
    let mut body = Body::new(1000);
    body.push(&[b'x'; 600]);
    body.push(&[b'x'; 400]);
    assert!(!body.is_over() && body.len() == 1000 && body.capacity() <= 1004);
}

/// Neither commands that come behind a message nor a message that was given up take memory of its own.
#[test]
fn no_memory_is_reserved_that_no_message_needs() {
    let (mut input, mut body) = (Input::default(), Body::new(10));
    input.push(format!("abcdef\r\n.\r\n{}", "NOOP\r\n".repeat(100)).as_bytes());
    assert_eq!(Data::default().read(&mut input, &mut body), DataEnd::Complete);
    assert_eq!((body.bytes(), input.rest().len()), (&b"abcdef\r\n"[..], 600));
    assert!(body.capacity() <= 14, "{} octets", body.capacity());
    let (mut input, mut body) = (Input::default(), Body::new(10));
    assert!(!body.is_given_up());
    body.give_up();
    assert!(body.is_given_up());
    input.push(b".\r\n");
    assert_eq!(Data::default().read(&mut input, &mut body), DataEnd::Complete);
    assert_eq!(body.capacity(), 0);
}

#[test]
fn a_finished_message_ends_in_a_line_end() {
    for (text, expected) in [("", ""), ("a", "a\r\n"), ("a\r\n", "a\r\n"), ("\r\n", "\r\n")] {
        for is_headless in [false, true] {
            let mut body = Body::new(1000);
            body.push(text.as_bytes());
            if is_headless {
                body.begin_with_empty_line();
            }
            assert_eq!(body.is_headless(), is_headless);
            let expected = format!("{}{expected}", if is_headless { "\r\n" } else { "" });
            assert_eq!(str::from_utf8(&body.finish()), Ok(&*expected));
        }
    }
}
