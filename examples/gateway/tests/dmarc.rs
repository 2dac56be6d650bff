//! The treatment of a message for the result of DMARC alone.

use dmarc_policy::{Author, DkimInput, Dmarc, Policy};
use mail_types::dns::{Answer, DnsFailure, DnssecStatus, InquiryStep, Question, RecordType, Zone};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use crate::gateway::authentication::dmarc::{
    DmarcSettings, Examined, InvalidFrom, Temperror, Treatment,
};

#[test]
fn rejection_is_quarantine_unless_the_option_is_set() {
    for (record, spf, lenient, strict) in [
        ("p=reject", AuthResult::Fail, Treatment::Quarantine, Treatment::Reject),
        ("p=reject; t=y", AuthResult::Fail, Treatment::Quarantine, Treatment::Quarantine),
        ("p=quarantine", AuthResult::Fail, Treatment::Quarantine, Treatment::Quarantine),
        ("p=none", AuthResult::Fail, Treatment::Accept, Treatment::Accept),
        ("p=reject", AuthResult::Pass, Treatment::Accept, Treatment::Accept),
        ("", AuthResult::Fail, Treatment::Accept, Treatment::Accept),
        // An answer is missing.
        ("p=reject", AuthResult::TempError, Treatment::Quarantine, Treatment::Defer),
        ("p=reject; t=y", AuthResult::TempError, Treatment::Quarantine, Treatment::Quarantine),
        ("p=quarantine", AuthResult::TempError, Treatment::Quarantine, Treatment::Quarantine),
        ("p=none", AuthResult::TempError, Treatment::Accept, Treatment::Accept),
        ("", AuthResult::TempError, Treatment::Accept, Treatment::Accept),
    ] {
        let message = Message { from: "a@a.example", spf, dkim: AuthResult::Fail };
        let examined = message.examined(&zone(record));
        assert_eq!(examined.treatment(&settings(false)), lenient, "{record} {spf}");
        assert_eq!(examined.treatment(&settings(true)), strict, "{record} {spf}");
    }
}

#[test]
fn an_author_who_cannot_be_told_is_treated_as_the_option_says() {
    for from in ["a@", "<@>", "a@ <b@>", "\"a@a.example\" <>", "a@\u{fffd}"] {
        let message = Message { from, spf: AuthResult::Pass, dkim: AuthResult::Pass };
        let examined = message.examined(&zone("p=reject"));
        for (invalid_from, rejects, treatment) in [
            (InvalidFrom::Auto, false, Treatment::Quarantine),
            (InvalidFrom::Auto, true, Treatment::Reject),
            (InvalidFrom::Accept, true, Treatment::Accept),
            (InvalidFrom::Quarantine, true, Treatment::Quarantine),
            (InvalidFrom::Reject, false, Treatment::Reject),
        ] {
            let settings = DmarcSettings { invalid_from, ..settings(rejects) };
            assert_eq!(examined.treatment(&settings), treatment, "{from}");
            let refusal = examined.refusal(&settings).map(|reply| reply.to_string());
            let refused = treatment == Treatment::Reject;
            assert_eq!(refusal.is_some_and(|text| text.starts_with("550 5.7.1 ")), refused);
            let field = examined.quarantine(&settings);
            assert_eq!(field.is_some(), treatment == Treatment::Quarantine);
        }
    }
    // Beside it, a domain that fails is no better off for that.
    let from = "a@a.example, b@";
    let message = Message { from, spf: AuthResult::Fail, dkim: AuthResult::Fail };
    let examined = message.examined(&zone("p=reject"));
    let accepting = DmarcSettings { invalid_from: InvalidFrom::Accept, ..settings(true) };
    assert_eq!(examined.treatment(&accepting), Treatment::Reject);
    for from in ["root", "undisclosed:;", "", "a@[192.0.2.1]"] {
        let message = Message { from, spf: AuthResult::Fail, dkim: AuthResult::Fail };
        let examined = message.examined(&zone("p=reject"));
        assert_eq!(examined.treatment(&settings(true)), Treatment::Accept, "{from}");
        assert_eq!(examined.verdict.status().as_str(), "nofrom", "{from}");
    }
}

/// For every record, option and kind of failure: what is unanswered is treated like what has failed or
/// better, and where a record was found and the default holds, it is not accepted where that is not.
#[test]
fn an_answer_that_is_missing_is_never_worse_than_a_failure() {
    let mut compared = 0;
    for_each_record(&mut |record| {
        for from in ["a@example.com", "a@sub.example.com", "a@x.dead.example.com"] {
            for broken in BROKEN {
                for spf in RESULTS {
                    for dkim in RESULTS {
                        let message = Message { from, spf, dkim };
                        // Whatever is unanswered has failed.
                        let other = Message { from, spf: AuthResult::Fail, dkim: AuthResult::Fail };
                        let whole = org(record);
                        let mut zone = org(record);
                        break_names(&mut zone, broken);
                        let found = message.examined(&zone);
                        let failed = other.examined(&whole);
                        for settings in all_settings() {
                            let (one, two) =
                                (found.treatment(&settings), failed.treatment(&settings));
                            let text =
                                format!("{record} {from} {broken:?} {spf} {dkim} {settings:?}");
                            let answered = found.verdict.record().is_some()
                                || found.verdict.pending != Policy::None;
                            if answered {
                                assert!(level(one) <= level(two), "{one:?} {two:?}: {text}");
                            }
                            let aligned = found.verdict.result == AuthResult::TempError
                                && found.verdict.policy.is_some();
                            if aligned && settings.temperror == Temperror::Auto {
                                let expected = match two {
                                    Treatment::Reject => Treatment::Defer,
                                    other => other,
                                };
                                assert_eq!(one, expected, "{text}");
                            }
                            compared += 1;
                        }
                    }
                }
            }
        }
    });
    assert!(compared > 50_000, "{compared}");
}

const RESULTS: [AuthResult; 3] = [AuthResult::Pass, AuthResult::Fail, AuthResult::TempError];

/// Names for which the DNS does not answer.
const BROKEN: [&[&str]; 6] = [
    &[],
    &["_dmarc.com"],
    &["_dmarc.dead.example.com", "_dmarc.x.dead.example.com", "x.dead.example.com"],
    &["_dmarc.sub.example.com"],
    &["sub.example.com"],
    &["_dmarc.bounce.example.com"],
];

fn for_each_record(work: &mut dyn FnMut(&str)) {
    for p in ["none", "quarantine", "reject"] {
        for sp in ["", "; sp=none", "; sp=reject"] {
            for np in ["", "; np=none", "; np=quarantine"] {
                for rest in ["", "; t=y", "; aspf=s; adkim=s"] {
                    work(&format!("p={p}{sp}{np}{rest}"));
                }
            }
        }
    }
}

fn all_settings() -> impl Iterator<Item = DmarcSettings> {
    let temperrors = [Temperror::Auto, Temperror::Accept, Temperror::Quarantine, Temperror::Defer];
    temperrors.into_iter().flat_map(|temperror| {
        [false, true].map(|rejects| DmarcSettings { temperror, ..settings(rejects) })
    })
}

/// A deferred message is not lost, one in quarantine is not either.
fn level(treatment: Treatment) -> u8 {
    match treatment {
        Treatment::Accept => 0,
        Treatment::Quarantine | Treatment::Defer => 1,
        Treatment::Reject => 2,
    }
}

fn settings(rejects: bool) -> DmarcSettings {
    DmarcSettings { rejects, ..DmarcSettings::default() }
}

fn zone(record: &str) -> Zone {
    let mut zone = Zone::default();
    if !record.is_empty() {
        let (name, text) = ("_dmarc.a.example".parse().unwrap(), format!("v=DMARC1; {record}"));
        zone.add(name, RecordType::Txt, &text, DnssecStatus::default()).unwrap();
    }
    zone
}

fn org(record: &str) -> Zone {
    let mut zone = Zone::default();
    let (name, text) = ("_dmarc.example.com".parse().unwrap(), format!("v=DMARC1; {record}"));
    zone.add(name, RecordType::Txt, &text, DnssecStatus::default()).unwrap();
    zone.add(
        "sub.example.com".parse().unwrap(),
        RecordType::A,
        "192.0.2.1",
        DnssecStatus::default(),
    )
    .unwrap();
    zone
}

fn break_names(zone: &mut Zone, names: &[&str]) {
    let failures = [DnsFailure::ServFail, DnsFailure::Refused, DnsFailure::Timeout];
    for (name, failure) in names.iter().zip(failures) {
        for kind in RecordType::ALL {
            zone.set(Question::new(name.parse().unwrap(), kind), Answer::Failed(failure));
        }
    }
}

/// A message from an author, with what was found of SPF for a domain of the same organization, and of
/// a signature of the author's own.
struct Message<'a> {
    from: &'a str,
    spf: AuthResult,
    dkim: AuthResult,
}

impl Message<'_> {
    fn examined(&self, zone: &Zone) -> Examined {
        let author = Author::from_fields([self.from.as_bytes()]);
        let own = if self.from.contains("a.example") { "a.example" } else { "bounce.example.com" };
        let domain = own.parse().unwrap();
        let spf = SpfInput { result: self.spf, identity: SpfIdentity::MailFrom, domain };
        let domain = if own == "a.example" { own } else { "example.com" }.parse().unwrap();
        let dkim = vec![DkimInput { result: self.dkim, domain, selector: "s".into() }];
        let dmarc = Dmarc::new(author).with_dkim(&dkim).with_spf(&spf);
        let mut session = dmarc.session();
        let verdict = loop {
            match session.poll() {
                InquiryStep::Ask(question) => {
                    session.handle_answer(&question, zone.answer(&question));
                }
                InquiryStep::Wait => session.handle_timeout(),
                InquiryStep::Done(verdict) => break verdict,
            }
        };
        let (signatures, dkim_results, overridden) = (Vec::new(), Vec::new(), None);
        Examined { verdict, spf: Some(spf), dkim, signatures, dkim_results, overridden }
    }
}
