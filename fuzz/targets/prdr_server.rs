//! With any verdicts, the replies are those of the draft: one, or 353, one for each recipient and a
//! final one, which is 2yz only if a recipient accepts the message and the server has it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::smtp::{Reply, ReplyCode, Severity};
use prdr::{DataPhase, DataStep};

fuzz_target!(|input: (Vec<bool>, bool, Vec<(u16, bool)>, u8)| {
    let (recipients, requested, verdicts, stop) = input;
    // 250 or 251 of each RCPT (draft-hall-prdr-00 section 4.5.2).
    let codes: Vec<_> = recipients.iter().map(|&other| code(250 + u16::from(other))).collect();
    let count = codes.len();
    let Ok(mut phase) = DataPhase::new(codes.clone(), requested) else {
        return assert_eq!(count, 0);
    };
    let mut verdicts = verdicts.into_iter();
    let (mut sent, mut given, mut message) = (Vec::new(), Vec::new(), None);
    for turn in 0.. {
        if turn == usize::from(stop) {
            phase.handle_shutdown();
        }
        match phase.poll() {
            DataStep::Send(reply) => sent.push(reply),
            DataStep::Recipient(at) => {
                assert_eq!(at, given.len());
                let verdict = verdict(verdicts.next());
                given.push(verdict.code().severity());
                phase.handle_verdict(verdict);
            }
            DataStep::Message => {
                let verdict = verdict(verdicts.next());
                message = Some(verdict.code().severity());
                phase.handle_verdict(verdict);
            }
            DataStep::Done => break,
        }
    }
    phase.handle_verdict(Reply::new(ReplyCode::OK, "too late"));
    assert_eq!(phase.poll(), DataStep::Done);

    let block = requested && count > 1;
    assert_eq!(sent.len(), if block { count + 2 } else { 1 });
    let last = sent.pop().expect("there is a last reply");
    if block {
        assert_eq!((sent[0].code().get(), sent[0].enhanced()), (353, None));
        for ((reply, before), given) in sent[1..].iter().zip(&codes).zip(&given) {
            check(reply, &[250, 251, 450, 451, 452, 550, 551, 552, 553, 554]);
            assert_eq!(reply.code().severity(), class(*given));
            assert!(reply.code() != ReplyCode::OK || *before == ReplyCode::OK);
        }
    }
    check(&last, &[250, 421, 450, 451, 452, 550, 552, 554]);
    let taken = given.contains(&Severity::Completed) || (count > 1 && !requested);
    // Nobody may deliver what was not taken.
    let is_taken = last.code().severity() == Severity::Completed;
    assert_eq!(is_taken, phase.accepted().next().is_some());
    if last.code().severity() == Severity::Completed {
        assert!(taken && message == Some(Severity::Completed));
    } else if let Some(message) = message {
        assert_eq!(last.code().severity(), class(message));
    }
    // Draft section 4.5.3: who may try again is not told never to.
    if given.len() == count && !taken && given.iter().any(|&g| class(g) == Severity::Transient) {
        assert_eq!(last.code().severity(), Severity::Transient);
    }
});

fn check(reply: &Reply, codes: &[u16]) {
    assert!(codes.contains(&reply.code().get()), "{reply}");
    let class = reply.enhanced().expect("a reply with an enhanced code").class();
    assert_eq!(u16::from(class), reply.code().get() / 100);
}

/// What a verdict of this class is taken for.
fn class(given: Severity) -> Severity {
    if given == Severity::Intermediate { Severity::Transient } else { given }
}

fn verdict(choice: Option<(u16, bool)>) -> Reply {
    let (number, enhanced) = choice.unwrap_or((0, false));
    let reply = Reply::new(code(200 + number % 360), "as the fuzzer likes");
    let class = reply.code().get() / 100;
    match format!("{class}.7.1").parse() {
        Ok(own) if enhanced => reply.with_enhanced(own),
        _ => reply,
    }
}

fn code(number: u16) -> ReplyCode {
    ReplyCode::new(number).unwrap_or(ReplyCode::OK)
}
