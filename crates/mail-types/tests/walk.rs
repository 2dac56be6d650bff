//! Walks through messages of hickory.

#![cfg(feature = "hickory")]
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, NS, SOA};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record};
use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Question, RecordType};
use mail_types::hickory::{Link, Walk};

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn a(owner: &str, last: u8) -> Record {
    Record::from_rdata(name(owner), 300, RData::A(A::new(192, 0, 2, last)))
}

fn alias(owner: &str, target: &str) -> Record {
    Record::from_rdata(name(owner), 200, RData::CNAME(CNAME(name(target))))
}

fn soa(owner: &str, minimum: u32) -> Record {
    let soa = SOA::new(name("ns.example."), name("mail.example."), 1, 1, 1, 1, minimum);
    Record::from_rdata(name(owner), 600, RData::SOA(soa))
}

fn response(answers: Vec<Record>, authorities: Vec<Record>) -> Message {
    let mut message = Message::query();
    message.add_answers(answers);
    message.add_authorities(authorities);
    message
}

/// The walk of a question for the addresses of `www.example`, in one line.
fn walked(message: &Message) -> String {
    walked_with(message, |_| Ok(DnssecStatus::Secure))
}

fn walked_with(
    message: &Message,
    status: impl Fn(Link<'_>) -> Result<DnssecStatus, DnsFailure>,
) -> String {
    let question = Question::new("www.example".parse().unwrap(), RecordType::A);
    match Walk::new(&question, message, status) {
        Walk::End { answer: Answer::Records { records, canonical, security, ttl }, owner } => {
            assert_eq!(owner, canonical);
            format!("{owner} {security} {ttl} {}", records.presentation().join(" "))
        }
        Walk::End { answer: Answer::Absent { exists, security, ttl }, owner } => {
            format!("{owner} {security} {ttl} absent, exists: {exists}")
        }
        Walk::End { answer: Answer::Failed(failure), .. } => failure.to_string(),
        Walk::Alias { target, security, ttl } => format!("ask {target} {security} {ttl}"),
    }
}

#[test]
fn records_are_found_by_their_owner_in_any_order() {
    let all =
        [a("host.example.", 1), alias("www.example.", "Host.Example."), a("HOST.example.", 2)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
        let answers = order.iter().filter_map(|at| all.get(*at).cloned()).collect();
        let walked = walked(&response(answers, Vec::new())).to_lowercase();
        let mut words: Vec<_> = walked.split(' ').collect();
        words.sort_unstable();
        assert_eq!(words, ["192.0.2.1", "192.0.2.2", "200", "host.example", "secure"]);
    }
}

#[test]
fn records_of_other_owners_classes_and_types_count_for_nothing() {
    let mut chaos = a("www.example.", 9);
    chaos.dns_class = DNSClass::CH;
    let mx = Record::from_rdata(name("www.example."), 5, RData::MX(MX::new(1, name("x."))));
    let answers = vec![a("other.example.", 9), chaos, mx, a("www.example.", 1)];
    assert_eq!(walked(&response(answers, Vec::new())), "www.example secure 300 192.0.2.1");
    let foreign = vec![a("other.example.", 9), alias("more.example.", "www.example.")];
    assert_eq!(
        walked(&response(foreign, vec![soa("example.", 60)])),
        "www.example secure 60 absent, exists: true"
    );
}

#[test]
fn loops_long_chains_and_second_aliases_are_failures() {
    let circle = vec![alias("www.example.", "a.example."), alias("a.example.", "www.example.")];
    assert_eq!(walked(&response(circle, Vec::new())), "servfail");
    assert_eq!(walked(&response(vec![alias("www.example.", "www.example.")], vec![])), "servfail");
    let two = vec![alias("www.example.", "a.example."), alias("www.example.", "b.example.")];
    assert_eq!(walked(&response(two, Vec::new())), "servfail");
    let chain = |length: usize| {
        let link = |at| alias(&format!("n{at}.example."), &format!("n{}.example.", at + 1));
        let mut chain: Vec<_> = (1..length).map(link).collect();
        chain.push(alias("www.example.", "n1.example."));
        chain.push(a(&format!("n{length}.example."), 1));
        walked(&response(chain, Vec::new()))
    };
    assert_eq!(chain(Walk::MAX_ALIASES), "n16.example secure 200 192.0.2.1");
    assert_eq!(chain(Walk::MAX_ALIASES + 1), "servfail");
}

#[test]
fn an_alias_without_its_end_is_to_be_asked_again_there() {
    let one = vec![alias("www.example.", "host.example.net.")];
    assert_eq!(walked(&response(one.clone(), Vec::new())), "ask host.example.net secure 200");
    // This SOA record is not of the zone of the target: it denies nothing there.
    assert_eq!(
        walked(&response(one.clone(), vec![soa("example.", 60)])),
        "ask host.example.net secure 200"
    );
    assert_eq!(
        walked(&response(one, vec![soa("example.net.", 60)])),
        "host.example.net secure 60 absent, exists: true"
    );
}

#[test]
fn an_absence_has_the_time_of_its_soa_record_and_none_without() {
    assert_eq!(
        walked(&response(vec![], vec![soa("example.", 900)])),
        "www.example secure 600 absent, exists: true"
    );
    assert_eq!(walked(&response(vec![], vec![])), "www.example secure 0 absent, exists: true");
    let mut nowhere =
        response(vec![alias("www.example.", "x.example.")], vec![soa("example.", 60)]);
    nowhere.metadata.response_code = ResponseCode::NXDomain;
    assert_eq!(walked(&nowhere), "x.example secure 60 absent, exists: false");
    nowhere.add_answer(a("x.example.", 1));
    assert_eq!(walked(&nowhere), "servfail", "a name that does not exist has no address");
}

#[test]
fn a_referral_is_no_absence() {
    let ns = Record::from_rdata(name("example."), 60, RData::NS(NS(name("ns.example."))));
    assert_eq!(walked(&response(vec![], vec![ns])), "servfail");
}

#[test]
fn failures_are_never_absence() {
    for (code, expected) in [
        (ResponseCode::ServFail, "servfail"),
        (ResponseCode::Refused, "refused"),
        (ResponseCode::NotImp, "servfail"),
        (ResponseCode::FormErr, "servfail"),
    ] {
        let mut message = response(vec![a("www.example.", 1)], vec![soa("example.", 60)]);
        message.metadata.response_code = code;
        assert_eq!(walked(&message), expected);
    }
}

#[test]
fn the_status_is_that_of_the_worst_link() {
    let answers = vec![alias("www.example.", "host.example."), a("host.example.", 1)];
    let message = response(answers, Vec::new());
    let insecure = |link: Link<'_>| match link {
        Link::Record(record) if record.record_type().is_cname() => Ok(DnssecStatus::Insecure),
        _ => Ok(DnssecStatus::Secure),
    };
    assert_eq!(walked_with(&message, insecure), "host.example insecure 200 192.0.2.1");
    let bogus = |link: Link<'_>| match link {
        Link::Record(record) if record.record_type().is_cname() => Ok(DnssecStatus::Secure),
        _ => Err(DnsFailure::Bogus),
    };
    assert_eq!(walked_with(&message, bogus), "bogus");
    assert_eq!(walked_with(&response(vec![], vec![soa("example.", 1)]), bogus), "bogus");
}
