//! Aggregate reports, read as they are found in the wild.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dmarc_policy::{
    AlignmentMode, DeviationKind, DiscoveryMethod, FailureOptions, Feedback, FeedbackError,
    FeedbackLimits, FeedbackReading, FeedbackRow, Override, OverrideKind, Policy, RowDisposition,
    SignatureRow, SpfRow,
};
use mail_types::results::{AuthResult, SpfIdentity};

const RFC9990: &str = include_str!("data/feedback-rfc9990.xml");
const GOOGLE: &str = include_str!("data/feedback-google.xml");
const MICROSOFT: &str = include_str!("data/feedback-microsoft.xml");
const GMX: &str = include_str!("data/feedback-gmx.xml");
const SLOPPY: &str = include_str!("data/feedback-sloppy.xml");

fn read(text: &str) -> FeedbackReading {
    Feedback::read(text.as_bytes(), &FeedbackLimits::default()).unwrap()
}

fn without_deviations(text: &str) -> Feedback {
    let FeedbackReading { feedback, deviations, .. } = read(text);
    assert_eq!(deviations, []);
    feedback
}

#[test]
fn a_report_of_rfc_9990_is_read_whole_and_its_extensions_are_passed_over() {
    let report = without_deviations(RFC9990);
    assert_eq!(report.metadata.org_name, "Example Receiver & Sons");
    assert_eq!((report.metadata.begin, report.metadata.end), (1_795_219_200, 1_795_305_599));
    assert_eq!(report.metadata.extra_contact_info.as_deref(), Some("https://mx.example.net/hilfe"));
    assert_eq!(report.metadata.error.as_deref(), Some("sp is no policy"));
    assert_eq!(report.metadata.generator.as_deref(), Some("example 1.0"));
    let policy = &report.policy;
    assert_eq!(policy.discovery, Some(DiscoveryMethod::TreeWalk));
    let policies = (policy.p, policy.sp, policy.np);
    assert_eq!(policies, (Some(Policy::Reject), Some(Policy::Quarantine), Some(Policy::Reject)));
    let modes = (policy.adkim, policy.aspf);
    assert_eq!(modes, (Some(AlignmentMode::Strict), Some(AlignmentMode::Relaxed)));
    let fo = FailureOptions { any: true, dkim: true, spf: false, all: false };
    assert_eq!((policy.fo, policy.testing, policy.pct), (Some(fo), Some(false), None));

    let mut first = FeedbackRow::new("192.0.2.25".parse().unwrap(), "example.com")
        .with_envelope_from("")
        .with_envelope_to("example.net");
    first.count = 123;
    (first.disposition, first.dkim) = (Some(RowDisposition::Pass), Some(true));
    first.signatures = vec![
        SignatureRow::new("example.com", "key1", AuthResult::Pass)
            .with_human_result("good <2048 bits>"),
        SignatureRow::new("list.example.org", "a", AuthResult::PermError),
    ];
    first.spf_result = Some(SpfRow::new("mail.example.org", AuthResult::SoftFail));
    let second = FeedbackRow::new("2001:db8::25".parse().unwrap(), "news.example.com")
        .with_reason(
            Override::new(OverrideKind::MailingList).with_comment("users@list.example.org"),
        )
        .with_reason(Override::new(OverrideKind::LocalPolicy));
    assert_eq!(report.rows, [first, second]);
    assert_eq!(report.messages(), (124, 123));
}

#[test]
fn the_reports_of_large_receivers_are_read() {
    let google = without_deviations(GOOGLE);
    assert_eq!((google.rows.len(), google.messages()), (2, (3, 2)));
    assert_eq!((google.policy.pct, google.policy.np), (Some(50), Some(Policy::Quarantine)));
    assert_eq!(
        google.rows[0].signatures,
        [SignatureRow::new("example.com", "s1", AuthResult::Pass)]
    );
    assert_eq!(google.rows[0].spf_result.as_ref().unwrap().scope, None);
    assert_eq!(google.rows[1].reasons, [Override::new(OverrideKind::SampledOut)]);

    let microsoft = without_deviations(MICROSOFT);
    assert_eq!((microsoft.rows.len(), microsoft.messages()), (2, (5, 4)));
    assert_eq!(microsoft.rows[1].envelope_to.as_deref(), Some("outlook.example"));
    assert_eq!(microsoft.rows[1].envelope_from.as_deref(), Some("list.example.org"));

    let gmx = without_deviations(GMX);
    assert_eq!(gmx.messages(), (3, 3));
    let spf = gmx.rows[0].spf_result.as_ref().unwrap();
    assert_eq!((spf.domain.as_str(), spf.scope), ("example.com", Some(SpfIdentity::MailFrom)));
}

#[test]
fn gzip_and_namespaces_make_no_difference() {
    let plain = without_deviations(GOOGLE);
    let compressed = include_bytes!("data/feedback-google.xml.gz");
    let read = Feedback::read(compressed, &FeedbackLimits::default()).unwrap();
    assert_eq!(read.feedback, plain);
    let named = GOOGLE.replace("<feedback>", "<feedback xmlns=\"http://dmarc.org/dmarc-xml/0.1\">");
    assert_eq!(without_deviations(&named), plain);
    let prefixed = GOOGLE.replace("</", "</x:").replace('<', "<x:").replace("<x:/x:", "</x:");
    let prefixed =
        prefixed.replace("<x:?", "<?").replace("<x:feedback", "<x:feedback xmlns:x=\"u\"");
    assert_eq!(without_deviations(&prefixed), plain);
}

#[test]
fn names_without_the_namespace_of_the_root_are_a_reports_and_others_are_not() {
    // RFC 7489 appendix C: the schema leaves elements below the root unqualified.
    let plain = without_deviations(GOOGLE);
    let unqualified = GOOGLE
        .replace("<feedback>", "<x:feedback xmlns:x=\"http://dmarc.org/dmarc-xml/0.1\">")
        .replace("</feedback>", "</x:feedback>");
    assert_eq!(without_deviations(&unqualified), plain);
    let emptied = GOOGLE
        .replace("<feedback>", "<feedback xmlns=\"http://dmarc.org/dmarc-xml/0.1\">")
        .replace("<record>", "<record xmlns=\"\">");
    assert_eq!(without_deviations(&emptied), plain);
    for foreign in [
        "<e:record xmlns:e=\"urn:e\"><row><count>1</count></row></e:record>",
        "<record xmlns=\"urn:e\"><row><count>1</count></row></record>",
    ] {
        let extended = GOOGLE.replacen("<record>", &format!("{foreign}<record>"), 1);
        assert_eq!(without_deviations(&extended), plain, "{foreign}");
    }
}

#[test]
fn what_is_odd_is_told_and_the_rest_is_read() {
    let FeedbackReading { feedback, deviations, .. } = read(SLOPPY);
    let found: Vec<_> = deviations.iter().map(|deviation| deviation.kind.to_string()).collect();
    assert_eq!(
        found,
        [
            "missing element policy_evaluated",
            "missing element identifiers",
            "missing element auth_results",
            "invalid value \"unknown\" in element source_ip",
            "record without a valid source address and count; it is left out",
            "missing element org_name",
            "missing element email",
            "missing element report_id",
            "invalid value \"\" in element sp",
            "invalid value \"x\" in element adkim",
            "invalid value \"0:1\" in element fo",
            "invalid value \"rejected\" in element disposition",
            "invalid value \"odd\" in element type",
            "invalid value \"softfail\" in element result", // softfail is not a word of DKIM, RFC 8601 section 2.7.1
            "invalid value \"hardfail\" in element result",
            "duplicate element spf",
            "unknown element",
        ]
    );
    for deviation in deviations {
        assert!(SLOPPY[deviation.at..].starts_with('<'), "{deviation:?}");
    }
    assert_eq!(feedback.metadata.error.as_deref(), Some("one; two"));
    assert_eq!((feedback.policy.p, feedback.policy.sp), (Some(Policy::Reject), None));
    assert_eq!((feedback.rows.len(), feedback.rows[0].count), (2, 7));
    let last = &feedback.rows[1];
    assert_eq!(last.dkim, Some(true));
    assert_eq!(last.signatures[0].result, Some(AuthResult::Fail));
    assert_eq!(last.spf_result.as_ref().unwrap().result, Some(AuthResult::Fail));
}

#[test]
fn what_is_no_report_is_refused() {
    let rows: &[(&str, FeedbackError)] = &[
        ("", FeedbackError::Root { at: 0 }),
        ("no XML", FeedbackError::Root { at: 0 }),
        ("<html></html>", FeedbackError::Root { at: 0 }),
        ("\u{1f}\u{8b}", FeedbackError::Root { at: 0 }),
        ("PK\u{3}\u{4}", FeedbackError::Zip),
        ("<feedback>", FeedbackError::Malformed { at: 10 }),
        ("<feedback></feedback>", FeedbackError::Missing { element: "report_metadata" }),
        (
            "<feedback><report_metadata/></feedback>",
            FeedbackError::Missing { element: "date_range" },
        ),
        (
            "<feedback><report_metadata><date_range><begin>x</begin></date_range></report_metadata></feedback>",
            FeedbackError::Invalid { element: "begin", value: "x".into() },
        ),
        (
            "<feedback><report_metadata><date_range><end>1</end></date_range></report_metadata></feedback>",
            FeedbackError::Missing { element: "begin" },
        ),
        (
            "<feedback><policy_published><domain/></policy_published></feedback>",
            FeedbackError::Invalid { element: "domain", value: "".into() },
        ),
        (
            "<feedback><policy_published><p>none</p></policy_published></feedback>",
            FeedbackError::Missing { element: "domain" },
        ),
    ];
    for (text, error) in rows {
        let found = Feedback::read(text.as_bytes(), &FeedbackLimits::default());
        assert_eq!(found, Err(*error), "{text}");
    }
}

#[test]
fn what_is_wrong_around_gzip_loses_no_report() {
    let gzip = include_bytes!("data/feedback-google.xml.gz");
    let plain = without_deviations(GOOGLE);
    let limits = FeedbackLimits::default();
    for behind in [&b"\r\n"[..], b"\n", b"\0\0\0\0", b"\x1f", b"-- \r\nfooter", &[0xff; 600]] {
        let found = Feedback::read(&[gzip, behind].concat(), &limits).unwrap();
        assert_eq!(found.feedback, plain, "{behind:?}");
        let kinds: Vec<_> = found.deviations.iter().map(|deviation| deviation.kind).collect();
        assert_eq!(kinds, [DeviationKind::GzipBehind], "{behind:?}");
    }
    // Without its trailer, whole or in part, and with a wrong checksum.
    let mut damaged = gzip.to_vec();
    damaged[gzip.len() - 8] ^= 1;
    let cut = (1..=8).map(|octets| gzip[..gzip.len() - octets].to_vec());
    for input in cut.chain([damaged]) {
        let found = Feedback::read(&input, &limits).unwrap();
        assert_eq!(found.feedback, plain);
        assert_eq!(found.deviations[0].kind, DeviationKind::GzipEnd);
    }
    // A cut within the text leaves the complete records, or nothing.
    for end in 2..gzip.len() - 8 {
        if let Ok(found) = Feedback::read(&gzip[..end], &limits) {
            assert!(plain.rows.starts_with(&found.feedback.rows), "after {end} bytes");
            assert_eq!(found.deviations[0].kind, DeviationKind::GzipEnd, "after {end} bytes");
        }
    }
    // Several members are one text.
    let (first, second) = GOOGLE.split_at(GOOGLE.len() / 2);
    let members = [first, second].map(|text| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    });
    assert_eq!(Feedback::read(&members.concat(), &limits).unwrap().feedback, plain);
    // Text that mail programs add can be between them, too.
    let [first, second] = &members;
    for between in [&b"\0\0\0\0"[..], b"\r\n", b"\0\r\n \0"] {
        let found = Feedback::read(&[first, between, second].concat(), &limits).unwrap();
        assert_eq!(found.feedback, plain, "{between:?}");
        assert_eq!(found.deviations[0].kind, DeviationKind::GzipBehind, "{between:?}");
    }
}

#[test]
fn seconds_may_have_a_fraction() {
    for (begin, second) in [
        ("1337270400.0", Some(1_337_270_400)),
        ("1337270400.999", Some(1_337_270_400)),
        (" 1337270400 ", Some(1_337_270_400)),
        ("1337270400.", Some(1_337_270_400)),
        (".5", None),
        ("-1", None),
        ("1.x", None),
        ("+5", None),
        ("99999999999999999999", None),
    ] {
        let old = GOOGLE.find("<begin>").unwrap() + "<begin>".len();
        let end = GOOGLE.find("</begin>").unwrap();
        let text = format!("{}{begin}{}", &GOOGLE[..old], &GOOGLE[end..]);
        let found = Feedback::read(text.as_bytes(), &FeedbackLimits::default());
        assert_eq!(found.ok().map(|reading| reading.feedback.metadata.begin), second, "{begin}");
    }
}

const ROW: &str = "<row><source_ip>198.51.100.9</source_ip><count>5</count><policy_evaluated>\
                   <disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf>\
                   </policy_evaluated></row>";

/// The report with an insertion after the first element of a name, and the deviation for it.
fn with_more(element: &str, more: &str) -> (Feedback, Vec<DeviationKind>) {
    let FeedbackReading { feedback, deviations, .. } =
        read(&GOOGLE.replacen(element, &format!("{element}{more}"), 1));
    (feedback, deviations.into_iter().map(|deviation| deviation.kind).collect())
}

#[test]
fn what_comes_again_is_merged_or_told() {
    let plain = without_deviations(GOOGLE);
    // Results are taken together.
    let results = "<auth_results><dkim><domain>b.example</domain><selector>x</selector>\
                   <result>pass</result></dkim></auth_results>";
    let (feedback, deviations) = with_more("</auth_results>", results);
    assert_eq!(deviations, [DeviationKind::Repeated("auth_results")]);
    let domains: Vec<_> =
        feedback.rows[0].signatures.iter().map(|signature| signature.domain.as_str()).collect();
    assert_eq!(domains, ["example.com", "b.example"]);
    // Each row counts, with the data of its record.
    let (feedback, deviations) = with_more("</row>", ROW);
    assert_eq!(deviations, [DeviationKind::Repeated("row")]);
    assert_eq!((feedback.rows.len(), feedback.messages().0), (3, plain.messages().0 + 5));
    assert_eq!(feedback.rows[1].disposition, Some(RowDisposition::Reject));
    assert_eq!(feedback.rows[1].header_from, feedback.rows[0].header_from);
    assert_eq!(feedback.rows[1].signatures, feedback.rows[0].signatures);
}

#[test]
fn of_elements_that_come_again_the_first_counts() {
    let plain = without_deviations(GOOGLE);
    for (what, more, name) in [
        ("</count>", "<count>9</count>", "count"),
        ("</header_from>", "<header_from>b.example</header_from>", "header_from"),
        ("</report_id>", "<report_id>2</report_id>", "report_id"),
        ("</p>", "<p>none</p>", "p"),
        (
            "</identifiers>",
            "<identifiers><header_from>b.example</header_from></identifiers>",
            "identifiers",
        ),
        (
            "</policy_published>",
            "<policy_published><domain>b.example</domain></policy_published>",
            "policy_published",
        ),
    ] {
        let (feedback, deviations) = with_more(what, more);
        assert_eq!(
            (feedback, deviations),
            (plain.clone(), vec![DeviationKind::Repeated(name)]),
            "{name}"
        );
    }
}

#[test]
fn a_few_octets_do_not_become_many() {
    let many = ROW.repeat(250);
    let text = "x".repeat(8000);
    let signature =
        format!("<dkim><domain>{text}</domain><selector>s</selector><result>pass</result></dkim>");
    let large = GOOGLE.replacen("</row>", &format!("</row>{many}"), 1).replacen(
        "<auth_results>",
        &format!("<auth_results>{}", signature.repeat(60)),
        1,
    );
    let found = Feedback::read(large.as_bytes(), &FeedbackLimits::default());
    assert_eq!(found, Err(FeedbackError::Xml { limit: 64 << 20 }));
}

#[test]
fn the_words_of_rfc_7489_are_those_of_its_appendix_c() {
    for (word, result, odd) in [
        ("pass", Some(AuthResult::Pass), false),
        ("Pass", Some(AuthResult::Pass), false),
        ("unknown", Some(AuthResult::TempError), true),
        ("error", Some(AuthResult::PermError), true),
        ("hardfail", Some(AuthResult::Fail), true),
        ("perhaps", None, true),
    ] {
        let at = GOOGLE.find("<spf><domain>").or_else(|| GOOGLE.find("<auth_results>")).unwrap();
        let spf = GOOGLE[at..].find("</auth_results>").unwrap() + at;
        let start = GOOGLE[..spf].rfind("<result>").unwrap() + "<result>".len();
        let end = GOOGLE[start..].find("</result>").unwrap() + start;
        let text = format!("{}{word}{}", &GOOGLE[..start], &GOOGLE[end..]);
        let FeedbackReading { feedback, deviations, .. } = read(&text);
        assert_eq!(feedback.rows[0].spf_result.as_ref().unwrap().result, result, "{word}");
        assert_eq!(!deviations.is_empty(), odd, "{word}");
    }
}

#[test]
fn what_is_not_given_is_not_a_verdict() {
    for (given, missing) in [
        ("<disposition>none</disposition>", "disposition"),
        ("<dkim>fail</dkim>", "dkim"),
        ("<spf>fail</spf>", "spf"),
        ("<p>reject</p>", "p"),
    ] {
        let text = RFC9990.replace(given, "");
        let FeedbackReading { feedback, deviations, .. } = read(&text);
        assert!(
            deviations.iter().any(|odd| odd.kind == DeviationKind::Missing(missing)),
            "{given}"
        );
        let row = &feedback.rows[1];
        let found = match missing {
            "disposition" => row.disposition.is_none(),
            "dkim" => row.dkim.is_none(),
            "spf" => row.spf.is_none(),
            _ => feedback.policy.p.is_none(),
        };
        assert!(found, "{given}");
        // Missing values are not written.
        let written = Feedback::read(feedback.to_xml().as_bytes(), &FeedbackLimits::default());
        assert_eq!(written.unwrap().feedback, feedback, "{given}");
    }
}
