//! The cases of `data/resolution-cases.json`: what becomes of a next hop, by the answers of the DNS.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of tests may panic"
)]

use std::cell::RefCell;

use dane_tlsa::mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Mx, Name, Question, RecordType, Records,
};
use dane_tlsa::{
    Action, ConnectionFault, Decision, Disposition, HostPolicy, InsecureMx, MtaSts, NextHop,
    Policy, PolicyOptions, ResultType, Standing, TlsaRecord,
};
use serde_json::Value;

/// Those about validation in the client itself: the test of `validating.rs` decides them.
const LOCAL_VALIDATION: [&str; 2] = ["D20", "D21"];

#[test]
fn every_case_is_decided_as_it_says() {
    let file: Value = serde_json::from_str(include_str!("data/resolution-cases.json")).unwrap();
    let mut count = 0;
    for case in file["cases"].as_array().unwrap() {
        if LOCAL_VALIDATION.contains(&case["id"].as_str().unwrap()) {
            assert_eq!(case["resolver"], "local-validation");
            continue;
        }
        check(case);
        count += 1;
    }
    assert_eq!(count, 83);
}

fn check(case: &Value) {
    let (id, expected) = (case["id"].as_str().unwrap(), &case["expect"]);
    let policy =
        Policy::new(next_hop(case), u16::try_from(case["port"].as_u64().unwrap()).unwrap())
            .with_options(options(case));
    let asked = RefCell::new(Vec::new());
    let mut session = policy.session().traced();
    let decision = session.run(|question| {
        asked.borrow_mut().push(format!("{}/{}", question.name, question.kind));
        answer(case, question)
    });
    for forbidden in expected["must_not_query"].as_array().into_iter().flatten() {
        let forbidden = forbidden.as_str().unwrap().to_owned();
        assert!(!asked.borrow().contains(&forbidden), "{id}: {forbidden} was asked");
    }
    // The same answers lead to the same decision.
    let mut again = policy.session();
    let replayed = again.run(|question| {
        let known = session.answers().iter().find(|(known, _)| known == question);
        known.map(|(_, answer)| Answer::clone(answer)).unwrap()
    });
    assert_eq!(replayed, decision, "{id}");
    if let Some(hosts) = expected["hosts"].as_array() {
        assert_eq!(decision.hosts().len(), hosts.len(), "{id}: {decision}");
        for (host, expected) in decision.hosts().iter().zip(hosts) {
            check_host(id, host, expected);
        }
    } else if expected["host"].is_null() {
        let word = match &decision {
            Decision::Hosts(_) => "hosts",
            Decision::Defer(_) => "defer-message",
            Decision::Bounce(_) => "bounce",
        };
        assert_eq!(word, expected["action"], "{id}: {decision}");
    } else {
        check_host(id, &decision.hosts()[0], expected);
    }
    if let Some(word) = expected["tlsrpt"].as_str() {
        let host = decision.hosts().iter().find_map(HostPolicy::failure);
        let failure = policy.failure(&decision).or(host).unwrap();
        assert_eq!(failure.result.as_str(), word, "{id}");
    }
    check_connections(id, &decision, expected);
}

fn check_host(id: &str, host: &HostPolicy, expected: &Value) {
    assert_eq!(host.host.to_string(), expected["host"], "{id}: {host}");
    let word = host.action.as_str();
    match expected["action"].as_str().unwrap() {
        // The RFC leaves it open; the front page says which.
        "opportunistic-or-skip" => assert_eq!(word, "unreachable-host", "{id}: {host}"),
        action => assert_eq!(word, action, "{id}: {host}"),
    }
    let base_domain = match &host.action {
        Action::Dane(dane) => dane.base_domain().cloned(),
        Action::Encrypt(encrypt) => Some(encrypt.base_domain.clone()),
        _ => None,
    };
    let base_domain = base_domain.map_or(Value::Null, |name| name.to_string().into());
    assert_eq!(base_domain, expected["base_domain"], "{id}: {host}");
    if let Some(addresses) = expected["addresses"].as_array() {
        let ours: Vec<_> = host.addresses.iter().map(|it| Value::from(it.to_string())).collect();
        assert_eq!(ours, *addresses, "{id}");
    }
    let Action::Dane(dane) = &host.action else { return };
    let names: Vec<_> = dane.reference_names.iter().map(|it| Value::from(it.to_string())).collect();
    assert_eq!(Value::from(names), expected["reference_ids"], "{id}");
    assert_eq!(dane.reference_names[0].to_string(), expected["sni"], "{id}");
    let count = |is: fn(&Standing) -> bool| dane.records.standings().filter(is).count();
    let usable = count(|standing| !matches!(standing, Standing::Unusable(_)));
    assert_eq!(usable, expected["usable"], "{id}");
    if let Some(effective) = expected["effective"].as_u64() {
        assert_eq!(count(|standing| *standing == Standing::Used) as u64, effective, "{id}");
    }
    let is_next_hops = expected["nexthop_authenticated"].as_bool().unwrap_or(true);
    assert_eq!(host.action.authenticates_next_hop(), is_next_hops, "{id}");
}

/// A failed connection leads to another host or a deferral, never to mail in clear.
fn check_connections(id: &str, decision: &Decision, expected: &Value) {
    for connection in expected["connect"].as_array().into_iter().flatten() {
        let host = decision.hosts().iter().find(|host| host.host.to_string() == connection["host"]);
        let host = host.unwrap();
        let (fault, result) = match connection["tls"].as_str().unwrap() {
            "no-starttls" => (ConnectionFault::NoStarttls, ResultType::StarttlsNotSupported),
            "tlsa-mismatch" => {
                (ConnectionFault::Handshake("another key"), ResultType::ValidationFailure)
            }
            other => panic!("{id}: {other}"),
        };
        assert_eq!(host.connection_failure(&fault).unwrap().result, result, "{id}");
    }
    let last = decision.hosts().last().map(|host| host.action.as_str());
    match expected["final"].as_str() {
        None => {}
        Some("defer-message") if last == Some("defer-host") => {
            assert_eq!(decision.disposition(), Disposition::Defer, "{id}");
        }
        // All hosts must use TLS, and the one that is left does not offer it.
        Some("defer-message") => assert!(matches!(last, Some("dane" | "encrypt")), "{id}"),
        Some(other) => panic!("{id}: {other}"),
    }
}

fn next_hop(case: &Value) -> NextHop {
    let text = case["nexthop"].as_str().unwrap();
    let name = || Name::from_unicode(text).unwrap();
    match case["nexthop_kind"].as_str().unwrap() {
        "domain" => NextHop::Domain(name()),
        "relay" => NextHop::Relay(name()),
        "static-mx" => {
            let hosts = case["static_mx"].as_array().unwrap().iter();
            let hosts = hosts.map(|host| host.as_str().unwrap().parse().unwrap()).collect();
            NextHop::Hosts { domain: name(), hosts }
        }
        "literal" => NextHop::Literal(text.trim_matches(['[', ']']).parse().unwrap()),
        other => panic!("{other}"),
    }
}

fn options(case: &Value) -> PolicyOptions {
    let insecure_mx = match case["insecure_mx"].as_str().unwrap() {
        "off" => InsecureMx::Off,
        "dane" => InsecureMx::Dane,
        other => panic!("{other}"),
    };
    let mta_sts = match case["mta_sts"].as_str() {
        None => MtaSts::None,
        Some("testing") => MtaSts::Testing,
        Some("enforce") => MtaSts::Enforce,
        Some(other) => panic!("{other}"),
    };
    PolicyOptions::default()
        .with_required(case["dane_mode"] == "mandatory")
        .with_insecure_mx(insecure_mx)
        .with_mta_sts(mta_sts)
}

/// Answers as a resolver that walks the aliases by owner, and asks again at the end of one.
fn answer(case: &Value, question: &Question) -> Answer {
    let (mut name, mut worst) = (question.name.clone(), DnssecStatus::Secure);
    for _ in 0..8 {
        let entries = case["dns"].as_array().unwrap();
        let entry = entries.iter().find(|entry| {
            let asked: Name = entry["q"][0].as_str().unwrap().parse().unwrap();
            asked == name && entry["q"][1] == question.kind.to_string()
        });
        let Some(entry) = entry else {
            assert_ne!(name, question.name, "{}: {question} is not foreseen", case["id"]);
            return Answer::Absent { exists: true, security: worst, ttl: 60 };
        };
        if let Some(error) = entry["error"].as_str() {
            return Answer::Failed(match error {
                "bogus" => DnsFailure::Bogus,
                "refused" => DnsFailure::Refused,
                "timeout" => DnsFailure::Timeout,
                _ => DnsFailure::ServFail,
            });
        }
        let asked = name.clone();
        while let Some(record) = alias(entry, &name).filter(|_| question.kind != RecordType::Cname)
        {
            name = record["data"].as_str().unwrap().parse().unwrap();
            worst = worst.min(security(&record["sec"]));
        }
        let at_name =
            |record: &&Value| record["type"] == question.kind.to_string() && owner(record) == name;
        let found: Vec<_> = entry["rr"].as_array().unwrap().iter().filter(at_name).collect();
        if !found.is_empty() {
            let security = found.iter().map(|record| security(&record["sec"])).min().unwrap();
            let records = records(question.kind, &found);
            let security = worst.min(security);
            return Answer::Records { records, canonical: name, security, ttl: 60 };
        }
        if name == asked || entry["denial"].is_string() {
            let exists = entry["rcode"] != "NXDOMAIN";
            let security = worst.min(security(&entry["denial"]));
            return Answer::Absent { exists, security, ttl: 60 };
        }
    }
    Answer::Failed(DnsFailure::ServFail)
}

fn alias<'a>(entry: &'a Value, name: &Name) -> Option<&'a Value> {
    let is_alias = |record: &&Value| record["type"] == "CNAME" && owner(record) == *name;
    entry["rr"].as_array().into_iter().flatten().find(is_alias)
}

fn owner(record: &Value) -> Name {
    record["owner"].as_str().unwrap().parse().unwrap()
}

fn security(word: &Value) -> DnssecStatus {
    word.as_str().map_or(DnssecStatus::Secure, |word| word.parse().unwrap())
}

fn records(kind: RecordType, found: &[&Value]) -> Records {
    let texts = found.iter().map(|record| record["data"].as_str().unwrap());
    match kind {
        RecordType::A => Records::A(texts.map(|text| text.parse().unwrap()).collect()),
        RecordType::Aaaa => Records::Aaaa(texts.map(|text| text.parse().unwrap()).collect()),
        RecordType::Cname => Records::Cname(found[0]["data"].as_str().unwrap().parse().unwrap()),
        RecordType::Mx => Records::Mx(texts.map(mx).collect()),
        RecordType::Tlsa => {
            let wire = |text: &str| text.parse::<TlsaRecord>().unwrap().to_wire();
            Records::Tlsa(texts.map(wire).collect())
        }
        other => panic!("{other}"),
    }
}

fn mx(text: &str) -> Mx {
    let (preference, exchange) = text.split_once(' ').unwrap();
    Mx { preference: preference.parse().unwrap(), exchange: exchange.parse().unwrap() }
}
