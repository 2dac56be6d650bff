//! Findings about records and a server.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/now.rs"]
mod now;
#[path = "support/records.rs"]
mod records;
#[path = "support/three.rs"]
mod three;

use authority::Party;
use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::{
    Check, FindingKind, MismatchReason, Review, Severity, TlsaRecord, Unusable, Usage, Verdict,
};
use now::now;
use rcgen::date_time_ymd;
use records::{names, record, set};
use three::three;

const NAME: &str = "mx.example.com";

fn review(records: Vec<TlsaRecord>, chain: &[&CertificateDer<'static>]) -> Review {
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    let (records, names) = (set(records), names(&[NAME]));
    Check::new(&records, &names, webpki::ALL_VERIFICATION_ALGS).review(&chain, now())
}

fn kinds(review: &Review) -> Vec<(Option<usize>, FindingKind)> {
    let found = review.findings.iter();
    found.map(|finding| (finding.record.map(|(place, _)| place), finding.kind)).collect()
}

#[test]
fn what_is_recommended_has_no_findings() {
    let [root, below, leaf] = three(NAME);
    let found = review(vec![record([3, 1, 1], &leaf.der)], &[&leaf.der]);
    assert_eq!(kinds(&found), []);
    assert!(found.is_sound());
    let records = vec![record([2, 0, 1], &root.der)];
    let found = review(records, &[&leaf.der, &below.der, &root.der]);
    assert_eq!(kinds(&found), []);
    assert!(found.is_sound());
}

#[test]
fn point_32_a_trust_anchor_that_is_not_sent() {
    let [root, below, leaf] = three(NAME);
    let found = review(vec![record([2, 0, 1], &root.der)], &[&leaf.der, &below.der]);
    assert_eq!(kinds(&found), [(Some(0), FindingKind::NoMatch(MismatchReason::AnchorNotSent))]);
    assert!(!found.is_sound());
}

#[test]
fn a_wrong_name_under_a_trust_anchor() {
    let root = Party::root("Root", |_| {});
    let leaf = root.server(&["smtp.example.org"], |_| {});
    let found = review(vec![record([2, 0, 1], &root.der)], &[&leaf.der, &root.der]);
    assert_eq!(kinds(&found), [(Some(0), FindingKind::NoMatch(MismatchReason::Name))]);
}

/// The text of 2014: the certificate "should be the sole one transmitted".
#[test]
fn more_than_its_own_certificate_under_usage_3_alone() {
    let [root, below, leaf] = three(NAME);
    let own = record([3, 1, 1], &leaf.der);
    let chain = [&leaf.der, &below.der];
    let found = review(vec![own.clone()], &chain);
    assert_eq!(kinds(&found), [(None, FindingKind::MoreThanOwn { sent: 2 })]);
    assert!(found.is_sound());
    // A record that cannot be used is no reason to send more, and one of an anchor is.
    let mut unusable = record([0, 0, 1], &root.der);
    unusable.usage = Usage::PKIX_TA;
    assert_eq!(kinds(&review(vec![own.clone(), unusable], &chain)).len(), 2);
    assert_eq!(kinds(&review(vec![own, record([2, 0, 1], &below.der)], &chain)), []);
}

#[test]
fn digests_of_nothing_are_named() {
    let leaf = Party::root("Server", |_| {});
    for (text, numbers) in [
        ("3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "3 1 1"),
        (
            "3 1 2 cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
             47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
            "3 1 2",
        ),
    ] {
        let found = review(vec![text.parse().unwrap()], &[&leaf.der]);
        let kinds = kinds(&found);
        assert!(matches!(
            kinds[..],
            [(Some(0), FindingKind::EmptyDigest), (Some(0), FindingKind::NoMatch(_))]
        ));
        let said = found.findings[0].to_string();
        assert!(said.starts_with(&format!("{numbers}: this is the digest of nothing")), "{said}");
        // Named even where a good record is beside it.
        let records = vec![record([3, 1, 1], &leaf.der), text.parse().unwrap()];
        let found = review(records, &[&leaf.der]);
        assert!(found.findings.iter().any(|finding| finding.kind == FindingKind::EmptyDigest));
    }
}

#[test]
fn a_renewed_certificate_with_a_new_key_and_the_old_record() {
    let [_, below, leaf] = three(NAME);
    let renewed = below.server(&[NAME], |_| {});
    let found = review(vec![record([3, 1, 1], &leaf.der)], &[&renewed.der]);
    assert_eq!(kinds(&found), [(Some(0), FindingKind::NoMatch(MismatchReason::OtherKey))]);
    assert!(matches!(found.verdict, Verdict::NoMatch(_)));
}

#[test]
fn a_whole_certificate_under_automatic_renewal() {
    let leaf = Party::root("Server", |_| {});
    let found = review(vec![record([3, 0, 1], &leaf.der)], &[&leaf.der]);
    let text: Vec<_> = found.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        ["3 0 1: ends with the certificate, at 2027-06-01T00:00:00Z at the latest, even if its \
             key stays: automatic renewal breaks it, and 3 1 1 does not"]
    );
    assert_eq!(found.findings[0].severity(), Severity::Warning);
    assert!(found.is_sound());
}

#[test]
fn left_overs_beside_the_new_records() {
    let (leaf, old) = (Party::root("Server", |_| {}), Party::root("Old", |_| {}));
    let records = vec![record([3, 1, 1], &old.der), record([3, 1, 1], &leaf.der)];
    let found = review(records, &[&leaf.der]);
    assert_eq!(kinds(&found), [(Some(0), FindingKind::LeftOver)]);
    assert!(found.is_sound());
}

/// RFC 7671 section 8: each combination matches the server, whatever clients know.
#[test]
fn a_combination_that_matches_no_more_is_a_problem_even_where_we_match() {
    let (leaf, old) = (Party::root("Server", |_| {}), Party::root("Old", |_| {}));
    let records = vec![record([3, 1, 1], &old.der), record([3, 1, 2], &leaf.der)];
    let found = review(records, &[&leaf.der]);
    assert!(found.verdict.is_match());
    assert_eq!(kinds(&found), [(Some(0), FindingKind::NoMatch(MismatchReason::OtherKey))]);
    assert!(!found.is_sound());
}

#[test]
fn what_a_record_was_made_of_instead() {
    let [root, below, leaf] = three(NAME);
    let chain = [&leaf.der, &below.der, &root.der];
    let mut swapped = record([3, 0, 1], &leaf.der);
    swapped.selector = dane_tlsa::Selector::SPKI;
    let found = review(vec![swapped], &chain);
    assert!(kinds(&found).contains(&(Some(0), FindingKind::OtherSelector)));
    let mut of_anchor = record([2, 1, 1], &below.der);
    of_anchor.usage = Usage::DANE_EE;
    let found = review(vec![of_anchor], &chain);
    assert!(kinds(&found).contains(&(Some(0), FindingKind::OtherDepth { depth: 1 })));
    let mut of_own = record([3, 0, 1], &leaf.der);
    of_own.usage = Usage::DANE_TA;
    let found = review(vec![of_own], &chain);
    assert_eq!(kinds(&found), [(Some(0), FindingKind::NoMatch(MismatchReason::OwnAnchor))]);
}

#[test]
fn records_that_are_discouraged_or_unusable_or_there_twice() {
    let [root, below, leaf] = three(NAME);
    let chain = [&leaf.der, &below.der, &root.der];
    let records = vec![
        record([2, 1, 0], &root.der),
        record([2, 1, 0], &root.der),
        record([1, 1, 1], &leaf.der),
    ];
    let unusable = FindingKind::Unusable(Unusable::PkixUsage(Usage::PKIX_EE));
    assert_eq!(
        kinds(&review(records, &chain)),
        [
            (Some(0), FindingKind::AnchorKey),
            (Some(0), FindingKind::Full),
            (Some(1), FindingKind::Duplicate),
            (Some(2), unusable),
        ]
    );
}

#[test]
fn an_expired_certificate_is_named_though_it_matches() {
    let leaf = Party::root("Server", |params| params.not_after = date_time_ymd(2026, 7, 1));
    let found = review(vec![record([3, 1, 1], &leaf.der)], &[&leaf.der]);
    assert_eq!(
        found.findings[0].to_string(),
        "the server's certificate expired at 2026-07-01T00:00:00Z: clients without DANE may refuse it"
    );
    assert!(found.is_sound());
}
