//! Guesses for domains without a record.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::sync::Arc;

use spf_result::{Options, Record, SpfResult};

#[path = "support/cached.rs"]
mod cached;
#[path = "support/sender.rs"]
mod sender;

use cached::{outcome_of, zone};

#[test]
fn a_guess_is_made_only_where_nothing_is_published() {
    let zone = zone(
        "a.example A 192.0.2.77\nb.example TXT \"v=spf1 ?all\"\nb.example A 192.0.2.77\n\
        bad.example TXT \"v=spf1 moo\"",
    );
    let mut options = Options::default();
    options.guess = Some(Options::default_guess());
    for (sender, wanted, guess) in [
        ("x@a.example", SpfResult::Pass, true),
        ("x@b.example", SpfResult::Neutral, false),
        ("x@bad.example", SpfResult::PermError, false),
        ("x@localhost", SpfResult::None, false),
    ] {
        let check = sender::sender([192, 0, 2, 1], "h", sender);
        let outcome = outcome_of(&check.with_options(options.clone()), &zone);
        assert_eq!((outcome.result(), outcome.is_guess()), (wanted, guess), "{sender}");
        assert!(!guess || outcome.reply().is_none());
    }
}

/// A guess is no policy of the domain, so that not even one that fails has a refusal.
#[test]
fn a_guess_refuses_nothing() {
    let zone = zone("a.example A 192.0.2.77\nb.example TXT \"v=spf1 -all\"");
    for (guess, result) in [
        ("v=spf1 -all", SpfResult::Fail),
        ("v=spf1 ~all", SpfResult::SoftFail),
        ("v=spf1 include:missing.example", SpfResult::PermError),
    ] {
        let mut options = Options::default();
        options.guess = Some(Arc::new(Record::parse(guess.as_bytes()).unwrap()));
        for (sender, is_guess) in [("x@a.example", true), ("x@b.example", false)] {
            let check = sender::sender([192, 0, 2, 1], "h", sender).with_options(options.clone());
            let outcome = outcome_of(&check, &zone);
            assert_eq!(outcome.is_guess(), is_guess);
            assert_eq!(outcome.result(), if is_guess { result } else { SpfResult::Fail });
            assert_eq!(outcome.reply().is_none(), is_guess, "{guess} {sender}");
        }
    }
}
