//! Reviews: the defects of all records that count for a domain.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::sync::Arc;

use dmarc_policy::{Policy, Review, Reviewed};
use mail_types::dns::{Answer, DnsFailure, InquiryStep, Question, RecordType, Zone};

fn review(domain: &str, zone: &Zone) -> Reviewed {
    let cache = |question: &Question| Some(Arc::new(zone.answer(question)));
    let review = Review::new(domain.parse().unwrap());
    let InquiryStep::Done(reviewed) = review.session().poll_cached(&cache) else {
        panic!("all is known")
    };
    reviewed
}

fn defects(domain: &str, text: &str) -> Vec<String> {
    let zone = Zone::parse(text).unwrap();
    review(domain, &zone)
        .findings()
        .iter()
        .map(|found| format!("{found} ({})", found.defect.section()))
        .collect()
}

#[test]
fn a_sound_record_has_no_defect() {
    let text = "_dmarc.a.example TXT \"v=DMARC1; p=reject; rua=mailto:d@a.example\"";
    assert_eq!(defects("a.example", text), <[String; 0]>::default());
    assert_eq!(defects("news.a.example", text), <[String; 0]>::default());
}

#[test]
fn each_defect_is_found() {
    for (text, wanted) in [
        ("", "a.example: no DMARC record for the domain (RFC 9989 section 4.10.1)"),
        (
            "_dmarc.a.example TXT \"v=spf1 -all\"",
            "a.example: no DMARC record for the domain (RFC 9989 section 4.10.1)",
        ),
        (
            "_dmarc.a.example TXT \"v=DMARC1; p=none\"\n_dmarc.a.example TXT \"v=DMARC1; p=reject\"",
            "_dmarc.a.example: several DMARC records, so none counts (RFC 9989 section 4.10)",
        ),
        (
            "_dmarc.a.example TXT \"v=dmarc1; p=none\"",
            "_dmarc.a.example: DMARC1 is not in capitals: receivers see no DMARC record (RFC 9989 section 4.8)",
        ),
        (
            "_dmarc.a.example TXT \" v=DMARC1; p=none\"",
            "_dmarc.a.example: blank before v=DMARC1: receivers see no DMARC record (RFC 9989 section 4.8)",
        ),
        (
            "_dmarc.a.example TXT \"v=DMARC1; p=reject; pct=5; rua=mailto:d@a.example\"",
            "_dmarc.a.example: byte 20: tag of RFC 7489 without effect in RFC 9989 (RFC 9989 section 4.7)",
        ),
        (
            "_dmarc.a.example TXT \"v=DMARC1; p=reject; p=none; rua=mailto:d@a.example\"",
            "_dmarc.a.example: byte 20: duplicate tag; the first one counts (RFC 9989 section 4.8)",
        ),
        (
            "_dmarc.a.example TXT \"v=DMARC1; p=reject; rua=mailto:d@b.example\"",
            "_dmarc.a.example: mailto:d@b.example: the destination does not confirm that it accepts the reports \
             (RFC 9990 section 4)",
        ),
        (
            "_dmarc.a.example TXT \"v=DMARC1; p=reject; rua=https://b.example/d\"",
            "_dmarc.a.example: https://b.example/d: reports are sent to mail addresses only (RFC 9990 section 4)",
        ),
        (
            "_dmarc.a.example TXT \"v=DMARC1; p=reject; rua=mailto:d@a.example; fo=1; ruf=mailto:f@b.example\"\n\
             a.example._report._dmarc.b.example TXT \"v=DMARC1; ruf=mailto:f@c.example\"",
            "_dmarc.a.example: mailto:f@b.example: the destination names an address at another host (RFC 9990 section 4)",
        ),
    ] {
        let found = defects("a.example", text);
        assert!(found.iter().any(|defect| defect == wanted), "{text}: {found:#?}");
    }
}

/// The domain, its organizational domain, the domain of the record, and the policy.
/// Records are shown as they are published, and positions are in that text.
#[test]
fn records_are_those_that_are_published() {
    let several = ["v=DMARC1; p=none", "v=DMARC1;p=reject"];
    for (texts, record, ignored, at) in [
        (&["v=DMARC1;  P=None ; x=1"][..], Some("v=DMARC1;  P=None ; x=1"), &[][..], Some(20)),
        (&several, None, &several[..], None),
        (&["p=none; v=DMARC1"], None, &["p=none; v=DMARC1"], Some(8)),
        (&["other"], None, &[], None),
    ] {
        let line = |text: &&str| format!("_dmarc.a.example TXT \"{text}\"\n");
        let zone = texts.iter().map(line).collect::<Vec<_>>().concat();
        let reviewed = review("a.example", &Zone::parse(&zone).unwrap());
        let name = &reviewed.names()[0];
        assert_eq!(name.text.as_deref(), record.map(str::as_bytes), "{zone}");
        let found: Vec<_> = name.ignored.iter().map(|text| str::from_utf8(text).unwrap()).collect();
        assert_eq!(found, ignored, "{zone}");
        let found = reviewed.findings().iter().find_map(|finding| finding.defect.at());
        assert_eq!(found, at, "{zone}");
    }
}

#[test]
fn the_walk_leads_to_the_record_that_counts() {
    let text = "_dmarc.a.example TXT \"v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@a.example\"\n\
                _dmarc.b.a.example TXT \"v=DMARC1; p=none; rua=mailto:d@a.example\"\n\
                _dmarc.example TXT \"v=DMARC1; psd=y; p=none\"";
    let zone = Zone::parse(text).unwrap();
    for (domain, org, of, policy, names) in [
        ("a.example", "a.example", Some("a.example"), Some(Policy::Reject), 2),
        ("b.a.example", "a.example", Some("b.a.example"), Some(Policy::None), 3),
        ("c.d.a.example", "a.example", Some("a.example"), Some(Policy::Quarantine), 4),
        ("z.example", "z.example", Some("example"), Some(Policy::None), 2),
        ("a.test", "a.test", None, None, 2),
    ] {
        let reviewed = review(domain, &zone);
        assert_eq!(
            reviewed.org_domain().map(ToString::to_string).as_deref(),
            Some(org),
            "{domain}"
        );
        assert_eq!(reviewed.policy_domain().map(ToString::to_string).as_deref(), of, "{domain}");
        assert_eq!((reviewed.policy(), reviewed.names().len()), (policy, names), "{domain}");
    }
    // More labels than the walk has names.
    let long = "a.b.c.d.e.f.g.h.i.j.a.example";
    let names: Vec<_> =
        review(long, &zone).names().iter().map(|name| name.name.to_string()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(names[1], "_dmarc.f.g.h.i.j.a.example");
}

/// RFC 9989 section 4.7: `np` is the policy for domains that do not exist, with any type of record (section 3.2.13).
#[test]
fn the_policy_is_that_for_a_missing_domain_if_it_is_missing() {
    let text = "_dmarc.a.example TXT \"v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:d@a.example\"\n\
                there.a.example MX 10 a.example\nbelow.empty.a.example TXT x";
    let mut zone = Zone::parse(text).unwrap();
    let silent = Question::new("silent.a.example".parse().unwrap(), RecordType::A);
    zone.set(silent, Answer::Failed(DnsFailure::Timeout));
    for (domain, policy) in [
        ("a.example", Policy::Reject),
        ("there.a.example", Policy::Quarantine),
        ("empty.a.example", Policy::Quarantine),
        ("missing.a.example", Policy::None),
        ("silent.a.example", Policy::None),
    ] {
        assert_eq!(review(domain, &zone).policy(), Some(policy), "{domain}");
    }
}

#[test]
fn a_failure_of_the_dns_is_no_absence() {
    let name = "_dmarc.a.example".parse().unwrap();
    let failed = Answer::Failed(DnsFailure::ServFail);
    let mut zone = Zone::default();
    zone.set(Question { name, kind: RecordType::Txt }, failed);
    let reviewed = review("a.example", &zone);
    let found: Vec<_> = reviewed.findings().iter().map(ToString::to_string).collect();
    assert_eq!(found, ["_dmarc.a.example: the DNS failed: servfail"]);
    let failures: Vec<_> = reviewed.names().iter().map(|name| name.failure).collect();
    assert_eq!(failures, [Some(DnsFailure::ServFail), None]);
    assert_eq!(reviewed.org_domain(), None);
}

/// Neither many records nor many destinations make it long.
/// RFC 9989 section 4.7: a text with another version is ignored. Its publisher meant it, unless a record of this version
/// is beside it.
#[test]
fn a_record_of_another_version_is_told() {
    let other =
        "_dmarc.a.example: DMARC record does not begin with v=DMARC1 (RFC 9989 section 4.8)";
    let none = "a.example: no DMARC record for the domain (RFC 9989 section 4.10.1)";
    for text in ["v=DMARC2; p=reject", "v=DMARC", " V = dmarc10", "v=dmarc-1; p=none"] {
        let zone = format!("_dmarc.a.example TXT \"{text}\"");
        assert_eq!(defects("a.example", &zone), [other, none], "{text}");
        let names = review("a.example", &Zone::parse(&zone).unwrap()).names().to_vec();
        assert_eq!(*names[0].ignored, [Box::from(text.as_bytes())], "{text}");
    }
    for text in ["v=DMAR", "v=spf1 -all", "v", "", "version=DMARC2"] {
        assert_eq!(defects("a.example", &format!("_dmarc.a.example TXT \"{text}\"")), [none]);
    }
    let both = "_dmarc.a.example TXT \"v=DMARC2\"\n_dmarc.a.example TXT \"v=DMARC1; p=none; rua=mailto:d@a.example\"";
    assert_eq!(defects("a.example", both), <[String; 0]>::default());
}

#[test]
fn hostile_records_have_a_limited_review() {
    let tags = "x;".repeat(4000);
    let text = |number| format!("_dmarc.a.example TXT \"v=DMARC1; p=none; n={number};{tags}\"\n");
    let texts = (0..50).map(text).collect::<Vec<_>>().concat();
    let zone = Zone::parse(&texts).unwrap();
    assert_eq!(review("a.example", &zone).findings().len(), Review::MAX_FINDINGS);
}
