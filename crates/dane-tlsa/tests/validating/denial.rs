//! Validation on this host: a denial counts only if it is proven for the name that was asked for.

use dane_tlsa::hickory::validated_walk;
use dane_tlsa::mail_types::dns::{Answer, DnsFailure, Name, Question, RecordType};
use dane_tlsa::mail_types::hickory::Walk;
use dane_tlsa::{Decision, NextHop, Policy};
use hickory_proto::dnssec::Proof;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, SOA};
use hickory_proto::rr::{self, RData, Record};
use serde_json::Value;

use super::proven_records::{address, alias, name, record};

fn start(owner: &str, proof: Proof) -> Record {
    record(owner, RData::SOA(SOA::new(name(owner), name(owner), 1, 1, 1, 1, 300)), proof)
}

fn gap(owner: &str, proof: Proof) -> Record {
    super::proven_records::gap(owner, "zz.example.com.", &[rr::RecordType::A], proof)
}

fn proof(word: &Value) -> Proof {
    match word.as_str().unwrap() {
        "secure" => Proof::Secure,
        "insecure" => Proof::Insecure,
        other => unreachable!("{other}"),
    }
}

/// The response of a case, as hickory has proven its records.
fn response(entry: &Value, question: &Question) -> Message {
    let mut message = Message::query();
    if entry["rcode"] == "NXDOMAIN" {
        message.metadata.response_code = ResponseCode::NXDomain;
    }
    for entry in entry["rr"].as_array().unwrap() {
        let text = entry["data"].as_str().unwrap();
        let data = if question.kind == RecordType::A {
            RData::A(A(text.parse().unwrap()))
        } else {
            let (preference, host) = text.split_once(' ').unwrap();
            let host = rr::Name::from_ascii(host).unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), host))
        };
        message.add_answer(record(entry["owner"].as_str().unwrap(), data, proof(&entry["sec"])));
    }
    match entry["authority"].as_array() {
        Some(authority) => {
            for entry in authority {
                assert_eq!(entry["type"], "SOA");
                let owner = entry["owner"].as_str().unwrap();
                message.add_authority(start(owner, proof(&entry["sec"])));
            }
        }
        None if entry["denial"].is_string() => {
            message.add_authority(start("example.com.", proof(&entry["denial"])));
            message.add_authority(gap("example.com.", proof(&entry["denial"])));
        }
        None => {}
    }
    message
}

#[test]
fn the_cases_of_forged_denials_are_decided_as_they_say() {
    let file: Value = serde_json::from_str(include_str!("../data/resolution-cases.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let mut count = 0;
    for case in cases.iter().filter(|case| case["resolver"] == "local-validation") {
        let next_hop = NextHop::Domain(case["nexthop"].as_str().unwrap().parse().unwrap());
        let policy = Policy::new(next_hop, 25);
        let decision = policy.session().run(|question| {
            let entry = case["dns"].as_array().unwrap().iter().find(|entry| {
                let name: Name = entry["q"][0].as_str().unwrap().parse().unwrap();
                name == question.name && entry["q"][1] == question.kind.to_string()
            });
            match validated_walk(question, &response(entry.unwrap(), question)) {
                Walk::End { answer, .. } => answer,
                Walk::Alias { .. } => Answer::Failed(DnsFailure::ServFail),
            }
        });
        let action = match &decision {
            Decision::Hosts(hosts) => hosts[0].action.as_str(),
            Decision::Defer(_) => "defer-message",
            Decision::Bounce(_) => "bounce",
        };
        assert_eq!(action, case["expect"]["action"], "{}: {decision}", case["id"]);
        count += 1;
    }
    assert_eq!(count, 2);
}

/// The walk of a question for the address of `www.example.com`.
fn walked(answers: Vec<Record>, authorities: Vec<Record>) -> String {
    super::proven_records::walked("www.example.com", answers, authorities)
}

#[test]
fn a_denial_needs_a_proof_for_the_name_that_was_asked_for() {
    use Proof::{Bogus, Indeterminate, Insecure, Secure};
    let denied = |authorities| walked(Vec::new(), authorities);
    let zone = "example.com.";
    assert_eq!(denied(vec![start(zone, Secure), gap(zone, Secure)]), "absent secure");
    assert_eq!(denied(vec![start(zone, Insecure)]), "absent insecure");
    assert_eq!(denied(vec![start("com.", Insecure)]), "absent insecure");
    for owner in ["example.net.", "sub.example.com.", "a.www.example.com.", "net.", "xexample.com."]
    {
        assert_eq!(denied(vec![start(owner, Insecure)]), "bogus", "{owner}");
        assert_eq!(denied(vec![start(owner, Secure), gap(owner, Secure)]), "bogus", "{owner}");
    }
    assert_eq!(denied(Vec::new()), "bogus");
    assert_eq!(denied(vec![start(zone, Secure)]), "bogus", "nothing says that it does not exist");
    assert_eq!(denied(vec![gap(zone, Secure)]), "bogus", "nothing says of which zone");
    assert_eq!(denied(vec![start(zone, Bogus), gap(zone, Secure)]), "bogus");
    assert_eq!(denied(vec![start(zone, Indeterminate), gap(zone, Secure)]), "bogus");
    assert_eq!(denied(vec![start("example.net.", Insecure), gap(zone, Secure)]), "bogus");
}

/// Old resolvers that validate took all of an unsigned zone for bogus, or its absence without a SOA record for a
/// proof.
#[test]
fn point_18_an_unsigned_zone_has_answers_and_denials() {
    use Proof::Insecure;
    let address = address("www.example.com.", Insecure);
    assert_eq!(walked(vec![address], Vec::new()), "records insecure 300");
    let to = alias("www.example.com.", "host.example.com.", Insecure);
    assert_eq!(walked(vec![to], Vec::new()), "ask host.example.com insecure 300");
    assert_eq!(walked(Vec::new(), vec![start("example.com.", Insecure)]), "absent insecure");
    assert_eq!(walked(Vec::new(), Vec::new()), "bogus");
}

#[test]
fn the_end_of_an_alias_is_asked_for_by_itself_before_its_denial_counts() {
    use Proof::{Bogus, Insecure, Secure};
    let zone = "example.com.";
    let to = |proof| vec![alias("www.example.com.", "host.example.com.", proof)];
    let denial = || vec![start(zone, Secure), gap(zone, Secure)];
    assert_eq!(walked(to(Secure), denial()), "ask host.example.com secure 300");
    assert_eq!(walked(to(Insecure), denial()), "ask host.example.com insecure 300");
    assert_eq!(walked(to(Secure), Vec::new()), "ask host.example.com secure 300");
    assert_eq!(walked(to(Bogus), denial()), "bogus");
}

#[test]
fn each_record_on_the_way_counts_and_no_other() {
    use Proof::{Bogus, Indeterminate, Insecure, Secure};
    for (first, last, expected) in [
        (Secure, Secure, "records secure 300"),
        (Secure, Insecure, "records insecure 300"),
        (Insecure, Secure, "records insecure 300"),
        (Secure, Bogus, "bogus"),
        (Bogus, Secure, "bogus"),
        (Secure, Indeterminate, "servfail"),
    ] {
        let answers = vec![
            address("other.example.com.", Bogus),
            address("host.example.com.", last),
            alias("www.example.com.", "host.example.com.", first),
        ];
        assert_eq!(walked(answers, Vec::new()), expected);
    }
}
