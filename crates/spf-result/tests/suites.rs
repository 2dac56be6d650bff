//! The suite of the SPF council (openspf, RFC 7208), and one of our own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

use std::path::PathBuf;
use std::sync::Arc;

use mail_types::dns::{InquiryStep, Session};
use serde_json::Value;
use spf_result::SpfOutcome;

#[path = "support/sender.rs"]
mod sender;
#[path = "support/suite.rs"]
mod suite;

use suite::{Case, Group};

/// The suite's word for the default explanation.
const NO_EXPLANATION: &str = "DEFAULT";

/// The outcome of a check that is driven by hand, one question after the other.
fn outcome_by_questions(group: &Group, case: &Case) -> SpfOutcome {
    let check = sender::sender(case.client, &case.helo, &case.mail_from);
    let mut session: Session<_> = check.session();
    let mut flight = Vec::new();
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => flight.push(question),
            InquiryStep::Wait => {
                let question = flight.pop().unwrap();
                session.handle_answer(&question, group.zone.answer(&question));
            }
            InquiryStep::Done(outcome) => return outcome,
        }
    }
}

/// The same with a cache that knows all.
fn run_warm(group: &Group, case: &Case) -> SpfOutcome {
    let check = sender::sender(case.client, &case.helo, &case.mail_from);
    let cache = |question: &_| Some(Arc::new(group.zone.answer(question)));
    let InquiryStep::Done(outcome) = check.session().poll_cached(&cache) else {
        panic!("all is known")
    };
    outcome
}

/// The difference of an outcome from the expectation; of several results the preferred one is expected.
fn fault(case: &Case, outcome: &SpfOutcome) -> Option<String> {
    let (result, text) = (outcome.result().as_str(), outcome.explanation().text());
    let wanted = case.explanation.as_deref();
    if result != case.results[0] {
        return Some(format!("{}: {result}, not {:?}: {outcome:?}", case.name, case.results));
    }
    let right = wanted.is_none_or(|wanted| text.unwrap_or(NO_EXPLANATION) == wanted);
    (!right).then(|| format!("{}: explains {text:?}, not {wanted:?}", case.name))
}

fn check(groups: &[Group]) -> (usize, usize) {
    let (mut faults, mut tests, mut explanations) = (Vec::new(), 0, 0);
    for group in groups {
        for case in &group.tests {
            let outcome = outcome_by_questions(group, case);
            assert_eq!(run_warm(group, case), outcome, "{}", case.name);
            faults.extend(fault(case, &outcome));
            tests += 1;
            explanations += usize::from(case.explanation.is_some());
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    (tests, explanations)
}

#[test]
fn the_suite_of_the_spf_council_holds() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/vectors/openspf.json");
    let path = std::env::var_os("EXIMIA_OPENSPF").map_or(default.into(), PathBuf::from);
    let Ok(text) = std::fs::read(&path) else {
        assert!(std::env::var_os("CI").is_none(), "no {}: run scripts/vectors", path.display());
        println!("SKIPPED: no {}: run scripts/vectors", path.display());
        return;
    };
    let groups: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let groups: Vec<_> = groups.iter().map(Group::new).collect();
    assert_eq!(check(&groups), (203, 22));
}

#[test]
fn our_own_suite_holds() {
    let group: Value = serde_json::from_str(include_str!("data/extra.json")).unwrap();
    assert_eq!(check(&[Group::new(&group)]), (30, 1));
}
