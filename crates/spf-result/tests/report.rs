//! Reports: variables and header fields, which no input of a peer can break.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use mail_types::exim::{Trust, Variable};
use proptest::prelude::*;
use spf_result::{Check, Options, Report};

#[path = "support/cached.rs"]
mod cached;
#[path = "support/sender.rs"]
mod sender;

use cached::{outcome_of, zone};

fn report(record: &str, helo: &str, sender: &str) -> Report {
    let zone = zone(&format!(
        "a.example TXT \"{record}\"\ne.example TXT \"%{{i}}, no\"\nh.example TXT \"{record}\""
    ));
    let mut options = Options::default();
    options.guess = Some(Options::default_guess());
    let check = sender::sender([192, 0, 2, 1], helo, sender)
        .with_receiver("mx.example.org")
        .with_options(options);
    check.report(outcome_of(&check, &zone))
}

fn variable(report: &Report, name: &str) -> Option<(String, Trust)> {
    match report.variable(name) {
        Variable::Value(value) => {
            Some((String::from_utf8(value.as_bytes().to_vec()).unwrap(), value.trust()))
        }
        Variable::Unset => None,
        Variable::Unknown => panic!("{name} is not known"),
    }
}

#[test]
fn comments_are_in_the_words_of_exim() {
    // The words that Exim's `spf_header_comment` has for each result.
    for (record, comment) in [
        ("v=spf1 +all", "domain of a.example designates 192.0.2.1 as permitted sender"),
        ("v=spf1 -all", "domain of a.example does not designate 192.0.2.1 as permitted sender"),
        (
            "v=spf1 ~all",
            "transitioning domain of a.example does not designate 192.0.2.1 as permitted sender",
        ),
        ("v=spf1 ?all", "192.0.2.1 is neither permitted nor denied by domain of a.example"),
        (
            "v=spf1 moo",
            "error in processing during lookup of domain of a.example: unknown SPF mechanism, at \
            byte 7",
        ),
    ] {
        let report = report(record, "h.example", "x@a.example");
        assert_eq!(report.header_comment(), format!("mx.example.org: {comment}"));
    }
}

#[test]
fn variables_have_exims_names() {
    let fail = report("v=spf1 -all exp=e.example", "h.example", "x@a.example");
    let untrusted = |text: &str| Some((text.to_owned(), Trust::Untrusted));
    let trusted = |text: &str| Some((text.to_owned(), Trust::Trusted));
    for (name, value) in [
        ("spf_result", trusted("fail")),
        ("spf_result_guessed", trusted("no")),
        ("spf_used_domain", untrusted("a.example")),
        ("spf_smtp_comment", untrusted("192.0.2.1, no : Reason: mechanism")),
        ("spf_header_comment", untrusted(&fail.header_comment())),
        ("spf_received", untrusted(&fail.received())),
    ] {
        assert_eq!(variable(&fail, name), value, "{name}");
    }
    assert_eq!(fail.variable("spf_other"), Variable::Unknown);
    let pass = report("v=spf1 +all", "h.example", "x@a.example");
    assert_eq!(variable(&pass, "spf_smtp_comment"), None);
    let default = report("v=spf1 a", "h.example", "x@a.example");
    assert_eq!(
        variable(&default, "spf_smtp_comment"),
        untrusted(
            "Please see http://www.open-spf.org/Why?id=x%40a.example&ip=192.0.2.1&\
            receiver=mx.example.org : Reason: default"
        )
    );
}

#[test]
fn a_template_takes_the_place_of_the_advice() {
    let zone = zone("a.example TXT \"v=spf1 ~all\"");
    let check = sender::sender([192, 0, 2, 1], "h.example", "x@a.example");
    let report = check.report(outcome_of(&check, &zone));
    let report = report.with_smtp_comment_template(&check, &"ask %{o}".parse().unwrap());
    assert_eq!(report.smtp_comment().as_deref(), Some("ask a.example : Reason: mechanism"));
}

#[test]
fn guesses_are_called_so() {
    let guess = report("v=spf10", "h.example", "x@b.example");
    assert_eq!(variable(&guess, "spf_result_guessed").unwrap().0, "yes");
    assert_eq!(
        guess.authentication().to_string(),
        "spf=neutral (best guess record for domain) smtp.mailfrom=b.example"
    );
}

#[test]
fn each_identity_has_its_property() {
    // RFC 8601 section 2.7.2.
    let zone = zone("h.example TXT \"v=spf1 -all\"");
    for (check, property) in [
        (Check::helo([192, 0, 2, 1].into(), sender::helo("h.example")), "smtp.helo=h.example"),
        (sender::sender([192, 0, 2, 1], "h.example", ""), "smtp.mailfrom=postmaster@h.example"),
        (sender::sender([192, 0, 2, 1], "x", "a@h.example"), "smtp.mailfrom=h.example"),
    ] {
        let report = check.report(outcome_of(&check, &zone));
        assert_eq!(report.authentication().to_string(), format!("spf=fail {property}"));
    }
}

#[test]
fn long_values_are_cut() {
    let helo = "x".repeat(5000);
    let received = report("v=spf1 -all", &helo, "x@a.example").received();
    assert!(received.len() < 998, "RFC 5322 section 2.1.1: {}", received.len());
}

proptest! {
    #[test]
    fn received_is_one_line_of_known_pairs(helo in any::<String>(), local in any::<String>()) {
        let local = local.replace(|c: char| c.is_control() || "<>".contains(c), "?");
        let report = report("v=spf1 -all", &helo, &format!("{local}@a.example"));
        let received = report.received();
        prop_assert!(!received.chars().any(char::is_control));
        prop_assert!(received.len() < 998);
        // Outside comments and quotes there are but the keys that were written.
        let (mut quoted, mut depth, mut escaped, mut equals) = (false, 0, false, 0);
        for c in received.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' if depth == 0 => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                '=' if !quoted && depth == 0 => equals += 1,
                _ => {}
            }
        }
        // An equals sign may be in an atom too (RFC 5322 section 3.2.3), of these two.
        let atoms = helo.matches('=').count() + local.matches('=').count();
        prop_assert!(!quoted && depth == 0 && (6..=6 + atoms).contains(&equals), "{received}");
    }
}
