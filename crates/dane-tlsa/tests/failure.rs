//! Failures as RFC 8460 reports them, and Exim's variables.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/now.rs"]
mod now;

use std::time::Duration;

use authority::Party;
use dane_tlsa::mail_types::dns::{Answer, DnsFailure, DnssecStatus, Question, RecordType, Zone};
use dane_tlsa::rustls_pki_types::UnixTime;
use dane_tlsa::{
    Action, Certificate, ConnectionFault, Failure, MatchingType, NextHop, Policy, PolicyOptions,
    PolicyType, ResultType, Selector, TlsaRecord, Usage,
};
use now::now;

const MX: &str = "example.com. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.1\n";
const RECORD: &str = "3 1 1 abababababababababababababababababababababababababababababababab";

/// Everything that a report says of a lookup or a policy that fails.
#[test]
fn points_36_and_41_a_host_that_is_skipped_has_its_failure() {
    let owner = "_25._tcp.mx.example.net";
    let question = Question::new(owner.parse().unwrap(), RecordType::Tlsa);
    let mut failing = zone(MX);
    failing.set(question, Answer::Failed(DnsFailure::Bogus));
    let failure = host_failure(&failing, false).unwrap();
    assert_eq!(failure.result, ResultType::DnssecInvalid);
    assert_eq!(failure.policy_type, PolicyType::NoPolicyFound);
    assert_eq!(failure.policy_domain.to_string(), "mx.example.net");
    assert_eq!(failure.receiving_host.unwrap().to_string(), "mx.example.net");
    assert_eq!(failure.reason, format!("the TLSA lookup of {owner} failed: bogus"));

    let failure = host_failure(&zone(MX), true).unwrap();
    assert_eq!(failure.result, ResultType::DaneRequired);
    assert_eq!(failure.reason, "DANE is required: the host has no secure TLSA records");

    let failure = host_failure(&zone(&format!("{MX}{owner}. TLSA 3 1 1 abab\n")), true).unwrap();
    assert_eq!((failure.result, failure.policy_type), (ResultType::TlsaInvalid, PolicyType::Tlsa));
    assert_eq!(failure.policy_string, ["3 1 1 abab"]);

    assert_eq!(host_failure(&zone(MX), false), None);
    assert_eq!(host_failure(&zone("example.com. MX 10 gone.example.net.\n"), true), None);
}

/// The policy domain is the end of the alias where its records are in question, and the host where nothing is
/// known of them.
#[test]
fn point_41_the_policy_domain_is_the_base_domain_whatever_fails() {
    const ALIAS: &str = "example.com. MX 10 mx.example.net.\nmx.example.net. CNAME real.example.org.\n\
                         real.example.org. A 192.0.2.1\n";
    let owner = "_25._tcp.real.example.org";
    let mut failing = zone(ALIAS);
    let question = Question::new(owner.parse().unwrap(), RecordType::Tlsa);
    failing.set(question, Answer::Failed(DnsFailure::ServFail));
    let many: Vec<_> = (0..101).map(|at| format!("{owner}. TLSA 3 1 1 {at:064x}")).collect();
    let unusable = format!("{ALIAS}{owner}. TLSA 3 1 1 abab\n");
    let mut without_address = zone(ALIAS);
    let question = Question::new("mx.example.net".parse().unwrap(), RecordType::A);
    without_address.set(question, Answer::Failed(DnsFailure::Timeout));
    let (base, host) = ("real.example.org", "mx.example.net");
    for (zone, required, domain, result, policy_type, records) in [
        (&failing, false, base, ResultType::DnssecInvalid, PolicyType::NoPolicyFound, &[][..]),
        (
            &zone(&format!("{ALIAS}{}\n", many.join("\n"))),
            false,
            base,
            ResultType::TlsaInvalid,
            PolicyType::Tlsa,
            &[],
        ),
        (&zone(&unusable), true, base, ResultType::TlsaInvalid, PolicyType::Tlsa, &["3 1 1 abab"]),
        // Mail goes on, encrypted: the records are wrong all the same.
        (&zone(&unusable), false, base, ResultType::TlsaInvalid, PolicyType::Tlsa, &["3 1 1 abab"]),
        (&without_address, false, host, ResultType::DnssecInvalid, PolicyType::NoPolicyFound, &[]),
    ] {
        let failure = host_failure(zone, required).unwrap();
        assert_eq!(failure.policy_domain.to_string(), domain, "{failure:?}");
        assert_eq!((failure.result, failure.policy_type), (result, policy_type));
        assert_eq!(failure.policy_string, records);
        assert_eq!(failure.receiving_host.unwrap().to_string(), host);
    }
}

/// Exim's event `dane:fail` has four words.
#[test]
fn each_failure_has_a_word_of_dane_fail() {
    for (result, word) in [
        (ResultType::StarttlsNotSupported, "starttls-not-supported"),
        (ResultType::CertificateHostMismatch, "validation-failure"),
        (ResultType::CertificateExpired, "validation-failure"),
        (ResultType::CertificateNotTrusted, "validation-failure"),
        (ResultType::ValidationFailure, "validation-failure"),
        (ResultType::TlsaInvalid, "dane-required"),
        (ResultType::DnssecInvalid, "dnssec-invalid"),
        (ResultType::DaneRequired, "dane-required"),
    ] {
        assert_eq!(result.event_word(), word);
    }
}

#[test]
fn point_41_a_message_that_is_deferred_has_its_failure() {
    let mut zone = zone(MX);
    let question = Question::new("example.com".parse().unwrap(), RecordType::Mx);
    zone.set(question, Answer::Failed(DnsFailure::Timeout));
    let policy = policy(false);
    let decision = policy.session().run(|question| zone.answer(question));
    let failure = policy.failure(&decision).unwrap();
    assert_eq!(failure.result.to_string(), "dnssec-invalid");
    assert_eq!(failure.policy_domain.to_string(), "example.com");
    assert_eq!(failure.receiving_host, None);
    assert_eq!(failure.reason, "the MX lookup failed: timeout");
}

/// A server that is not authenticated, by the reason of the first record that says more than another.
#[test]
fn point_41_a_connection_that_fails_has_the_most_exact_type() {
    let zone = zone(&format!("{MX}_25._tcp.mx.example.net. TLSA {RECORD}\n"));
    let policy = policy(false);
    let decision = policy.session().run(|question| zone.answer(question));
    let host = &decision.hosts()[0];
    let failure = |fault: &ConnectionFault<'_>| host.connection_failure(fault);
    let starttls = failure(&ConnectionFault::NoStarttls).unwrap();
    assert_eq!(starttls.result.as_str(), "starttls-not-supported");
    assert_eq!(starttls.policy_string, [RECORD]);
    assert_eq!(starttls.policy_type.as_str(), "tlsa");
    let broken = failure(&ConnectionFault::Handshake("alert\r\nhandshake_failure")).unwrap();
    assert_eq!(
        (broken.result, &*broken.reason),
        (ResultType::ValidationFailure, "alert  handshake_failure")
    );
    let long = "\u{fc}".repeat(Failure::MAX_REASON);
    let hidden = "a\r\nb\u{2028}c\u{202e}d\u{feff}e\u{200b}f";
    let reason = failure(&ConnectionFault::Handshake(hidden)).unwrap().reason;
    assert_eq!(reason, "a  b c d e f");
    let cut = failure(&ConnectionFault::Handshake(&long)).unwrap().reason;
    assert!(cut.len() <= Failure::MAX_REASON && cut.len() + 2 > Failure::MAX_REASON);

    let Action::Dane(dane) = &host.action else { panic!("{host}") };
    let verdict = dane.check(&[]).verify(&[], now());
    let fault = ConnectionFault::Verdict(&verdict);
    let other = failure(&fault).unwrap();
    assert_eq!(other.result, ResultType::ValidationFailure);
    assert!(other.reason.starts_with("none of the TLSA records matches: 3 1 1: "), "{other:?}");
}

/// `tls_out_tlsa_usage` has a bit for each usage that counts: the server's staple is asked for where only
/// usage 2 has one, `{4}`, and not where usage 3 has (`hosts_request_ocsp` of Exim).
#[test]
fn point_42_the_variables_tell_the_usages_and_whether_the_server_is_authenticated() {
    const ANCHOR: &str = "2 0 1 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
    let pkix = RECORD.replace("3 1 1", "1 1 1");
    for (records, bits) in [
        (&[RECORD][..], "8"),
        (&[ANCHOR], "4"),
        (&[RECORD, ANCHOR], "12"),
        (&[RECORD, &pkix, "3 1 1 ab"], "8"),
        (&[ANCHOR, "3 1 1 ab"], "4"),
    ] {
        let lines =
            records.iter().map(|record| format!("_25._tcp.mx.example.net. TLSA {record}\n"));
        let zone = zone(&format!("{MX}{}", lines.collect::<String>()));
        let decision = policy(false).session().run(|question| zone.answer(question));
        let Action::Dane(dane) = &decision.hosts()[0].action else { panic!("{decision}") };
        let verdict = dane.check(&[]).verify(&[], now());
        for (name, value) in
            [("tls_out_dane", Some("no")), ("tls_out_tlsa_usage", Some(bits)), ("x", None)]
        {
            assert_eq!(dane.variable(name, &verdict).as_deref(), value, "{records:?}");
        }
    }
}

/// A certificate of another name, one that has expired, and one of another authority.
#[test]
fn point_41_a_certificate_that_does_not_fit_has_its_own_type() {
    let (root, other) = (Party::root("a root", |_| {}), Party::root("another root", |_| {}));
    let certificate = Certificate::parse(&root.der).unwrap();
    let (usage, digest) = (Usage::DANE_TA, MatchingType::SHA2_256);
    let anchor = TlsaRecord::of_certificate(&certificate, usage, Selector::CERT, digest).unwrap();
    let zone = zone(&format!("{MX}_25._tcp.mx.example.net. TLSA {anchor}\n"));
    let decision = policy(false).session().run(|question| zone.answer(question));
    let Action::Dane(dane) = &decision.hosts()[0].action else { panic!("{decision}") };
    let result = |server: &Party, issuer: &Party, time: UnixTime| {
        let chain = [server.der.clone(), issuer.der.clone()];
        let verdict = dane.check(webpki::ALL_VERIFICATION_ALGS).verify(&chain, time);
        let failure = decision.hosts()[0].connection_failure(&ConnectionFault::Verdict(&verdict));
        let used = dane.variable("tls_out_dane", &verdict);
        (failure.map(|failure| failure.result), used.unwrap())
    };
    let sound = root.server(&["mx.example.net"], |_| {});
    assert_eq!(result(&sound, &root, now()), (None, "yes".to_owned()));
    let late = UnixTime::since_unix_epoch(Duration::from_secs(now().as_secs() + 365 * 24 * 3600));
    let between = root.authority("between", |_| {});
    let rows = [
        (
            between.server(&["mx.example.net"], |_| {}),
            &root,
            now(),
            ResultType::CertificateNotTrusted,
        ),
        (
            root.server(&["mail.example.org"], |_| {}),
            &root,
            now(),
            ResultType::CertificateHostMismatch,
        ),
        (sound, &root, late, ResultType::CertificateExpired),
        (
            other.server(&["mx.example.net"], |_| {}),
            &other,
            now(),
            ResultType::CertificateNotTrusted,
        ),
        (
            other.server(&["mx.example.net"], |_| {}),
            &root,
            now(),
            ResultType::CertificateNotTrusted,
        ),
    ];
    for (server, issuer, time, expected) in rows {
        assert_eq!(result(&server, issuer, time), (Some(expected), "no".to_owned()));
    }
}

fn zone(text: &str) -> Zone {
    Zone::parse(text).unwrap().with_security(DnssecStatus::Secure)
}

fn policy(required: bool) -> Policy {
    let options = PolicyOptions::default().with_required(required);
    Policy::new(NextHop::Domain("example.com".parse().unwrap()), 25).with_options(options)
}

fn host_failure(zone: &Zone, required: bool) -> Option<Failure> {
    let policy = policy(required);
    let decision = policy.session().run(|question| zone.answer(question));
    decision.hosts()[0].failure()
}
