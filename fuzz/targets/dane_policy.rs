//! With any answers of the DNS, a policy ends within its questions, authenticates only by secure records, and
//! never takes a failed lookup for absence; required DANE is never less.

#![no_main]

use std::collections::HashMap;

use dane_tlsa::{
    Action, Decision, Host, InsecureMx, Limits, MtaSts, NextHop, NoDane, Policy, PolicyOptions,
};
use libfuzzer_sys::fuzz_target;
use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, InquiryStep, Mx, Name, Question, RecordType, Records,
};

const HOSTS: usize = 3;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, input)) = input.split_first() else { return };
    let required = choice & 1 != 0;
    let mta_sts = if choice & 4 == 0 { MtaSts::None } else { MtaSts::Enforce };
    let options = PolicyOptions::default()
        .with_required(required)
        .with_insecure_mx(if choice & 2 == 0 { InsecureMx::Off } else { InsecureMx::Dane })
        .with_mta_sts(mta_sts)
        .with_limits(Limits::default().with_hosts(HOSTS));
    let next_hop = match choice >> 6 {
        0 => NextHop::Relay(name(0)),
        1 => NextHop::Hosts { domain: name(0), hosts: vec![name(1), name(2)] },
        _ => NextHop::Domain(name(0)),
    };
    let policy = Policy::new(next_hop, 25).with_options(options);
    let (mut session, mut answers) = (policy.session(), HashMap::new());
    let decision = loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                assert!(answers.len() <= 1 + 5 * HOSTS);
                let answer = answer(&question, input);
                answers.insert(question.clone(), answer.clone());
                session.handle_answer(&question, answer);
            }
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(decision) => break decision,
        }
    };
    let mut again = policy.session();
    assert_eq!(again.run(|question| answers[question].clone()), decision);
    let Decision::Hosts(hosts) = &decision else { return };
    for host in hosts {
        let Host::Name(own) = &host.host else { panic!("{host}") };
        let tlsa = |base: &Name| {
            let owner = base.child(b"_tcp").and_then(|name| name.child(b"_25")).unwrap();
            answers.get(&Question::new(owner, RecordType::Tlsa))
        };
        let is_secure = |answer: Option<&Answer>| {
            matches!(answer, Some(Answer::Records { security: DnssecStatus::Secure, .. }))
        };
        let of_host = |kind| answers.get(&Question::new(own.clone(), kind));
        let kinds = [RecordType::A, RecordType::Aaaa, RecordType::Cname];
        let has_secure = kinds.iter().any(|kind| is_secure(of_host(*kind)));
        match &host.action {
            Action::Dane(dane) => {
                let base = dane.base_domain().unwrap();
                assert!(is_secure(tlsa(base)) && has_secure && dane.records.is_usable());
            }
            Action::Encrypt(encrypt) => {
                assert!(is_secure(tlsa(&encrypt.base_domain)) && has_secure && !required);
            }
            Action::Opportunistic(reason) | Action::MtaSts(reason) => {
                assert!(!required);
                // Had a lookup failed, there might be records.
                let is_failed = matches!(tlsa(own), Some(Answer::Failed(_)));
                let is_absent = !is_failed && !is_secure(tlsa(own));
                assert!(*reason != NoDane::NoRecords || is_absent, "{host}");
            }
            _ => {}
        }
    }
});

/// One of a few names, some of them with an octet that no host has.
fn name(choice: u8) -> Name {
    let names =
        ["example.com", "mx1.example.net", "mx_2.example.net", "real.example.org", "192.0.2.1"];
    names[usize::from(choice) % names.len()].parse().unwrap()
}

/// The octets of the input that answer a question.
fn answer(question: &Question, input: &[u8]) -> Answer {
    let text = format!("{question}");
    let sum = text.bytes().fold(7_usize, |sum, octet| sum.wrapping_mul(31) + usize::from(octet));
    let mut octets = input.iter().copied().cycle().skip(sum % input.len().max(1));
    let mut next = || octets.next().unwrap_or_default();
    let choice = next();
    let security = match choice & 3 {
        0 => DnssecStatus::Insecure,
        1 => DnssecStatus::Indeterminate,
        _ => DnssecStatus::Secure,
    };
    let canonical = if choice & 4 == 0 { question.name.clone() } else { name(next()) };
    let ttl = u32::from(next());
    let records = match (choice >> 4, question.kind) {
        (0, _) => return Answer::Failed(DnsFailure::Timeout),
        (1, _) => return Answer::Failed(DnsFailure::Bogus),
        (2 | 3, _) => return Answer::Absent { exists: choice & 8 == 0, security, ttl },
        (_, RecordType::A) => Records::A(vec![[192, 0, 2, next()].into()]),
        (_, RecordType::Aaaa) => Records::Aaaa(vec![[u16::from(next()); 8].into()]),
        (_, RecordType::Cname) => Records::Cname(name(next())),
        (_, RecordType::Mx) => {
            let count = next() % 5 + 1;
            let mx = |_| Mx { preference: u16::from(next() % 4), exchange: name(next()) };
            Records::Mx((0..count).map(mx).collect())
        }
        _ => {
            let count = next() % 3 + 1;
            let mut record = |_| {
                let length = if next() & 1 == 0 { 32 } else { usize::from(next()) % 70 };
                let numbers = [next() % 5, next() % 3, next() % 4];
                let record: Vec<_> =
                    numbers.into_iter().chain((0..length).map(|_| next())).collect();
                record.into_boxed_slice()
            };
            Records::Tlsa((0..count).map(&mut record).collect())
        }
    };
    Answer::Records { records, canonical, security, ttl }
}
