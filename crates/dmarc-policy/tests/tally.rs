//! From messages to a report, its mail, and the history file.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dmarc_policy::{
    Author, Discovery, DiscoveryMethod, DkimInput, Dmarc, Feedback, FeedbackLimits, FeedbackRow,
    History, Override, OverrideKind, Policy, PublishedPolicy, Record, ReportIdError, ReportMail,
    ReportMailError, ReportMetadata, RowDisposition, SpfRow, Tally, Verdict,
};
use mail_types::dns::{DnssecStatus, InquiryStep, RecordType, Zone};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

fn verdict(from: &str, record: &str, spf: &SpfInput, dkim: &[DkimInput]) -> Verdict {
    let mut zone = Zone::default();
    let name = "_dmarc.example.com".parse().unwrap();
    zone.add(name, RecordType::Txt, record, DnssecStatus::default()).unwrap();
    let author = Author::from_fields([from.as_bytes()]);
    let dmarc = Dmarc::new(author).with_spf(spf).with_dkim(dkim);
    let mut session = dmarc.session();
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                let answer = zone.answer(&question);
                session.handle_answer(&question, answer);
            }
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(verdict) => return verdict,
        }
    }
}

fn spf(domain: &str, result: AuthResult) -> SpfInput {
    SpfInput { result, identity: SpfIdentity::MailFrom, domain: domain.parse().unwrap() }
}

fn dkim(domain: &str, selector: &str, result: AuthResult) -> DkimInput {
    DkimInput { result, domain: domain.parse().unwrap(), selector: selector.to_owned() }
}

#[test]
fn rows_that_differ_in_their_counts_alone_become_one() {
    let row = |source: &str| FeedbackRow::new(source.parse().unwrap(), "example.com");
    let mut many = row("192.0.2.1");
    many.count = u64::MAX;
    let mut tally = Tally::new(3);
    for row in [row("192.0.2.2"), row("192.0.2.1"), row("192.0.2.1").with_envelope_to("a.example")]
    {
        assert_eq!(tally.add(row), Ok(()));
    }
    assert_eq!(tally.add(row("192.0.2.2")), Ok(()));
    assert_eq!(tally.add(row("192.0.2.3")).unwrap_err().limit, 3, "one row too many");
    assert_eq!(tally.add(many), Ok(()), "a row that is there has its place");
    let rows: Vec<_> = tally.into_rows();
    let found: Vec<_> = rows.iter().map(|row| (row.source.to_string(), row.count)).collect();
    let expected = [("192.0.2.2", 2), ("192.0.2.1", u64::MAX), ("192.0.2.1", 1)];
    assert_eq!(found, expected.map(|(source, count)| (source.to_owned(), count)));
}

#[test]
fn a_row_tells_what_was_done_and_why() {
    let source = "192.0.2.1".parse().unwrap();
    let failed = spf("example.com", AuthResult::Fail);
    let reason = |kind| vec![Override::new(kind)];
    let rows = [
        ("p=reject", Policy::Reject, RowDisposition::Reject, vec![]),
        (
            "p=reject",
            Policy::Quarantine, // RFC 9989 section 7.4
            RowDisposition::Quarantine,
            reason(OverrideKind::LocalPolicy),
        ),
        (
            "p=reject; t=y",
            Policy::Quarantine,
            RowDisposition::Quarantine,
            reason(OverrideKind::PolicyTestMode),
        ),
        ("p=reject; t=y", Policy::None, RowDisposition::None, reason(OverrideKind::LocalPolicy)),
        ("p=none", Policy::None, RowDisposition::None, vec![]),
    ];
    for (tags, applied, disposition, reasons) in rows {
        let verdict = verdict("a@example.com", &format!("v=DMARC1; {tags}"), &failed, &[]);
        let row = FeedbackRow::of_verdict(source, &verdict, applied, Some(&failed), &[]).unwrap();
        assert_eq!((row.disposition, row.reasons), (Some(disposition), reasons), "{tags}");
        assert_eq!(row.spf_result, Some(SpfRow::new("example.com", AuthResult::Fail)));
        assert_eq!((row.spf, row.dkim), (Some(false), Some(false)));
    }
    let passed = spf("example.com", AuthResult::Pass);
    let good = verdict("a@example.com", "v=DMARC1; p=reject", &passed, &[]);
    let helo = SpfInput { identity: SpfIdentity::Helo, ..passed };
    let row = FeedbackRow::of_verdict(source, &good, Policy::None, Some(&helo), &[]).unwrap();
    assert_eq!((row.disposition, row.spf), (Some(RowDisposition::Pass), Some(true)));
    assert_eq!(row.spf_result, None, "the only scope is mfrom: RFC 9990 section 3.1.1.13");
    let nobody = verdict("a@other.net", "v=DMARC1; p=reject", &helo, &[]);
    assert_eq!(FeedbackRow::of_verdict(source, &nobody, Policy::None, None, &[]), None);
}

#[test]
fn the_signatures_that_matter_most_are_told() {
    // RFC 9990 section 3.1.3
    let mut signatures = vec![
        dkim("example.com", "failed", AuthResult::Fail),
        dkim("other.net", "other", AuthResult::Pass),
        dkim("sub.example.com", "relaxed", AuthResult::Pass),
        dkim("example.com", "strict", AuthResult::Pass),
    ];
    let failed = spf("example.com", AuthResult::Fail);
    let verdict = verdict("a@example.com", "v=DMARC1; p=none", &failed, &signatures);
    let row = |signatures: &[DkimInput]| {
        let source = "192.0.2.1".parse().unwrap();
        FeedbackRow::of_verdict(source, &verdict, Policy::None, None, signatures).unwrap()
    };
    let told: Vec<_> = row(&signatures).signatures.into_iter().map(|row| row.selector).collect();
    assert_eq!(told, ["strict", "relaxed", "other", "failed"]);
    signatures.resize(99, dkim("example.com", "more", AuthResult::Fail));
    assert_eq!(row(&signatures).signatures.len(), 99);
    signatures.resize(101, dkim("example.com", "more", AuthResult::Fail));
    let told = row(&signatures).signatures;
    assert_eq!((told.len(), told.first().unwrap().selector.as_str()), (100, "strict"));
}

fn report() -> Feedback {
    let record = Record::parse(b"v=DMARC1; p=reject; sp=none; aspf=s; t=y; fo=1").unwrap();
    let policy =
        PublishedPolicy::new(&"example.com".parse().unwrap(), &record, &Discovery::TreeWalk);
    assert_eq!((policy.p, policy.sp, policy.np), (Some(Policy::Reject), Some(Policy::None), None));
    assert_eq!((policy.discovery, policy.testing), (Some(DiscoveryMethod::TreeWalk), Some(true)));
    let period = 1_013_662_812..1_013_749_131;
    let id = "1013662812@mail.receiver.example";
    let metadata = ReportMetadata::new("Receiver", "dmarc@mail.receiver.example", id, period)
        .with_contact("https://mail.receiver.example/")
        .with_error("two records")
        .with_generator("tests");
    let rows = (1..=200).map(|i| {
        FeedbackRow::new(std::net::Ipv4Addr::new(192, 0, 2, i).into(), &format!("a{i}.example.com"))
    });
    Feedback::new(metadata, policy, rows.collect())
}

fn mail() -> ReportMail {
    ReportMail::new(
        "mail.receiver.example".parse().unwrap(),
        "dmarc@mail.receiver.example".parse().unwrap(),
        vec!["a@example.com".parse().unwrap(), "\"b c\"@example.net".parse().unwrap()],
        "x@mail.receiver.example".parse().unwrap(),
        1_795_382_988,
    )
}

#[test]
fn the_file_is_named_as_in_the_rfc() {
    // RFC 9990 section 3.5.2: its own example, and its grammar.
    let name = mail().file_name(&report()).unwrap();
    assert_eq!(name, "mail.receiver.example!example.com!1013662812!1013749130.xml.gz");
    let name = mail().with_unique_id("a1").file_name(&report()).unwrap();
    assert_eq!(name, "mail.receiver.example!example.com!1013662812!1013749130!a1.xml.gz");
    for bad in ["", "a b", "a!b", "a-b", "../x", "ä"] {
        let name = mail().with_unique_id(bad).file_name(&report());
        assert_eq!(name, Err(ReportMailError::UniqueId), "{bad}");
    }
}

#[test]
fn the_mail_carries_the_report() {
    let text = mail().write(&report()).unwrap();
    let head = "From: <dmarc@mail.receiver.example>\r\n\
        To: <a@example.com>,\r\n <\"b c\"@example.net>\r\n\
        Date: Sun, 22 Nov 2026 21:29:48 +0000\r\n\
        Subject: Report Domain: example.com\r\n\
        \x20Submitter: mail.receiver.example\r\n\
        \x20Report-ID: <1013662812@mail.receiver.example>\r\n\
        Message-ID: <x@mail.receiver.example>\r\n\
        Auto-Submitted: auto-generated\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"=_dmarc_report\"\r\n\
        \r\n\
        --=_dmarc_report\r\n";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains("Content-Type: application/gzip\r\n"));
    assert!(text.contains(
        "filename=\"mail.receiver.example!example.com!1013662812!1013749130.xml.gz\"\r\n"
    ));
    let (_, body) = text.split_once("base64\r\n\r\n").unwrap();
    let (body, rest) = body.split_once("--=_dmarc_report").unwrap();
    assert_eq!(rest, "--\r\n");
    assert!(body.lines().all(|line| line.len() <= 76), "RFC 2045 section 6.8");
    let read = Feedback::read(&decoded(body), &FeedbackLimits::default()).unwrap();
    assert_eq!(read.feedback, report());
    assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
}

/// Base64, as RFC 4648 section 4 has it.
fn decoded(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            octets.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    octets
}

#[test]
fn a_report_that_cannot_be_told_of_is_not_sent() {
    let mut nameless = report();
    nameless.metadata.report_id = "a\r\nX: 1".to_owned();
    let error = ReportMailError::ReportId(ReportIdError::Character { at: 1 });
    assert_eq!(mail().write(&nameless), Err(error));
    let mut nowhere = report();
    nowhere.policy.domain = "example.com\r\nX: 1".to_owned();
    assert!(matches!(mail().write(&nowhere), Err(ReportMailError::Domain(_))));
    let mut empty = report();
    empty.rows.clear();
    assert_eq!(mail().write(&empty), Err(ReportMailError::NoRows));
    let mut to_nobody = mail();
    to_nobody.to.clear();
    assert_eq!(to_nobody.write(&report()), Err(ReportMailError::NoDestination));
}

#[test]
fn the_history_file_is_as_exim_writes_it() {
    let record =
        "v=DMARC1; p=reject; sp=none; adkim=s; rua=mailto:d@example.com,mailto:e@example.com";
    let (spf, dkim) = (
        spf("mail.example.com", AuthResult::Pass),
        [dkim("example.com", "s1 x\r\njob 2", AuthResult::Fail)],
    );
    let verdict = verdict("a@example.com", record, &spf, &dkim);
    let source = "192.0.2.1".parse().unwrap();
    let entry = |job, mail_from| {
        let entry = History::new(&verdict, job, "mx.example.net", 1_795_382_988, source, mail_from);
        entry.unwrap().with_spf(&spf).with_dkim(&dkim).to_string()
    };
    let expected = "job 1xY-0001\nreporter mx.example.net\nreceived 1795382988\nipaddr 192.0.2.1\n\
        from example.com\nmfrom mail.example.com\nspf 0\ndkim example.com s1?x??job?2 7\n\
        pdomain example.com\npolicy 15\nrua mailto:d@example.com\nrua mailto:e@example.com\n\
        pct 100\nadkim 115\naspf 114\np 114\nsp 110\nalign_dkim 5\nalign_spf 4\naction 2\n\
        arc 1\narc_policy 1 json:[]\n";
    assert_eq!(entry("1xY-0001", "mail.example.com"), expected);
    let hostile = entry("1\naction 0", "a b\u{85}\u{2028}c\r\nfrom x");
    assert!(hostile.starts_with("job 1?action?0\n"));
    assert!(hostile.contains("\nmfrom a?b??c??from?x\n"));
    assert_eq!(hostile.lines().count(), expected.lines().count());
    assert!(entry("1", "").contains("\nmfrom \nspf 0\n"), "the null reverse-path");
}

#[test]
fn the_history_file_has_the_numbers_of_what_failed() {
    let source = "192.0.2.1".parse().unwrap();
    let numbers = |record: &str, result| {
        let spf = spf("example.com", result);
        let verdict = verdict("a@example.com", record, &spf, &[]);
        let entry =
            History::new(&verdict, "1", "r", 0, source, "").map(|entry| entry.to_string())?;
        let number = |key: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim().parse::<u8>().unwrap()
        };
        Some(["policy ", "action ", "align_spf ", "p "].map(number))
    };
    let (fail, temp) = (AuthResult::Fail, AuthResult::TempError);
    assert_eq!(numbers("v=DMARC1; p=reject", fail), Some([16, 0, 5, b'r']));
    assert_eq!(numbers("v=DMARC1; p=quarantine", fail), Some([17, 4, 5, b'q']));
    assert_eq!(numbers("v=DMARC1; p=none", fail), Some([18, 2, 5, b'n']));
    assert_eq!(numbers("v=DMARC1; p=reject", temp), Some([16, 3, 5, b'r']));
    assert_eq!(numbers("v=spf1", fail), None, "nothing is written without a record");
}
