//! Aggregate reports, read as they are found in the wild.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dmarc_policy::{
    AlignmentMode, DiscoveryMethod, FailureOptions, Feedback, FeedbackError, FeedbackLimits,
    FeedbackReading, FeedbackRow, OddityKind, Override, OverrideKind, Policy, RowDisposition,
    SignatureRow, SpfRow,
};
use mail_types::{AuthResult, SpfIdentity};

const RFC9990: &str = include_str!("data/feedback-rfc9990.xml");
const GOOGLE: &str = include_str!("data/feedback-google.xml");
const MICROSOFT: &str = include_str!("data/feedback-microsoft.xml");
const GMX: &str = include_str!("data/feedback-gmx.xml");
const SLOPPY: &str = include_str!("data/feedback-sloppy.xml");

fn read(text: &str) -> FeedbackReading {
    Feedback::read(text.as_bytes(), &FeedbackLimits::default()).unwrap()
}

fn without_oddities(text: &str) -> Feedback {
    let FeedbackReading { feedback, oddities, .. } = read(text);
    assert_eq!(oddities, []);
    feedback
}

#[test]
fn a_report_of_rfc_9990_is_read_whole_and_its_extensions_are_passed_over() {
    let report = without_oddities(RFC9990);
    assert_eq!(report.metadata.org_name, "Example Receiver & Sons");
    assert_eq!((report.metadata.begin, report.metadata.end), (1_795_219_200, 1_795_305_599));
    assert_eq!(report.metadata.extra_contact_info.as_deref(), Some("https://mx.example.net/hilfe"));
    assert_eq!(report.metadata.error.as_deref(), Some("sp is no policy"));
    assert_eq!(report.metadata.generator.as_deref(), Some("example 1.0"));
    let policy = &report.policy;
    assert_eq!(policy.discovery, Some(DiscoveryMethod::TreeWalk));
    let policies = (policy.p, policy.sp, policy.np);
    assert_eq!(policies, (Policy::Reject, Some(Policy::Quarantine), Some(Policy::Reject)));
    let modes = (policy.adkim, policy.aspf);
    assert_eq!(modes, (Some(AlignmentMode::Strict), Some(AlignmentMode::Relaxed)));
    let fo = FailureOptions { any: true, dkim: true, spf: false, all: false };
    assert_eq!((policy.fo, policy.testing, policy.pct), (Some(fo), Some(false), None));

    let mut first = FeedbackRow::new("192.0.2.25".parse().unwrap(), "example.com")
        .with_envelope_from("")
        .with_envelope_to("example.net");
    first.count = 123;
    (first.disposition, first.dkim) = (RowDisposition::Pass, true);
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
    let google = without_oddities(GOOGLE);
    assert_eq!((google.rows.len(), google.messages()), (2, (3, 2)));
    assert_eq!((google.policy.pct, google.policy.np), (Some(50), Some(Policy::Quarantine)));
    assert_eq!(
        google.rows[0].signatures,
        [SignatureRow::new("example.com", "s1", AuthResult::Pass)]
    );
    assert_eq!(google.rows[0].spf_result.as_ref().unwrap().scope, None);
    assert_eq!(google.rows[1].reasons, [Override::new(OverrideKind::SampledOut)]);

    let microsoft = without_oddities(MICROSOFT);
    assert_eq!((microsoft.rows.len(), microsoft.messages()), (2, (5, 4)));
    assert_eq!(microsoft.rows[1].envelope_to.as_deref(), Some("outlook.example"));
    assert_eq!(microsoft.rows[1].envelope_from.as_deref(), Some("list.example.org"));

    let gmx = without_oddities(GMX);
    assert_eq!(gmx.messages(), (3, 3));
    let spf = gmx.rows[0].spf_result.as_ref().unwrap();
    assert_eq!((spf.domain.as_str(), spf.scope), ("example.com", Some(SpfIdentity::MailFrom)));
}

#[test]
fn gzip_and_namespaces_make_no_difference() {
    let plain = without_oddities(GOOGLE);
    let compressed = include_bytes!("data/feedback-google.xml.gz");
    let read = Feedback::read(compressed, &FeedbackLimits::default()).unwrap();
    assert_eq!(read.feedback, plain);
    let named = GOOGLE.replace("<feedback>", "<feedback xmlns=\"http://dmarc.org/dmarc-xml/0.1\">");
    assert_eq!(without_oddities(&named), plain);
    let prefixed = GOOGLE.replace("</", "</x:").replace('<', "<x:").replace("<x:/x:", "</x:");
    let prefixed =
        prefixed.replace("<x:?", "<?").replace("<x:feedback", "<x:feedback xmlns:x=\"u\"");
    assert_eq!(without_oddities(&prefixed), plain);
}

#[test]
fn names_without_the_namespace_of_the_root_are_a_reports_and_others_are_not() {
    // RFC 7489 appendix C: the schema leaves elements below the root unqualified.
    let plain = without_oddities(GOOGLE);
    let unqualified = GOOGLE
        .replace("<feedback>", "<x:feedback xmlns:x=\"http://dmarc.org/dmarc-xml/0.1\">")
        .replace("</feedback>", "</x:feedback>");
    assert_eq!(without_oddities(&unqualified), plain);
    let emptied = GOOGLE
        .replace("<feedback>", "<feedback xmlns=\"http://dmarc.org/dmarc-xml/0.1\">")
        .replace("<record>", "<record xmlns=\"\">");
    assert_eq!(without_oddities(&emptied), plain);
    for foreign in [
        "<e:record xmlns:e=\"urn:e\"><row><count>1</count></row></e:record>",
        "<record xmlns=\"urn:e\"><row><count>1</count></row></record>",
    ] {
        let extended = GOOGLE.replacen("<record>", &format!("{foreign}<record>"), 1);
        assert_eq!(without_oddities(&extended), plain, "{foreign}");
    }
}

#[test]
fn what_is_odd_is_told_and_the_rest_is_read() {
    let FeedbackReading { feedback, oddities, .. } = read(SLOPPY);
    let found: Vec<_> = oddities.iter().map(|oddity| oddity.kind).collect();
    assert_eq!(
        found,
        [
            OddityKind::Missing("policy_evaluated"),
            OddityKind::Missing("identifiers"),
            OddityKind::Missing("auth_results"),
            OddityKind::Record,
            OddityKind::Missing("org_name"),
            OddityKind::Missing("email"),
            OddityKind::Missing("report_id"),
            OddityKind::Value("sp"),
            OddityKind::Value("adkim"),
            OddityKind::Value("fo"),
            OddityKind::Value("disposition"),
            OddityKind::Value("type"),
            OddityKind::Value("result"), // softfail is not a word of DKIM, RFC 8601 section 2.7.1
            OddityKind::Value("result"), // hardfail
            OddityKind::Repeated("spf"),
            OddityKind::Unknown,
        ]
    );
    for oddity in oddities {
        assert!(SLOPPY[oddity.at..].starts_with('<'), "{oddity:?}");
    }
    assert_eq!(feedback.metadata.error.as_deref(), Some("one; two"));
    assert_eq!((feedback.policy.p, feedback.policy.sp), (Policy::Reject, None));
    assert_eq!((feedback.rows.len(), feedback.rows[0].count), (2, 7));
    let last = &feedback.rows[1];
    assert!(last.dkim);
    assert_eq!(last.signatures[0].result, AuthResult::Fail);
    assert_eq!(last.spf_result.as_ref().unwrap().result, AuthResult::Fail);
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
            FeedbackError::Missing { element: "begin" },
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
    for end in 0..GOOGLE.trim_end().len() {
        let cut = &GOOGLE.as_bytes()[..end];
        let found = Feedback::read(cut, &FeedbackLimits::default());
        assert!(found.is_err(), "after {end} bytes");
    }
    let gzip = include_bytes!("data/feedback-google.xml.gz");
    for end in 2..gzip.len() {
        let found = Feedback::read(&gzip[..end], &FeedbackLimits::default());
        assert_eq!(found, Err(FeedbackError::Gzip), "after {end} bytes");
    }
}
