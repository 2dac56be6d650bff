//! Reports in the shapes that reporters send, all made here: what they are written in, what they are
//! packed in, and what they do otherwise. Each says the same of two sources.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;

use dmarc_policy::{Feedback, FeedbackLimits, RowDisposition};

const GOOGLE: &str = include_str!("data/feedback-google.xml");

/// A report of RFC 7489 by its elements, in which each habit of a reporter changes something.
fn report(habit: &str) -> String {
    let when = |wanted: &str, then: &str, otherwise: &str| {
        if habit == wanted { then.to_owned() } else { otherwise.to_owned() }
    };
    let begin = when("seconds with a fraction", "1337270400.0", "1337270400");
    let version = when("no version", "", "<version>1.0</version>");
    let capital = habit == "capital words";
    let word = |word: &str| if capital { word.to_uppercase() } else { word.to_owned() };
    let selector = when("no selector", "", "<selector>s1</selector>");
    let twice = when("two auth_results", "</auth_results><auth_results>", "");
    let helo = "<spf><domain>mx.a.example</domain><scope>helo</scope><result>none</result></spf>";
    let helo = when("spf for the HELO name too", helo, "");
    let extra = when("elements of its own", "<x_note>hello</x_note>", "");
    let comment = when("comments", "<!-- one of several -->", "");
    let indent = when("one line", "", "\n    ");
    let record = |source: &str, count: u32, verdict: &str| {
        let (pass, disposition) = (word(verdict), word("quarantine"));
        let from = when("CDATA", "<![CDATA[a.example]]>", "a.example");
        format!(
            "<record>{indent}{comment}<row><source_ip>{source}</source_ip><count>{count}</count>{indent}\
             <policy_evaluated><disposition>{disposition}</disposition><dkim>{pass}</dkim>\
             <spf>{pass}</spf>{extra}</policy_evaluated></row>{indent}<identifiers>\
             <header_from>{from}</header_from></identifiers>{indent}<auth_results>\
             <dkim><domain>a.example</domain>{selector}<result>{pass}</result></dkim>{twice}{helo}\
             <spf><domain>a.example</domain><scope>mfrom</scope><result>{pass}</result></spf>\
             </auth_results></record>{indent}"
        )
    };
    let policy = "<policy_published><domain>a.example</domain><p>quarantine</p></policy_published>";
    let behind = habit == "policy behind the records";
    let (first, last) = if behind { ("", policy) } else { (policy, "") };
    let records = record("192.0.2.1", 2, "pass") + &record("2001:db8::1", 3, "fail");
    format!(
        "{version}{indent}<report_metadata><org_name>O &amp; Co</org_name>\
         <email>d@o.example</email><report_id>&lt;1@o&gt;</report_id><date_range>\
         <begin>{begin}</begin><end>1337356799</end></date_range></report_metadata>{indent}\
         {first}{records}{last}{extra}"
    )
}

const HABITS: [&str; 12] = [
    "none",
    "policy behind the records",
    "seconds with a fraction",
    "no version",
    "capital words",
    "no selector",
    "two auth_results",
    "spf for the HELO name too",
    "elements of its own",
    "comments",
    "one line",
    "CDATA",
];

fn written(form: &str, inner: &str) -> String {
    let declared = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    match form {
        "bare" => format!("<feedback>{inner}</feedback>"),
        "declared" => format!("{declared}<feedback>{inner}</feedback>\n"),
        "namespace" => {
            format!(
                "{declared}<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">{inner}</feedback>"
            )
        }
        "old namespace" => format!(
            "{declared}<feedback xmlns=\"http://dmarc.org/dmarc-xml/0.1\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{inner}</feedback>"
        ),
        "prefix" => format!("{declared}<n:feedback xmlns:n=\"urn:x\">{inner}</n:feedback>"),
        _ => format!("\u{feff}{declared}<feedback>{inner}</feedback>\r\n\r\n"),
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn packed(packing: &str, text: &str) -> Vec<u8> {
    let mut octets = gzip(text.as_bytes());
    match packing {
        "plain" => return text.as_bytes().to_vec(),
        "line end behind" => octets.extend(b"\r\n"),
        "zeros behind" => octets.extend([0; 16]),
        "no trailer" => octets.truncate(octets.len() - 8),
        "two members" => {
            let (first, second) = text.split_at(text.find("<report_metadata>").unwrap());
            return [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
        }
        _ => {}
    }
    octets
}

#[test]
fn every_shape_is_read() {
    let forms = ["bare", "declared", "namespace", "old namespace", "prefix", "byte order mark"];
    let packings =
        ["plain", "gzip", "line end behind", "zeros behind", "no trailer", "two members"];
    let mut shapes = 0;
    for habit in HABITS {
        for form in forms {
            for packing in packings {
                let octets = packed(packing, &written(form, &report(habit)));
                let shape = format!("{habit}, {form}, {packing}");
                let read = Feedback::read(&octets, &FeedbackLimits::default());
                let read = read.map_err(|error| format!("{shape}: {error}")).unwrap();
                let Feedback { metadata, policy, rows, .. } = &read.feedback;
                assert_eq!(read.feedback.messages(), (5, 2), "{shape}");
                assert_eq!(
                    (metadata.begin, &*metadata.report_id),
                    (1_337_270_400, "<1@o>"),
                    "{shape}"
                );
                assert_eq!(policy.domain, "a.example", "{shape}");
                for row in rows {
                    assert_eq!(row.disposition, Some(RowDisposition::Quarantine), "{shape}");
                    assert_eq!(
                        (&*row.header_from, row.signatures.len()),
                        ("a.example", 1),
                        "{shape}"
                    );
                    assert_eq!(row.spf_result.as_ref().unwrap().domain, "a.example", "{shape}");
                }
                shapes += 1;
            }
        }
    }
    assert!(shapes >= 98, "{shapes}");
}

/// An element that is there is not called missing, whatever its text.
#[test]
fn an_invalid_value_is_told_with_its_element() {
    let long = "é".repeat(30);
    for (given, put, told) in [
        ("<source_ip>", "<source_ip>192.0.2", "invalid value \"192.0.2"),
        ("<count>", "<count>many ", "invalid value \"many "),
        (
            "<org_name>google.example</org_name>",
            "<org_name/>",
            "invalid value \"\" in element org_name",
        ),
        (
            "<disposition>",
            &format!("<disposition>{long}"),
            "invalid value \"éééééééééééééééééééé\"… in",
        ),
    ] {
        let text = GOOGLE.replacen(given, put, 1);
        let told_of: Vec<_> = Feedback::read(text.as_bytes(), &FeedbackLimits::default())
            .unwrap()
            .deviations
            .iter()
            .map(|odd| odd.kind.to_string())
            .collect();
        assert!(told_of.iter().any(|line| line.contains(told)), "{given}: {told_of:?}");
        assert!(!told_of.iter().any(|line| line.contains("missing")), "{given}: {told_of:?}");
    }
}
