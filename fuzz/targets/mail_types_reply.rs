//! Replies: a parsed reply does not depend on the rest of the input, and is written and parsed again as
//! the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::smtp::{Reply, ReplyError};

fuzz_target!(|input: &[u8]| {
    match Reply::parse(input) {
        Ok((rest, reply)) => {
            let used = &input[..input.len() - rest.len()];
            assert_eq!(Reply::parse(used), Ok((&[][..], reply.clone())));
            let mut wire = Vec::new();
            reply.write_to(&mut wire);
            assert!(wire.split(|&c| c == b'\n').all(|line| line.len() < Reply::MAX_LINE));
            let (rest, again) = Reply::parse(&wire).unwrap();
            assert!(rest.is_empty());
            assert_eq!(again.to_string(), reply.to_string());
        }
        Err(ReplyError::Incomplete) => {
            assert!(input.len() <= Reply::MAX_LINE_READ * Reply::MAX_LINES)
        }
        Err(error) => {
            let more = [input, b"250 ok\r\n"].concat();
            assert_eq!(Reply::parse(&more), Err(error), "a final error stays");
        }
    }
});
