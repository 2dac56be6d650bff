//! Reviews: every defect that a record can have.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic")]

use std::sync::Arc;

use mail_types::dns::{Answer, DnsFailure, InquiryStep, Question, RecordType, Zone};
use spf_result::{Review, Reviewed};

fn review(zone: &Zone) -> Reviewed {
    let cache = |question: &Question| Some(Arc::new(zone.answer(question)));
    let review = Review::new("a.example".parse().unwrap());
    let InquiryStep::Done(reviewed) = review.session().poll_cached(&cache) else {
        panic!("all is known")
    };
    reviewed
}

fn defects(zone: &Zone) -> Vec<String> {
    review(zone).findings().iter().map(ToString::to_string).collect()
}

/// A record is shown as it is published, whether it counts or not, and positions are in that text.
#[test]
fn records_are_those_that_are_published() {
    for (texts, wanted) in [
        (&["v=spf1  +mx   -ALL"][..], &[("v=spf1  +mx   -ALL", None, None)][..]),
        (
            &["v=spf1  +mx moo"],
            &[("v=spf1  +mx moo", Some("unknown SPF mechanism, at byte 12"), Some(12))],
        ),
        (
            &["v=spf1 -all", "v=spf1 ?all", "other"],
            &[
                ("v=spf1 -all", Some("several SPF records, so none counts"), None),
                ("v=spf1 ?all", Some("several SPF records, so none counts"), None),
            ],
        ),
        (
            &["v=spf1-all", "other"],
            &[(
                "v=spf1-all",
                Some(
                    "the text does not begin with v=spf1 and a blank: receivers see no SPF record",
                ),
                None,
            )],
        ),
        (&["other"], &[]),
    ] {
        let line = |text: &&str| format!("a.example TXT \"{text}\"\n");
        let zone = texts.iter().map(line).collect::<Vec<_>>().concat();
        let reviewed = review(&Zone::parse(&zone).unwrap());
        let records = reviewed.records().iter().map(|read| {
            let defect = read.defect.as_ref();
            let text = String::from_utf8(read.record.to_vec()).unwrap();
            (text, defect.map(ToString::to_string), defect.and_then(spf_result::Defect::at))
        });
        let wanted = wanted
            .iter()
            .map(|(text, defect, at)| ((*text).to_owned(), defect.map(str::to_owned), *at));
        assert_eq!(records.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{zone}");
    }
}

#[test]
fn each_defect_is_found() {
    let mx = |host| format!("m.example MX {host} h{host}.example\n");
    let mx = (0..11).map(mx).collect::<Vec<_>>().concat();
    let long = format!("v=spf1 -all{}", " ".repeat(Review::MAX_PLAIN_OCTETS));
    for (text, wanted) in [
        (String::new(), "a.example: no SPF record"),
        ("a.example TXT \"verification=1\"".into(), "a.example: no SPF record"),
        (
            "a.example TXT \" v=spf1 -all\"".into(),
            "a.example: the text does not begin with v=spf1 and a blank: receivers see no SPF record",
        ),
        (
            "a.example TXT \"V=SPF1;-all\"".into(),
            "a.example: the text does not begin with v=spf1 and a blank: receivers see no SPF record",
        ),
        (
            "a.example TXT \"v=spf1\"\na.example TXT \"v=spf1\"".into(),
            "a.example: several SPF records, so none counts",
        ),
        ("a.example TXT \"v=spf1 moo\"".into(), "a.example: unknown SPF mechanism, at byte 7"),
        (
            "a.example TXT \"v=spf1 ptr -all\"".into(),
            "a.example: ptr: slow and unreliable, do not publish",
        ),
        ("a.example TXT \"v=spf1 all\"".into(), "a.example: all: every host passes"),
        (
            "a.example TXT \"v=spf1 ip4:1.2.3.4/0 -all\"".into(),
            "a.example: ip4:1.2.3.4/0: every host passes",
        ),
        (
            "a.example TXT \"v=spf1 a:x.example -all\"".into(),
            "a.example: a:x.example: the domain has no such records",
        ),
        (
            "a.example TXT \"v=spf1 mx -all\"".into(),
            "a.example: mx: the domain has no such records",
        ),
        (
            "a.example TXT \"v=spf1 -all redirect=b.example\"".into(),
            "a.example: redirect=b.example: never evaluated, after all",
        ),
        (
            "a.example TXT \"v=spf1 -all ip4:1.2.3.4\"".into(),
            "a.example: ip4:1.2.3.4: never evaluated, after all",
        ),
        ("a.example TXT \"v=spf1 ip4:1.2.3.4\"".into(), "a.example: ends without all or redirect"),
        (
            "a.example TXT \"v=spf1 include:a.example -all\"".into(),
            "a.example: a.example: refers to itself",
        ),
        ("a.example TXT \"v=spf1 include:b.example -all\"".into(), "b.example: no SPF record"),
        (
            format!("a.example TXT \"v=spf1 mx:m.example -all\"\n{mx}"),
            "a.example: mx:m.example: 11 MX hosts, more than 10",
        ),
        (format!("a.example TXT \"{long}\""), "a.example: longer than 450 octets"),
    ] {
        assert_eq!(defects(&Zone::parse(&text).unwrap()), [wanted]);
    }
}

#[test]
fn a_sound_record_has_none() {
    let text = "a.example TXT \"v=spf1 mx include:b.example exists:%{i}.x.example -all\"\n\
        a.example MX 1 a.example\nb.example TXT \"v=spf1 ip4:192.0.2.0/24 redirect=c.example\"\n\
        c.example TXT \"v=spf1 ?all\"";
    let reviewed = review(&Zone::parse(text).unwrap());
    assert_eq!(reviewed.findings(), []);
    assert_eq!((reviewed.lookups(), reviewed.void_lookups()), (4, 0));
    // The tree, each record with the lookups that it causes.
    let tree: Vec<_> = reviewed
        .records()
        .iter()
        .map(|found| (found.depth, found.domain.to_string(), found.lookups))
        .collect();
    let wanted = [(0, "a.example", 4), (1, "b.example", 1), (2, "c.example", 0)];
    assert_eq!(tree, wanted.map(|(depth, domain, lookups)| (depth, domain.to_owned(), lookups)));
}

#[test]
fn each_defect_has_its_section() {
    for (text, section) in [
        ("v=spf1 ptr -all", "5.5"),
        ("v=spf1 +all", "2.6.3"),
        ("v=spf1 -all ip4:192.0.2.1", "5.1"),
        ("v=spf1 a:n.example -all", "4.6.4"),
        ("v=spf1 ip4:1.2.3.4", "4.7"),
        ("v=spf1 ip4:1.2.3 -all", "4.6"),
        ("other", "4.5"),
    ] {
        let zone = Zone::parse(&format!("a.example TXT \"{text}\"")).unwrap();
        let found = review(&zone);
        assert_eq!(found.findings()[0].defect.section(), section, "{text}");
    }
}

#[test]
fn what_is_too_much_is_counted_to_its_end() {
    let text = format!("a.example TXT \"v=spf1{} -all\"\na.example A 192.0.2.1", " a".repeat(12));
    let wanted = ["a.example: 12 DNS lookups, more than 10"];
    assert_eq!(defects(&Zone::parse(&text).unwrap()), wanted);
    let text = format!("a.example TXT \"v=spf1{} -all\"", " mx:n.example".repeat(3));
    let last = defects(&Zone::parse(&text).unwrap()).pop();
    assert_eq!(last.as_deref(), Some("a.example: 3 void DNS lookups, more than 2"));
}

/// RFC 7208 sections 4.4 and 5: a check ends with temperror there, and the lookup is not void.
#[test]
fn a_failed_lookup_of_a_term_is_told() {
    let text = "a.example TXT \"v=spf1 a:b.example mx:c.example a:d.example -all\"\n\
                b.example A 192.0.2.1\nd.example A 192.0.2.2";
    let mut zone = Zone::parse(text).unwrap();
    for (name, kind, failure) in [
        ("b.example", RecordType::Aaaa, DnsFailure::ServFail),
        ("c.example", RecordType::Mx, DnsFailure::Timeout),
    ] {
        zone.set(Question::new(name.parse().unwrap(), kind), Answer::Failed(failure));
    }
    let reviewed = review(&zone);
    assert_eq!((reviewed.lookups(), reviewed.void_lookups()), (3, 0));
    assert_eq!(
        defects(&zone),
        [
            "a.example: a:b.example: the DNS failed: servfail",
            "a.example: mx:c.example: the DNS failed: timeout",
        ]
    );
}

/// Records that refer to the next ones in several terms each: a check of a mail ends at the eleventh lookup, and a review
/// at its last record.
#[test]
fn a_small_tree_of_many_paths_ends() {
    let record = |at: usize| {
        let terms = format!(" include:r{}.example", at + 1).repeat(8);
        format!("r{at}.example TXT \"v=spf1{terms} -all\"\n")
    };
    let text: String = (0..7).map(record).collect();
    let top = "a.example TXT \"v=spf1 include:r0.example -all\"\nr7.example TXT \"v=spf1 -all\"\n";
    let reviewed = review(&Zone::parse(&format!("{top}{text}")).unwrap());
    assert_eq!(reviewed.records().len(), Review::MAX_RECORDS);
    assert!((11..2000).contains(&reviewed.lookups()), "{}", reviewed.lookups());
    assert!(reviewed.findings().iter().any(|found| found.to_string().contains("lookups")));
}

#[test]
fn its_limits_are_kept() {
    let text = format!("a.example TXT \"v=spf1{} -all\"", " +ip4:0.0.0.0/0".repeat(300));
    assert_eq!(review(&Zone::parse(&text).unwrap()).findings().len(), Review::MAX_FINDINGS);
    let text = format!(
        "a.example TXT \"v=spf1{} -all\"\nb.example TXT \"v=spf1 -all\"",
        " include:b.example".repeat(300)
    );
    assert_eq!(review(&Zone::parse(&text).unwrap()).records().len(), Review::MAX_RECORDS);
    let mut zone = Zone::default();
    let question = Question::new("a.example".parse().unwrap(), RecordType::Txt);
    zone.set(question, Answer::Failed(DnsFailure::Refused));
    assert_eq!(defects(&zone), ["a.example: the DNS failed: refused"]);
}
