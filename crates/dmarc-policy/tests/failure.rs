//! Failure reports: their causes, their number, and their content.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use dmarc_policy::{
    AuthFailure, Author, DeliveryResult, DkimInput, Dmarc, EximForensic, FailureCause,
    FailureEnvelope, FailureRate, FailureRateLimits, FailureReport, FailureReportLimits, Pace,
    ReportId, ReportIdError, Verdict, Withheld,
};
use mail_types::dns::{DnssecStatus, InquiryStep, RecordType, Zone};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

const HEADER: &[u8] = b"From: a@example.com\r\nSubject: hello\r\n world\r\n\r\nbody\r\n";

fn verdict(record: &str, spf: &SpfInput, dkim: &[DkimInput]) -> Verdict {
    let mut zone = Zone::default();
    let name = "_dmarc.example.com".parse().unwrap();
    zone.add(name, RecordType::Txt, record, DnssecStatus::default()).unwrap();
    let author = Author::from_fields([&b"a@example.com"[..]]);
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

fn dkim(domain: &str, result: AuthResult) -> DkimInput {
    DkimInput { result, domain: domain.parse().unwrap(), selector: "s1".to_owned() }
}

#[test]
fn the_owner_says_of_what_there_is_a_report() {
    use AuthResult::{Fail, Neutral, None, Pass, TempError};
    let dmarc = FailureCause::Report(AuthFailure::Dmarc);
    let signature = FailureCause::Report(AuthFailure::Signature);
    let spf_failure = FailureCause::Report(AuthFailure::Spf);
    let not_wanted = FailureCause::Withheld(Withheld::NotWanted);
    let ours = "example.com";
    // RFC 9989 section 4.7, the tag `fo`
    let rows = [
        ("fo=0", (ours, Fail), (ours, Fail), dmarc),
        ("fo=0", (ours, Pass), (ours, Fail), not_wanted),
        ("fo=0", ("other.net", Pass), ("other.net", Pass), dmarc),
        ("fo=1", (ours, Pass), (ours, Fail), dmarc),
        ("fo=1", ("other.net", Pass), (ours, Pass), dmarc),
        ("fo=1", (ours, Pass), (ours, Pass), not_wanted),
        ("fo=d", (ours, Fail), ("other.net", Fail), signature),
        ("fo=d", (ours, Fail), (ours, Neutral), not_wanted),
        ("fo=s", ("other.net", Fail), (ours, Pass), spf_failure),
        ("fo=s", (ours, None), (ours, Fail), not_wanted),
        ("fo=0", (ours, TempError), (ours, Fail), not_wanted),
        ("adkim=s", (ours, Fail), (ours, Fail), dmarc), // The default is 0.
        ("fo=0:d:s", (ours, Fail), (ours, Fail), dmarc),
    ];
    for (tag, (spf_domain, spf_result), (dkim_domain, dkim_result), expected) in rows {
        let record = format!("v=DMARC1; p=none; {tag}; ruf=mailto:f@example.com");
        let (spf, dkim) = (spf(spf_domain, spf_result), [dkim(dkim_domain, dkim_result)]);
        let verdict = verdict(&record, &spf, &dkim);
        let cause = FailureCause::of(&verdict, Some(&spf), &dkim, false, HEADER);
        assert_eq!(cause, expected, "{tag} {spf_result} {dkim_result}");
    }
}

#[test]
fn no_report_goes_to_a_public_suffix_or_nobody_or_answers_a_program() {
    let spf = spf("example.com", AuthResult::Fail);
    let automatic = FailureCause::Withheld(Withheld::Automatic);
    let report = FailureCause::Report(AuthFailure::Dmarc);
    let ruf = "v=DMARC1; p=none; ruf=mailto:f@example.com";
    let rows: &[(&str, bool, &[u8], FailureCause)] = &[
        (ruf, false, HEADER, report),
        ("v=DMARC1; p=none", false, HEADER, FailureCause::Withheld(Withheld::NotWanted)),
        (
            "v=DMARC1; p=none; psd=y; ruf=mailto:f@example.com", // RFC 9991 section 2
            false,
            HEADER,
            FailureCause::Withheld(Withheld::PublicSuffix),
        ),
        (ruf, true, HEADER, FailureCause::Withheld(Withheld::NullSender)),
        (ruf, false, b"Auto-Submitted: auto-generated\r\n", automatic), // RFC 3834 section 5
        (ruf, false, b"From: x\r\nAUTO-SUBMITTED:\r\n auto-replied (x)\r\n", automatic),
        (ruf, false, b"Auto-Submitted \t: auto-replied\r\n", automatic),
        (ruf, false, b"Auto-Submitted\r\n : auto-replied\r\n", automatic),
        (ruf, false, b"Auto-Submitted: no\r\n", report),
        (ruf, false, b"Auto-Submitted: No; x=y\r\n", report),
        (ruf, false, b"Content-Type: Multipart/Report; report-type=x\r\n", automatic),
        (
            ruf,
            false,
            b"Subject: Report Domain: example.com\r\n Submitter: a.example\r\n",
            automatic,
        ),
        (ruf, false, b"Subject: Re: Report Domain: x\r\n", report),
        (ruf, false, b"Subject: x\r\n\r\nAuto-Submitted: auto-replied\r\n", report),
    ];
    for (record, null, header, expected) in rows {
        let verdict = verdict(record, &spf, &[]);
        let cause = FailureCause::of(&verdict, Some(&spf), &[], *null, header);
        assert_eq!(cause, *expected, "{record} {}", header.escape_ascii());
    }
    // The reports of this crate cause no report themselves.
    let verdict = verdict(ruf, &spf, &[]);
    let report = FailureReport::new(envelope(), AuthFailure::Dmarc, &verdict).write();
    assert_eq!(FailureCause::of(&verdict, Some(&spf), &[], false, &report), automatic);
}

fn envelope() -> FailureEnvelope {
    FailureEnvelope {
        reporter: "mx.example.net".parse().unwrap(),
        from: "dmarc@mx.example.net".parse().unwrap(),
        to: "f@example.com".parse().unwrap(),
        message_id: "1@mx.example.net".parse().unwrap(),
        date: 1_795_382_988,
    }
}

/// A whole report (RFC 9991, RFC 6591).
const REPORT: &str = "From: <dmarc@mx.example.net>\r\n\
        To: <f@example.com>\r\n\
        Date: Sun, 22 Nov 2026 21:29:48 +0000\r\n\
        Subject: DMARC failure report for example.com\r\n\
        Message-ID: <1@mx.example.net>\r\n\
        Auto-Submitted: auto-generated\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=feedback-report;\r\n\
        \x20boundary=\"=_dmarc_failure\"\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        --=_dmarc_failure\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        \r\n\
        A message that says it is from example.com has failed authentication.\r\n\
        It came from 192.0.2.2.\r\n\
        \r\n\
        --=_dmarc_failure\r\n\
        Content-Type: message/feedback-report\r\n\
        \r\n\
        Feedback-Type: auth-failure\r\n\
        User-Agent: dmarc-policy/0.1.0\r\n\
        Version: 1\r\n\
        Auth-Failure: dmarc\r\n\
        Authentication-Results: mx.example.net; dmarc=fail policy.dmarc=reject header.from=example.com\r\n\
        Identity-Alignment: dkim, spf\r\n\
        Reported-Domain: example.com\r\n\
        Original-Mail-From: <b@example.com>\r\n\
        Arrival-Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n\
        Source-IP: 192.0.2.2\r\n\
        Source-Port: 12345\r\n\
        Delivery-Result: reject\r\n\
        Incidents: 3\r\n\
        DKIM-Domain: mail.example.com\r\n\
        DKIM-Identity: @mail.example.com\r\n\
        DKIM-Selector: s1\r\n\
        SPF-DNS: txt : example.com : \"v=spf1 \\\"-all\"\r\n\
        \r\n\
        --=_dmarc_failure\r\n\
        Content-Type: text/rfc822-headers\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        From: a@example.com\r\n\
        Subject: hello\r\n world\r\n\
        \r\n\
        --=_dmarc_failure--\r\n";

#[test]
fn a_report_tells_what_rfc_9991_asks_for() {
    let spf = spf("example.com", AuthResult::Fail);
    let dkim = [dkim("other.net", AuthResult::Fail), dkim("mail.example.com", AuthResult::Fail)];
    let verdict = verdict("v=DMARC1; p=reject; ruf=mailto:f@example.com", &spf, &dkim);
    let mail_from = "<b@example.com>".parse().unwrap();
    let mail = FailureReport::new(envelope(), AuthFailure::Dmarc, &verdict)
        .with_spf(&spf, "v=spf1 \"-all")
        .with_dkim(&dkim)
        .with_incidents(3)
        .with_source("192.0.2.2".parse().unwrap(), Some(12345))
        .with_mail_from(&mail_from)
        .with_arrival(0)
        .with_delivery(DeliveryResult::Reject)
        .with_header(HEADER, FailureReportLimits::default())
        .write();
    assert_eq!(String::from_utf8(mail).unwrap(), REPORT);
}

#[test]
fn times_are_written_as_mail_has_them() {
    let spf = spf("example.com", AuthResult::Fail);
    let verdict = verdict("v=DMARC1; p=none; ruf=mailto:f@example.com", &spf, &[]);
    for (second, expected) in [
        (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 +0000"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 +0000"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
        (u64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000"),
    ] {
        let report = FailureReport::new(envelope(), AuthFailure::Dmarc, &verdict);
        let mail = String::from_utf8(report.with_arrival(second).write()).unwrap();
        assert!(mail.contains(&format!("Arrival-Date: {expected}\r\n")), "{second}: {mail}");
    }
}

#[test]
fn no_value_can_make_a_field_or_a_part() {
    let mut signature = dkim("example.com", AuthResult::Fail);
    signature.selector = format!("s\r\nX-Bad: 1\r\n\r\n--=_dmarc_failure\r\n{}", "x".repeat(5000));
    let spf = spf("example.com", AuthResult::Fail);
    let verdict = verdict("v=DMARC1; p=none; ruf=mailto:f@example.com", &spf, &[]);
    let signatures = [signature];
    let header = b"From: a\r\nX: \xff\0\rY: 1\r\n--=_dmarc_failure--\r\n--=_dmarc_failure_: 2\r\n";
    let mail = FailureReport::new(envelope(), AuthFailure::Signature, &verdict)
        .with_spf(&spf, "v=spf1\r\nX-Bad: 1")
        .with_dkim(&signatures)
        .with_header(header, FailureReportLimits::default())
        .write();
    let lines: Vec<_> = mail.split(|&octet| octet == b'\n').collect();
    assert!(lines.iter().all(|line| line.len() <= 999 && !line.starts_with(b"X-Bad")));
    let text = String::from_utf8_lossy(&mail);
    assert_eq!(text.matches("\r\n--=_dmarc_failure").count(), 4, "three parts and their end");
    assert!(text.contains("\r\n?-=_dmarc_failure--\r\n?-=_dmarc_failure_: 2\r\n"));
    assert!(text.contains("X: \u{fffd}??Y: 1\r\n"));
    assert_eq!(text.matches("Content-Transfer-Encoding: 8bit").count(), 2);
}

#[test]
fn as_many_fields_of_the_header_are_told_as_fit() {
    let spf = spf("example.com", AuthResult::Fail);
    let verdict = verdict("v=DMARC1; p=none; ruf=mailto:f@example.com", &spf, &[]);
    let first = "From: a@example.com\r\n";
    let all = "From: a@example.com\r\nSubject: hello\r\n world\r\n";
    for (limit, expected) in [(all.len(), all), (all.len() - 1, first), (first.len() - 1, "")] {
        let mut limits = FailureReportLimits::default();
        limits.header = limit;
        let report = FailureReport::new(envelope(), AuthFailure::Dmarc, &verdict);
        let mail = String::from_utf8(report.with_header(HEADER, limits).write()).unwrap();
        let told = mail.rsplit("7bit\r\n\r\n").next().unwrap();
        assert_eq!(told, format!("{expected}\r\n--=_dmarc_failure--\r\n"), "{limit}");
    }
    let long = [b"X: ", "y".repeat(5000).as_bytes(), b"\r\n"].concat();
    let report = FailureReport::new(envelope(), AuthFailure::Dmarc, &verdict);
    let mail = report.with_header(&long, FailureReportLimits::default()).write();
    let longest = mail.split(|&octet| octet == b'\n').map(<[u8]>::len).max();
    assert_eq!(longest, Some(999), "998 and its CR: RFC 5322 section 2.1.1");
}

#[test]
fn the_reports_to_a_destination_have_a_rate() {
    let at = Duration::from_secs;
    let mut limits = FailureRateLimits::default();
    (limits.reports, limits.period, limits.destinations) = (2, at(60), 2);
    let mut rate = FailureRate::new(limits);
    let rows = [
        ("a", 0, Pace::Send { incidents: 1 }),
        ("a", 1, Pace::Send { incidents: 1 }),
        ("a", 2, Pace::Held),
        ("a", 59, Pace::Held),
        ("b", 59, Pace::Send { incidents: 1 }),
        ("c", 59, Pace::Full),
        ("a", 0, Pace::Held), // A clock that runs backwards lets nothing out.
        ("a", 60, Pace::Send { incidents: 4 }),
        ("a", 61, Pace::Send { incidents: 1 }),
        ("c", 118, Pace::Full),
        ("c", 119, Pace::Send { incidents: 1 }), // Past incidents make room.
        ("b", 119, Pace::Full),
    ];
    for (i, (destination, second, expected)) in rows.into_iter().enumerate() {
        assert_eq!(rate.handle_report(destination, at(second)), expected, "row {i}");
    }
    let mut none = FailureRateLimits::default();
    none.reports = 0;
    assert_eq!(FailureRate::new(none).handle_report("a", at(0)), Pace::Held);
}

#[test]
fn the_mail_of_exim_is_as_it_was_in_2014() {
    let spf = spf("bad.example", AuthResult::Pass);
    let verdict = verdict("v=DMARC1; p=reject; ruf=mailto:f@example.com", &spf, &[]);
    let (sender, to) = ("d@mx.example.net".parse().unwrap(), "f@example.com".parse().unwrap());
    let references: ReportId = "x@example.com".parse().unwrap();
    let source = "2001:db8::2".parse().unwrap();
    let mail = EximForensic::new(&verdict, sender, to, source, 1_795_382_988)
        .unwrap()
        .with_references(&references)
        .with_header(HEADER, FailureReportLimits::default())
        .write();
    let expected = "Auto-Submitted: auto-replied\r\n\
        From: <d@mx.example.net>\r\n\
        To: <f@example.com>\r\n\
        References: <x@example.com>\r\n\
        Subject: DMARC Forensic Report for example.com from IP 2001:db8::2\r\n\
        \r\n\
        A message claiming to be from you has failed the published DMARC\r\n\
        policy for your domain.\r\n\
        \r\n\
        \x20 Sender Domain: example.com\r\n\
        \x20 Sender IP Address: 2001:db8::2\r\n\
        \x20 Received Date: Sun, 22 Nov 2026 21:29:48 +0000\r\n\
        \x20 SPF Alignment: no\r\n\
        \x20 DKIM Alignment: no\r\n\
        \x20 DMARC Results: Reject\r\n\
        \r\n\
        ------ This is a copy of the headers that were received before the error\r\n\
        \x20      was detected.\r\n\
        \r\n\
        From: a@example.com\r\n\
        Subject: hello\r\n world\r\n";
    assert_eq!(String::from_utf8(mail).unwrap(), expected);
}

#[test]
fn exim_sends_no_mail_of_what_nothing_is_asked_for() {
    for (record, passes, sent) in [
        ("v=DMARC1; p=none", false, false),
        ("v=DMARC1; p=quarantine", false, true),
        ("v=DMARC1; p=reject", true, false),
    ] {
        let result = if passes { AuthResult::Pass } else { AuthResult::Fail };
        let verdict = verdict(record, &spf("example.com", result), &[]);
        let (sender, to) = ("d@mx.example.net".parse().unwrap(), "f@example.com".parse().unwrap());
        let mail = EximForensic::new(&verdict, sender, to, "192.0.2.1".parse().unwrap(), 0);
        assert_eq!(mail.is_some(), sent, "{record}");
    }
}

#[test]
fn an_identifier_is_of_words_with_dots_between() {
    // RFC 9990 section 3.5.1, with RFC 5322 section 3.2.3
    for good in ["1", "a.b", "a.b@c.d", "1795219200!x@mx.example.net"] {
        assert_eq!(good.parse::<ReportId>().unwrap().as_str(), good);
    }
    for (bad, at) in [
        ("", 0),
        (".a", 0),
        ("a.", 2),
        ("a..b", 2),
        ("@a", 0),
        ("a@", 2),
        ("a@b@c", 3),
        ("a b", 1),
        ("a\r\nX: 1", 1),
        ("<a@b>", 0),
        ("ä", 0),
    ] {
        assert_eq!(bad.parse::<ReportId>(), Err(ReportIdError::Character { at }), "{bad:?}");
    }
    assert!("a".repeat(250).parse::<ReportId>().is_ok());
    let error = ReportIdError::TooLong { octets: 251 };
    assert_eq!("a".repeat(251).parse::<ReportId>(), Err(error));
}
