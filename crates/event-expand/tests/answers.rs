//! Answers to requests other than lookups.

#[path = "support/session.rs"]
mod session;

use std::sync::atomic::{AtomicUsize, Ordering};

use event_expand::{
    AclVerdict, Action, ActionStep, Answered, Capabilities, Capability, Event, EventName,
    ExpandError, ExpandFailure, HostCall, OnFailure, Options, Template, Variables,
};
use mail_types::exim::{LookupResult, Trust, Value, Variable};
use session::{found, requests_and_result};

#[test]
fn a_list_of_rules_has_a_verdict() {
    let accept = || AclVerdict::Accept(b"m".to_vec());
    let deny = || AclVerdict::Deny(b"m".to_vec());
    for (template, verdict, expected) in [
        ("${acl{name}}", accept(), Ok("m")),
        ("${acl{name}}", deny(), Ok("m")),
        ("${if acl{{name}}{yes $value}{no $value}}", accept(), Ok("yes m")),
        ("${if acl{{name}}{yes $value}{no $value}}", deny(), Ok("no m")),
        ("a${acl{name}}", AclVerdict::Defer, Err(ExpandFailure::Forced { at: 1 })),
        ("${if acl{{name}}{}}", AclVerdict::Defer, Err(ExpandFailure::Forced { at: 5 })),
        (
            "${acl{name}}",
            AclVerdict::Failed,
            Err(ExpandError::Failed { at: 0, call: HostCall::Acl }.into()),
        ),
        // No lookup has a verdict.
        ("${lookup sqlite{x}}", accept(), Err(ExpandFailure::Deferred { at: 0 })),
    ] {
        let answers = [Answered::from(verdict)];
        let expanded = requests_and_result(template, &Options::default(), &answers).1;
        assert_eq!(expanded, expected.map(str::to_owned), "{template}");
    }
}

#[test]
fn what_the_program_answers() {
    let options = Options::default();
    let clock = Options::default();
    let mut clock = clock;
    clock.capabilities = Capabilities::NONE.with(Capability::Clock).with(Capability::Sockets);
    for (options, template, answer, expected) in [
        (&options, "${acl{name}{a}}", found("message"), "message"),
        (&options, "${acl{name}}", LookupResult::Nothing, ""),
        (&options, "${if acl{{name}{a}}{<$value>}{no}}", found("m"), "<m>"),
        (&options, "${if acl{{name}}{yes}{no}}", LookupResult::Nothing, "no"),
        (&options, "${certextract{subject}{$tls_out_peercert}{<$value>}}", found("CN=a"), "<CN=a>"),
        (&clock, "${prvscheck{a}{b}}", found("a@b"), "a@b"),
        (&clock, "${prvscheck{a}{b}{<$value>}}", found("a@b"), "<a@b>"),
        (&clock, "${prvscheck{a}{b}{}}", found("a@b"), "a@b"),
        (&clock, "${prvscheck{a}{b}}", LookupResult::Nothing, ""),
        (&clock, "${readsocket{a}{b}{}{}{failed}}", LookupResult::Nothing, "failed"),
    ] {
        assert_eq!(
            requests_and_result(template, options, &[answer]).1,
            Ok(expected.to_owned()),
            "{template}"
        );
    }
    let failed = requests_and_result("${readsocket{a}{b}}", &clock, &[LookupResult::Nothing]).1;
    assert_eq!(failed, Err(ExpandError::Failed { at: 0, call: HostCall::ReadSocket }.into()));
}

/// A program with a variable that each answer changes.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Variables for Counter {
    fn variable(&self, _: &str) -> Variable<'_> {
        let count = self.0.load(Ordering::Relaxed).to_string();
        Value::new(count.into_bytes(), Trust::Trusted).into()
    }

    fn handle_answers(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }
}

#[test]
fn a_variable_has_its_value_at_the_place_of_the_text() {
    let template: Template = "$n${acl{a}}$n${lookup sqlite{x}}$n".parse().unwrap();
    let expanded =
        template.expand_with(&Counter::default(), &Options::default(), |_| found("x")).unwrap();
    assert_eq!(expanded.as_bytes(), b"0x1x2");
}

/// An action, too, begins anew after each answer.
#[test]
fn the_variables_of_an_action_have_their_values_at_the_place_of_the_text() {
    let template: Template = "$n${acl{a}}$n${acl{b}}$n".parse().unwrap();
    let (event, counter) = (Event::new(EventName::TcpClose), Counter::default());
    let options = Options::default();
    let mut action = Action::new(&template, &event, &counter, &options, OnFailure::Proceed);
    let outcome = loop {
        match action.poll() {
            ActionStep::Request(_) => action.handle_found(AclVerdict::Accept(b"x".to_vec())),
            ActionStep::Done(outcome) => break outcome,
        }
    };
    assert_eq!(outcome.text.as_bytes(), b"0x1x2");
}
