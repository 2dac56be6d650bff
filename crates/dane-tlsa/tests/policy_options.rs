//! The choices of a sender, hosts beside each other, and limits.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/next_hops.rs"]
mod next_hops;

use dane_tlsa::mail_types::dns::{Answer, DnsFailure, DnssecStatus, Question, RecordType};
use dane_tlsa::mail_types::exim::{HostSet, List};
use dane_tlsa::{
    Action, Bounce, Decision, Deferral, Disposition, InsecureMx, Limits, MtaSts, NextHop, NoDane,
    Policy, PolicyOptions, Skip,
};
use next_hops::{
    ANCHOR, KEY, SECURE, absent, action, decide, fail, name, secure, set_addresses, set_mx,
};

#[test]
fn points_27_and_28_records_that_cannot_be_used_ask_for_tls_all_the_same() {
    let unusable = SECURE.replace("3 1 1 abab", "3 1 1 ab");
    let decision = decide(&secure(&unusable), PolicyOptions::default());
    let Action::Encrypt(encrypt) = action(&decision) else { panic!("{decision}") };
    assert_eq!((&encrypt.base_domain, encrypt.mta_sts), (&name("mx.example.net"), false));
    let enforced = PolicyOptions::default().with_mta_sts(MtaSts::Enforce);
    assert_eq!(action(&decide(&secure(&unusable), enforced)).as_str(), "encrypt+mta-sts");
    // Where DANE is required, TLS without authentication is not enough.
    let required = required();
    let decision = decide(&secure(&unusable), required);
    assert!(matches!(action(&decision), Action::Skip(Skip::RequiredUsable { .. })), "{decision}");
}

#[test]
fn point_36_required_dane_defers_whatever_is_less() {
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
        // A host that requires DANE is tried.
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
fn point_29_a_host_with_records_gets_nothing_in_clear() {
    let unusable = SECURE.replace("3 1 1 abab", "3 1 1 ab");
    let enforced = || PolicyOptions::default().with_mta_sts(MtaSts::Enforce);
    let without = SECURE.replace("_25._tcp", "_24._tcp");
    for (zone, options, requires_tls) in [
        (SECURE, PolicyOptions::default(), true),
        (&*unusable, PolicyOptions::default(), true),
        (&*without, enforced(), true),
        (&*without, PolicyOptions::default(), false),
    ] {
        let decision = decide(&secure(zone), options);
        assert_eq!(action(&decision).requires_tls(), requires_tls, "{decision}");
        // Nothing here returns the message.
        assert_eq!(decision.disposition(), Disposition::Try);
    }
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

/// The domain is its own host; an answer that nobody validated says nothing about that.
#[test]
fn a_domain_without_mx_records_by_an_indeterminate_answer_has_no_dane() {
    const OWN: &str = "example.com. A 192.0.2.1\n_25._tcp.example.com. TLSA 3 1 1 \
                       abababababababababababababababababababababababababababababababab\n";
    let mut zone = secure(OWN);
    assert_eq!(action(&decide(&zone, required())).as_str(), "dane");
    for (security, words) in [
        (DnssecStatus::Insecure, ["dane", "dane"]),
        (DnssecStatus::Indeterminate, ["opportunistic", "defer-message"]),
    ] {
        absent(&mut zone, "example.com", RecordType::Mx, true, security);
        for (options, word) in [PolicyOptions::default(), required()].into_iter().zip(words) {
            let decision = decide(&zone, options);
            let found = decision.hosts().first().map_or("defer-message", |it| it.action.as_str());
            assert_eq!(found, word, "{decision}");
        }
    }
}

#[test]
fn hosts_require_dane_defers_a_literal_that_it_names() {
    let deferred = Decision::Defer(Deferral::Required(NoDane::Literal));
    for (list, is_deferred) in [("192.0.2.0/24", true), ("192.0.3.0/24", false)] {
        let set = HostSet::new(List::new(list)).unwrap();
        let policy = Policy::new(NextHop::Literal("192.0.2.1".parse().unwrap()), 25)
            .with_options(PolicyOptions::default().with_hosts_require_dane(set));
        let decision = policy.session().run(|question| secure("").answer(question));
        assert_eq!(decision == deferred, is_deferred, "{list}: {decision}");
    }
}

/// A choice of the administrator never returns mail.
#[test]
fn without_hosts_mail_is_deferred() {
    let zone = secure(SECURE);
    let domain = || name("example.com");
    let limits = Limits::default().with_hosts(0);
    let none = NextHop::Hosts { domain: domain(), hosts: Vec::new() };
    for (next_hop, options) in [
        (NextHop::Domain(domain()), PolicyOptions::default().with_limits(limits)),
        (none.clone(), PolicyOptions::default()),
        (none, required()),
    ] {
        let policy = Policy::new(next_hop, 25).with_options(options);
        let decision = policy.session().run(|question| zone.answer(question));
        assert_eq!(decision, Decision::Defer(Deferral::NoHosts));
        assert_eq!(decision.disposition(), Disposition::Defer);
        assert!(decision.to_string().contains("no host to try"), "{decision}");
        assert_eq!(policy.failure(&decision), None);
    }
    assert_eq!(Decision::Hosts(Vec::new()).disposition(), Disposition::Defer);
}

#[test]
fn a_configured_host_may_be_an_address() {
    let zone = secure(SECURE);
    for text in
        ["192.0.2.9", "[192.0.2.9]", "2001:db8::9", "[IPv6:2001:db8::9]", "[ipv6:2001:db8::9]"]
    {
        let host = name(text);
        let listed = NextHop::Hosts { domain: name("example.com"), hosts: vec![host.clone()] };
        for next_hop in [NextHop::Relay(host.clone()), listed] {
            let decide = |options: PolicyOptions| {
                let policy = Policy::new(next_hop.clone(), 25).with_options(options);
                policy.session().run(|question| zone.answer(question))
            };
            let decision = decide(PolicyOptions::default());
            assert_eq!(*action(&decision), Action::Opportunistic(NoDane::Literal), "{text}");
            let found = &decision.hosts()[0];
            assert!(text.contains(&found.addresses[0].to_string()), "{found}");
            let decision = decide(required());
            assert_eq!(*action(&decision), Action::Skip(Skip::Required(NoDane::Literal)), "{text}");
            assert_eq!(decision.disposition(), Disposition::Defer);
        }
        // A domain of a mailbox is another matter.
        let policy = Policy::new(NextHop::Domain(host), 25);
        let mut zone = secure("");
        absent(&mut zone, text, RecordType::Mx, true, DnssecStatus::Secure);
        let decision = policy.session().run(|question| zone.answer(question));
        assert_eq!(decision, Decision::Bounce(Bounce::AddressAsDomain), "{text}");
    }
}

#[test]
fn one_host_that_cannot_be_used_leaves_the_others() {
    let mut zone = secure(&format!(
        "{SECURE}example.com. MX 5 gone.example.net.\nexample.com. MX 6 none.example.net.\n\
         example.com. MX 7 192.0.2.9.\nexample.com. MX 8 late.example.net.\nnone.example.net. TXT x\n"
    ));
    fail(&mut zone, "late.example.net", RecordType::A, DnsFailure::Timeout);
    let decision = decide(&zone, PolicyOptions::default());
    let words: Vec<_> = decision.hosts().iter().map(|host| host.action.as_str()).collect();
    let [unreachable, late] = ["unreachable-host", "defer-host"];
    assert_eq!(words, [unreachable, unreachable, unreachable, late, "dane"]);
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
    let dane_of = |domain: &str, records: &str, security: DnssecStatus| {
        let records = records.replace('\n', "\n_25._tcp.mx.example.net. TLSA ");
        let mut zone = secure(&format!(
            "{domain}. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.1\n\
             _25._tcp.mx.example.net. TLSA {records}\n"
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
    // The order of an answer says nothing.
    let [both, turned] = [format!("{KEY}\n{ANCHOR}"), format!("{ANCHOR}\n{KEY}")];
    assert!(dane_of(a, &both, secure).covers(&dane_of(a, &turned, secure)));
    assert!(!dane_of(a, &both, secure).covers(&dane_of(a, KEY, secure)));
    assert!(!dane_of(a, KEY, secure).covers(&dane_of(a, &both, secure)));
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

fn required() -> PolicyOptions {
    PolicyOptions::default().with_required(true)
}
