//! With any answers of the DNS, an evaluation ends within its questions, passes only with an aligned
//! domain, and has a policy only with a published record.

#![no_main]

use dmarc_policy::{Author, Destination, Destinations, DkimInput, Dmarc, Policy, Record};
use libfuzzer_sys::fuzz_target;
use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Inquiry, InquiryStep, Question, Records, Session, Texts,
};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};
use mail_types::smtp::Domain;

fuzz_target!(|input: &[u8]| {
    // Lines: the `From` field, the domains of SPF and of two signatures, then answers, which a name
    // chooses of.
    let mut lines = input.split(|&octet| octet == b'\n');
    let author = Author::from_fields(lines.next());
    let fault = author.fault();
    let mut domains =
        lines.by_ref().take(3).filter_map(|line| str::from_utf8(line).ok()?.parse().ok());
    let mut dmarc = Dmarc::new(author);
    if let Some(domain) = domains.next() {
        let odd = input.len() % 2 == 1;
        let result = if odd { AuthResult::TempError } else { AuthResult::Pass };
        let identity = SpfIdentity::MailFrom;
        dmarc = dmarc.with_spf(&SpfInput { result, identity, domain });
    }
    let signature =
        |domain| DkimInput { result: AuthResult::Pass, domain, selector: String::new() };
    dmarc = dmarc.with_dkim(&domains.map(signature).collect::<Vec<_>>());
    let answers: Vec<_> = lines.collect();
    let questions = dmarc.questions();
    let failed = dmarc.clone().with_dkim(&[]).with_spf(&SpfInput {
        result: AuthResult::Fail,
        identity: SpfIdentity::MailFrom,
        domain: "failed.example".parse().unwrap(),
    });
    let verdict = verdict_of(dmarc.session(), questions, &answers);
    match verdict.result {
        AuthResult::Pass => assert!(verdict.is_aligned() && verdict.policy.is_some()),
        AuthResult::Fail => assert!(!verdict.is_aligned() && verdict.policy.is_some()),
        _ => assert_eq!(verdict.disposition, Policy::None),
    }
    assert!(verdict.policy.is_none_or(|policy| verdict.disposition <= policy));
    assert_eq!(verdict.fault, fault);
    let never_better = verdict_of(failed.session(), questions, &answers);
    if verdict.result == AuthResult::TempError && verdict.policy.is_some() {
        // The same message, had all of it failed: the same policy, and just as strict.
        let due = never_better.disposition.max(never_better.pending);
        assert!(verdict.pending <= due, "{verdict} {never_better}");
    }
    let (Some(at), Some(record)) = (verdict.policy_domain.clone(), verdict.record()) else {
        return;
    };
    assert!(verdict.author.as_ref().is_some_and(|author| author.is_within(&at)));
    let Ok(at) = Domain::try_from(&at) else { return };
    let destinations = Destinations::aggregate(at, record);
    let most = 8 + Record::MAX_URIS * 9;
    for found in verdict_of(destinations.session(), most, &answers) {
        let hosts = found.targets().iter().map(|uri| uri.domain());
        assert!(hosts.into_iter().all(|host| host == found.uri.domain()), "{:?}", host_of(&found));
    }
});

fn host_of(found: &Destination) -> Option<String> {
    found.uri.domain().map(|domain| domain.to_string())
}

fn verdict_of<I: Inquiry>(mut session: Session<I>, limit: usize, answers: &[&[u8]]) -> I::Verdict {
    let mut asked = 0;
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                let sum = question.name.to_string().bytes().map(usize::from).sum::<usize>();
                let line = answers.get(sum % answers.len().max(1)).copied();
                let answer = answer(&question, line.unwrap_or_default());
                asked += 1;
                assert!(asked <= limit);
                session.handle_answer(&question, answer);
            }
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(verdict) => return verdict,
        }
    }
}

fn answer(question: &Question, line: &[u8]) -> Answer {
    let (security, ttl) = (DnssecStatus::default(), 60);
    match line {
        b"" => Answer::Absent { exists: true, security, ttl },
        b"!" => Answer::Absent { exists: false, security, ttl },
        b"?" => Answer::Failed(DnsFailure::Timeout),
        _ => {
            let texts = Texts::new(line.split(|&octet| octet == b'|'));
            let (records, canonical) = (Records::Txt(texts), question.name.clone());
            Answer::Records { records, canonical, security, ttl }
        }
    }
}
