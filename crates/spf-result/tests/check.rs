//! Checks: identities, the results of each mechanism's edges, options, and the sessions around them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::net::IpAddr;
use std::sync::Arc;

use mail_types::dns::{Answer, InquiryStep, Question, RecordType, Texts};
use mail_types::exim::{List, Semantics, WordList};
use mail_types::results::SpfIdentity;
use mail_types::smtp::{Helo, ReversePath};
use spf_result::{Cause, Check, Options, Problem, RecordError, SenderError, SpfResult};

#[path = "support/cached.rs"]
mod cached;
#[path = "support/sender.rs"]
mod sender;

use cached::{outcome_of, zone};

fn result(text: &str, client: &str) -> SpfResult {
    let zone = zone(text);
    let client: IpAddr = client.parse().unwrap();
    outcome_of(&sender::sender(client, "h.example", "ann@a.example"), &zone).result()
}

#[test]
fn the_null_path_is_the_helo_names_postmaster() {
    // RFC 7208 section 2.4.
    let zone =
        zone("h.example TXT \"v=spf1 exists:%{l}.%{o} -all\"\npostmaster.h.example A 127.0.0.2");
    let client = IpAddr::from([192, 0, 2, 1]);
    let outcome = outcome_of(&sender::sender(client, "h.example", ""), &zone);
    assert_eq!((outcome.result(), outcome.identity()), (SpfResult::Pass, SpfIdentity::MailFrom));
    let outcome = outcome_of(&Check::helo(client, sender::helo("h.example")), &zone);
    assert_eq!((outcome.result(), outcome.identity()), (SpfResult::Pass, SpfIdentity::Helo));
}

#[test]
fn what_is_no_domain_has_no_result() {
    // RFC 7208 section 4.3.
    let zone = zone("*.example TXT \"v=spf1 -all\"");
    let long = format!("{}.example", "x".repeat(64));
    for sender in [
        "a@localhost",
        "a@[192.0.2.1]",
        "a@x..example",
        "a@.example",
        "a@",
        &long,
        "@",
        "a@b\u{fc}.example",
    ] {
        let outcome = outcome_of(&sender::sender([192, 0, 2, 1], "h", sender), &zone);
        assert_eq!(
            (outcome.result(), outcome.cause()),
            (SpfResult::None, &Cause::Malformed),
            "{sender}"
        );
    }
    for sender in ["a@x.example.", "a@b@x.example", "a@x_y.example"] {
        let outcome = outcome_of(&sender::sender([192, 0, 2, 1], "h", sender), &zone);
        assert_eq!(outcome.result(), SpfResult::Fail, "{sender}");
    }
}

#[test]
fn a_path_with_brackets_is_its_address() {
    let zone = zone("example.com TXT \"v=spf1 -all\"");
    let (client, helo) = ([192, 0, 2, 1].into(), Helo::new("h.example"));
    let outcome = outcome_of(&Check::from_text(client, &helo, "<ann@example.com>").unwrap(), &zone);
    assert_eq!(outcome.result(), SpfResult::Fail);
    assert_eq!(outcome.domain(), Some(&"example.com".parse().unwrap()));
    for (text, character, at) in [
        ("ann@example.com>", '>', 15),
        ("<ann@example.com", '<', 0),
        ("<<ann@example.com>>", '<', 1),
        ("Ann <ann@example.com>", '<', 4),
        ("ann@example.com ", ' ', 15),
        ("ann@example.com\r\n", '\r', 15),
        ("ann@example.com, bob@example.com;", ';', 32),
        ("a\0nn@example.com", '\0', 1),
        ("example.com>", '>', 11),
    ] {
        let error = Check::from_text(client, &helo, text).unwrap_err();
        assert_eq!(error, SenderError::Character { character, at }, "{text:?}");
    }
}

#[test]
fn a_reverse_path_is_checked_as_it_is_written() {
    // The local part of RFC 5321 section 4.1.2, with its quotes.
    let zone = zone(
        "a.example TXT \"v=spf1 -all exp=e.example\"\ne.example TXT \"%{s} %{l}\"\n\
        h_1.example TXT \"v=spf1 -all\"",
    );
    let client = [192, 0, 2, 1].into();
    for (path, sender, local_part) in [
        ("<ann@A.example>", "ann@a.example", "ann"),
        ("<\"ann lee\"@a.example>", "\"ann lee\"@a.example", "\"ann lee\""),
        ("<\"ann\"@a.example>", "ann@a.example", "ann"),
    ] {
        let (helo, path) = (Helo::new("h.example"), path.parse().unwrap());
        let outcome = outcome_of(&Check::mail_from(client, &helo, &path), &zone);
        let text = format!("{sender} {local_part}");
        assert_eq!(outcome.explanation().text(), Some(&*text), "{path}");
    }
    // A name with an underscore is a HELO name that can be checked, for the null path too.
    let helo = Helo::new("H_1.example");
    for check in [Check::helo(client, &helo), Check::mail_from(client, &helo, &ReversePath::Null)] {
        let outcome = outcome_of(&check, &zone);
        assert_eq!(outcome.result(), SpfResult::Fail, "{check:?}");
        let input = check.report(outcome).spf_input().unwrap();
        assert_eq!(input.domain, "h_1.example".parse().unwrap());
        assert_eq!(input.identity, check.identity());
    }
    for (helo, path) in [("[192.0.2.1]", "<>"), ("h", "<>"), ("h.example", "<a@[192.0.2.1]>")] {
        let (helo, path) = (Helo::new(helo), path.parse().unwrap());
        let check = Check::mail_from(client, &helo, &path);
        let outcome = outcome_of(&check, &zone);
        assert_eq!((outcome.result(), outcome.domain()), (SpfResult::None, None));
        assert_eq!(check.report(outcome).spf_input(), None);
    }
}

#[test]
fn networks_hold_their_family_only() {
    let rows = [
        ("ip4:192.0.2.0/24", "192.0.2.255", true),
        ("ip4:192.0.2.0/24", "192.0.3.0", false),
        ("ip4:192.0.2.1/0", "203.0.113.1", true),
        ("ip4:192.0.2.1/0", "2001:db8::1", false),
        ("ip4:192.0.2.1", "::ffff:192.0.2.1", true),
        ("ip6:::/0", "2001:db8::1", true),
        // RFC 7208 section 5: a mapped address is one of IPv4.
        ("ip6:::/0", "192.0.2.1", false),
        ("ip6:::ffff:192.0.2.1", "192.0.2.1", false),
        ("ip6:2001:db8::/33", "2001:db8:7fff::1", true),
        ("ip6:2001:db8::/33", "2001:db8:8000::1", false),
        ("ip6:2001:db8::1/128", "2001:db8::1", true),
    ];
    for (term, client, matches) in rows {
        let wanted = if matches { SpfResult::Pass } else { SpfResult::Fail };
        assert_eq!(
            result(&format!("a.example TXT \"v=spf1 {term} -all\""), client),
            wanted,
            "{term}"
        );
    }
}

#[test]
fn an_inner_pass_ends_one_level() {
    // RFC 7208 section 5.2.
    let inner = "b.example TXT \"v=spf1 include:c.example ~all\"\n\
        c.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
    for (record, wanted) in [
        ("?include:b.example -all", SpfResult::Neutral),
        ("-include:b.example +all", SpfResult::Fail),
        ("~include:b.example +all", SpfResult::SoftFail),
        ("include:b.example -all", SpfResult::Pass),
    ] {
        let text = format!("{inner}a.example TXT \"v=spf1 {record}\"");
        assert_eq!(result(&text, "192.0.2.1"), wanted, "{record}");
    }
}

#[test]
fn errors_are_found_before_anything_is_evaluated() {
    let zone = zone("a.example TXT \"v=spf1 +all moo\"");
    let outcome = outcome_of(&sender::sender([192, 0, 2, 1], "h", "a@a.example"), &zone);
    let problem = Problem::Syntax(RecordError::Mechanism { at: 12 });
    assert_eq!((outcome.terms(), outcome.cause().problem()), (0, Some(&problem)));
    assert_eq!(outcome.result(), SpfResult::PermError);
}

#[test]
fn a_term_behind_one_that_matches_is_not_evaluated() {
    // RFC 7208 section 4.6: of errors in advance there are but those of syntax. pyspf refuses the
    // record for a domain that includes itself, reached or not.
    for term in ["include:a.example", "include:%{d}", "redirect=a.example"] {
        let text = format!("a.example TXT \"v=spf1 ip4:192.0.2.1 {term}\"");
        assert_eq!(result(&text, "192.0.2.1"), SpfResult::Pass, "{term}");
        assert_eq!(result(&text, "192.0.2.2"), SpfResult::PermError, "{term}");
    }
}

#[test]
fn a_failure_of_the_dns_is_no_match_of_a_ptr() {
    // RFC 7208 section 5.5; for pyspf it is a temperror.
    let text = "a.example TXT \"v=spf1 ptr:ok.example ?all\"\n\
        1.2.0.192.in-addr.arpa PTR bad.example\n1.2.0.192.in-addr.arpa PTR ok.example\n\
        ok.example A 192.0.2.1";
    for (owner, kind, wanted) in [
        ("1.2.0.192.in-addr.arpa", RecordType::Ptr, SpfResult::Neutral),
        ("bad.example", RecordType::A, SpfResult::Pass),
        ("ok.example", RecordType::A, SpfResult::Neutral),
    ] {
        let mut zone = zone(text);
        let question = Question::new(owner.parse().unwrap(), kind);
        zone.set(question, Answer::Failed(mail_types::dns::DnsFailure::Timeout));
        let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
        assert_eq!(outcome_of(&check, &zone).result(), wanted, "{owner}");
    }
}

#[test]
fn the_hosts_of_an_mx_are_tried_until_one_matches() {
    // RFC 7208 section 5.4; pyspf counts and fails by those behind the one that matches.
    let text = "a.example TXT \"v=spf1 mx -all\"\na.example MX 1 x.example\n\
        a.example MX 2 n1.example\na.example MX 2 n2.example\na.example MX 2 n3.example\n\
        x.example A 192.0.2.1";
    assert_eq!(result(text, "192.0.2.1"), SpfResult::Pass);
    assert_eq!(result(text, "192.0.2.2"), SpfResult::PermError);
}

#[test]
fn loopback_passes_only_if_it_may() {
    let zone = zone("a.example TXT \"v=spf1 -all\"");
    let mut options = Options::default();
    options.loopback_passes = true;
    for (client, passes) in [("127.0.0.2", true), ("::1", true), ("192.0.2.1", false)] {
        let check = sender::sender(client.parse::<IpAddr>().unwrap(), "h", "a@a.example");
        assert_eq!(outcome_of(&check, &zone).result(), SpfResult::Fail);
        let result = outcome_of(&check.with_options(options.clone()), &zone).result();
        assert_eq!(result == SpfResult::Pass, passes);
    }
}

#[test]
fn replies_have_the_codes_of_rfc_7372() {
    for (record, wanted) in [
        ("v=spf1 -all", Some("550 5.7.23 SPF validation failed")),
        ("v=spf1 moo", Some("550 5.7.24 SPF validation error")),
        ("v=spf1 +all", None),
        ("v=spf1 ~all", None),
        // Neutral is treated like none.
        ("v=spf1 ?all", None),
        ("no record of SPF", None),
    ] {
        let zone = zone(&format!("a.example TXT \"{record}\""));
        let outcome = outcome_of(&sender::sender([192, 0, 2, 1], "h", "a@a.example"), &zone);
        assert_eq!(outcome.reply().map(|reply| reply.to_string()).as_deref(), wanted);
    }
    let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
    let mut session = check.session();
    session.handle_timeout();
    let InquiryStep::Done(outcome) = session.poll() else { panic!("it must end") };
    let reply = outcome.reply().map(|reply| reply.to_string());
    assert_eq!(reply.as_deref(), Some("451 4.7.24 SPF validation error"));
}

#[test]
fn the_hosts_of_an_mx_are_asked_for_together() {
    let zone = zone(
        "a.example TXT \"v=spf1 mx -all\"\na.example MX 1 x.example\na.example MX 2 y.example",
    );
    let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
    let mut session = check.session();
    let mut flights = Vec::new();
    loop {
        let mut flight = Vec::new();
        while let InquiryStep::Ask(question) = session.poll() {
            flight.push(question);
        }
        if flight.is_empty() {
            break;
        }
        flights.push(flight.iter().map(ToString::to_string).collect::<Vec<_>>());
        for question in flight {
            session.handle_answer(&question, zone.answer(&question));
        }
    }
    assert_eq!(
        flights,
        [vec!["a.example TXT"], vec!["a.example MX"], vec!["x.example A", "y.example A"]]
    );
}

#[test]
fn records_are_parsed_once_for_each_answer() {
    let zone = zone("a.example TXT \"v=spf1 +all\"");
    let question = Question::new("a.example".parse().unwrap(), RecordType::Txt);
    let answer = Arc::new(zone.answer(&question));
    let cache = |_: &Question| Some(Arc::clone(&answer));
    let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
    assert!(matches!(check.clone().session().poll_cached(&cache), InquiryStep::Done(_)));
    // The parsed texts are cached with the answer.
    let texts = answer.texts().unwrap();
    assert_eq!(texts.derived(Texts::iter_count), None);
    assert!(
        matches!(check.session().poll_cached(&cache), InquiryStep::Done(done) if done.terms() == 1)
    );
}

trait Count {
    fn iter_count(&self) -> usize;
}

impl Count for Texts {
    fn iter_count(&self) -> usize {
        self.iter().count()
    }
}

#[test]
fn an_answer_that_another_protocol_has_read_serves_too() {
    let zone = zone("a.example TXT \"v=spf1 +all\"");
    let question = Question::new("a.example".parse().unwrap(), RecordType::Txt);
    let answer = Arc::new(zone.answer(&question));
    assert_eq!(*answer.texts().unwrap().derive(|texts| texts.iter().count()), 1);
    let cache = |_: &Question| Some(Arc::clone(&answer));
    let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
    let InquiryStep::Done(outcome) = check.session().poll_cached(&cache) else {
        panic!("all is known")
    };
    assert_eq!(outcome.result(), SpfResult::Pass);
}

#[test]
fn answers_of_another_kind_match_nothing() {
    // A resolver that answers A with AAAA, or TXT with MX.
    let zone =
        zone("a.example TXT \"v=spf1 a -all\"\na.example AAAA ::1\nb.example MX 1 a.example");
    let cache = |question: &Question| {
        let kind = if question.kind == RecordType::A { RecordType::Aaaa } else { question.kind };
        Some(Arc::new(zone.answer(&Question::new(question.name.clone(), kind))))
    };
    let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
    assert!(
        matches!(check.session().poll_cached(&cache), InquiryStep::Done(outcome) if outcome.result() == SpfResult::Fail)
    );
    let wrong = |_: &Question| {
        Some(Arc::new(zone.answer(&Question::new("b.example".parse().unwrap(), RecordType::Mx))))
    };
    let check = sender::sender([192, 0, 2, 1], "h", "a@a.example");
    assert!(
        matches!(check.session().poll_cached(&wrong), InquiryStep::Done(outcome) if outcome.result() == SpfResult::None)
    );
    assert!(matches!(
        wrong(&Question::new("x".parse().unwrap(), RecordType::A)).as_deref(),
        Some(Answer::Records { .. })
    ));
}

#[test]
fn conditions_take_all_words_and_their_aliases() {
    // exim-experimental-spec-2014.txt, with the aliases as the code had them.
    let words = ["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"];
    for word in words {
        let result: SpfResult = word.parse().unwrap();
        for (list, each, order) in [
            ("pass : fail", matches!(word, "pass" | "fail"), matches!(word, "pass" | "fail")),
            ("err_perm", word == "permerror", word == "permerror"),
            ("err_temp", word == "temperror", word == "temperror"),
            ("invalid", false, false),
            ("*", true, true),
            ("!fail", word != "fail", word != "fail"),
            ("pass : !fail", word != "fail", word != "fail"),
            ("!fail : pass", word != "fail", word == "pass"),
            ("!fail : !softfail", true, !matches!(word, "fail" | "softfail")),
        ] {
            let parsed = WordList::new(List::new(list), SpfResult::WORDS).unwrap();
            assert_eq!(
                parsed.matches(result.as_str(), Semantics::EachItem),
                each,
                "{word}: {list}"
            );
            assert_eq!(
                parsed.matches(result.as_str(), Semantics::ListOrder),
                order,
                "{word}: {list}"
            );
        }
    }
    assert!("hardfail".parse::<SpfResult>().is_err());
}
