//! Expansions that go on after an answer: the same outcome as one that begins with all answers.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use event_expand::{Journal, Options, Progress, Template, Variables};
use mail_types::exim::{LookupResult, Trust, Value, Variable};

/// Counts the questions for a variable.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Variables for Counting {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "domain" => {
                self.0.fetch_add(1, Ordering::Relaxed);
                Value::new(&b"a.example"[..], Trust::Untrusted).into()
            }
            _ => Variable::Unknown,
        }
    }
}

/// Expands a text, with `1`, `2` and so on for the lookups; returns the outcome and the questions for the variable.
fn expanded(text: &str) -> (String, usize) {
    let (template, counting) = (text.parse::<Template>().unwrap(), Counting::default());
    let (options, mut journal) = (Options::default(), Journal::default());
    let mut questions = 0;
    let outcome = loop {
        match template.resume(&counting, &options, &mut journal) {
            Progress::Done(value) => break String::from_utf8_lossy(value.as_bytes()).into_owned(),
            Progress::Stopped(stop) => break stop.to_string(),
            Progress::Request(_) => {
                questions += 1;
                journal.handle_found(LookupResult::Value(questions.to_string().into_bytes()));
            }
        }
    };
    let asked = counting.0.load(Ordering::Relaxed);
    // All queries are written here.
    let mut replayed = Journal::from(journal.found().to_vec());
    let whole = match template.resume(&counting, &options, &mut replayed) {
        Progress::Done(value) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        Progress::Stopped(stop) => stop.to_string(),
        Progress::Request(request) => format!("{request:?}"),
    };
    assert_eq!(outcome, whole, "{text}");
    (outcome, asked)
}

#[test]
fn an_answered_query_is_not_written_again() {
    let lookup = "${lookup sqlite{SELECT '${quote_sqlite:$domain}'}{$value}{no}}";
    assert_eq!(expanded(lookup), ("1".to_owned(), 1));
    let two = format!("{lookup} and {lookup}");
    assert_eq!(expanded(&two), ("1 and 2".to_owned(), 2));
}

#[test]
fn a_lookup_within_a_query_is_not_taken_for_the_outer_one() {
    let text =
        "${lookup sqlite{SELECT '${quote_sqlite:${lookup sqlite{SELECT 1}{$value}}}'}{got $value}}";
    assert_eq!(expanded(text).0, "got 2");
    let deeper = "${lookup sqlite{SELECT '${quote_sqlite:${if eq{${lookup sqlite{SELECT 1}}}{1}\
        {${lookup sqlite{SELECT 2}}}{no}}}'}{got $value}}";
    assert_eq!(expanded(deeper).0, "got 3");
    let mapped = "${map{a:b:c}{${lookup sqlite{SELECT '${quote_sqlite:$item}'}{$item=$value}}}}";
    assert_eq!(expanded(mapped).0, "a=1:b=2:c=3");
}

#[test]
fn a_query_that_numbers_variables_is_written_again() {
    let text = "${lookup sqlite{SELECT '${filter{abc}{match{$item}{^a(.)}}}'}{$value$1}} $1";
    assert_eq!(expanded(text).0, "1b b");
    // Numbered variables from before the query too, however many matches it makes of its own.
    for items in 1..12 {
        let list = ["b"; 12][..items].join(":");
        let filter = format!("${{filter{{{list}:z}}{{match{{$item}}{{(.)}}}}}}");
        let lookup = format!("${{lookup sqlite{{SELECT '{filter}'}}{{$value,$1}}}}");
        let text = format!("${{if match{{x}}{{(x)}}{{{lookup}}}}}");
        assert_eq!(expanded(&text).0, "1,z", "{text}");
    }
}

#[test]
fn the_steps_of_an_answered_query_count() {
    let text = "${lookup sqlite{SELECT '${map{a:b:c:d:e:f}{$item}}'}}".repeat(6);
    let template = text.parse::<Template>().unwrap();
    let mut options = Options::default();
    options.limits = options.limits.with_steps(100);
    let mut journal = Journal::default();
    let stop = loop {
        match template.resume(&Counting::default(), &options, &mut journal) {
            Progress::Request(_) => journal.handle_found(LookupResult::Value(b"1".to_vec())),
            Progress::Done(value) => panic!("{value}"),
            Progress::Stopped(stop) => break stop,
        }
    };
    assert!(stop.to_string().contains("more than 100 steps"), "{stop}");
}
