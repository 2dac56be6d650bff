//! Aggregate reports that break off, or go on.
#![cfg(feature = "reports")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dmarc_policy::{DeviationKind, Feedback, FeedbackLimits, FeedbackReading, PublishedPolicy};

const GOOGLE: &str = include_str!("data/feedback-google.xml");

fn read(text: &str) -> FeedbackReading {
    Feedback::read(text.as_bytes(), &FeedbackLimits::default()).unwrap()
}

#[test]
fn what_came_whole_of_a_report_that_breaks_off_is_kept() {
    let whole = read(GOOGLE).feedback;
    let published = GOOGLE.find("</policy_published>").unwrap() + "</policy_published>".len();
    let ends: Vec<_> = GOOGLE.match_indices("</record>").map(|(at, end)| at + end.len()).collect();
    for end in 0..GOOGLE.trim_end().len() {
        let cut = &GOOGLE.as_bytes()[..end];
        let found = Feedback::read(cut, &FeedbackLimits::default());
        if end < published {
            assert!(found.is_err(), "after {end} bytes");
            continue;
        }
        let FeedbackReading { feedback, deviations, .. } = found.unwrap();
        let records = ends.iter().filter(|record| **record <= end).count();
        assert_eq!(feedback.rows, whole.rows[..records], "after {end} bytes");
        let breaks_off =
            deviations.iter().find(|deviation| deviation.kind == DeviationKind::BreaksOff);
        assert!(breaks_off.unwrap().at <= end, "after {end} bytes");
    }
    // A fault in the middle: the rest may not be records.
    for fault in ["<oops", "</record>", "&nbsp;<x>", "<a></b>"] {
        let broken = GOOGLE.replacen("</record>", &format!("</record>{fault}"), 1);
        let FeedbackReading { feedback, deviations, .. } = read(&broken);
        assert_eq!(feedback.rows, whole.rows[..1], "{fault}");
        assert!(deviations.iter().any(|odd| odd.kind == DeviationKind::BreaksOff), "{fault}");
    }
    // A report without a policy or a record is useless.
    let broken = GOOGLE.replacen("<policy_published>", "<oops", 1);
    assert!(Feedback::read(broken.as_bytes(), &FeedbackLimits::default()).is_err());
}

/// The order of elements does not matter: the policy may come behind the place, between records, or not
/// at all.
#[test]
fn records_are_kept_wherever_the_policy_is() {
    let whole = read(GOOGLE).feedback;
    let (begin, end) = ("<policy_published>", "</policy_published>");
    let (begin, end) = (GOOGLE.find(begin).unwrap(), GOOGLE.find(end).unwrap() + end.len());
    let (policy, others) = (&GOOGLE[begin..end], GOOGLE[..begin].to_owned() + &GOOGLE[end..]);
    let behind = others.replacen("</feedback>", &format!("{policy}</feedback>"), 1);
    let between = others.replacen("</record>", &format!("</record>{policy}"), 1);
    for (text, is_there) in [(&behind, true), (&between, true), (&others, false)] {
        let FeedbackReading { feedback, deviations, .. } = read(text);
        assert_eq!((&feedback.metadata, &feedback.rows), (&whole.metadata, &whole.rows));
        assert_eq!(feedback.policy == whole.policy, is_there);
        let kinds: Vec<_> = deviations.iter().map(|deviation| deviation.kind).collect();
        let missing = DeviationKind::Missing("policy_published");
        assert_eq!(kinds, if is_there { vec![] } else { vec![missing] });
        // Cut anywhere.
        let published = text.find("</policy_published>").map(|at| at + "</policy_published>".len());
        let ends: Vec<_> =
            text.match_indices("</record>").map(|(at, end)| at + end.len()).collect();
        for end in 0..text.trim_end().len() {
            let found = Feedback::read(&text.as_bytes()[..end], &FeedbackLimits::default());
            let records = ends.iter().filter(|record| **record <= end).count();
            let has_policy = published.is_some_and(|at| at <= end);
            if records == 0 && !has_policy {
                assert!(found.is_err(), "after {end} bytes");
                continue;
            }
            let FeedbackReading { feedback, deviations, .. } = found.unwrap();
            assert_eq!(feedback.rows, whole.rows[..records], "after {end} bytes");
            let policy = if has_policy { whole.policy.clone() } else { PublishedPolicy::default() };
            assert_eq!(feedback.policy, policy, "after {end} bytes");
            let place =
                deviations.iter().find(|deviation| deviation.kind == DeviationKind::BreaksOff);
            let place = place.unwrap().at;
            assert!(place <= end && place >= ends[..records].last().copied().unwrap_or(0));
            assert_eq!(deviations.iter().any(|deviation| deviation.kind == missing), !has_policy);
        }
    }
}

#[test]
fn what_follows_the_report_is_told() {
    let plain = read(GOOGLE).feedback;
    let end = GOOGLE.trim_end().len();
    for (behind, at) in [
        ("--\nfooter", Some(0)),
        ("\0\0", Some(0)),
        ("\r\n\r\nx", Some(0)),
        (GOOGLE, None),
        ("</feedback>", Some(0)),
        ("\n<x", None),
        ("&amp;", Some(0)),
    ] {
        let text = format!("{}{behind}", GOOGLE.trim_end());
        let found = read(&text);
        assert_eq!(found.feedback, plain, "{behind:?}");
        let kinds: Vec<_> = found.deviations.iter().map(|deviation| deviation.kind).collect();
        assert_eq!(kinds, [DeviationKind::Behind], "{behind:?}");
        let place = found.deviations[0].at;
        assert!(place >= end && at.is_none_or(|at| place == end + at), "{behind:?} at {place}");
    }
    for behind in ["", "\r\n\t\n", "<!-- end -->\n", "\u{feff}"] {
        let text = format!("{}{behind}", GOOGLE.trim_end());
        let found = read(&text);
        assert_eq!((found.feedback, found.deviations), (plain.clone(), vec![]), "{behind:?}");
    }
}
