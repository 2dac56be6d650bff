//! Next hops, the zones that answer for them, and what is decided.

use dane_tlsa::mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Records, Zone,
};
use dane_tlsa::{Action, Decision, NextHop, Policy, PolicyOptions};

pub(crate) const KEY: &str =
    "3 1 1 abababababababababababababababababababababababababababababababab";
pub(crate) const ANCHOR: &str =
    "2 0 1 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
pub(crate) const SECURE: &str = "
example.com.        MX 10 mx.example.net.
mx.example.net.     A 192.0.2.1
_25._tcp.mx.example.net. TLSA 3 1 1 abababababababababababababababababababababababababababababababab
";

pub(crate) fn secure(text: &str) -> Zone {
    Zone::parse(text).unwrap().with_security(DnssecStatus::Secure)
}

pub(crate) fn policy(options: PolicyOptions) -> Policy {
    Policy::new(NextHop::Domain(name("example.com")), 25).with_options(options)
}

pub(crate) fn decide(zone: &Zone, options: PolicyOptions) -> Decision {
    policy(options).session().run(|question| zone.answer(question))
}

pub(crate) fn action(decision: &Decision) -> &Action {
    &decision.hosts().last().unwrap_or_else(|| panic!("{decision}")).action
}

pub(crate) fn fail(zone: &mut Zone, owner: &str, kind: RecordType, failure: DnsFailure) {
    zone.set(Question::new(name(owner), kind), Answer::Failed(failure));
}

pub(crate) fn absent(
    zone: &mut Zone,
    owner: &str,
    kind: RecordType,
    exists: bool,
    security: DnssecStatus,
) {
    let answer = Answer::Absent { exists, security, ttl: 60 };
    zone.set(Question::new(name(owner), kind), answer);
}

pub(crate) fn set_addresses(zone: &mut Zone, security: DnssecStatus) {
    let (canonical, records) =
        (name("mx.example.net"), Records::A(vec!["192.0.2.1".parse().unwrap()]));
    let answer = Answer::Records { records, canonical, security, ttl: 60 };
    zone.set(Question::new(name("mx.example.net"), RecordType::A), answer);
}

pub(crate) fn set_mx(zone: &mut Zone, security: DnssecStatus) {
    let question = Question::new(name("example.com"), RecordType::Mx);
    let Answer::Records { records, canonical, ttl, .. } = zone.answer(&question) else {
        panic!("no MX records");
    };
    zone.set(question, Answer::Records { records, canonical, security, ttl });
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}
