//! A refused peer gets the same replies for any pieces of its input, at most as many as the limit; the
//! rest of a header is never answered.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use proxy_protocol::{Header, Options, Receiver, Refusal, RefusalMode};

fuzz_target!(|input: &[u8]| {
    let _ = refuse_generated(&mut Unstructured::new(input));
});

fn refuse_generated(u: &mut Unstructured<'_>) -> Result<()> {
    let mut options = Options::default();
    options.limits.refused_commands = u.int_in_range(0..=12)?;
    options.limits.refused_bytes = u.int_in_range(0..=4000)?;
    let (start, before): (_, &[u8]) = (Instant::now(), u.arbitrary()?);
    let mut receiver = Receiver::new(options, start);
    let _ = receiver.handle_bytes(before);
    receiver.handle_time(start + Duration::from_secs(3));
    if receiver.outcome().is_none_or(|outcome| outcome.failure().is_none()) {
        return Ok(()); // A sound header is not refused; the next part cuts one.
    }
    assert!(Refusal::new(RefusalMode::Drop, &receiver).is_closed());

    let speech = u.arbitrary::<&[u8]>()?;
    let whole = replies(&receiver, [speech]);
    assert!(whole.len() <= options.limits.refused_commands + 1);
    let last = whole.len().saturating_sub(1);
    for (at, reply) in whole.iter().enumerate() {
        assert!(reply.starts_with("503 ") || at == last, "{reply}");
    }
    assert_eq!(whole, replies(&receiver, speech.chunks(1)));
    assert_eq!(whole, replies(&receiver, speech.chunks(1 + u.int_in_range(0..=40_usize)?)));

    let header = u.bytes(u.len())?;
    if let Ok((rest, _)) = Header::parse(header) {
        let header = &header[..header.len() - rest.len()];
        for cut in (0..header.len()).take(120) {
            let (before, unread) = header.split_at(cut);
            let mut receiver = Receiver::new(Options::default(), start);
            let _ = receiver.handle_bytes(before);
            receiver.handle_end();
            let found = replies(&receiver, [unread, b"NOOP\r\n"]);
            assert_eq!(found, ["503 Command refused, required Proxy negotiation failed"]);
        }
    }
    Ok(())
}

fn replies<'a>(receiver: &Receiver, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut refusal = Refusal::new(RefusalMode::QuitOnly, receiver);
    let mut replies = Vec::new();
    for piece in pieces {
        let closed = refusal.is_closed();
        refusal.handle_bytes(piece);
        while let Some(reply) = refusal.poll_reply() {
            assert!(!closed, "nothing is said after the end");
            replies.push(reply.to_string());
        }
    }
    replies
}
