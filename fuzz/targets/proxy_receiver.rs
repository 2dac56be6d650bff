//! The outcome does not depend on the pieces of a header; a reader of the needed bytes reads none after
//! the header; after the outcome nothing changes.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use proxy_protocol::{Failure, Header, HeaderError, HeaderOutcome, Options, Receiver};

fuzz_target!(|input: &[u8]| {
    let Some((pieces, input)) = input.split_at_checked(4) else { return };
    let start = Instant::now();
    let whole = Header::parse(input);

    let mut receiver = Receiver::new(Options::default(), start);
    let (mut rest, mut taken) = (input, 0);
    for piece in pieces.iter().cycle() {
        let (piece, behind) =
            rest.split_at(usize::from(*piece % 64).clamp(1, rest.len().max(1)).min(rest.len()));
        taken += receiver.handle_bytes(piece);
        rest = behind;
        if rest.is_empty() || receiver.outcome().is_some() {
            break;
        }
    }
    check(&mut receiver, whole, taken, input, start);

    let mut receiver = Receiver::new(Options::default(), start);
    let (mut rest, mut taken) = (input, 0);
    while receiver.outcome().is_none() && !rest.is_empty() {
        let (piece, behind) = rest.split_at(receiver.needed().min(rest.len()));
        assert!(!piece.is_empty(), "it must ask for something");
        taken += receiver.handle_bytes(piece);
        assert!(taken <= input.len() - whole.map_or(0, |(rest, _)| rest.len()));
        rest = behind;
    }
    check(&mut receiver, whole, taken, input, start);
});

fn check(
    receiver: &mut Receiver,
    whole: Result<(&[u8], Header<'_>), HeaderError>,
    taken: usize,
    input: &[u8],
    start: Instant,
) {
    let received = input.len();
    let outcome = match whole {
        Ok((rest, header)) => {
            assert_eq!(taken, input.len() - rest.len());
            assert_eq!(receiver.header(), Some(header));
            HeaderOutcome::from(&header)
        }
        Err(HeaderError::Incomplete { needed }) => {
            assert_eq!((receiver.outcome(), taken), (None, received));
            assert_eq!(receiver.needed(), needed.get());
            let mut other = receiver.clone();
            other.handle_time(start + Duration::from_secs(3));
            let late = HeaderOutcome::Failed(Failure::TimedOut { received });
            assert_eq!(other.outcome(), Some(&late));
            receiver.handle_end();
            HeaderOutcome::Failed(Failure::EndOfInput { received })
        }
        Err(error) => HeaderOutcome::Failed(Failure::Header(error)),
    };
    assert_eq!(receiver.outcome(), Some(&outcome));
    assert_eq!((receiver.handle_bytes(b"PROXY UNKNOWN\r\n"), receiver.needed()), (0, 0));
    receiver.handle_end();
    receiver.handle_time(start + Duration::from_secs(3));
    assert_eq!((receiver.outcome(), receiver.deadline()), (Some(&outcome), None));
}
