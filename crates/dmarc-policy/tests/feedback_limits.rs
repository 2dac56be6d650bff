//! Aggregate reports that are made to do harm.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;

use dmarc_policy::{DeviationKind, Feedback, FeedbackError, FeedbackLimits};

const GOOGLE: &str = include_str!("data/feedback-google.xml");
const RFC9990: &str = include_str!("data/feedback-rfc9990.xml");
const SLOPPY: &str = include_str!("data/feedback-sloppy.xml");

fn read_with(text: &str, set: impl Fn(&mut FeedbackLimits)) -> Result<Feedback, FeedbackError> {
    let mut limits = FeedbackLimits::default();
    set(&mut limits);
    Feedback::read(text.as_bytes(), &limits).map(|reading| reading.feedback)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_octets_that_are_given_have_a_limit() {
    let limit = GOOGLE.len();
    assert!(read_with(GOOGLE, |limits| limits.input = limit).is_ok());
    let error = FeedbackError::Input { limit: limit - 1 };
    assert_eq!(read_with(GOOGLE, |limits| limits.input = limit - 1), Err(error));
}

#[test]
fn the_octets_of_the_xml_have_a_limit_and_a_bomb_ends_there() {
    let limit = GOOGLE.len();
    assert!(read_with(GOOGLE, |limits| limits.xml = limit).is_ok());
    let error = FeedbackError::Xml { limit: limit - 1 };
    assert_eq!(read_with(GOOGLE, |limits| limits.xml = limit - 1), Err(error));

    let bomb = gzip(&vec![b' '; 8 << 20]);
    assert!(bomb.len() < 16 << 10);
    let mut limits = FeedbackLimits::default();
    limits.xml = (8 << 20) - 1;
    assert_eq!(Feedback::read(&bomb, &limits), Err(FeedbackError::Xml { limit: limits.xml }));
    limits.xml = 8 << 20;
    assert_eq!(Feedback::read(&bomb, &limits), Err(FeedbackError::Root { at: 8 << 20 }));
}

/// An empty member has 20 octets, and takes as long as one of some thousand.
#[test]
fn the_members_have_a_limit() {
    let members = |count: usize| [gzip(b"").repeat(count - 1), gzip(GOOGLE.as_bytes())].concat();
    let read = |input: &[u8]| {
        let found = Feedback::read(input, &FeedbackLimits::default());
        found.map(|reading| (reading.feedback.rows.len(), reading.deviations))
    };
    let plain = read(GOOGLE.as_bytes());
    assert!(plain.is_ok());
    assert_eq!(read(&members(64)), plain);
    assert_eq!(read(&members(65)), Err(FeedbackError::Members { limit: 64 }));
    let start = std::time::Instant::now();
    assert_eq!(read(&members(500_000)), Err(FeedbackError::Members { limit: 64 }));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn the_records_have_a_limit() {
    assert!(read_with(GOOGLE, |limits| limits.records = 2).is_ok());
    let at = GOOGLE.rfind("<record>").unwrap();
    let error = FeedbackError::Records { at, limit: 1 };
    assert_eq!(read_with(GOOGLE, |limits| limits.records = 1), Err(error));
}

#[test]
fn the_depth_has_a_limit() {
    assert!(read_with(RFC9990, |limits| limits.depth = 6).is_ok());
    let at = RFC9990.find("<type>").unwrap();
    let error = FeedbackError::Depth { at, limit: 5 };
    assert_eq!(read_with(RFC9990, |limits| limits.depth = 5), Err(error));
    // An extension is as deep as it likes within the limit, but no deeper.
    let deep = |depth: usize| {
        let inner = format!("{}{}", "<e:a>".repeat(depth), "</e:a>".repeat(depth));
        GOOGLE.replacen("<record>", &format!("{inner}<record>"), 1)
    };
    assert_eq!(read_with(&deep(15), |_| {}), read_with(GOOGLE, |_| {}));
    assert!(matches!(read_with(&deep(16), |_| {}), Err(FeedbackError::Depth { limit: 16, .. })));
    let deepest = deep(100_000);
    assert!(matches!(read_with(&deepest, |_| {}), Err(FeedbackError::Depth { limit: 16, .. })));
}

#[test]
fn a_report_nested_in_itself_is_read_no_deeper_than_it_makes_sense() {
    let nested = format!("{}{}", "<record>".repeat(50_000), "</record>".repeat(50_000));
    let nested = GOOGLE.replacen("<record>", &format!("{nested}<record>"), 1);
    let found = read_with(&nested, |limits| limits.depth = usize::MAX).unwrap();
    assert_eq!(found.rows.len(), 2);
}

#[test]
fn a_text_has_a_limit() {
    let name = |length: usize| GOOGLE.replacen("google.example", &"g".repeat(length), 1);
    let found = read_with(&name(8192), |_| {}).unwrap();
    assert_eq!(found.metadata.org_name.len(), 8192);
    let at = GOOGLE.find("<org_name>").unwrap();
    let error = FeedbackError::Text { at, limit: 8192 };
    assert_eq!(read_with(&name(8193), |_| {}), Err(error));
    // Nor can it be put together of pieces.
    let pieces = GOOGLE.replacen("google.example", &"g&amp;<!-- -->".repeat(4097), 1);
    assert_eq!(read_with(&pieces, |_| {}), Err(error));
}

#[test]
fn the_elements_in_one_have_a_limit() {
    let signature = "<dkim><domain>a.example</domain><result>fail</result></dkim>";
    let signatures = |count: usize| {
        let list = format!("<auth_results>{}", signature.repeat(count));
        GOOGLE.replacen("<auth_results>", &list, 1)
    };
    // With one signature and SPF of its own.
    let found = read_with(&signatures(254), |_| {}).unwrap();
    assert_eq!(found.rows.first().unwrap().signatures.len(), 255);
    let found = read_with(&signatures(255), |_| {});
    assert!(matches!(found, Err(FeedbackError::Children { limit: 256, .. })));
}

#[test]
fn the_deviations_have_a_limit() {
    let mut limits = FeedbackLimits::default();
    limits.deviations = 17;
    let all = Feedback::read(SLOPPY.as_bytes(), &limits).unwrap().deviations;
    assert_eq!(all.len(), 17);
    assert!(all.iter().all(|deviation| deviation.kind != DeviationKind::More));
    limits.deviations = 16;
    let some = Feedback::read(SLOPPY.as_bytes(), &limits).unwrap().deviations;
    assert_eq!((some.len(), some.last().unwrap().kind), (16, DeviationKind::More));
    assert_eq!(some.get(..15), all.get(..15));
    limits.deviations = 0;
    assert_eq!(Feedback::read(SLOPPY.as_bytes(), &limits).unwrap().deviations, []);
}

#[test]
fn entities_and_document_types_are_refused() {
    let named = |text: &str| GOOGLE.replacen("google.example", text, 1);
    let found = read_with(&named("&lt;&gt;&amp;&quot;&apos;&#65;&#x42;"), |_| {}).unwrap();
    assert_eq!(found.metadata.org_name, "<>&\"'AB");
    let found = read_with(&named("<![CDATA[<&xxe;>]]>"), |_| {}).unwrap();
    assert_eq!(found.metadata.org_name, "<&xxe;>", "it is no entity there");
    let at = GOOGLE.find("google.example").unwrap();
    for entity in ["&xxe;", "&nbsp;", "&#xffffffff;", "&#55296;"] {
        let found = read_with(&named(entity), |_| {});
        assert_eq!(found, Err(FeedbackError::Entity { at }), "{entity}");
    }
    let laughs = "<!DOCTYPE feedback [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>\n";
    let found = read_with(&format!("{laughs}{}", named("&b;")), |_| {});
    assert_eq!(found, Err(FeedbackError::Doctype { at: 0 }));
    let outside = "<!DOCTYPE feedback SYSTEM \"file:///etc/passwd\">";
    let found = read_with(&format!("{outside}{GOOGLE}"), |_| {});
    assert_eq!(found, Err(FeedbackError::Doctype { at: 0 }));
}

#[test]
fn control_characters_become_blanks() {
    let text = GOOGLE.replacen("google.example", "a&#13;&#10;b\u{1b}[31m&#0x85;c", 1);
    assert!(matches!(read_with(&text, |_| {}), Err(FeedbackError::Entity { .. })));
    let text = GOOGLE.replacen("google.example", "a&#13;&#10;b\u{1b}[31m&#x85;c", 1);
    assert_eq!(read_with(&text, |_| {}).unwrap().metadata.org_name, "a  b [31m c");
}
