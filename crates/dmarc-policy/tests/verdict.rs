//! Verdicts beyond the cases: discovery by a list, several authors, Exim's words.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use dmarc_policy::{
    Alignment, Author, Discovery, DkimInput, Dmarc, Policy, Status, SuffixList, Verdict,
};
use mail_types::dns::{Answer, DnsFailure, DnssecStatus, InquiryStep, Question, RecordType, Zone};
use mail_types::exim::{List, Semantics, Trust, Value, Variable, WordList};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};
use mail_types::smtp::Domain;

#[test]
fn a_list_puts_together_what_the_walk_does_not() {
    let zone = zone(&[("_dmarc.sub.example.com", "v=DMARC1; p=reject")]);
    let dmarc = || Dmarc::new(from("a@sub.example.com")).with_spf(&spf("example.com"));
    let list: Arc<dyn SuffixList> = Arc::new(LastTwo);
    let rows = [
        (Discovery::TreeWalk, AuthResult::Fail, "sub.example.com"),
        (Discovery::Psl(Arc::clone(&list)), AuthResult::Pass, "example.com"),
        (Discovery::TreeWalkThenPsl(Arc::clone(&list)), AuthResult::Pass, "sub.example.com"),
    ];
    // RFC 9990 section 3.1.1.5
    let words = rows.each_ref().map(|(discovery, ..)| discovery.as_str());
    assert_eq!(words, ["treewalk", "psl", "treewalk"]);
    for (discovery, result, org) in rows {
        let verdict = verdict_of(&dmarc().with_discovery(discovery.clone()), &zone);
        assert_eq!(verdict.result, result, "{discovery:?}");
        assert_eq!(verdict.org_domain.unwrap().to_string(), org, "{discovery:?}");
    }
    let marked = self::zone(&[("_dmarc.sub.example.com", "v=DMARC1; p=reject; psd=n")]);
    let verdict = verdict_of(&dmarc().with_discovery(Discovery::TreeWalkThenPsl(list)), &marked);
    assert_eq!(verdict.result, AuthResult::Fail, "the owner has said that they are apart");
    let within = Dmarc::new(from("a@sub.example.com")).with_spf(&spf("x.sub.example.com"));
    let discovery = Discovery::TreeWalkThenPsl(Arc::new(LastTwo));
    let verdict = verdict_of(&within.with_discovery(discovery), &marked);
    assert_eq!(verdict.result, AuthResult::Pass, "and that this is one of its own");
}

/// Its organization might be declared there.
#[test]
fn a_list_does_not_stand_in_for_an_answer_that_is_missing() {
    let mut zone = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    let question = Question::new("_dmarc.mail.example.com".parse().unwrap(), RecordType::Txt);
    zone.set(question, Answer::Failed(DnsFailure::ServFail));
    let list: Arc<dyn SuffixList> = Arc::new(LastTwo);
    let dmarc = Dmarc::new(from("a@example.com")).with_spf(&spf("mail.example.com"));
    for discovery in [Discovery::TreeWalk, Discovery::TreeWalkThenPsl(Arc::clone(&list))] {
        let verdict = verdict_of(&dmarc.clone().with_discovery(discovery.clone()), &zone);
        assert_eq!(verdict.result, AuthResult::TempError, "{discovery:?}");
    }
    // The list alone asks nothing there.
    let verdict = verdict_of(&dmarc.with_discovery(Discovery::Psl(list)), &zone);
    assert_eq!(verdict.result, AuthResult::Pass);
}

#[test]
fn the_strictest_of_several_authors_that_fail_counts() {
    // RFC 9989 section 11.5
    let zone = zone(&[
        ("_dmarc.example.com", "v=DMARC1; p=reject"),
        ("_dmarc.other.net", "v=DMARC1; p=quarantine"),
    ]);
    let rows = [
        ("b@other.net, a@example.com", 2, AuthResult::Fail, Policy::Reject),
        ("b@other.net, a@example.com", 1, AuthResult::Fail, Policy::Quarantine),
        ("b@other.net, a@example.com", 0, AuthResult::None, Policy::None),
        ("c@passes.example, a@example.com", 1, AuthResult::PermError, Policy::None),
    ];
    for (field, several, result, disposition) in rows {
        let dmarc = Dmarc::new(from(field)).with_spf(&spf("passes.example"));
        let verdict = verdict_of(&dmarc.with_several_authors(several), &zone);
        assert_eq!(
            (verdict.result, verdict.disposition),
            (result, disposition),
            "{field} {several}"
        );
    }
}

#[test]
fn a_result_for_the_helo_name_passes_nothing() {
    let zone = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    let helo = SpfInput { identity: SpfIdentity::Helo, ..spf("example.com") };
    let verdict = verdict_of(&Dmarc::new(from("a@example.com")).with_spf(&helo), &zone);
    assert_eq!((verdict.result, verdict.spf), (AuthResult::Fail, Alignment::Absent));
}

#[test]
fn names_that_are_no_mail_domains_align() {
    // RFC 6376 section 3.5 and RFC 5322 section 3.4.1 allow an underscore and a hyphen at an edge.
    let records = [("_dmarc.victim.example", "v=DMARC1; p=reject")];
    let zone = zone(&records);
    for (author, domain, alignment) in [
        ("a@x_y.victim.example", "x_y.victim.example", Alignment::Same),
        ("a@x_y.victim.example", "-m.victim.example", Alignment::SameOrganization),
        ("a@X_Y.victim.example", "x_y.VICTIM.example", Alignment::Same),
        ("a@victim.example", "x_y.victim.example", Alignment::SameOrganization),
        ("a@victim.example", "x_y.other.example", Alignment::Different),
    ] {
        let of_spf = verdict_of(&Dmarc::new(from(author)).with_spf(&spf(domain)), &zone);
        assert_eq!(of_spf.spf, alignment, "{author} {domain}");
        let signatures = [signature(domain)];
        let of_dkim = verdict_of(&Dmarc::new(from(author)).with_dkim(&signatures), &zone);
        assert_eq!(of_dkim.dkim, alignment, "{author} {domain}");
        let is_pass = |verdict: &Verdict| verdict.result == AuthResult::Pass;
        assert_eq!([of_spf, of_dkim].map(|verdict| is_pass(&verdict)), [alignment.is_aligned(); 2]);
    }
}

/// RFC 7489 section 3.2: the organization has one label more than the public suffix, whatever octets the others have.
#[test]
fn a_list_tells_apart_what_is_below_its_suffixes() {
    let reject = "v=DMARC1; p=reject";
    let zone = zone(&[("_dmarc.victim.test", reject), ("_dmarc.victim.co-op.test", reject)]);
    for (author, domain, alignment) in [
        ("a@victim.test", "x.victim.test", Alignment::SameOrganization),
        ("a@x_y.victim.test", "-m.victim.test", Alignment::SameOrganization),
        ("a@m-.victim.test", "x_y.victim.test", Alignment::SameOrganization),
        ("a@victim.test", "other.test", Alignment::Different),
        ("a@victim.co-op.test", "other.co-op.test", Alignment::Different),
        ("a@victim.co-op.test", "x.victim.co-op.test", Alignment::SameOrganization),
    ] {
        let dmarc = Dmarc::new(from(author)).with_spf(&spf(domain));
        let dmarc = dmarc.with_discovery(Discovery::Psl(Arc::new(CoOp)));
        assert_eq!(verdict_of(&dmarc, &zone).spf, alignment, "{author} {domain}");
    }
}

#[test]
fn a_method_that_did_not_pass_is_told_with_its_result() {
    let zone = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    for (result, text) in [
        (AuthResult::Fail, "spf fail, dkim fail"),
        (AuthResult::SoftFail, "spf softfail, dkim softfail"),
        (AuthResult::Neutral, "spf neutral, dkim neutral"),
        (AuthResult::PermError, "spf permerror, dkim permerror"),
        (AuthResult::None, "spf absent, dkim absent"),
    ] {
        let spf = SpfInput { result, ..spf("example.com") };
        let dkim = [DkimInput { result, ..signature("example.com") }, signature("other.net")];
        let dmarc = Dmarc::new(from("a@example.com")).with_spf(&spf);
        let verdict = verdict_of(&dmarc.clone().with_dkim(&dkim[..1]), &zone);
        let text =
            format!("dmarc=fail from example.com, policy reject of example.com, {text}: reject");
        assert_eq!(verdict.to_string(), text);
        // Another organization's pass is nearer than that.
        let verdict = verdict_of(&dmarc.with_dkim(&dkim), &zone);
        assert_eq!(verdict.dkim, Alignment::Different);
    }
}

#[test]
fn signatures_beyond_the_limit_are_not_looked_at() {
    let zone = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    for (before, result) in [(Dmarc::MAX_SIGNATURES - 1, AuthResult::Pass), (32, AuthResult::Fail)]
    {
        let mut dkim = vec![signature("other.net"); before];
        dkim.push(signature("example.com"));
        let verdict = verdict_of(&Dmarc::new(from("a@example.com")).with_dkim(&dkim), &zone);
        assert_eq!(verdict.result, result, "behind {before}");
    }
}

/// Questions that cannot change the verdict are not asked, and missing answers to them have no effect.
#[test]
fn a_message_asks_no_more_than_its_limit() {
    let deep = |i: usize| format!("a{i}.b.c.d.e.f.g.h.i.j{i}.example{i}.test99");
    let untested = |i| DkimInput { result: AuthResult::TempError, ..signature(&deep(i)) };
    let dmarc = Dmarc::new(from(&format!("x@{}", deep(99))));
    let zone = zone(&[("_dmarc.test99", "v=DMARC1; p=reject; np=none")]);
    for (signatures, count, result) in [
        // The walk, and whether the author domain exists; then one domain is enough.
        ((0..40).map(|i| signature(&deep(i))).collect::<Vec<_>>(), 16, AuthResult::Pass),
        ((0..40).map(untested).collect(), 16, AuthResult::TempError),
        (Vec::new(), 9, AuthResult::Fail),
    ] {
        let (verdict, asked) = asked(&dmarc.clone().with_dkim(&signatures), &zone);
        assert_eq!((verdict.result, asked.len()), (result, count), "{verdict}");
    }
}

/// The organizational domain of a name is that name or above it (RFC 9989 section 4.10.2), so that
/// of one outside it need not be known.
#[test]
fn what_is_outside_the_authors_organization_is_not_asked_about() {
    let dkim = vec![signature("a.b.c.other.net"), signature("ample.com"), signature("com")];
    let dmarc = Dmarc::new(from("x@news.example.com")).with_dkim(&dkim).with_spf(&spf("other.org"));
    let zone = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    let (verdict, asked) = asked(&dmarc, &zone);
    assert_eq!(verdict.result, AuthResult::Fail);
    assert_eq!(asked, ["_dmarc.news.example.com", "_dmarc.example.com", "_dmarc.com"]);
}

/// Section 4.10.2: each identifier has the organizational domain that its own walk finds, wherever the
/// author's has ended.
#[test]
fn a_domain_below_the_authors_organization_may_be_another_one() {
    let deep = "a.b.c.d.e.f.g.h.example";
    let (seven, eight) = ("c.d.e.f.g.h.example", "b.c.d.e.f.g.h.example");
    let rows = [
        // The names between them have no record, or one without `psd`.
        (&[("example.com", "")][..], "a.example.com", "mail.div.example.com", true),
        (&[("example.com", ""), ("div.example.com", "")], "example.com", "x.div.example.com", true),
        // It is an organization, a suffix, or a suffix to itself alone.
        (
            &[("example.com", ""), ("div.example.com", "n")],
            "example.com",
            "x.div.example.com",
            false,
        ),
        (
            &[("example.com", ""), ("div.example.com", "y")],
            "example.com",
            "x.div.example.com",
            false,
        ),
        (
            &[("example.com", ""), ("x.div.example.com", "y")],
            "example.com",
            "x.div.example.com",
            false,
        ),
        // The author is a suffix, which is its own organization, but not that of those below.
        (&[("example.com", "y")], "example.com", "www.example.com", false),
        (&[("com", "y"), ("a.example.com", "")], "a.example.com", "b.example.com", true),
        // Walks from below pass over names of more than seven labels.
        (&[(deep, "n")], deep, "x.y.a.b.c.d.e.f.g.h.example", false),
        (&[(eight, "n")], eight, "x.b.c.d.e.f.g.h.example", false),
        (&[(seven, "n")], seven, "x.y.c.d.e.f.g.h.example", true),
    ];
    for (published, author, signer, aligned) in rows {
        let records: Vec<_> = published
            .iter()
            .map(|(name, psd)| match *psd {
                "" => (format!("_dmarc.{name}"), "v=DMARC1; p=reject".to_owned()),
                psd => (format!("_dmarc.{name}"), format!("v=DMARC1; p=reject; psd={psd}")),
            })
            .collect();
        let records: Vec<_> = records.iter().map(|(name, text)| (&**name, &**text)).collect();
        let dmarc = Dmarc::new(from(&format!("a@{author}"))).with_dkim(&[signature(signer)]);
        let verdict = verdict_of(&dmarc, &zone(&records));
        assert_eq!(verdict.result == AuthResult::Pass, aligned, "{published:?} {author} {signer}");
    }
}

#[test]
fn exim_words_and_variables_say_the_same() {
    let zone = zone(&[
        ("_dmarc.example.com", "v=DMARC1; p=reject; sp=quarantine"),
        ("_dmarc.none.example", "v=DMARC1; p=none"),
    ]);
    let rows = [
        ("a@example.com", Status::Reject, "reject", "example.com"),
        ("a@sub.example.com", Status::Quarantine, "quarantine", "example.com"),
        ("a@none.example", Status::None, "none", "none.example"),
        ("a@norecord.example", Status::NoRecord, "", "norecord.example"),
    ];
    for (field, status, policy, used) in rows {
        let verdict = verdict_of(&Dmarc::new(from(field)), &zone);
        assert_eq!(verdict.status(), status, "{field}");
        let text = |name| match verdict.variable(name, "mx.example.org") {
            Variable::Value(value) => String::from_utf8(value.as_bytes().to_vec()).unwrap(),
            other => format!("{other:?}"),
        };
        assert_eq!(text("dmarc_status"), status.as_str());
        assert_eq!(text("dmarc_status_text"), status.description());
        assert_eq!(text("dmarc_domain_policy"), policy, "{field}");
        assert_eq!(text("dmarc_used_domain"), used, "{field}");
        assert_eq!(text("dmarc_alignment_spf"), "no");
        assert_eq!(verdict.variable("domain_used_domain", "mx"), Variable::Unknown);
    }
    let passed = Dmarc::new(from("a@example.com")).with_spf(&spf("example.com"));
    let verdict = verdict_of(&passed, &zone);
    assert_eq!(verdict.status(), Status::Accept);
    let field = "Authentication-Results: mx.example.org; dmarc=pass policy.dmarc=reject header.from=example.com";
    let expected = Value::new(field.as_bytes(), Trust::Untrusted);
    assert_eq!(verdict.variable("dmarc_ar_header", "mx.example.org"), Variable::Value(expected));
    assert_eq!(verdict_of(&Dmarc::new(from("nobody:;")), &zone).status(), Status::NoFrom);
}

/// A record was found each time: its policy is not that of a message that could not be evaluated.
#[test]
fn after_an_error_no_policy_is_told() {
    let zone = zone(&[
        ("_dmarc.example.com", "v=DMARC1; p=reject"),
        ("_dmarc.other.net", "v=DMARC1; p=quarantine"),
    ]);
    let unanswered = SpfInput { result: AuthResult::TempError, ..spf("example.com") };
    let unanswered = Dmarc::new(from("a@example.com")).with_spf(&unanswered);
    let two = Dmarc::new(from("a@example.com, b@other.net")).with_spf(&spf("example.com"));
    for (dmarc, result, policy, word) in [
        (Dmarc::new(from("a@example.com")), AuthResult::Fail, "reject", "reject"),
        (unanswered, AuthResult::TempError, "", "temperror"),
        (two.with_several_authors(1), AuthResult::PermError, "", "nofrom"),
        (Dmarc::new(from("a@broken.example")), AuthResult::TempError, "", "temperror"),
    ] {
        let mut zone = zone.clone();
        let question = Question::new("_dmarc.broken.example".parse().unwrap(), RecordType::Txt);
        zone.set(question, Answer::Failed(DnsFailure::ServFail));
        let verdict = verdict_of(&dmarc, &zone);
        assert_eq!(verdict.result, result, "{verdict}");
        for (name, expected) in [("dmarc_domain_policy", policy), ("dmarc_status", word)] {
            let expected = Variable::Value(Value::trusted(expected));
            assert_eq!(verdict.variable(name, "mx.example.org"), expected, "{name}: {verdict}");
        }
    }
}

#[test]
fn a_condition_takes_the_words_in_both_semantics() {
    let list = |text| WordList::new(List::new(text), Status::WORDS).unwrap();
    // The rule of 2014 that spares mailing lists, and one that only the order of a list explains.
    assert!(list("reject : quarantine").matches("quarantine", Semantics::EachItem));
    assert!(list("!accept : none").matches("norecord", Semantics::EachItem));
    assert!(!list("!accept : none").matches("norecord", Semantics::ListOrder));
    assert!(WordList::new(List::new("rejected"), Status::WORDS).is_err());
}

struct LastTwo;

impl SuffixList for LastTwo {
    fn org_domain<'d>(&self, domain: &'d Domain) -> &'d str {
        let text = domain.as_str();
        let dot = text.rmatch_indices('.').nth(1);
        dot.and_then(|(dot, _)| text.get(dot + 1..)).unwrap_or(text)
    }
}

/// The suffixes `co-op.test` and `*`.
struct CoOp;

impl SuffixList for CoOp {
    fn org_domain<'d>(&self, domain: &'d Domain) -> &'d str {
        let text = domain.as_str();
        let labels = if text.ends_with(".co-op.test") { 2 } else { 1 };
        let dot = text.rmatch_indices('.').nth(labels);
        dot.and_then(|(dot, _)| text.get(dot + 1..)).unwrap_or(text)
    }
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::default();
    for (name, text) in records {
        zone.add(name.parse().unwrap(), RecordType::Txt, text, DnssecStatus::default()).unwrap();
    }
    for name in ["example.com", "sub.example.com"] {
        zone.add(name.parse().unwrap(), RecordType::A, "192.0.2.1", DnssecStatus::default())
            .unwrap();
    }
    zone
}

fn from(field: &str) -> Author {
    Author::from_fields([field.as_bytes()])
}

fn spf(domain: &str) -> SpfInput {
    let (result, identity) = (AuthResult::Pass, SpfIdentity::MailFrom);
    SpfInput { result, identity, domain: domain.parse().unwrap() }
}

fn signature(domain: &str) -> DkimInput {
    let (result, domain) = (AuthResult::Pass, domain.parse().unwrap());
    DkimInput { result, domain, selector: "s".to_owned() }
}

fn verdict_of(dmarc: &Dmarc, zone: &Zone) -> Verdict {
    asked(dmarc, zone).0
}

/// Returns the names that were asked about, too.
fn asked(dmarc: &Dmarc, zone: &Zone) -> (Verdict, Vec<String>) {
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
