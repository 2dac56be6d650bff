//! Macros: the examples of RFC 7208 section 7.4, and edge cases.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use spf_result::{Explanation, SpfResult};

#[path = "support/cached.rs"]
mod cached;
#[path = "support/sender.rs"]
mod sender;

use cached::{outcome_of, zone};

const SENDER: &str = "strong-bad@email.example.com";

/// The expansion of a text in an explanation.
fn expanded(text: &str, client: &str, sender: &str) -> Option<String> {
    let zone = zone(&format!(
        "email.example.com TXT \"v=spf1 -all exp=e.example.com\"\n\
        example.com TXT \"v=spf1 redirect=email.example.com\"\n\
        e.example.com TXT \"{text}\"\n\
        3.2.0.192.in-addr.arpa PTR mx.example.org\n\
        3.2.0.192.in-addr.arpa PTR a.email.example.com\n\
        mx.example.org A 192.0.2.3\n"
    ));
    let client: IpAddr = client.parse().unwrap();
    let check = sender::sender(client, "h.example.com", sender)
        .with_receiver("mx.example.net")
        .at(UNIX_EPOCH + Duration::from_secs(1_234_567_890));
    outcome_of(&check, &zone).explanation().text().map(str::to_owned)
}

#[test]
fn the_examples_of_the_rfc_hold() {
    // RFC 7208 section 7.4; in lower case there, which in names makes no difference.
    for (text, expected) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{p}", "mx.example.org"),
    ] {
        assert_eq!(expanded(text, "192.0.2.3", SENDER).as_deref(), Some(expected), "{text}");
    }
    let nibbles = "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6";
    let text = expanded("%{ir}.%{v}", "2001:db8::cb01", SENDER);
    assert_eq!(text.as_deref(), Some(nibbles));
}

#[test]
fn explanations_have_letters_of_their_own() {
    // RFC 7208 section 7.2.
    for (text, expected) in [
        ("%{c}", "192.0.2.3"),
        ("%{r}", "mx.example.net"),
        ("%{t}", "1234567890"),
        ("%{h}", "h.example.com"),
        ("%%%_%-", "% %20"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%{d255}", "email.example.com"),
        ("%{d999999}", "email.example.com"),
        ("%{l+-1}", ""),
    ] {
        let text = expanded(text, "::ffff:192.0.2.3", SENDER);
        assert_eq!(text.unwrap_or_default(), expected);
    }
    assert_eq!(expanded("%{c}", "2001:db8::1", SENDER).as_deref(), Some("2001:db8::1"));
    // RFC 7208 section 7.2: a client without a validated name.
    assert_eq!(expanded("%{p}", "192.0.2.4", SENDER).as_deref(), Some("unknown"));
}

#[test]
fn a_sender_without_a_local_part_is_a_postmaster() {
    // RFC 7208 section 4.3.
    for sender in ["@email.example.com", "email.example.com"] {
        let text = expanded("%{s} %{l} %{o}", "192.0.2.3", sender);
        let wanted = "postmaster@email.example.com postmaster email.example.com";
        assert_eq!(text.as_deref(), Some(wanted));
    }
    let text = expanded("%{s} %{d}", "192.0.2.3", "ann@example.com");
    assert_eq!(text.as_deref(), Some("ann@example.com email.example.com"), "the redirected domain");
}

#[test]
fn a_long_name_loses_its_left_labels() {
    // RFC 7208 section 7.3: 253 octets at most.
    let label = "x".repeat(49);
    for labels in [3, 4, 5, 20, 100] {
        // Labels of 50 octets with their dots: four and `a.example` fit in 253, five do not.
        let (local, kept) =
            (vec![&*label; labels].join("."), vec![&*label; labels.min(4)].join("."));
        let zone = zone(&format!(
            "a.example TXT \"v=spf1 exists:%{{l}}.a.example -all\"\n{kept}.a.example A 127.0.0.2\n"
        ));
        let sender = format!("{local}@a.example");
        let check = sender::sender([192, 0, 2, 1], "h.example", &sender);
        assert_eq!(outcome_of(&check, &zone).result(), SpfResult::Pass, "{labels} labels");
    }
}

/// RFC 8616 section 4: a term with `%{s}` or `%{l}` matches nothing if the local part is not ASCII,
/// whether the value is escaped, cut or reversed.
#[test]
fn a_local_part_beyond_ascii_matches_nothing() {
    let result = |term: &str, local: &str| {
        let zone = zone(&format!(
            "a.example TXT \"v=spf1 {term} ip4:192.0.2.1 -all\"\n*.x.example A 127.0.0.2\n\
            *.x.example TXT \"v=spf1 -all\"\n"
        ));
        let sender = format!("{local}@a.example");
        outcome_of(&sender::sender([192, 0, 2, 1], "h.example", &sender), &zone).result()
    };
    for text in ["%{l}", "%{L}", "%{s}", "%{S}", "%{l1r-}", "%{L1r-}", "%{s1}", "x.%{S1r}"] {
        let term = format!("-exists:{text}.x.example");
        assert_eq!(result(&term, "bob-j\u{f6}rg"), SpfResult::Pass, "{term}");
        assert_eq!(result(&term, "bob-jorg"), SpfResult::Fail, "{term}");
    }
    let included = "include:%{l1r-}.x.example";
    assert_eq!(result(&format!("?{included}"), "bob-j\u{f6}rg"), SpfResult::Pass);
    assert_eq!(result("include:%{l}.x.example", "bob-j\u{f6}rg"), SpfResult::Pass);
    assert_eq!(result("-exists:%{o}.x.example", "bob-j\u{f6}rg"), SpfResult::Fail);
    // A redirection has nothing to go to.
    let zone = zone("a.example TXT \"v=spf1 redirect=%{l1r-}.x.example\"\n");
    let check = sender::sender([192, 0, 2, 1], "h.example", "bob-j\u{f6}rg@a.example");
    assert_eq!(outcome_of(&check, &zone).result(), SpfResult::PermError);
}

/// A sender as text may be longer than one of SMTP.
#[test]
fn a_long_sender_is_expanded_whole() {
    let sender = format!("{}@email.example.com", "x".repeat(400));
    let text = expanded("%{s2} %{d}", "192.0.2.1", &sender);
    assert_eq!(text.as_deref(), Some("example.com email.example.com"));
}

#[test]
fn what_cannot_be_shown_is_withheld() {
    let withheld = |text: &str, limit: usize| {
        let zone = zone(&format!("a.example TXT \"v=spf1 -all exp=e.example\"\n{text}"));
        let mut options = spf_result::Options::default();
        options.limits.explanation = limit;
        let check = sender::sender([192, 0, 2, 1], "h.example", "j\u{f6}@a.example");
        *outcome_of(&check.with_options(options), &zone).explanation() == Explanation::Withheld
    };
    assert!(withheld("", 500), "no text");
    assert!(withheld("e.example TXT a\ne.example TXT b", 500), "two texts");
    assert!(withheld(r#"e.example TXT "a\255""#, 500), "not ASCII");
    assert!(withheld("e.example TXT %{x}", 500), "a macro that is none");
    assert!(withheld("e.example TXT %{l}", 500), "a sender that is not in ASCII");
    assert!(!withheld("e.example TXT 12345", 5));
    assert!(withheld("e.example TXT 123456", 5));
}
