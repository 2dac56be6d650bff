//! What is stuffed for one server is read by another as it was, however both are cut; and reading
//! data ends, whatever it is.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[expect(dead_code, reason = "the gateway uses what this target does not")]
#[path = "../../examples/gateway/framing.rs"]
mod framing;
#[path = "../../examples/gateway/stuffing.rs"]
mod stuffing;

use framing::{Body, Data, DataEnd, Input, has_bare_line_end};
use stuffing::Stuffing;

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (write, read, message) = input;
    let (write, read) = (1 + usize::from(write), 1 + usize::from(read));
    // Whatever comes is taken, refused or waited for.
    assert_eq!(receive(message, read), receive(message, 1));

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
    }
    (body.bytes().to_vec(), (DataEnd::Incomplete, 0))
}
