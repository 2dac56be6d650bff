//! A stuffed message is read as it was, in pieces of any size; the reading of data ends with any input;
//! and lines keep no more memory than the unread rest and one read need.

#![no_main]

use examples::gateway::smtp::framing::{Body, Data, DataEnd, Input, InputLine, has_bare_line_end};
use examples::gateway::smtp::stuffing::Stuffing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (write, read, message) = input;
    let (write, read) = (1 + usize::from(write), 1 + usize::from(read));
    // Whatever comes is taken, refused or waited for.
    assert_eq!(receive(message, read), receive(message, 1));
    take_lines(message, read, write);

    let lines = String::from_utf8_lossy(message).replace(['\r', '\n'], "\r\n") + "\r\n";
    let message = lines.as_bytes();
    assert!(!has_bare_line_end(&[message]));
    let mut stuffed = Vec::new();
    let mut stuffing = Stuffing::default();
    for piece in message.chunks(write) {
        stuffing.write(piece, &mut stuffed);
    }
    stuffing.finish(&mut stuffed);
    assert_eq!(receive(&stuffed, read), (message.to_vec(), (DataEnd::Complete, 0)));
});

/// Takes lines, in pieces and again and again: what has been taken does not stay.
fn take_lines(bytes: &[u8], size: usize, limit: usize) {
    let mut input = Input::default();
    let (rounds, limit) = (1 + 20_000 / bytes.len().max(1), limit + 2);
    for piece in (0..rounds).flat_map(|_| bytes.chunks(size)) {
        input.push(piece);
        loop {
            match input.take_line(limit) {
                InputLine::Text(line) => assert!(line.len() + 2 <= limit),
                InputLine::Incomplete => break,
                InputLine::TooLong | InputLine::Bare => return,
            }
        }
        assert!(input.rest().len() < limit);
        assert!(input.capacity() <= 4 * (limit + size).max(1024), "{}", input.capacity());
    }
}

/// Reads data in pieces; returns the message, how it ended, and how many bytes were left.
fn receive(bytes: &[u8], size: usize) -> (Vec<u8>, (DataEnd, usize)) {
    let (mut input, mut body, mut data) = (Input::default(), Body::new(1 << 20), Data::default());
    for (at, piece) in bytes.chunks(size).enumerate() {
        input.push(piece);
        let end = data.read(&mut input, &mut body);
        if end != DataEnd::Incomplete {
            let behind = bytes.len().saturating_sub((at + 1) * size);
            return (body.finish(), (end, input.rest().len() + behind));
        }
        assert!(input.is_empty());
        assert!(body.capacity() <= 2 * (body.bytes().len() + size) + 8);
        assert!(input.capacity() <= 2 * size.max(1024));
    }
    (body.bytes().to_vec(), (DataEnd::Incomplete, 0))
}
