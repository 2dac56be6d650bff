//! Records of every kind, good and bad.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dmarc_policy::{
    AlignmentMode, DefectKind, FailureOptions, Policy, Psd, Record, RecordError, ReportUri,
    ReportUriError,
};
use proptest::prelude::*;

#[test]
fn only_a_text_that_begins_with_the_version_is_a_record() {
    let rows: &[(&[u8], bool)] = &[
        (b"v=DMARC1", true),
        (b"v=DMARC1;", true),
        (b"v = DMARC1 ; p=none", true), // equals and dmarc-sep, section 4.8
        (b" v=DMARC1; p=none", false),  // nothing stands before the version, section 4.8
        (b"\tv=DMARC1; p=none", false),
        (b"V=DMARC1; p=none", true),  // a literal of ABNF is without case
        (b"v=dmarc1; p=none", false), // %s, section 4.8
        (b"v=DMARC10; p=none", false),
        (b"v=DMARC1 p=none", false),
        (b"p=none; v=DMARC1", false), // must be the first, section 4.7
        (b"; v=DMARC1; p=none", false),
        (b"v; p=none", false),
        (b"", false),
        (b"v=spf1 -all", false),
    ];
    for (text, expected) in rows {
        assert_eq!(Record::parse(text).is_ok(), *expected, "{}", text.escape_ascii());
    }
    assert_eq!(Record::parse(b"v=DMARC2"), Err(RecordError::Version));
    assert_eq!(Record::parse(b" v=DMARC2"), Err(RecordError::Version));
    assert_eq!(Record::check(b" v=DMARC1; p=none"), Err(RecordError::LeadingBlank));
}

/// Section 4.8: `v=DMARC1` is the start, in capitals, and a semicolon or the end follows it.
#[test]
fn what_was_meant_for_a_record_is_told_from_what_was_not() {
    for (text, error) in [
        ("v=DMARC1,", RecordError::Separator { at: 8 }),
        ("v=DMARC1, p=none", RecordError::Separator { at: 8 }),
        ("v=DMARC1 p=", RecordError::Separator { at: 8 }),
        ("v = DMARC1 p=none", RecordError::Separator { at: 10 }),
        ("v=DMARC1:p=none", RecordError::Separator { at: 8 }),
        ("v=dmarc1", RecordError::Case),
        ("V=Dmarc1; p=none", RecordError::Case),
        ("p=none; v=DMARC1", RecordError::NotFirst { at: 8 }),
        ("; v=DMARC1; p=none", RecordError::NotFirst { at: 2 }),
        ("\"v=DMARC1; p=none\"", RecordError::NotFirst { at: 1 }),
        ("\u{feff}v=DMARC1; p=none", RecordError::ByteOrderMark),
        ("v=DMARC10; p=none", RecordError::Version),
        ("v=DMARC", RecordError::Version),
        ("v=", RecordError::Version),
        ("xv=DMARC1", RecordError::Version),
        ("v=spf1 -all", RecordError::Version),
        ("", RecordError::Version),
    ] {
        assert_eq!(Record::check(text.as_bytes()), Err(error), "{text}");
        assert_eq!(Record::parse(text.as_bytes()), Err(error), "{text}");
    }
}

#[test]
fn what_is_wrong_is_as_if_it_were_not_there_and_is_told() {
    let reject = Record::new(Policy::Reject);
    let rows: &[(&[u8], Record, &[DefectKind])] = &[
        (b"v=DMARC1; p=reject; foo", reject.clone(), &[DefectKind::NoValue]),
        (b"v=DMARC1; p=reject; x-a=b", reject.clone(), &[DefectKind::Unknown]),
        (b"v=DMARC1; p=reject; pct=0; ri=1", reject.clone(), &[DefectKind::Removed; 2]),
        (b"v=DMARC1; p=reject; p=none", reject.clone(), &[DefectKind::Repeated]),
        (b"v=DMARC1; p=reject; v=DMARC1", reject.clone(), &[DefectKind::VersionAgain]),
        (b"v=DMARC1; p=reject; adkim=x; psd=maybe; t=1", reject.clone(), &[DefectKind::Value; 3]),
        (b"v=DMARC1; p=reject; fo=0:1", reject.clone(), &[DefectKind::Value]),
        (b"v=DMARC1; p=reject; fo=d:d", reject.clone(), &[DefectKind::Value]),
        (b"v=DMARC1;; p=REJECT;;", reject.clone(), &[]),
        (
            b"v=DMARC1; p=reject; rua=d@example.com",
            reject,
            &[DefectKind::Uri(ReportUriError::Scheme)],
        ),
        (b"v=DMARC1; p=rejct", Record::default(), &[DefectKind::PolicyValue]),
        (b"v=DMARC1; p=reject; sp=foo; np=none", Record::default(), &[DefectKind::PolicyValue]),
        (b"v=DMARC1; p=reject; np=", Record::default(), &[DefectKind::PolicyValue]),
    ];
    for (text, expected, defects) in rows {
        assert_eq!(Record::parse(text).as_ref(), Ok(expected), "{}", text.escape_ascii());
        let found = Record::check(text).unwrap();
        let found: Vec<_> = found.iter().filter(|d| d.at > 0).map(|d| d.kind).collect();
        assert_eq!(found, *defects, "{}", text.escape_ascii());
    }
}

#[test]
fn whoever_publishes_a_record_is_told_what_they_may_not_have_meant() {
    let rows: &[(&[u8], &[DefectKind])] = &[
        (b"v=DMARC1; p=reject; rua=mailto:d@example.com", &[]),
        (b"v=DMARC1; p=reject", &[DefectKind::NoReports]),
        (b"v=DMARC1; rua=mailto:d@example.com", &[DefectKind::ReportsOnly]),
        (b"v=DMARC1; sp=reject; rua=mailto:d@example.com", &[DefectKind::ReportsOnly]),
        (b"v=DMARC1; sp=reject", &[DefectKind::NoPolicy, DefectKind::NoReports]),
        (
            b"v=DMARC1; p=reject; sp=foo; rua=mailto:d@example.com",
            &[DefectKind::PolicyValue, DefectKind::PolicyOff],
        ),
        (
            b"v=DMARC1; p=reject; sp=foo; rua=d@example.com",
            &[
                DefectKind::PolicyValue,
                DefectKind::Uri(ReportUriError::Scheme),
                DefectKind::NoPolicy,
                DefectKind::NoReports,
            ],
        ),
        (
            b"v=DMARC1; p=non",
            &[DefectKind::PolicyValue, DefectKind::NoPolicy, DefectKind::NoReports],
        ),
        (b"v=DMARC1; p=none; rua=https://example.com/", &[DefectKind::NotMail]),
        (b"v=DMARC1; p=none; rua=mailto:d@a.example; fo=1", &[DefectKind::Unused]),
        (b"v=DMARC1; p=reject; np=none; rua=mailto:d@a.example", &[DefectKind::WeakerBelow]),
        (b"v=DMARC1; p=reject; t=y; rua=mailto:d@a.example", &[DefectKind::TestMode]),
        (b"v=DMARC1; p=none; psd=y; rua=mailto:d@a.example", &[DefectKind::PublicSuffix]),
    ];
    for (text, expected) in rows {
        let found: Vec<_> = Record::check(text).unwrap().iter().map(|d| d.kind).collect();
        assert_eq!(found, *expected, "{}", text.escape_ascii());
    }
}

#[test]
fn a_policy_that_is_missing_is_none_only_for_who_wants_reports() {
    // RFC 9989 section 4.10.1
    let rows: &[(&[u8], Option<Policy>)] = &[
        (b"v=DMARC1", None),
        (b"v=DMARC1; p=bad", None),
        (b"v=DMARC1; p=reject; sp=bad", None),
        (b"v=DMARC1; p=reject; np=bad; rua=mailto:d@example.com", Some(Policy::None)),
        (b"v=DMARC1; rua=d@example.com", None),
        (b"v=DMARC1; rua=mailto:d@example.com", Some(Policy::None)),
    ];
    for (text, expected) in rows {
        let record = Record::parse(text).unwrap();
        assert_eq!(record.policy(), *expected, "{}", text.escape_ascii());
        assert_eq!(record.subdomain_policy(false), *expected, "{}", text.escape_ascii());
    }
}

#[test]
fn the_limits_cut_and_do_not_refuse() {
    let long = format!("v=DMARC1; p=reject; x={}; sp=none", "a".repeat(Record::MAX_OCTETS));
    assert_eq!(Record::parse(long.as_bytes()).unwrap(), Record::new(Policy::Reject));
    let uris = |count| vec!["mailto:d@example.com"; count].join(",");
    for (count, kept, cut) in [(Record::MAX_URIS, 16, false), (Record::MAX_URIS + 1, 16, true)] {
        let text = format!("v=DMARC1; p=reject; rua={}", uris(count));
        assert_eq!(Record::parse(text.as_bytes()).unwrap().rua.len(), kept);
        let defects = Record::check(text.as_bytes()).unwrap();
        assert_eq!(defects.iter().any(|d| d.kind == DefectKind::ManyUris), cut);
    }
    let longest = format!("mailto:{}", "a".repeat(ReportUri::MAX_OCTETS - 7));
    assert!(longest.parse::<ReportUri>().is_ok());
    let octets = ReportUri::MAX_OCTETS + 1;
    assert_eq!(format!("{longest}a").parse::<ReportUri>(), Err(ReportUriError::TooLong { octets }));
}

#[test]
fn an_address_is_read_from_a_uri_as_mail_needs_it() {
    let rows: &[(&str, Option<&str>)] = &[
        ("mailto:d@example.com", Some("d@example.com")),
        ("MAILTO:d@Example.COM!10m", Some("d@example.com")),
        ("mailto:a%40b@example.com", Some("\"a@b\"@example.com")),
        ("mailto:d@example.com?subject=x", Some("d@example.com")),
        ("mailto:a@b.example%2Cc@d.example", None), // two addresses
        ("mailto:d@exa%0d%0ample.com", None),
        ("mailto:d%0d%0a@example.com", None),
        ("mailto:nobody", None),
        ("https://example.com/dmarc", None),
    ];
    for (uri, expected) in rows {
        let uri: ReportUri = uri.parse().unwrap();
        assert_eq!(uri.mailbox().map(|m| m.to_string()).as_deref(), *expected, "{uri}");
    }
    let bad: &[(&str, ReportUriError)] = &[
        ("d@example.com", ReportUriError::Scheme),
        ("9:x", ReportUriError::Scheme),
        ("mailto:", ReportUriError::Empty),
        ("mailto:a b@example.com", ReportUriError::Character { at: 8 }),
        ("mailto:d@example.com!x", ReportUriError::Character { at: 20 }),
        ("mailto:d%@example.com", ReportUriError::Character { at: 8 }),
        ("mailto:d%4g@example.com", ReportUriError::Character { at: 8 }),
        ("mailto:%64@example.com?subject=%4", ReportUriError::Character { at: 31 }),
    ];
    for (text, error) in bad {
        assert_eq!(text.parse::<ReportUri>().as_ref(), Err(error), "{text}");
    }
}

fn any_record() -> impl Strategy<Value = Record> {
    let policy = prop_oneof![Just(Policy::None), Just(Policy::Quarantine), Just(Policy::Reject)];
    let mode = prop_oneof![Just(AlignmentMode::Relaxed), Just(AlignmentMode::Strict)];
    let psd = prop_oneof![Just(Psd::Unknown), Just(Psd::Yes), Just(Psd::No)];
    let uris = || prop::collection::vec("mailto:[a-z]{1,8}@[a-z]{1,8}\\.example", 0..3);
    let policies = (policy.clone(), prop::option::of(policy.clone()), prop::option::of(policy));
    (policies, (mode.clone(), mode), psd, any::<bool>(), uris(), uris(), any::<bool>()).prop_map(
        |((p, sp, np), (adkim, aspf), psd, t, rua, ruf, dkim)| {
            let mut record = Record::new(p).with_alignment(adkim, aspf).with_psd(psd);
            (record.sp, record.np, record.t) = (sp, np, t);
            record.fo = FailureOptions { dkim, ..FailureOptions::default() };
            record.rua = rua.iter().map(|uri| uri.parse().unwrap()).collect();
            record.ruf = ruf.iter().map(|uri| uri.parse().unwrap()).collect();
            record
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(record in any_record()) {
        let text = record.to_string();
        prop_assert_eq!(Record::parse(text.as_bytes()), Ok(record));
    }

    #[test]
    fn any_tags_are_read_and_written_the_same_from_then_on(tags in "[a-z=;: ,0-9@]{0,80}") {
        let text = format!("v=DMARC1;{tags}");
        let once = Record::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(Record::parse(once.to_string().as_bytes()), Ok(once));
    }
}

/// A URI is the same whatever its length, and is written as it was.
#[test]
fn a_uri_of_any_length_is_kept() {
    for octets in [8, 9, 45, 46, 47, 48, 255, 256, 257, ReportUri::MAX_OCTETS] {
        let text = format!("mailto:{}", "a".repeat(octets - 7));
        let uri: ReportUri = text.parse().unwrap();
        assert_eq!(uri.as_str(), text);
        assert_eq!(format!("{uri} {uri:?}"), format!("{text} ReportUri({text:?})"));
        assert_eq!(uri, text.parse().unwrap());
        assert_ne!(uri, format!("{}b", &text[..octets - 1]).parse().unwrap());
    }
}
