//! Limits, each reached and not reached, and zones that are made to cost work.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::fmt::Write as _;
use std::time::Duration;

use mail_types::dns::{Answer, DnsFailure, InquiryStep, Question, RecordType, Zone};
use spf_result::{Check, Limits, Options, Problem, SpfOutcome, SpfResult};

#[path = "support/cached.rs"]
mod cached;
#[path = "support/sender.rs"]
mod sender;

use cached::{outcome_of, zone};

const CLIENT: [u8; 4] = [192, 0, 2, 1];

fn check() -> Check<'static> {
    sender::sender(CLIENT, "h.example", "ann@a.example")
}

fn limited(zone: &Zone, set: impl FnOnce(&mut Options)) -> SpfOutcome {
    let mut options = Options::default();
    set(&mut options);
    outcome_of(&check().with_options(options), zone)
}

fn problem(outcome: &SpfOutcome) -> Option<&Problem> {
    outcome.cause().problem()
}

#[test]
fn lookups() {
    // RFC 7208 section 4.6.4: ten terms.
    let zone =
        zone(&format!("a.example TXT \"v=spf1{} +all\"\na.example A 1.1.1.1", " a".repeat(10)));
    let outcome = outcome_of(&check(), &zone);
    assert_eq!((outcome.result(), outcome.lookups(), outcome.terms()), (SpfResult::Pass, 10, 11));
    let outcome = limited(&zone, |options| options.limits.lookups = 9);
    assert_eq!((outcome.result(), outcome.lookups()), (SpfResult::PermError, 10));
    assert_eq!(problem(&outcome), Some(&Problem::TooManyLookups));
}

/// RFC 7208 section 4.6.4 counts terms that cause queries, and by section 6.1 a redirect is used only
/// if no mechanism matches.
#[test]
fn a_redirect_that_is_not_followed_does_not_count() {
    let zone = |end: &str| {
        let text = format!("v=spf1{} {end} redirect=b.example", " a".repeat(10));
        zone(&format!(
            "a.example TXT \"{text}\"\na.example A 1.1.1.1\nb.example TXT \"v=spf1 +all\""
        ))
    };
    let outcome = outcome_of(&check(), &zone("?all"));
    assert_eq!((outcome.result(), outcome.lookups()), (SpfResult::Neutral, 10));
    let outcome = outcome_of(&check(), &zone(""));
    assert_eq!((outcome.result(), outcome.lookups()), (SpfResult::PermError, 11));
}

#[test]
fn lookups_count_the_name_of_the_client() {
    let zone = zone("a.example TXT \"v=spf1 exists:%{p}.a.example +all\"");
    let outcome = limited(&zone, |options| options.limits.void_lookups = 9);
    assert_eq!((outcome.result(), outcome.lookups()), (SpfResult::Pass, 2));
}

#[test]
fn void_lookups() {
    let zone = zone("a.example TXT \"v=spf1 a:x.example mx:y.example +all\"");
    let outcome = outcome_of(&check(), &zone);
    assert_eq!((outcome.result(), outcome.void_lookups()), (SpfResult::Pass, 2));
    let outcome = limited(&zone, |options| options.limits.void_lookups = 1);
    assert_eq!((outcome.result(), outcome.void_lookups()), (SpfResult::PermError, 2));
    assert_eq!(problem(&outcome), Some(&Problem::TooManyVoidLookups));
}

#[test]
fn hosts_can_be_left_out_of_the_void_count() {
    let zone = zone(
        "a.example TXT \"v=spf1 mx ptr:a.example +all\"\n\
        a.example MX 1 x.example\na.example MX 2 y.example\na.example MX 3 z.example\n\
        1.2.0.192.in-addr.arpa PTR x.example",
    );
    assert_eq!(problem(&outcome_of(&check(), &zone)), Some(&Problem::TooManyVoidLookups));
    let outcome = limited(&zone, |options| options.hosts_are_not_void = true);
    assert_eq!((outcome.result(), outcome.void_lookups()), (SpfResult::Pass, 0));
}

#[test]
fn mx_hosts() {
    let mut text = "a.example TXT \"v=spf1 mx -all\"\n".to_owned();
    for host in 0..10 {
        let _ = writeln!(text, "a.example MX {host} m{host}.example\nm{host}.example A 192.0.2.1");
    }
    assert_eq!(outcome_of(&check(), &zone(&text)).result(), SpfResult::Pass);
    let outcome = limited(&zone(&text), |options| options.limits.mx_hosts = 9);
    assert_eq!(problem(&outcome), Some(&Problem::TooManyMxHosts));
}

#[test]
fn ptr_names() {
    let mut text =
        "a.example TXT \"v=spf1 ptr:ok.example -all\"\nok.example A 192.0.2.1\n".to_owned();
    for name in 0..9 {
        let _ =
            writeln!(text, "1.2.0.192.in-addr.arpa PTR n{name}.example\nn{name}.example A 1.1.1.1");
    }
    text += "1.2.0.192.in-addr.arpa PTR ok.example\n";
    assert_eq!(outcome_of(&check(), &zone(&text)).result(), SpfResult::Pass);
    // More are left out, and are no error (RFC 7208 section 4.6.4).
    let outcome = limited(&zone(&text), |options| options.limits.ptr_names = 9);
    assert_eq!((outcome.result(), problem(&outcome)), (SpfResult::Fail, None));
}

#[test]
fn questions() {
    let zone = zone("a.example TXT \"v=spf1 a -all\"\na.example A 192.0.2.1");
    let cold = |questions: usize| {
        let mut options = Options::default();
        options.limits.questions = questions;
        let check = check().with_options(options);
        let mut session = check.session();
        loop {
            match session.poll() {
                InquiryStep::Ask(question) => {
                    session.handle_answer(&question, zone.answer(&question));
                }
                InquiryStep::Wait => panic!("all is answered"),
                InquiryStep::Done(outcome) => return outcome,
            }
        }
    };
    assert_eq!(cold(2).result(), SpfResult::Pass);
    let dns = Problem::Dns { kind: RecordType::A, failure: DnsFailure::OverLimit };
    assert_eq!(problem(&cold(1)), Some(&dns));
}

#[test]
fn time() {
    assert_eq!(Limits::default().time, Duration::from_secs(20), "RFC 7208 section 4.6.4");
    // Answers that never come: the driver ends it when the time is over.
    let check = check();
    let mut session = check.session();
    assert!(matches!(session.poll(), InquiryStep::Ask(_)));
    assert!(matches!(session.poll(), InquiryStep::Wait));
    session.handle_timeout();
    let InquiryStep::Done(outcome) = session.poll() else { panic!("it must end") };
    assert_eq!(outcome.result(), SpfResult::TempError);
    let dns = Problem::Dns { kind: RecordType::Txt, failure: DnsFailure::Timeout };
    assert_eq!(problem(&outcome), Some(&dns));
}

#[test]
fn loops_end_at_the_limit_of_lookups() {
    for text in ["include:a.example", "redirect=a.example", "include:%{d}"] {
        let zone = zone(&format!("a.example TXT \"v=spf1 {text}\""));
        for most in [10, 255] {
            let outcome = limited(&zone, |options| options.limits.lookups = most);
            assert_eq!(problem(&outcome), Some(&Problem::TooManyLookups), "{text}");
            assert_eq!(outcome.lookups(), u16::from(most) + 1);
            assert!(outcome.terms() <= u32::from(most) + 1);
        }
    }
}

#[test]
fn a_record_as_long_as_can_be_is_read_once_for_each_time_it_is_named() {
    let long = format!("v=spf1{} ?all", " ip6:::".repeat(9350));
    assert!(long.len() > 65_400);
    let text = format!(
        "a.example TXT \"v=spf1{} -all\"\nb.example TXT \"{long}\"",
        " include:b.example".repeat(10)
    );
    let zone = zone(&text);
    let outcome = outcome_of(&check(), &zone);
    assert_eq!(outcome.result(), SpfResult::Fail);
    assert_eq!(outcome.terms(), 10 * 9351 + 11);
}

#[test]
fn ten_thousand_terms_that_ask_end_at_the_limit() {
    let zone =
        zone(&format!("a.example TXT \"v=spf1{}\"\na.example A 1.1.1.1", " a".repeat(10_000)));
    let outcome = outcome_of(&check(), &zone);
    assert_eq!((outcome.lookups(), outcome.terms()), (11, 11));
    assert_eq!(problem(&outcome), Some(&Problem::TooManyLookups));
}

#[test]
fn a_tree_of_includes_asks_no_more_than_its_limit() {
    // Each record includes two others: a tree of 2^12 leaves.
    let mut text = "a.example TXT \"v=spf1 include:0.0.t.example -all\"\n".to_owned();
    for depth in 0..6 {
        for at in 0..1 << depth {
            let (left, right, next) = (2 * at, 2 * at + 1, depth + 1);
            let _ = writeln!(
                text,
                "{at}.{depth}.t.example TXT \"v=spf1 include:{left}.{next}.t.example \
                include:{right}.{next}.t.example\""
            );
        }
    }
    text += "*.t.example TXT \"v=spf1 ?all\"\n";
    let zone = zone(&text);
    let check = check();
    let mut session = check.session();
    let mut asked = 0;
    let outcome = loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                asked += 1;
                session.handle_answer(&question, zone.answer(&question));
            }
            InquiryStep::Wait => panic!("all is answered"),
            InquiryStep::Done(outcome) => break outcome,
        }
    };
    assert_eq!((problem(&outcome), asked), (Some(&Problem::TooManyLookups), 11));
}

#[test]
fn many_addresses_are_looked_through_once() {
    let mut zone = zone("a.example TXT \"v=spf1 a -all\"");
    for host in 0..5000 {
        let address = format!("10.0.{}.{}", host / 250, host % 250);
        zone.add(
            "a.example".parse().unwrap(),
            RecordType::A,
            &address,
            mail_types::dns::DnssecStatus::Insecure,
        )
        .unwrap();
    }
    let outcome = outcome_of(&check(), &zone);
    assert_eq!((outcome.result(), outcome.lookups()), (SpfResult::Fail, 1));
    // A failure in between is not an absence.
    let question = Question::new("a.example".parse().unwrap(), RecordType::A);
    zone.set(question, Answer::Failed(DnsFailure::ServFail));
    assert_eq!(outcome_of(&check(), &zone).result(), SpfResult::TempError);
}
