//! The questions to the DNS, and the effect of missing answers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use dmarc_policy::{Alignment, Author, DkimInput, Dmarc, Policy, Verdict};
use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, InquiryStep, Question, RecordType, Records, Session, Texts,
    Zone,
};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

const PASS: AuthResult = AuthResult::Pass;
const FAIL: AuthResult = AuthResult::Fail;
const TEMPERROR: AuthResult = AuthResult::TempError;

/// The author domain has a record of its own, and the name above it has no answer.
#[test]
fn a_parent_without_an_answer_matters_only_where_it_can_change_the_verdict() {
    let relaxed = "v=DMARC1; p=reject";
    let strict = "v=DMARC1; p=reject; aspf=s; adkim=s";
    let own = &["_dmarc.victim.example"][..];
    let above = &["_dmarc.victim.example", "_dmarc.example"][..];
    let rows = [
        // No identifier passed.
        (relaxed, FAIL, "victim.example", FAIL, "victim.example", FAIL, own),
        (relaxed, FAIL, "b.victim.example", AuthResult::None, "other.example", FAIL, own),
        // Alignment is strict.
        (strict, PASS, "b.victim.example", PASS, "other.example", FAIL, own),
        (strict, TEMPERROR, "b.victim.example", FAIL, "other.example", FAIL, own),
        // One that passed is the author domain, whichever comes first.
        (relaxed, PASS, "victim.example", PASS, "other.example", PASS, own),
        (relaxed, PASS, "other.example", PASS, "victim.example", PASS, own),
        (relaxed, TEMPERROR, "victim.example", PASS, "victim.example", PASS, own),
        // Of the other method only reports want to know.
        (relaxed, PASS, "b.victim.example", PASS, "victim.example", PASS, above),
        // They have no name above them in common.
        (relaxed, PASS, "other.net", PASS, "third.org", FAIL, own),
        (relaxed, TEMPERROR, "other.net", TEMPERROR, "third.org", FAIL, own),
        // It can change the verdict.
        (relaxed, PASS, "b.victim.example", FAIL, "victim.example", TEMPERROR, above),
        (relaxed, TEMPERROR, "b.victim.example", FAIL, "victim.example", TEMPERROR, above),
        // A method that has not passed may belong to another organization.
        (relaxed, TEMPERROR, "other.example", FAIL, "victim.example", FAIL, above),
        (relaxed, TEMPERROR, "victim.example", FAIL, "victim.example", TEMPERROR, own),
    ];
    for (record, spf_result, spf_domain, dkim_result, dkim_domain, result, asked) in rows {
        let zone = zone(&[("_dmarc.victim.example", record)], &["_dmarc.example"]);
        let dmarc = Dmarc::new(from("a@victim.example"))
            .with_spf(&spf(spf_result, spf_domain))
            .with_dkim(&[signature(dkim_result, dkim_domain)]);
        let (verdict, found) = verdict_and_names(&dmarc, &zone);
        let row = format!("{record}: {spf_result} {spf_domain}, {dkim_result} {dkim_domain}");
        assert_eq!(
            (verdict.result, found),
            (result, asked.iter().map(ToString::to_string).collect()),
            "{row}: {verdict}"
        );
        let pending = if result == TEMPERROR { Policy::Reject } else { Policy::None };
        assert_eq!(verdict.pending, pending, "{row}");
    }
}

#[test]
fn a_record_that_marks_its_domain_ends_the_walk() {
    for (record, result) in [
        ("v=DMARC1; p=reject; psd=n", FAIL), // It is an organization of its own.
        ("v=DMARC1; p=reject; psd=y", FAIL),
    ] {
        let zone = zone(&[("_dmarc.victim.example", record)], &["_dmarc.example"]);
        let dmarc = Dmarc::new(from("a@victim.example")).with_spf(&spf(PASS, "b.other.example"));
        let (verdict, asked) = verdict_and_names(&dmarc, &zone);
        assert_eq!((verdict.result, &*asked), (result, &["_dmarc.victim.example".into()][..]));
    }
}

/// A record above applies: the walk is needed, and whether the author domain exists only where `sp` and
/// `np` differ.
#[test]
fn whether_the_author_exists_is_asked_where_the_policy_depends_on_it() {
    let walk = ["_dmarc.s.victim.example", "_dmarc.victim.example", "_dmarc.example"];
    for (record, exists, failing, result, pending) in [
        ("v=DMARC1; p=reject", false, &["s.victim.example"][..], FAIL, Policy::None),
        ("v=DMARC1; p=reject; sp=none; np=none", false, &[], FAIL, Policy::None),
        ("v=DMARC1; p=none; sp=reject; np=quarantine", true, &[], FAIL, Policy::None),
        // The milder of both is due.
        (
            "v=DMARC1; p=none; sp=reject; np=quarantine",
            true,
            &["s.victim.example"],
            TEMPERROR,
            Policy::Quarantine,
        ),
        (
            "v=DMARC1; p=none; sp=reject; np=none",
            true,
            &["s.victim.example"],
            TEMPERROR,
            Policy::None,
        ),
    ] {
        let zone = zone(&[("_dmarc.victim.example", record)], failing);
        let (verdict, asked) = verdict_and_names(&Dmarc::new(from("a@s.victim.example")), &zone);
        let mut wanted = walk.to_vec();
        wanted.extend(exists.then_some("s.victim.example"));
        assert_eq!(asked, wanted, "{record}");
        assert_eq!((verdict.result, verdict.pending), (result, pending), "{record}");
    }
    // A pass holds under any policy.
    let record = "v=DMARC1; p=none; sp=reject; np=quarantine";
    let zone = zone(&[("_dmarc.victim.example", record)], &["s.victim.example"]);
    let dmarc = Dmarc::new(from("a@s.victim.example")).with_spf(&spf(PASS, "victim.example"));
    let (verdict, _) = verdict_and_names(&dmarc, &zone);
    assert_eq!((verdict.result, verdict.policy), (PASS, None));
}

/// Silent names on the way use up no more than half of the time each, and wait together.
#[test]
fn names_above_a_silent_one_are_asked_about_concurrently() {
    let dmarc = Dmarc::new(from("a@b.silent.victim.example"));
    let mut session = dmarc.session();
    let left = Duration::from_secs(10);
    assert_eq!(session.time_of_question(left), left / 2);
    for wanted in [
        &["_dmarc.b.silent.victim.example"][..],
        &["_dmarc.silent.victim.example", "_dmarc.victim.example", "_dmarc.example"],
    ] {
        let mut asked = Vec::new();
        while let InquiryStep::Ask(question) = session.poll() {
            asked.push(question);
        }
        let names: Vec<_> = asked.iter().map(|question| question.name.to_string()).collect();
        assert_eq!(names, wanted);
        for question in asked {
            let found = question.name.to_string() == "_dmarc.victim.example";
            let answer = if found {
                Answer::Records {
                    records: Records::Txt(Texts::new([&b"v=DMARC1; p=reject"[..]])),
                    canonical: question.name.clone(),
                    security: DnssecStatus::Indeterminate,
                    ttl: 60,
                }
            } else {
                Answer::Failed(DnsFailure::Timeout)
            };
            session.handle_answer(&question, answer);
        }
    }
    let InquiryStep::Done(verdict) = session.poll() else { panic!("a further question") };
    assert_eq!((verdict.result, verdict.pending), (TEMPERROR, Policy::Reject));
}

#[test]
fn what_is_behind_an_aligned_identifier_is_not_asked_about() {
    let zone = zone(&[("_dmarc.victim.example", "v=DMARC1; p=reject")], &[]);
    let signatures = ["a", "b", "c"].map(|l| signature(PASS, &format!("{l}.victim.example")));
    let dmarc = Dmarc::new(from("a@victim.example")).with_dkim(&signatures);
    let (verdict, asked) = verdict_and_names(&dmarc, &zone);
    assert_eq!((verdict.result, verdict.dkim), (PASS, Alignment::SameOrganization));
    assert_eq!(asked, ["_dmarc.victim.example", "_dmarc.example", "_dmarc.a.victim.example"]);
}

#[test]
fn a_trace_has_each_identifier_that_was_compared() {
    let zone = zone(&[("_dmarc.victim.example", "v=DMARC1; p=reject")], &[]);
    let dmarc = Dmarc::new(from("a@victim.example"))
        .with_spf(&spf(PASS, "b.victim.example"))
        .with_dkim(&[signature(PASS, "other.net"), signature(PASS, "victim.example")]);
    let mut session = dmarc.session().traced();
    while let InquiryStep::Ask(question) = session.poll() {
        session.handle_answer(&question, zone.answer(&question));
    }
    let trace: Vec<_> = session.trace().iter().map(ToString::to_string).collect();
    for line in ["spf b.victim.example: same organization", "dkim victim.example: same"] {
        assert!(trace.iter().any(|noted| noted.trim() == line), "{line}: {trace:#?}");
    }
}

/// A sender chooses names below a name for which the victim's name servers do not answer.
#[test]
fn a_dead_name_leaves_due_what_is_due_without_it() {
    let dead = ["_dmarc.x.dead.victim.example", "_dmarc.dead.victim.example"];
    let zone = |p: &str| zone(&[("_dmarc.victim.example", &format!("v=DMARC1; {p}"))], &dead);
    for (record, from_domain, spf_result, spf_domain, result, pending) in [
        ("p=reject", "victim.example", PASS, "x.dead.victim.example", TEMPERROR, Policy::Reject),
        (
            "p=reject",
            "victim.example",
            TEMPERROR,
            "x.dead.victim.example",
            TEMPERROR,
            Policy::Reject,
        ),
        (
            "p=reject; t=y",
            "victim.example",
            TEMPERROR,
            "x.dead.victim.example",
            TEMPERROR,
            Policy::Quarantine,
        ),
        ("p=none", "victim.example", TEMPERROR, "x.dead.victim.example", TEMPERROR, Policy::None),
        (
            "p=reject; aspf=s",
            "victim.example",
            TEMPERROR,
            "x.dead.victim.example",
            FAIL,
            Policy::None,
        ),
        // The author is below it, so that its own record is not known.
        ("p=reject", "x.dead.victim.example", FAIL, "other.net", TEMPERROR, Policy::Reject),
        ("p=reject; sp=none", "x.dead.victim.example", FAIL, "other.net", TEMPERROR, Policy::None),
        ("p=reject", "x.dead.victim.example", PASS, "victim.example", TEMPERROR, Policy::None),
    ] {
        let author = from(&format!("a@{from_domain}"));
        let dmarc = Dmarc::new(author).with_spf(&spf(spf_result, spf_domain));
        let (verdict, _) = verdict_and_names(&dmarc, &zone(record));
        let row = format!("{record} {from_domain} {spf_result}: {verdict}");
        assert_eq!((verdict.result, verdict.pending), (result, pending), "{row}");
        assert_eq!(verdict.disposition != Policy::None, result == FAIL, "{row}");
        assert_eq!(verdict.author, Some(from_domain.parse().unwrap()), "{row}");
    }
}

/// None of several authors can hide another one: not by a milder verdict, not by a slow name server, and
/// not by names enough for all questions.
#[test]
fn several_authors_do_not_cover_each_other() {
    let deep = (0..15).map(|i| format!("a@a.b.c.d.e.f.g.h{i}.example{i}.net, "));
    let field = deep.collect::<String>() + "b@s.t.u.v.w.x.victim.example";
    let zone = zone(&[("_dmarc.victim.example", "v=DMARC1; p=reject")], &["_dmarc.slow.net"]);
    let dmarc = Dmarc::new(from(&field)).with_spf(&spf(PASS, "a.b.c.d.e.f.g.h0.example0.net"));
    assert_eq!(dmarc.questions(), Dmarc::new(Author::Absent).questions() + 15 * 9);
    let (verdict, asked) = verdict_and_names(&dmarc, &zone);
    assert_eq!((verdict.result, verdict.disposition), (FAIL, Policy::Reject), "{verdict}");
    assert!(asked.len() <= 16 * 8);

    let dmarc = Dmarc::new(from("a@slow.net, b@victim.example"));
    let mut session = Session::new(&dmarc, Vec::new(), 64);
    let verdict = loop {
        match session.poll() {
            InquiryStep::Ask(question) if question.name.to_string().contains("slow") => {}
            InquiryStep::Ask(question) => session.handle_answer(&question, zone.answer(&question)),
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(verdict) => break verdict,
        }
    };
    assert_eq!((verdict.result, verdict.disposition), (FAIL, Policy::Reject), "{verdict}");

    let dmarc = Dmarc::new(from("a@none.net, b@victim.example"));
    let dmarc = dmarc.with_spf(&spf(TEMPERROR, "victim.example"));
    let quiet = self::zone(
        &[("_dmarc.victim.example", "v=DMARC1; p=reject"), ("_dmarc.none.net", "v=DMARC1; p=none")],
        &[],
    );
    let (verdict, _) = verdict_and_names(&dmarc, &quiet);
    assert_eq!((verdict.result, verdict.pending), (FAIL, Policy::Reject), "{verdict}");
    assert_eq!(verdict.disposition, Policy::None);

    // Of authors that fail alike, the first one is told.
    for (field, first) in [
        ("a@victim.example, b@x.victim.example", "victim.example"),
        ("a@x.victim.example, b@victim.example", "x.victim.example"),
    ] {
        let (verdict, _) = verdict_and_names(&Dmarc::new(from(field)), &quiet);
        assert_eq!(
            (verdict.disposition, verdict.author),
            (Policy::Reject, Some(first.parse().unwrap()))
        );
    }
    // A pass for one author is none for the other.
    for field in ["a@none.net, b@victim.example", "b@victim.example, a@none.net"] {
        let dmarc = Dmarc::new(from(field)).with_spf(&spf(TEMPERROR, "victim.example"));
        let dmarc = dmarc.with_dkim(&[signature(PASS, "none.net")]);
        let (verdict, _) = verdict_and_names(&dmarc, &quiet);
        assert_eq!((verdict.result, verdict.pending), (TEMPERROR, Policy::Reject), "{field}");
    }
}

#[test]
fn a_name_that_no_address_has_is_no_author() {
    let odd: mail_types::dns::Name = "evil\\.victim.example".parse().unwrap();
    for name in [odd, mail_types::dns::Name::root()] {
        let (verdict, asked) = verdict_and_names(&Dmarc::new(Author::One(name)), &zone(&[], &[]));
        assert_eq!((verdict.result, asked.len()), (AuthResult::PermError, 0));
    }
}

fn zone(records: &[(&str, &str)], failing: &[&str]) -> Zone {
    let mut zone = Zone::default();
    for (name, text) in records {
        zone.add(name.parse().unwrap(), RecordType::Txt, text, DnssecStatus::default()).unwrap();
    }
    let failures = [DnsFailure::ServFail, DnsFailure::Refused, DnsFailure::Timeout];
    for (name, failure) in failing.iter().zip(failures.into_iter().cycle()) {
        for kind in RecordType::ALL {
            zone.set(Question::new(name.parse().unwrap(), kind), Answer::Failed(failure));
        }
    }
    zone
}

fn from(field: &str) -> Author {
    Author::from_fields([field.as_bytes()])
}

fn spf(result: AuthResult, domain: &str) -> SpfInput {
    SpfInput { result, identity: SpfIdentity::MailFrom, domain: domain.parse().unwrap() }
}

fn signature(result: AuthResult, domain: &str) -> DkimInput {
    DkimInput { result, domain: domain.parse().unwrap(), selector: "s".into() }
}

/// Returns the names that were asked about, too.
fn verdict_and_names(dmarc: &Dmarc, zone: &Zone) -> (Verdict, Vec<String>) {
    let mut session = dmarc.session();
    let mut asked = Vec::new();
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                session.handle_answer(&question, zone.answer(&question));
                asked.push(question.name.to_string());
            }
            InquiryStep::Wait => panic!("waits for nothing"),
            InquiryStep::Done(verdict) => return (verdict, asked),
        }
    }
}
