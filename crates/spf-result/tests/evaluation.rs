//! The lookups, the explanation and the trace of an evaluation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::sync::Arc;

use mail_types::dns::InquiryStep;
use spf_result::{Explanation, Options, Record, SpfResult};

#[path = "support/cached.rs"]
mod cached;
#[path = "support/sender.rs"]
mod sender;

use cached::{outcome_of, zone};

/// RFC 7208 section 6.2: nothing else is explained, and a guess is nobody's explanation.
#[test]
fn only_a_fail_is_explained() {
    let zone = zone(
        "e.example TXT \"because\"\nfail.example TXT \"v=spf1 -all exp=e.example\"\n\
         pass.example TXT \"v=spf1 +all exp=e.example\"\n\
         soft.example TXT \"v=spf1 ~all exp=e.example\"\nother.example A 192.0.2.7",
    );
    let mut options = Options::default();
    let guess: Record = "v=spf1 -all exp=e.example".parse().unwrap();
    options.guess = Some(Arc::new(guess));
    for (sender, result, explanation) in [
        ("a@fail.example", SpfResult::Fail, Explanation::Text("because".into())),
        ("a@pass.example", SpfResult::Pass, Explanation::Absent),
        ("a@soft.example", SpfResult::SoftFail, Explanation::Absent),
        ("a@other.example", SpfResult::Fail, Explanation::Absent),
    ] {
        let check = sender::sender([192, 0, 2, 1], "h.example", sender);
        let outcome = outcome_of(&check.with_options(options.clone()), &zone);
        assert_eq!((outcome.result(), outcome.explanation()), (result, &explanation), "{sender}");
    }
}

/// RFC 7208 section 4.8: such a name is not looked up. A mechanism does not match, but an `include` without a domain is
/// an error, as one whose domain has no record (section 5.2).
#[test]
fn a_name_that_is_invalid_is_not_included() {
    for (mechanism, result) in [
        ("include", SpfResult::PermError),
        ("exists", SpfResult::Fail),
        ("a", SpfResult::Fail),
        ("mx", SpfResult::Fail),
        ("ptr", SpfResult::Fail),
    ] {
        let zone = zone(&format!("a.example TXT \"v=spf1 {mechanism}:%{{l}}.example -all\""));
        let check = sender::sender([192, 0, 2, 1], "h.example", "\"a..b\"@a.example");
        assert_eq!(outcome_of(&check, &zone).result(), result, "{mechanism}");
    }
}

#[test]
fn a_trace_has_each_term_that_was_tried() {
    let zone =
        zone("a.example TXT \"v=spf1 ip4:198.51.100.1 ip6:2001:db8::1 ip4:192.0.2.0/24 -all\"");
    let check = sender::sender([192, 0, 2, 1], "h.example", "x@a.example");
    let mut session = check.session().traced();
    let outcome = loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                session.handle_answer(&question, zone.answer(&question));
            }
            InquiryStep::Done(outcome) => break outcome,
            InquiryStep::Wait => panic!("a question is left"),
        }
    };
    assert_eq!(outcome.result(), SpfResult::Pass);
    let trace: Vec<_> = session.trace().iter().map(ToString::to_string).collect();
    for line in
        ["ip4:198.51.100.1: no match", "ip6:2001:db8::1: no match", "ip4:192.0.2.0/24: match"]
    {
        assert!(trace.iter().any(|noted| noted.contains(line)), "{line}: {trace:#?}");
    }
}
