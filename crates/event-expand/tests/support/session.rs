//! A program with some variables, and its answers.

use std::collections::BTreeMap;

use event_expand::{
    Answered, Ask, ExpandFailure, Expansion, HeaderForm, ListKind, Options, ProgramState, Progress,
    Template, Variables,
};
use mail_types::exim::{LookupResult, Trust, Value, Variable};

/// Variables of a peer, and one of the program's.
pub(crate) struct Session(BTreeMap<&'static str, &'static [u8]>);

impl Variables for Session {
    fn variable(&self, name: &str) -> Variable<'_> {
        match (self.0.get(name), name) {
            (Some(value), _) => Value::new(*value, Trust::Untrusted).into(),
            (None, "primary_hostname") => Value::trusted("mx.example").into(),
            (None, _) => Variable::Unknown,
        }
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        match (name, form) {
            ("subject", HeaderForm::Decoded) => Value::new(&b"hello"[..], Trust::Untrusted).into(),
            ("subject", HeaderForm::Raw) => Value::new(&b" hello\n"[..], Trust::Untrusted).into(),
            _ => Variable::Unset,
        }
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        (name == "cert").then_some(b"abc")
    }

    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        match (kind, name) {
            (ListKind::Domain, "local") => Value::trusted("a.example : +more").into(),
            (ListKind::Domain, "more") => Value::trusted("<; *.b.example").into(),
            (ListKind::Domain, "outside") => {
                Value::new(&b"<|a.example|x"[..], Trust::Untrusted).into()
            }
            (ListKind::Domain, "found") => Value::new(&b"x : b.*"[..], Trust::Untrusted).into(),
            (ListKind::Domain, "round") => Value::trusted("+round").into(),
            _ => Variable::Unknown,
        }
    }

    fn is_in(&self, state: ProgramState) -> bool {
        state == ProgramState::FirstDelivery
    }
}

pub(crate) fn session() -> Session {
    Session(BTreeMap::from([
        ("x", &b"o'hara"[..]),
        ("text", b"$primary_hostname"),
        ("list", b"<; a;b"),
        ("bytes", b"a\xc3\xa9\xffb"),
        ("cert", b"<cert>"),
    ]))
}

/// Expands with these answers; returns the requests, too.
pub(crate) fn requests_and_result(
    text: &str,
    options: &Options,
    answers: &[impl Into<Answered> + Clone],
) -> (Vec<Ask>, Result<String, ExpandFailure>) {
    let template = Template::parse(text.as_bytes());
    let template = template.unwrap_or_else(|error| unreachable!("{text}: {error}"));
    let session = session();
    let mut expansion = Expansion::new(&template, &session, options);
    let (mut asked, mut answers) = (Vec::new(), answers.iter());
    loop {
        match expansion.poll() {
            Progress::Request(request) => {
                let again = expansion.poll();
                assert_eq!(again, Progress::Request(request.clone()), "it says the same again");
                asked.push(request.ask);
                let Some(answer) = answers.next() else { unreachable!("{text}: {asked:?}") };
                expansion.handle_found(answer.clone());
                expansion.handle_found(LookupResult::Deferred); // One too many changes nothing.
            }
            Progress::Done(value) => {
                return (asked, Ok(value.as_bytes().escape_ascii().to_string()));
            }
            Progress::Stopped(stop) => return (asked, Err(stop)),
        }
    }
}

pub(crate) fn found(text: &str) -> LookupResult {
    LookupResult::Value(text.as_bytes().to_vec())
}
