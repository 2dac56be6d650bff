//! Random numbers, for `${randint:LIMIT}`.

use mail_types::exim::Value;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Answers `randint`: with a number below its argument, or with 0 for a limit of 0; `None` if the system has no
/// source of random numbers.
#[must_use]
pub fn answer(arguments: &[Value<'_>]) -> Option<Vec<u8>> {
    let limit = arguments.first().and_then(|limit| str::from_utf8(limit.as_bytes()).ok());
    let limit = limit.and_then(|limit| limit.parse().ok()).unwrap_or_default();
    Some(below(limit)?.to_string().into_bytes())
}

/// Draws until a number is in a range whose size is a multiple of the limit, so that each has the same chance.
fn below(limit: u64) -> Option<u64> {
    if limit <= 1 {
        return Some(0);
    }
    let most = u64::MAX - u64::MAX % limit;
    loop {
        let mut octets = [0; 8];
        SystemRandom::new().fill(&mut octets).ok()?;
        let drawn = u64::from_ne_bytes(octets);
        if drawn < most {
            return Some(drawn % limit);
        }
    }
}
