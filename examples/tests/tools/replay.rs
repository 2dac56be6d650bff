//! Cases carry the answers of the DNS that they were decided by.

use std::sync::Arc;

use examples::cases::dns::{DnsEntry, zone};
use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Records, Zone,
};

/// What is recorded answers each question as it was answered, an alias and its status too.
#[test]
fn answers_are_replayed() {
    let name = |text: &str| -> Name { text.parse().unwrap() };
    let question = |text, kind| Question::new(name(text), kind);
    let (secure, insecure) = (DnssecStatus::Secure, DnssecStatus::Insecure);
    let ttl = Zone::TTL;
    let (address, v6) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
    let end = || name("end.example");
    let answers = [
        (
            question("mx.example", RecordType::Aaaa),
            Answer::Records {
                records: Records::Aaaa(vec![v6]),
                canonical: end(),
                security: secure,
                ttl,
            },
        ),
        (
            question("mx.example", RecordType::A),
            Answer::Records {
                records: Records::A(vec![address]),
                canonical: end(),
                security: insecure,
                ttl,
            },
        ),
        (
            question("mx.example", RecordType::Cname),
            Answer::Records {
                records: Records::Cname(end()),
                canonical: name("mx.example"),
                security: secure,
                ttl,
            },
        ),
        (
            question("other.example", RecordType::A),
            Answer::Absent { exists: false, security: secure, ttl },
        ),
        (
            question("mx.example", RecordType::Txt),
            Answer::Absent { exists: true, security: insecure, ttl },
        ),
        (question("dead.example", RecordType::Mx), Answer::Failed(DnsFailure::Bogus)),
    ];
    let known: Vec<_> = answers
        .iter()
        .map(|(question, answer)| (question.clone(), Arc::new(answer.clone())))
        .collect();
    for start in 0..known.len() {
        // In any order.
        let rotated = [&known[start..], &known[..start]].concat();
        let zone = zone(&DnsEntry::record(&rotated)).unwrap();
        for (question, answer) in &answers {
            assert_eq!(zone.answer(question), *answer, "{question}, from {start}");
        }
    }
}
