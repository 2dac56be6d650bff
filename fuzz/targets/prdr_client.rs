//! With any replies of a server, no recipient counts as delivered before a positive final reply; known
//! outcomes do not change; and wherever the connection ends, no message is lost.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mail_types::smtp::{Reply, ReplyCode, Severity};
use prdr::{Client, LEAST_PATIENCE, RecipientOutcome};

fuzz_target!(|input: (u8, Vec<(u16, u8)>, u8)| {
    let (recipients, replies, silence) = input;
    let recipients = usize::from(recipients % 20);
    let start = Instant::now();
    let mut client = Client::new(recipients, start);
    let mut known = None;
    let mut heard = Vec::new();
    for &(number, unread) in &replies {
        let now = start + Duration::from_secs(60 * heard.len() as u64);
        if heard.len() == usize::from(silence) {
            client.handle_time(now + LEAST_PATIENCE);
        }
        let code = ReplyCode::new(200 + number % 360).unwrap_or(ReplyCode::PER_RECIPIENT);
        heard.push((code, unread));
        client.handle_reply(Reply::new(code, "as the fuzzer likes"), unread.into(), now);
        let outcomes = client.outcomes();
        assert_eq!(client.deadline().is_none(), outcomes.is_some());
        if known.is_some() {
            assert_eq!(outcomes, known, "what is known does not change");
        }
        // Cut here, nobody is delivered who was not before.
        let mut cut = client.clone();
        cut.handle_end();
        let after = cut.outcomes().expect("the end is an end");
        assert_eq!(after.len(), recipients);
        match &outcomes {
            Some(outcomes) => assert_eq!(outcomes, &after),
            None => assert!(after.iter().all(|outcome| *outcome == RecipientOutcome::InDoubt)),
        }
        known = outcomes;
    }
    if heard.len() <= usize::from(silence) {
        assert_eq!(known, expected(recipients, &heard), "{heard:?}");
    }
});

/// The draft again, said in another way: where the last reply stands, and what it makes of each.
fn expected(recipients: usize, heard: &[(ReplyCode, u8)]) -> Option<Vec<RecipientOutcome>> {
    let block = heard.first().is_some_and(|(code, _)| *code == ReplyCode::PER_RECIPIENT);
    let last = if block { recipients + 1 } else { 0 };
    let broken = |at: usize, code: ReplyCode| {
        code == ReplyCode::NOT_AVAILABLE
            || (code.severity() == Severity::Intermediate && !(block && at == 0))
    };
    let doubt = || Some(vec![RecipientOutcome::InDoubt; recipients]);
    if heard.iter().take(last + 1).enumerate().any(|(at, (code, _))| broken(at, *code)) {
        return doubt();
    }
    let (code, unread) = heard.get(last)?;
    if *unread > 0 {
        return doubt();
    }
    let own = block && code.severity() == Severity::Completed;
    let of = |at: usize| if own { heard[at + 1].0 } else { *code };
    Some((0..recipients).map(|at| outcome(of(at))).collect())
}

fn outcome(code: ReplyCode) -> RecipientOutcome {
    let reply = Reply::new(code, "as the fuzzer likes");
    match code.severity() {
        Severity::Completed => RecipientOutcome::Delivered(reply),
        Severity::Permanent => RecipientOutcome::Permanent(reply),
        _ => RecipientOutcome::Temporary(reply),
    }
}
