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
            }
            most = most.max(input.capacity());
        }
        assert_eq!(lines, sent / 4096);
        assert!(most < 64 << 10, "{most} octets for pieces of {piece}");
    }
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
