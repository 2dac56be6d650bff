//! DANE-EE(3): records of the server's own certificate or key. RFC 7672 section 3.1.1.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/now.rs"]
mod now;
#[path = "support/records.rs"]
mod records;
#[path = "support/version_one.rs"]
mod version_one;

use authority::Party;
use dane_tlsa::rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use dane_tlsa::{Certificate, Check, MatchingType, MismatchReason, RecordSet, Verdict};
use now::now;
use rcgen::{CustomExtension, KeyPair, PublicKeyData as _, date_time_ymd};
use records::{names, record, set};

/// Verifies without algorithms: nothing of DANE-EE needs a signature.
fn verify(records: &RecordSet, chain: &[&CertificateDer<'static>]) -> Verdict {
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    Check::new(records, &names(&["mx.example.com"]), &[]).verify(&chain, now())
}

fn depth(verdict: &Verdict) -> Option<(usize, usize)> {
    match verdict {
        Verdict::Match(found) => Some((found.record, found.depth)),
        Verdict::NoMatch(_) | Verdict::Unusable(_) => None,
    }
}

fn reasons(verdict: Verdict) -> Vec<MismatchReason> {
    match verdict {
        Verdict::Match(_) => Vec::new(),
        Verdict::NoMatch(why) | Verdict::Unusable(why) => {
            why.records.iter().map(|mismatch| mismatch.reason).collect()
        }
    }
}

#[test]
fn point_23_neither_names_nor_dates_nor_chains_matter() {
    let root = Party::root("Root", |_| {}).authority("Below", |_| {});
    let expired = root.server(&["wrong.example"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    for numbers in [[3, 0, 0], [3, 0, 1], [3, 0, 2], [3, 1, 0], [3, 1, 1], [3, 1, 2]] {
        let records = set([record(numbers, &expired.der)]);
        assert_eq!(depth(&verify(&records, &[&expired.der])), Some((0, 0)), "{numbers:?}");
        assert_eq!(depth(&verify(&records, &[&expired.der, &root.der])), Some((0, 0)));
    }
}

#[test]
fn point_33_any_certificate_that_has_a_key() {
    let key = KeyPair::generate().unwrap();
    let old = version_one::certificate(&key);
    let critical = Party::root("Root", |params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    for der in [&old, &critical.der] {
        for numbers in [[3, 0, 1], [3, 1, 1]] {
            assert_eq!(depth(&verify(&set([record(numbers, der)]), &[der])), Some((0, 0)));
        }
    }
}

#[test]
fn point_33_an_unreadable_certificate_behind_the_servers_harms_nothing() {
    let leaf = Party::root("Server", |_| {});
    let garbage = CertificateDer::from(vec![0x30, 0x82]);
    let records = set([record([3, 1, 1], &leaf.der)]);
    assert_eq!(depth(&verify(&records, &[&leaf.der, &garbage])), Some((0, 0)));
    // However many there are.
    let many = [&[&leaf.der][..], &[&garbage; 50]].concat();
    assert_eq!(depth(&verify(&records, &many)), Some((0, 0)));
    let why = reasons(verify(&records, &[&garbage, &leaf.der]));
    assert!(matches!(why[..], [MismatchReason::NoKey(_)]), "{why:?}");
}

#[test]
fn only_the_servers_own_certificate_counts() {
    let root = Party::root("Root", |_| {});
    let leaf = root.server(&["mx.example.com"], |_| {});
    let records = set([record([3, 0, 1], &root.der), record([3, 1, 1], &root.der)]);
    let why = reasons(verify(&records, &[&leaf.der, &root.der]));
    assert_eq!(why, [MismatchReason::OtherCertificate, MismatchReason::OtherKey]);
    let why = verify(&records, &[]);
    assert_eq!(reasons(why), [MismatchReason::NoCertificate; 2]);
}

#[test]
fn point_19_any_record_that_matches_is_enough() {
    let root = Party::root("Root", |_| {});
    let leaf = root.server(&["wrong.example"], |_| {});
    let other = Party::root("Other", |_| {});
    // The trust anchor does not match for its name, and another key is published beside.
    let records = set([
        record([2, 0, 1], &root.der),
        record([3, 1, 1], &other.der),
        record([3, 1, 1], &leaf.der),
    ]);
    assert_eq!(depth(&verify(&records, &[&leaf.der, &root.der])), Some((2, 0)));
}

/// RFC 7671 section 9, RFC 7672 section 5.
#[test]
fn point_30_only_the_strongest_digest_of_a_usage_and_selector_counts() {
    let (leaf, other) = (Party::root("Server", |_| {}), Party::root("Other", |_| {}));
    let of = |rows: &[([u8; 3], bool)]| {
        let rows = rows
            .iter()
            .map(|(numbers, ours)| record(*numbers, if *ours { &leaf.der } else { &other.der }));
        verify(&set(rows), &[&leaf.der])
    };
    let weaker = MismatchReason::Weaker(MatchingType::SHA2_512);
    let why = reasons(of(&[([3, 1, 1], true), ([3, 1, 2], false)]));
    assert_eq!(why, [weaker, MismatchReason::OtherKey]);
    assert_eq!(depth(&of(&[([3, 1, 1], false), ([3, 1, 2], true)])), Some((1, 0)));
    // Whole keys are exempt, and other usages and selectors are for themselves.
    assert_eq!(depth(&of(&[([3, 1, 0], true), ([3, 1, 2], false)])), Some((0, 0)));
    assert_eq!(depth(&of(&[([3, 1, 1], true), ([3, 0, 2], false)])), Some((0, 0)));
    assert_eq!(depth(&of(&[([3, 1, 1], true), ([2, 1, 2], false)])), Some((0, 0)));
    // During a rollover there are two.
    assert_eq!(depth(&of(&[([3, 1, 2], false), ([3, 1, 2], true)])), Some((1, 0)));
}

#[test]
fn point_30_a_digest_that_cannot_be_used_is_not_the_strongest() {
    let leaf = Party::root("Server", |_| {});
    let mut malformed = record([3, 1, 2], &leaf.der);
    malformed.data = malformed.data[1..].into();
    let mut unassigned = record([3, 1, 2], &leaf.der);
    unassigned.matching_type = MatchingType::new(3);
    let records = set([malformed, unassigned, record([3, 1, 1], &leaf.der)]);
    assert_eq!(depth(&verify(&records, &[&leaf.der])), Some((2, 0)));
}

#[test]
fn point_28_without_a_usable_record_nothing_is_decided() {
    let leaf = Party::root("Server", |_| {});
    let records = set([record([1, 1, 1], &leaf.der), record([0, 0, 1], &leaf.der)]);
    let verdict = verify(&records, &[&leaf.der]);
    assert!(matches!(&verdict, Verdict::Unusable(why) if why.records.len() == 2));
    assert_eq!(
        verdict.to_string(),
        "none of the TLSA records can be used: 1 1 1: unusable: PKIX-EE(1) is not for SMTP; \
         0 0 1: unusable: PKIX-TA(0) is not for SMTP"
    );
}

/// RFC 7671 section 5.1.
#[test]
fn a_raw_key_matches_dane_ee_spki_only() {
    let leaf = Party::root("Server", |_| {});
    let key = SubjectPublicKeyInfoDer::from(leaf.key.subject_public_key_info());
    let verify = |records: &RecordSet, key: &SubjectPublicKeyInfoDer<'_>| {
        Check::new(records, &names(&["mx.example.com"]), &[]).verify_raw_key(key)
    };
    for numbers in [[3, 1, 0], [3, 1, 1], [3, 1, 2]] {
        assert_eq!(depth(&verify(&set([record(numbers, &leaf.der)]), &key)), Some((0, 0)));
    }
    let records = set([record([3, 0, 1], &leaf.der), record([2, 1, 1], &leaf.der)]);
    assert_eq!(reasons(verify(&records, &key)), [MismatchReason::RawKey; 2]);
    let no_key = SubjectPublicKeyInfoDer::from(Certificate::parse(&leaf.der).unwrap().as_der());
    let records = set([record([3, 1, 1], &leaf.der)]);
    assert!(matches!(reasons(verify(&records, &no_key))[..], [MismatchReason::NoKey(_)]));
}

#[test]
fn a_log_line_has_eight_records_at_most() {
    let (leaf, other) = (Party::root("Server", |_| {}), Party::root("Other", |_| {}));
    let text = verify(&set(vec![record([3, 1, 1], &other.der); 9]), &[&leaf.der]).to_string();
    assert_eq!(text.matches("the server's key is another").count(), 8);
    assert!(text.ends_with("; and 1 more"), "{text}");
}
