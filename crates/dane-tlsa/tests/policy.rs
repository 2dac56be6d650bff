//! Decisions about a next hop by the answers of the DNS.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/next_hops.rs"]
mod next_hops;

use dane_tlsa::mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, InquiryStep, Question, RecordType, Records, Zone,
};
use dane_tlsa::{
    Action, Decision, Deferral, Disposition, InsecureMx, NextHop, NoDane, Policy, PolicyOptions,
    Skip,
};
use next_hops::{
    ANCHOR, KEY, SECURE, absent, action, decide, fail, name, policy, secure, set_addresses, set_mx,
};

#[test]
fn point_1_each_failure_of_a_tlsa_lookup_skips_the_host() {
    for failure in FAILURES {
        let mut zone = secure(SECURE);
        fail(&mut zone, "_25._tcp.mx.example.net", RecordType::Tlsa, failure);
        let decision = decide(&zone, PolicyOptions::default());
        let Action::Skip(Skip::Lookup { kind: RecordType::Tlsa, failure: told, .. }) =
            action(&decision)
        else {
            panic!("{decision}");
        };
        assert_eq!(*told, failure);
        assert_eq!(decision.disposition(), Disposition::Defer);
    }
}

#[test]
fn point_2_only_an_answer_can_say_that_there_is_no_record() {
    for exists in [true, false] {
        for status in [DnssecStatus::Secure, DnssecStatus::Insecure, DnssecStatus::Indeterminate] {
            let mut zone = secure(SECURE);
            absent(&mut zone, "_25._tcp.mx.example.net", RecordType::Tlsa, exists, status);
            let decision = decide(&zone, PolicyOptions::default());
            assert_eq!(*action(&decision), Action::Opportunistic(NoDane::NoRecords), "{status}");
        }
    }
}

#[test]
fn point_3_insecure_addresses_are_not_asked_about_tlsa() {
    let mut zone = secure(SECURE);
    set_addresses(&mut zone, DnssecStatus::Insecure);
    fail(&mut zone, "_25._tcp.mx.example.net", RecordType::Tlsa, DnsFailure::ServFail);
    let (decision, asked) = decide_and_list(&zone, &policy(PolicyOptions::default()));
    assert_eq!(*action(&decision), Action::Opportunistic(NoDane::InsecureAddresses));
    assert!(!asked.iter().any(|question| question.kind == RecordType::Tlsa), "{asked:?}");
}

/// RFC 5321 section 5.1: the data of an MX record is a name.
#[test]
fn an_mx_record_with_an_address_names_no_host() {
    for (exchange, is_address) in [
        ("192.0.2.3", true),
        ("2001:db8::3", true),
        ("[192.0.2.3]", true),
        ("[IPv6:2001:db8::3]", true),
        ("192.0.2.3.example", false),
        ("3", false),
        ("[mx]", false),
    ] {
        let decision =
            decide(&secure(&format!("example.com. MX 10 {exchange}.")), PolicyOptions::default());
        let wanted = if is_address { Skip::AddressInMx } else { Skip::NoAddress };
        assert_eq!(*action(&decision), Action::Skip(wanted), "{exchange}");
    }
}

#[test]
fn point_4_one_family_is_enough() {
    for failing in [RecordType::A, RecordType::Aaaa] {
        let mut zone = secure(&format!("{SECURE}mx.example.net. AAAA 2001:db8::1\n"));
        fail(&mut zone, "mx.example.net", failing, DnsFailure::ServFail);
        let decision = decide(&zone, PolicyOptions::default());
        assert_eq!(action(&decision).as_str(), "dane", "{failing}");
        assert_eq!(decision.hosts()[0].addresses.len(), 1);
    }
    // Without an address of the other family, its failure counts.
    let mut zone = secure("example.com. MX 10 mx.example.net.\nmx.example.net. AAAA 2001:db8::1\n");
    fail(&mut zone, "mx.example.net", RecordType::Aaaa, DnsFailure::Timeout);
    assert_eq!(action(&decide(&zone, PolicyOptions::default())).as_str(), "defer-host");
}

#[test]
fn points_5_and_38_insecure_mx_records_are_used_only_if_wanted_and_vouch_for_nothing() {
    let mut zone = secure(SECURE);
    set_mx(&mut zone, DnssecStatus::Insecure);
    let (decision, asked) = decide_and_list(&zone, &policy(PolicyOptions::default()));
    assert_eq!(*action(&decision), Action::Opportunistic(NoDane::InsecureMx));
    assert!(!asked.iter().any(|question| question.kind == RecordType::Tlsa));

    let wanted = PolicyOptions::default().with_insecure_mx(InsecureMx::Dane);
    let decision = decide(&zone, wanted.clone());
    let Action::Dane(dane) = action(&decision) else { panic!("{decision}") };
    assert_eq!(dane.reference_names, [name("mx.example.net")]);
    assert!(!action(&decision).authenticates_next_hop());
    assert!(decision.to_string().ends_with("not authenticated as a host of the next hop"));

    // An aliased host has the name at the end of its alias alone.
    let mut zone = secure(&format!(
        "mx.example.net. CNAME real.example.org.\nreal.example.org. A 192.0.2.9\n\
         _25._tcp.real.example.org. TLSA {ANCHOR}\nexample.com. MX 10 mx.example.net.\n"
    ));
    set_mx(&mut zone, DnssecStatus::Insecure);
    let decision = decide(&zone, wanted.clone());
    let Action::Dane(dane) = action(&decision) else { panic!("{decision}") };
    assert_eq!(dane.reference_names, [name("real.example.org")]);

    // It is never mandatory DANE, also where the provider has records.
    let decision = decide(&zone, wanted.with_required(true));
    assert_eq!(decision, Decision::Defer(Deferral::Required(NoDane::InsecureMx)));
}

#[test]
fn point_6_each_failure_of_the_mx_lookup_defers_the_message() {
    for failure in FAILURES {
        let mut zone = secure(SECURE);
        fail(&mut zone, "example.com", RecordType::Mx, failure);
        let decision = decide(&zone, PolicyOptions::default());
        assert_eq!(decision, Decision::Defer(Deferral::MxLookup(failure)));
        assert_eq!(decision.disposition(), Disposition::Defer);
    }
}

#[test]
fn point_7_a_domain_without_mx_records_is_its_own_host() {
    let zone = secure(&format!("example.com. A 192.0.2.1\n_25._tcp.example.com. TLSA {KEY}\n"));
    let decision = decide(&zone, PolicyOptions::default());
    let Action::Dane(dane) = action(&decision) else { panic!("{decision}") };
    assert_eq!(dane.reference_names, [name("example.com")]);
    assert!(dane.authenticates_next_hop);

    // An alias has both its names.
    let zone = secure(&format!(
        "example.com. CNAME web.example.org.\nweb.example.org. A 192.0.2.1\n\
         _25._tcp.web.example.org. TLSA {ANCHOR}\n"
    ));
    let decision = decide(&zone, PolicyOptions::default());
    let Action::Dane(dane) = action(&decision) else { panic!("{decision}") };
    assert_eq!(dane.reference_names, [name("web.example.org"), name("example.com")]);
}

#[test]
fn point_8_what_the_administrator_configures_is_secure() {
    let zone =
        secure(&format!("relay.example. A 192.0.2.1\n_587._tcp.relay.example. TLSA {KEY}\n"));
    let relay = Policy::new(NextHop::Relay(name("relay.example")), 587);
    let decision = relay.session().run(|question| zone.answer(question));
    assert_eq!(decision.to_string(), "relay.example: dane, names relay.example");

    let zone = secure(&format!("{SECURE}b.example.net. A 192.0.2.2\n"));
    let hosts = vec![name("mx.example.net"), name("b.example.net")];
    let list = NextHop::Hosts { domain: name("example.org"), hosts };
    let decision = Policy::new(list, 25).session().run(|question| zone.answer(question));
    let hosts = decision.hosts();
    assert_eq!((hosts[0].preference, hosts[1].preference), (0, 1));
    let Action::Dane(dane) = &hosts[0].action else { panic!("{decision}") };
    assert_eq!(dane.reference_names, [name("mx.example.net"), name("example.org")]);
    assert_eq!(hosts[1].action, Action::Opportunistic(NoDane::NoRecords));
}

#[test]
fn points_9_12_and_14_an_aliased_host_has_two_base_domains() {
    let alias = "example.com. MX 10 mx.example.net.\nmx.example.net. CNAME real.example.org.\n\
                 real.example.org. A 192.0.2.9\n";
    let names_with = |records: &str| {
        let decision = decide(&secure(&format!("{alias}{records}")), PolicyOptions::default());
        match action(&decision) {
            Action::Dane(dane) => dane.reference_names.clone(),
            _ => Vec::new(),
        }
    };
    let at_end = format!("_25._tcp.real.example.org. TLSA {ANCHOR}\n");
    let at_start = format!("_25._tcp.mx.example.net. TLSA {ANCHOR}\n");
    let (real, mx) = (name("real.example.org"), name("mx.example.net"));
    assert_eq!(names_with(&at_end), [real.clone(), name("example.com")]);
    assert_eq!(names_with(&at_start), [mx, name("example.com")]);
    assert_eq!(names_with(&format!("{at_start}{at_end}"))[0], real);
    assert!(names_with("").is_empty());
    // The records may be elsewhere: the base domain stays.
    let elsewhere = format!(
        "_25._tcp.real.example.org. CNAME ca.example.org.\nca.example.org. TLSA {ANCHOR}\n"
    );
    assert_eq!(names_with(&elsewhere)[0], real);
    // After a failure at the end of the alias its start is not asked about.
    let mut zone = secure(&format!("{alias}{at_start}"));
    fail(&mut zone, "_25._tcp.real.example.org", RecordType::Tlsa, DnsFailure::Bogus);
    let (decision, asked) = decide_and_list(&zone, &policy(PolicyOptions::default()));
    assert_eq!(action(&decision).as_str(), "defer-host");
    assert!(!asked.contains(&Question::new(name("_25._tcp.mx.example.net"), RecordType::Tlsa)));
}

#[test]
fn points_10_and_11_an_alias_into_an_unsigned_zone_is_asked_about_by_itself() {
    let alias = "example.com. MX 10 mx.example.net.\nmx.example.net. CNAME real.example.org.\n";
    for (status, action_word) in [
        (Some(DnssecStatus::Secure), "dane"),
        (Some(DnssecStatus::Insecure), "opportunistic"),
        (None, "defer-host"),
    ] {
        let zone = secure(&format!("{alias}_25._tcp.mx.example.net. TLSA {KEY}\n"));
        let target = name("real.example.org");
        let decision = policy(PolicyOptions::default()).session().run(|question| {
            let (records, canonical, security) = match (question.kind, status) {
                (RecordType::A, _) => {
                    let records = Records::A(vec!["192.0.2.9".parse().unwrap()]);
                    (records, target.clone(), DnssecStatus::Insecure)
                }
                (RecordType::Cname, Some(security)) => {
                    (Records::Cname(target.clone()), question.name.clone(), security)
                }
                (RecordType::Cname, None) => return Answer::Failed(DnsFailure::ServFail),
                _ => return zone.answer(question),
            };
            Answer::Records { records, canonical, security, ttl: 60 }
        });
        assert_eq!(action(&decision).as_str(), action_word, "{status:?}: {decision}");
    }
}

#[test]
fn point_13_an_unsigned_denial_is_absence() {
    let mut zone = secure(SECURE);
    let owner = "_25._tcp.mx.example.net";
    absent(&mut zone, owner, RecordType::Tlsa, false, DnssecStatus::Insecure);
    assert_eq!(action(&decide(&zone, PolicyOptions::default())).as_str(), "opportunistic");
}

/// A connection needs a host of the decision, with the records that the server must match.
#[test]
fn point_15_no_host_is_named_before_its_tlsa_lookup_has_ended() {
    let zone = secure(SECURE);
    let policy = policy(PolicyOptions::default());
    let mut session = policy.session();
    let held = loop {
        match session.poll() {
            InquiryStep::Ask(question) if question.kind == RecordType::Tlsa => break question,
            InquiryStep::Ask(question) => {
                session.handle_answer(&question, zone.answer(&question));
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(session.poll(), InquiryStep::Wait));
    session.handle_answer(&held, zone.answer(&held));
    let InquiryStep::Done(decision) = session.poll() else { panic!("no decision") };
    let Action::Dane(dane) = action(&decision) else { panic!("{decision}") };
    assert_eq!(dane.records.get(0).unwrap().to_string(), KEY);
}

#[test]
fn point_16_a_label_follows_the_port_and_an_address_has_no_records() {
    let zone = secure(&format!("{SECURE}_2525._tcp.mx.example.net. TLSA {ANCHOR}\n"));
    let policy = Policy::new(NextHop::Domain(name("example.com")), 2525);
    let decision = policy.session().run(|question| zone.answer(question));
    let Action::Dane(dane) = action(&decision) else { panic!("{decision}") };
    assert_eq!(dane.records.get(0).unwrap().to_string(), ANCHOR);

    let literal = || Policy::new(NextHop::Literal("192.0.2.1".parse().unwrap()), 25);
    let decision = literal().session().run(unasked);
    let action = action(&decision);
    assert_eq!(*action, Action::Opportunistic(NoDane::Literal));
    let required = literal().with_options(PolicyOptions::default().with_required(true));
    let decision = required.session().run(unasked);
    assert_eq!(decision, Decision::Defer(Deferral::Required(NoDane::Literal)));
}

#[test]
fn point_17_an_answer_of_a_resolver_that_is_not_trusted_is_never_secure() {
    let zone = Zone::parse(SECURE).unwrap();
    assert_eq!(
        *action(&decide(&zone, PolicyOptions::default())),
        Action::Opportunistic(NoDane::InsecureMx)
    );
    let required = PolicyOptions::default().with_required(true);
    assert_eq!(decide(&zone, required).disposition(), Disposition::Defer);
}

const FAILURES: [DnsFailure; 5] = [
    DnsFailure::ServFail,
    DnsFailure::Timeout,
    DnsFailure::Refused,
    DnsFailure::Bogus,
    DnsFailure::OverLimit,
];

fn decide_and_list(zone: &Zone, policy: &Policy) -> (Decision, Vec<Question>) {
    let mut asked = Vec::new();
    let decision = policy.session().run(|question| {
        asked.push(question.clone());
        zone.answer(question)
    });
    (decision, asked)
}

fn unasked(question: &Question) -> Answer {
    panic!("{question}")
}
