//! What the DNS says of a next hop, and what becomes of its hosts.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of tests may panic")]

use dane_tlsa::mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Records, Zone,
};
use dane_tlsa::mail_types::exim::{HostSet, List};
use dane_tlsa::{
    Action, Bounce, Decision, Deferral, Disposition, InsecureMx, Limits, MtaSts, NextHop, NoDane,
    Policy, PolicyOptions, Skip,
};

const KEY: &str = "3 1 1 abababababababababababababababababababababababababababababababab";
const ANCHOR: &str = "2 0 1 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
const SECURE: &str = "
example.com.        MX 10 mx.example.net.
mx.example.net.     A 192.0.2.1
_25._tcp.mx.example.net. TLSA 3 1 1 abababababababababababababababababababababababababababababababab
";

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
    // What fails at the end of the alias is not made good by its start.
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

#[test]
fn points_27_and_28_records_that_cannot_be_used_ask_for_tls_all_the_same() {
    let unusable = SECURE.replace("3 1 1 abab", "3 1 1 ab");
    let decision = decide(&secure(&unusable), PolicyOptions::default());
    let Action::Encrypt(encrypt) = action(&decision) else { panic!("{decision}") };
    assert_eq!((&encrypt.base_domain, encrypt.mta_sts), (&name("mx.example.net"), false));
    let enforced = PolicyOptions::default().with_mta_sts(MtaSts::Enforce);
    assert_eq!(action(&decide(&secure(&unusable), enforced)).as_str(), "encrypt+mta-sts");
    // Where DANE is required, TLS without authentication is not enough.
    let required = PolicyOptions::default().with_required(true);
    let decision = decide(&secure(&unusable), required);
    assert!(matches!(action(&decision), Action::Skip(Skip::RequiredUsable { .. })), "{decision}");
}

#[test]
fn point_36_required_dane_defers_whatever_is_less() {
    let required = || PolicyOptions::default().with_required(true);
    let mut insecure = secure(SECURE);
    set_addresses(&mut insecure, DnssecStatus::Insecure);
    let without = SECURE.replace("_25._tcp", "_24._tcp");
    for (zone, reason) in
        [(insecure, NoDane::InsecureAddresses), (secure(&without), NoDane::NoRecords)]
    {
        let decision = decide(&zone, required());
        assert_eq!(*action(&decision), Action::Skip(Skip::Required(reason)));
        assert_eq!(decision.disposition(), Disposition::Defer);
    }
    assert_eq!(action(&decide(&secure(SECURE), required())).as_str(), "dane");
    // A domain that does not exist, by an answer that may be forged.
    let mut zone = secure("");
    assert_eq!(decide(&zone, required()), Decision::Bounce(Bounce::NoDomain));
    absent(&mut zone, "example.com", RecordType::Mx, false, DnssecStatus::Insecure);
    assert_eq!(decide(&zone, required()).disposition(), Disposition::Defer);
    assert_eq!(decide(&zone, PolicyOptions::default()).disposition(), Disposition::Bounce);
}

#[test]
fn hosts_are_chosen_by_name_or_address() {
    let set = |list: &str| HostSet::new(List::new(list)).unwrap();
    for list in ["*.example.net", "mx.example.net", "192.0.2.0/24"] {
        let tried = PolicyOptions::default().with_hosts_try_dane(set(&format!("!{list}")));
        let decision = decide(&secure(SECURE), tried.clone());
        assert_eq!(*action(&decision), Action::Opportunistic(NoDane::NotTried), "{list}");
        // Who must be authenticated is tried.
        let required = tried.with_hosts_require_dane(set(list));
        assert_eq!(action(&decide(&secure(SECURE), required.clone())).as_str(), "dane", "{list}");
        let without = secure(&SECURE.replace("_25._tcp", "_24._tcp"));
        let decision = decide(&without, required.clone());
        assert_eq!(*action(&decision), Action::Skip(Skip::Required(NoDane::NoRecords)), "{list}");
        // An insecure MX record may name any host.
        let mut insecure = secure(SECURE);
        set_mx(&mut insecure, DnssecStatus::Insecure);
        let decision = decide(&insecure, required.with_insecure_mx(InsecureMx::Dane));
        assert_eq!(*action(&decision), Action::Skip(Skip::Required(NoDane::InsecureMx)), "{list}");
    }
    let other = PolicyOptions::default().with_hosts_try_dane(set("*.example.org"));
    assert_eq!(action(&decide(&secure(SECURE), other)).as_str(), "opportunistic");
}

#[test]
fn point_37_the_preference_goes_before_dane() {
    let zone = secure(&format!(
        "example.com. MX 20 mx.example.net.\nexample.com. MX 10 plain.example.net.\n\
         example.com. MX 20 MX.Example.Net.\nplain.example.net. A 192.0.2.7\n\
         mx.example.net. A 192.0.2.1\n_25._tcp.mx.example.net. TLSA {KEY}\n"
    ));
    let decision = decide(&zone, PolicyOptions::default());
    let words: Vec<_> = decision.hosts().iter().map(|host| host.action.as_str()).collect();
    assert_eq!(words, ["opportunistic", "dane"], "each host once");
}

#[test]
fn one_host_that_cannot_be_used_leaves_the_others() {
    let mut zone = secure(&format!(
        "{SECURE}example.com. MX 5 gone.example.net.\nexample.com. MX 6 none.example.net.\n\
         example.com. MX 7 192.0.2.9.\nnone.example.net. TXT x\n"
    ));
    fail(&mut zone, "late.example.net", RecordType::A, DnsFailure::Timeout);
    let decision = decide(&zone, PolicyOptions::default());
    let words: Vec<_> = decision.hosts().iter().map(|host| host.action.as_str()).collect();
    assert_eq!(words, ["unreachable-host", "unreachable-host", "unreachable-host", "dane"]);
    assert_eq!(decision.disposition(), Disposition::Try);
    let zone = secure("example.com. MX 5 gone.example.net.\n");
    assert_eq!(decide(&zone, PolicyOptions::default()).disposition(), Disposition::Bounce);
}

#[test]
fn a_domain_that_accepts_no_mail_bounces() {
    let decision = decide(&secure("example.com. MX 0 .\n"), PolicyOptions::default());
    assert_eq!(decision, Decision::Bounce(Bounce::NullMx));
    assert_eq!(decision.to_string(), "bounce: the domain accepts no mail (null MX)");
    // Beside others it is no host.
    let decision =
        decide(&secure(&format!("{SECURE}example.com. MX 0 .\n")), PolicyOptions::default());
    assert_eq!(decision.hosts().len(), 1);
}

#[test]
fn point_39_mta_sts_decides_only_where_dane_does_not() {
    let enforced = || PolicyOptions::default().with_mta_sts(MtaSts::Enforce);
    assert_eq!(action(&decide(&secure(SECURE), enforced())).as_str(), "dane");
    let without = secure(&SECURE.replace("_25._tcp", "_24._tcp"));
    assert_eq!(*action(&decide(&without, enforced())), Action::MtaSts(NoDane::NoRecords));
    let mut failing = secure(SECURE);
    fail(&mut failing, "_25._tcp.mx.example.net", RecordType::Tlsa, DnsFailure::ServFail);
    assert_eq!(action(&decide(&failing, enforced())).as_str(), "defer-host");
    let testing = PolicyOptions::default().with_mta_sts(MtaSts::Testing);
    assert_eq!(action(&decide(&without, testing)).as_str(), "opportunistic");
}

#[test]
fn point_40_a_connection_is_shared_only_by_next_hops_that_it_covers() {
    let dane_of = |domain: &str, record: &str, security: DnssecStatus| {
        let mut zone = secure(&format!(
            "{domain}. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.1\n\
             _25._tcp.mx.example.net. TLSA {record}\n"
        ));
        let mx = Question::new(name(domain), RecordType::Mx);
        if let Answer::Records { records, canonical, ttl, .. } = zone.answer(&mx) {
            zone.set(mx, Answer::Records { records, canonical, security, ttl });
        }
        let options = PolicyOptions::default().with_insecure_mx(InsecureMx::Dane);
        let policy = Policy::new(NextHop::Domain(name(domain)), 25).with_options(options);
        let decision = policy.session().run(|question| zone.answer(question));
        let Action::Dane(dane) = action(&decision).clone() else { panic!("{decision}") };
        dane
    };
    let (a, b) = ("a.example", "b.example");
    let secure = DnssecStatus::Secure;
    // Usage 3 does not look at names; usage 2 does.
    assert!(dane_of(a, KEY, secure).covers(&dane_of(b, KEY, secure)));
    assert!(!dane_of(a, ANCHOR, secure).covers(&dane_of(b, ANCHOR, secure)));
    assert!(dane_of(a, ANCHOR, secure).covers(&dane_of(a, ANCHOR, secure)));
    assert!(!dane_of(a, KEY, secure).covers(&dane_of(a, ANCHOR, secure)));
    // A connection to a host that may not be the next hop's is worth less.
    assert!(!dane_of(a, KEY, DnssecStatus::Insecure).covers(&dane_of(b, KEY, secure)));
    assert!(dane_of(a, KEY, secure).covers(&dane_of(b, KEY, DnssecStatus::Insecure)));
}

#[test]
fn each_limit_is_reached_and_not_exceeded() {
    let records = |count: usize| {
        let record = |at: usize| format!("_25._tcp.mx.example.net. TLSA 3 1 1 {at:064x}\n");
        let records: String = (0..count).map(record).collect();
        let zone = secure(&format!(
            "example.com. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.1\n{records}"
        ));
        decide(&zone, PolicyOptions::default())
    };
    assert_eq!(action(&records(100)).as_str(), "dane");
    let decision = records(101);
    assert!(matches!(action(&decision), Action::Skip(Skip::TooManyRecords { limit: 100, .. })));

    let hosts = |count: usize| {
        let host = |at: usize| {
            format!("example.com. MX {at} h{at}.example.net.\nh{at}.example.net. A 192.0.2.1\n")
        };
        let hosts: String = (1..=count).rev().map(host).collect();
        let options = PolicyOptions::default().with_limits(Limits::default().with_hosts(3));
        decide(&secure(&hosts), options)
    };
    assert_eq!(hosts(3).hosts().len(), 3);
    let names: Vec<_> = hosts(4).hosts().iter().map(|host| host.host.to_string()).collect();
    assert_eq!(names, ["h1.example.net", "h2.example.net", "h3.example.net"]);
    // A session has enough questions for all of them.
    assert!(hosts(4).hosts().iter().all(|host| host.action.as_str() == "opportunistic"));
}

#[test]
fn a_name_that_is_too_long_for_records_has_none() {
    let label = "a".repeat(61);
    let host = format!("{label}.{label}.{label}.{label}");
    let zone = secure(&format!("example.com. MX 10 {host}.\n{host}. A 192.0.2.1\n"));
    let decision = decide(&zone, PolicyOptions::default());
    assert_eq!(*action(&decision), Action::Opportunistic(NoDane::NoRecords));
}

const FAILURES: [DnsFailure; 5] = [
    DnsFailure::ServFail,
    DnsFailure::Timeout,
    DnsFailure::Refused,
    DnsFailure::Bogus,
    DnsFailure::OverLimit,
];

fn secure(text: &str) -> Zone {
    Zone::parse(text).unwrap().with_security(DnssecStatus::Secure)
}

fn policy(options: PolicyOptions) -> Policy {
    Policy::new(NextHop::Domain(name("example.com")), 25).with_options(options)
}

fn decide(zone: &Zone, options: PolicyOptions) -> Decision {
    policy(options).session().run(|question| zone.answer(question))
}

fn decide_and_list(zone: &Zone, policy: &Policy) -> (Decision, Vec<Question>) {
    let mut asked = Vec::new();
    let decision = policy.session().run(|question| {
        asked.push(question.clone());
        zone.answer(question)
    });
    (decision, asked)
}

fn action(decision: &Decision) -> &Action {
    &decision.hosts().last().unwrap_or_else(|| panic!("{decision}")).action
}

fn unasked(question: &Question) -> Answer {
    panic!("{question}")
}

fn fail(zone: &mut Zone, owner: &str, kind: RecordType, failure: DnsFailure) {
    zone.set(Question::new(name(owner), kind), Answer::Failed(failure));
}

fn absent(zone: &mut Zone, owner: &str, kind: RecordType, exists: bool, security: DnssecStatus) {
    let answer = Answer::Absent { exists, security, ttl: 60 };
    zone.set(Question::new(name(owner), kind), answer);
}

fn set_addresses(zone: &mut Zone, security: DnssecStatus) {
    let (canonical, records) =
        (name("mx.example.net"), Records::A(vec!["192.0.2.1".parse().unwrap()]));
    let answer = Answer::Records { records, canonical, security, ttl: 60 };
    zone.set(Question::new(name("mx.example.net"), RecordType::A), answer);
}

fn set_mx(zone: &mut Zone, security: DnssecStatus) {
    let question = Question::new(name("example.com"), RecordType::Mx);
    let Answer::Records { records, canonical, ttl, .. } = zone.answer(&question) else {
        panic!("no MX records");
    };
    zone.set(question, Answer::Records { records, canonical, security, ttl });
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}
