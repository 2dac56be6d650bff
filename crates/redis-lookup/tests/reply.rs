//! Replies of both versions of the protocol, and their limits.

use mail_types::exim::LookupResult;
use redis_lookup::{DeferReason, Limits, LookupOutcome, Meaning, Mode, Refusal, Reply};

fn text(text: &str) -> Reply {
    Reply::Text(text.into())
}

fn plain(reply: Reply) -> LookupOutcome {
    reply.outcome(Mode::Plain, &Limits::default())
}

fn found(text: &str) -> LookupOutcome {
    LookupOutcome::Found(text.into())
}

#[test]
fn types_of_version_3_are_as_those_of_version_2() {
    let pairs = vec![(text("a"), Reply::Integer(1)), (text("b"), Reply::Nil)];
    for (reply, outcome) in [
        (Reply::Double(2.5), found("2.5")),
        (Reply::Double(3.0), found("3")),
        (Reply::Double(f64::INFINITY), found("inf")),
        (Reply::Double(f64::NEG_INFINITY), found("-inf")),
        (Reply::Double(f64::NAN), found("nan")),
        (Reply::Boolean(true), found("1")),
        (Reply::Boolean(false), found("0")),
        (Reply::Map(pairs), found("a\n1\nb\n")),
        (Reply::Map(Vec::new()), LookupOutcome::NotFound),
        (Reply::Other, LookupOutcome::Deferred(DeferReason::NoAnswer)),
        (Reply::List(vec![Reply::Other]), LookupOutcome::Deferred(DeferReason::NoAnswer)),
    ] {
        assert_eq!(plain(reply.clone()), outcome, "{reply:?}");
    }
    // The original knows none of them.
    for reply in [Reply::Double(2.5), Reply::Boolean(true), Reply::Map(Vec::new()), Reply::Other] {
        assert_eq!(reply.outcome(Mode::Exim, &Limits::default()), LookupOutcome::NotFound);
    }
}

#[test]
fn the_place_of_each_element_is_known() {
    let nested = Reply::List(vec![text("0"), Reply::List(vec![text("a"), Reply::Nil]), text("z")]);
    assert_eq!(plain(nested), found("0\na\n\nz"));
    let list = |elements: &[Reply]| plain(Reply::List(elements.to_vec()));
    assert_eq!(list(&[Reply::Nil, Reply::Nil]), LookupOutcome::NotFound);
    assert_eq!(list(&[text(""), Reply::Nil]), found("\n"));
    assert_eq!(list(&[text("")]), found(""));
    let line_break = LookupOutcome::Deferred(DeferReason::LineBreak { element: 2 });
    assert_eq!(list(&[text("a"), text("b\nc")]), line_break);
    let refusal = Refusal::new(b"WRONGTYPE x");
    let refused = LookupOutcome::Deferred(DeferReason::Refused(refusal.clone()));
    assert_eq!(list(&[text("a"), Reply::Error(refusal)]), refused);
}

#[test]
fn a_reply_has_limits() {
    let limits = Limits::default().with_reply(3).with_elements(2).with_depth(2);
    let outcome = |reply: Reply| reply.outcome(Mode::Plain, &limits);
    let deferred = LookupOutcome::Deferred;
    assert_eq!(outcome(text("abc")), found("abc"));
    assert_eq!(outcome(text("abcd")), deferred(DeferReason::TooLong { limit: 3 }));
    assert_eq!(outcome(Reply::List(vec![text("a"), text("b")])), found("a\nb"));
    let long = Reply::List(vec![text("aa"), text("b")]);
    assert_eq!(outcome(long), deferred(DeferReason::TooLong { limit: 3 }));
    let many = || Reply::List(vec![Reply::Nil, Reply::Nil, Reply::Nil]);
    assert_eq!(outcome(many()), deferred(DeferReason::TooManyElements { limit: 2 }));
    let many = many().outcome(Mode::Exim, &limits);
    assert_eq!(many, deferred(DeferReason::TooManyElements { limit: 2 }));
    let nested = |count| Reply::List(vec![Reply::List(vec![Reply::Integer(1); count])]);
    assert_eq!(nested(2).outcome(Mode::Exim, &limits), found("1\n1"));
    let nested = nested(3).outcome(Mode::Exim, &limits);
    assert_eq!(nested, deferred(DeferReason::TooManyElements { limit: 2 }));
    let deep = |depth: usize| (0..depth).fold(text("a"), |reply, _| Reply::List(vec![reply]));
    assert_eq!(outcome(deep(2)), found("a"));
    assert_eq!(outcome(deep(3)), deferred(DeferReason::TooDeep { limit: 2 }));
    let long = text("abcd").outcome(Mode::Exim, &limits);
    assert_eq!(long, deferred(DeferReason::TooLong { limit: 3 }));
}

#[test]
fn an_error_says_what_it_proves() {
    let meaning = |text: &str| Refusal::new(text.as_bytes()).meaning();
    let Meaning::Moved(to) = meaning("MOVED 3999 127.0.0.1:6381") else { unreachable!() };
    assert_eq!((to.slot, to.address.to_string().as_str()), (3999, "127.0.0.1:6381"));
    let Meaning::Ask(to) = meaning("ASK 3999 2001:db8::1:6381") else { unreachable!() };
    assert_eq!(to.address.to_string(), "[2001:db8::1]:6381");
    assert_eq!(meaning("READONLY You can't write against a replica."), Meaning::NotMaster);
    for text in ["LOADING x", "MASTERDOWN x", "CLUSTERDOWN x", "TRYAGAIN x", "BUSY x"] {
        assert_eq!(meaning(text), Meaning::NotNow, "{text}");
    }
    for text in [
        "ERR x",
        "NOPERM x",
        "WRONGTYPE x",
        "NOAUTH x",
        "CROSSSLOT x",
        "MOVED",
        "MOVED 1",
        "MOVED 16384 a:1",
        "MOVED 1 a:0",
        "MOVED 1 a",
        "moved 1 a:1",
        "",
    ] {
        assert_eq!(meaning(text), Meaning::Final, "{text}");
    }
    let long = Refusal::new(&[b"ERR ", &b"x\r\n\x1b".repeat(100)[..]].concat());
    let shown = long.to_string();
    assert!(shown.len() < 800 && !shown.contains(['\r', '\n', '\x1b']), "{shown}");
}

#[test]
fn an_outcome_is_what_an_expansion_takes() {
    assert_eq!(LookupResult::from(found("a")), LookupResult::Value(b"a".to_vec()));
    assert_eq!(LookupResult::from(LookupOutcome::NotFound), LookupResult::Nothing);
    assert_eq!(
        LookupResult::from(LookupOutcome::Deferred(DeferReason::NoServer)),
        LookupResult::Deferred
    );
    assert_eq!(found("a\r\n").to_string(), "found: a\\r\\n");
}

#[test]
fn a_redirection_names_a_host() {
    for (text, followed) in [
        ("MOVED 1 a-b_c.example:6379", true),
        ("MOVED 1 [2001:db8::1]:6379", true),
        ("MOVED 1 2001:db8::1:6379", true),
        ("MOVED 1 :6379", true),
        ("MOVED 1 a\u{1b}[2J:6379", false),
        ("ASK 1 a\tb:6379", false),
        ("ASK 1 ?:6379", false),
        ("MOVED 1 a/b:6379", false),
    ] {
        let meaning = Refusal::new(text.as_bytes()).meaning();
        assert_eq!(matches!(meaning, Meaning::Moved(_) | Meaning::Ask(_)), followed, "{text:?}");
    }
}
