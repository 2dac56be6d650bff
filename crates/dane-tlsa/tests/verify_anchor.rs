//! DANE-TA(2): records of a trust anchor. RFC 7672 sections 3.1.2 and 3.2, RFC 7671 section 5.2.

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
use dane_tlsa::{Check, Limits, MismatchReason, PathFault, RecordSet, Verdict};
use now::now;
use rcgen::{
    BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    date_time_ymd,
};
use records::{names, record, set};
use three::three;

const NAME: &str = "mx.example.com";

fn check(records: &RecordSet, chain: &[&CertificateDer<'static>]) -> Verdict {
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    Check::new(records, &names(&[NAME]), webpki::ALL_VERIFICATION_ALGS).verify(&chain, now())
}

/// Verifies, and returns the record and the depth, or why the first record does not match.
fn verify(
    records: &RecordSet,
    chain: &[&CertificateDer<'static>],
) -> Result<(usize, usize), MismatchReason> {
    match check(records, chain) {
        Verdict::Match(found) => Ok((found.record, found.depth)),
        Verdict::NoMatch(why) | Verdict::Unusable(why) => Err(why.records.first().unwrap().reason),
    }
}

#[test]
fn points_20_and_21_anchors_are_private_roots_or_intermediates_by_digest() {
    let [root, below, leaf] = three(NAME);
    for numbers in [[2, 0, 1], [2, 0, 2], [2, 1, 1], [2, 1, 2], [2, 0, 0], [2, 1, 0]] {
        let chain = [&leaf.der, &below.der, &root.der];
        assert_eq!(verify(&set([record(numbers, &root.der)]), &chain), Ok((0, 2)), "{numbers:?}");
        // The root need not be there if the anchor is below it.
        for chain in [&chain[..], &chain[..2]] {
            assert_eq!(verify(&set([record(numbers, &below.der)]), chain), Ok((0, 1)));
        }
    }
    // In whatever order they come.
    let records = set([record([2, 0, 1], &root.der)]);
    assert_eq!(verify(&records, &[&leaf.der, &root.der, &below.der]), Ok((0, 2)));
}

#[test]
fn the_anchor_nearest_to_the_server_is_named() {
    let [root, below, leaf] = three(NAME);
    let records = set([record([2, 0, 1], &root.der), record([2, 1, 2], &below.der)]);
    assert_eq!(verify(&records, &[&leaf.der, &below.der, &root.der]), Ok((1, 1)));
}

/// A path to one anchor fails, and none leads to the other.
#[test]
fn each_anchor_has_its_own_reason() {
    let root = Party::root("Root", |_| {});
    let mallory = Party::root("Mallory", |_| {});
    let renamed = root.server(&["mail.example.org"], |_| {});
    let narrow = Party::root("Root", |ca| ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let below = narrow.authority("Below", |_| {});
    let deep = below.server(&[NAME], |_| {});
    let issuer = MismatchReason::Path(PathFault::Issuer);
    for (leaf, between, anchor, reason) in [
        (&renamed, &renamed, &root, MismatchReason::Name),
        (&deep, &below, &narrow, MismatchReason::Path(PathFault::PathLength)),
    ] {
        let chain = [&leaf.der, &between.der, &anchor.der, &mallory.der];
        for numbers in [[2, 0, 1], [2, 1, 1], [2, 0, 0]] {
            let both = [record(numbers, &anchor.der), record(numbers, &mallory.der)];
            for (records, expected) in [
                (set(both.clone()), [reason, issuer]),
                (set(both.into_iter().rev()), [issuer, reason]),
            ] {
                let Verdict::NoMatch(why) = check(&records, &chain) else { panic!("{numbers:?}") };
                let reasons: Vec<_> = why.records.iter().map(|record| record.reason).collect();
                assert_eq!(reasons, expected, "{numbers:?}");
            }
        }
    }
}

/// A new key of an authority under its old name: each has its own reason, in either order.
#[test]
fn anchors_of_one_name_have_each_their_own_reason() {
    let (old, new) = (Party::root("Root", |_| {}), Party::root("Root", |_| {}));
    let renamed = new.server(&["mail.example.org"], |_| {});
    let signature = MismatchReason::Path(PathFault::Signature);
    for numbers in [[2, 0, 1], [2, 1, 1], [2, 0, 0], [2, 1, 0]] {
        let both = [record(numbers, &old.der), record(numbers, &new.der)];
        for (records, expected) in [
            (set(both.clone()), [signature, MismatchReason::Name]),
            (set(both.into_iter().rev()), [MismatchReason::Name, signature]),
        ] {
            let sent: &[_] =
                if numbers[2] == 0 { &[&renamed.der] } else { &[&renamed.der, &old.der, &new.der] };
            let Verdict::NoMatch(why) = check(&records, sent) else { panic!("{numbers:?}") };
            let reasons: Vec<_> = why.records.iter().map(|record| record.reason).collect();
            assert_eq!(reasons, expected, "{numbers:?}");
        }
    }
}

#[test]
fn point_22_the_path_ends_at_the_anchor() {
    let [root, below, leaf] = three(NAME);
    let mallory = Party::root("Mallory", |_| {});
    let fake = mallory.server(&[NAME], |_| {});
    // The same names, but other keys.
    let like_root = Party::root("Root", |_| {});
    let like_below = like_root.authority("Below", |_| {});
    let like_leaf = like_below.server(&[NAME], |_| {});
    for anchor in [&root, &below] {
        for numbers in [[2, 0, 1], [2, 1, 1], [2, 0, 0]] {
            let records = set([record(numbers, &anchor.der)]);
            for chain in [
                &[&fake.der, &mallory.der, &anchor.der][..],
                &[&fake.der, &anchor.der, &mallory.der],
                &[&fake.der, &leaf.der, &below.der, &root.der],
                &[&fake.der, &anchor.der],
            ] {
                assert_eq!(verify(&records, chain), Err(MismatchReason::Path(PathFault::Issuer)));
            }
            let chain = [&like_leaf.der, &like_below.der, &anchor.der];
            assert_eq!(verify(&records, &chain), Err(MismatchReason::Path(PathFault::Signature)));
        }
    }
}

#[test]
fn point_31_a_whole_certificate_in_the_dns_need_not_be_sent() {
    let [root, below, leaf] = three(NAME);
    assert_eq!(verify(&set([record([2, 0, 0], &root.der)]), &[&leaf.der, &below.der]), Ok((0, 2)));
    assert_eq!(verify(&set([record([2, 0, 0], &below.der)]), &[&leaf.der]), Ok((0, 1)));
    let issuer = Err(MismatchReason::Path(PathFault::Issuer));
    assert_eq!(verify(&set([record([2, 0, 0], &root.der)]), &[&leaf.der]), issuer);
}

/// RFC 7671 section 5.2.3: the topmost certificate, signed with the key and not expired.
#[test]
fn point_31_a_key_in_the_dns_has_signed_the_topmost_certificate() {
    let [root, below, leaf] = three(NAME);
    let of_root = set([record([2, 1, 0], &root.der)]);
    assert_eq!(verify(&of_root, &[&leaf.der, &below.der]), Ok((0, 1)));
    assert_eq!(verify(&set([record([2, 1, 0], &below.der)]), &[&leaf.der]), Ok((0, 0)));
    let signature = Err(MismatchReason::Path(PathFault::Signature));
    assert_eq!(verify(&of_root, &[&leaf.der]), signature);
    assert_eq!(verify(&set([record([2, 1, 0], &leaf.der)]), &[&below.der]), signature);
    let expired = root.authority("Below", |params| params.not_after = date_time_ymd(2026, 7, 1));
    let leaf = expired.server(&[NAME], |_| {});
    let why = verify(&of_root, &[&leaf.der, &expired.der]).unwrap_err();
    assert!(matches!(why, MismatchReason::Path(PathFault::Expired { .. })), "{why}");
}

#[test]
fn point_32_an_anchor_by_digest_that_is_not_sent_is_named_so() {
    let [root, below, leaf] = three(NAME);
    for numbers in [[2, 0, 1], [2, 1, 1], [2, 0, 2], [2, 1, 2]] {
        let verdict = check(&set([record(numbers, &root.der)]), &[&leaf.der, &below.der]);
        let [usage, selector, matching_type] = numbers;
        assert_eq!(
            verdict.to_string(),
            format!(
                "none of the TLSA records matches: {usage} {selector} {matching_type}: \
                 the server sent no trust anchor that matches"
            )
        );
    }
}

#[test]
fn a_servers_certificate_is_not_its_own_anchor() {
    let alone = Party::root(NAME, |params| params.subject_alt_names = names_of(NAME));
    for numbers in [[2, 0, 1], [2, 1, 1], [2, 0, 0], [2, 1, 0]] {
        let records = set([record(numbers, &alone.der)]);
        assert_eq!(verify(&records, &[&alone.der]), Err(MismatchReason::OwnAnchor));
        assert_eq!(verify(&records, &[&alone.der, &alone.der]), Err(MismatchReason::OwnAnchor));
    }
}

fn names_of(name: &str) -> Vec<rcgen::SanType> {
    vec![rcgen::SanType::DnsName(name.try_into().unwrap())]
}

#[test]
fn point_33_one_unreadable_certificate_harms_no_path() {
    let [root, below, leaf] = three(NAME);
    let records = set([record([2, 0, 1], &root.der)]);
    for garbage in [&b""[..], b"\x30\x82", b"\x30\x03\x02\x01\x05", b"-----BEGIN"] {
        let garbage = CertificateDer::from(garbage.to_vec());
        let chain = [&leaf.der, &garbage, &below.der, &garbage, &root.der];
        assert_eq!(verify(&records, &chain), Ok((0, 2)));
    }
}

/// `openssl x509 -purpose` takes such a server too: RFC 5280 asks only issuers whether they are one.
#[test]
fn a_servers_certificate_may_be_an_authoritys() {
    let [root, below, _] = three(NAME);
    let leaf = below.authority("Server", |params| params.subject_alt_names = names_of(NAME));
    let chain = [&leaf.der, &below.der, &root.der];
    assert_eq!(verify(&set([record([2, 0, 1], &root.der)]), &chain), Ok((0, 2)));
    assert_eq!(verify(&set([record([2, 1, 0], &below.der)]), &chain[..1]), Ok((0, 0)));
    // Its signature is verified all the same.
    let other = Party::root("Root", |_| {}).authority("Below", |_| {});
    let forged = other.authority("Server", |params| params.subject_alt_names = names_of(NAME));
    let why = verify(&set([record([2, 0, 1], &below.der)]), &[&forged.der, &below.der]);
    assert_eq!(why, Err(MismatchReason::Path(PathFault::Signature)));
}

/// RFC 7672 section 3.1.2, RFC 7671 section 5.2.1.
#[test]
fn the_path_length_that_an_anchor_allows_is_kept() {
    let length = |length| {
        move |params: &mut rcgen::CertificateParams| {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        }
    };
    for (allowed, result) in
        [(0, Err(MismatchReason::Path(PathFault::PathLength))), (1, Ok((0, 2))), (5, Ok((0, 2)))]
    {
        let root = Party::root("Root", length(allowed));
        let below = root.authority("Below", |_| {});
        let leaf = below.server(&[NAME], |_| {});
        for numbers in [[2, 0, 1], [2, 1, 1], [2, 0, 0]] {
            let records = set([record(numbers, &root.der)]);
            let chain = [&leaf.der, &below.der, &root.der];
            assert_eq!(verify(&records, &chain), result, "{numbers:?}");
        }
        // Below the anchor itself there is nothing between.
        let leaf = root.server(&[NAME], |_| {});
        let records = set([record([2, 0, 1], &root.der)]);
        assert_eq!(verify(&records, &[&leaf.der, &root.der]), Ok((0, 1)));
    }
}

/// Changes a certificate before it is made.
type Adjust<'a> = &'a dyn Fn(&mut rcgen::CertificateParams);

#[test]
fn an_anchor_that_says_that_it_is_none_is_refused() {
    let purposes = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut critical = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    critical.set_criticality(true);
    let rows: [(Adjust<'_>, PathFault); 4] = [
        (&|params| params.is_ca = IsCa::ExplicitNoCa, PathFault::NotAuthority),
        (
            &|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature],
            PathFault::KeyUsage,
        ),
        (&|params| params.extended_key_usages.clone_from(&purposes), PathFault::Purpose),
        (&|params| params.custom_extensions.push(critical.clone()), PathFault::CriticalExtension),
    ];
    for (adjust, fault) in rows {
        let root = Party::root("Root", adjust);
        let leaf = root.server(&[NAME], |_| {});
        let records = set([record([2, 0, 1], &root.der)]);
        assert_eq!(verify(&records, &[&leaf.der, &root.der]), Err(MismatchReason::Path(fault)));
        // The same between a server and a good anchor.
        let good = Party::root("Good", |_| {});
        let between = good.authority("Between", adjust);
        let leaf = between.server(&[NAME], |_| {});
        let records = set([record([2, 0, 1], &good.der)]);
        let chain = [&leaf.der, &between.der, &good.der];
        assert!(matches!(verify(&records, &chain), Err(MismatchReason::Path(_))), "{fault}");
    }
}

/// RFC 5280 section 4.2: an extension that is not critical may be ignored, one of which nothing depends too.
#[test]
fn an_anchor_may_have_extensions_that_limit_nothing_here() {
    // Certificate policies, which an authority may make critical, and an unknown one.
    let any_policy = [0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0];
    for (oid, contents, critical) in [
        (&[2, 5, 29, 32][..], &any_policy[..], true),
        (&[2, 5, 29, 32], &any_policy, false),
        (&[1, 2, 3, 4], &[5, 0], false),
    ] {
        let mut extension = CustomExtension::from_oid_content(oid, contents.to_vec());
        extension.set_criticality(critical);
        let root = Party::root("Root", |params| params.custom_extensions.push(extension));
        let leaf = root.server(&[NAME], |_| {});
        let records = set([record([2, 0, 1], &root.der)]);
        assert_eq!(verify(&records, &[&leaf.der, &root.der]), Ok((0, 1)), "{oid:?} {critical}");
    }
}

/// RFC 5280 section 4.2: of each extension there is at most one. Readers would differ about which one counts.
#[test]
fn an_anchor_with_an_extension_twice_is_malformed() {
    let rows: [(&[u64], &[u8]); 5] = [
        (&[2, 5, 29, 19], &[0x30, 3, 1, 1, 0xff]),
        (&[2, 5, 29, 15], &[3, 2, 1, 6]),
        (&[2, 5, 29, 37], &[0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]),
        (&[2, 5, 29, 30], &[0x30, 0]),
        (&[2, 5, 29, 17], &[0x30, 3, 0x82, 1, b'a']),
    ];
    for (oid, contents) in rows {
        for (times, result) in
            [(1, Ok((0, 1))), (2, Err(MismatchReason::Path(PathFault::Malformed)))]
        {
            let extension = CustomExtension::from_oid_content(oid, contents.to_vec());
            let root = Party::root("Root", |params| {
                params.is_ca = IsCa::NoCa;
                let basic = CustomExtension::from_oid_content(rows[0].0, rows[0].1.to_vec());
                params.custom_extensions = vec![extension; times];
                params.custom_extensions.extend((oid != rows[0].0).then_some(basic));
            });
            let leaf = root.server(&[NAME], |_| {});
            let records = set([record([2, 0, 1], &root.der)]);
            assert_eq!(verify(&records, &[&leaf.der, &root.der]), result, "{oid:?} {times}");
        }
    }
}

#[test]
fn the_validity_of_an_anchor_is_left_to_the_dns_and_that_of_others_is_not() {
    let expired = |params: &mut rcgen::CertificateParams| {
        params.not_after = date_time_ymd(2026, 7, 1);
    };
    let root = Party::root("Root", expired);
    let below = root.authority("Below", expired);
    let records = [set([record([2, 0, 1], &root.der)]), set([record([2, 0, 1], &below.der)])];
    let leaf = below.server(&[NAME], |_| {});
    let chain = [&leaf.der, &below.der, &root.der];
    assert_eq!(verify(&records[1], &chain), Ok((0, 1)));
    let why = verify(&records[0], &chain).unwrap_err();
    assert_eq!(
        why.to_string(),
        "no path to this trust anchor: a certificate on the path expired at 2026-07-01T00:00:00Z"
    );
    let leaf = below.server(&[NAME], |params| params.not_before = date_time_ymd(2027, 1, 1));
    let why = verify(&records[1], &[&leaf.der, &below.der]).unwrap_err();
    assert!(matches!(why, MismatchReason::Path(PathFault::NotYetValid { .. })), "{why}");
}

#[test]
fn a_server_for_clients_only_is_refused() {
    use KeyUsagePurpose::{DigitalSignature, KeyAgreement, KeyEncipherment};

    let root = Party::root("Root", |_| {});
    let records = set([record([2, 0, 1], &root.der)]);
    let leaf = root.server(&[NAME], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let why = Err(MismatchReason::Path(PathFault::Purpose));
    assert_eq!(verify(&records, &[&leaf.der, &root.der]), why);
    let leaf = root.server(&[NAME], |params| {
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
    });
    let why = Err(MismatchReason::Path(PathFault::KeyUsage));
    assert_eq!(verify(&records, &[&leaf.der, &root.der]), why);
    // RFC 5280 section 4.2.1.12: each of these is consistent with a server's purpose.
    for usage in [DigitalSignature, KeyEncipherment, KeyAgreement] {
        let leaf = root.server(&[NAME], |params| params.key_usages = vec![usage]);
        assert_eq!(verify(&records, &[&leaf.der, &root.der]), Ok((0, 1)), "{usage:?}");
    }
}

#[test]
fn ten_certificates_are_looked_at_and_one_more_is_not() {
    let [root, below, leaf] = three(NAME);
    let records = set([record([2, 0, 1], &root.der), record([3, 1, 1], &root.der)]);
    let junk = Party::root("Junk", |_| {});
    let chain =
        |count| [&[&leaf.der, &below.der][..], &vec![&junk.der; count], &[&root.der]].concat();
    assert_eq!(verify(&records, &chain(7)), Ok((0, 2)));
    assert_eq!(verify(&records, &chain(8)), Err(MismatchReason::TooManyCertificates { limit: 10 }));
    let mut limits = Limits::default();
    limits.certificates = 11;
    let chain: Vec<_> = chain(8).into_iter().cloned().collect();
    let names = names(&[NAME]);
    let check = Check::new(&records, &names, webpki::ALL_VERIFICATION_ALGS);
    assert!(check.with_limits(limits).verify(&chain, now()).is_match());
}

#[test]
fn a_hundred_keys_and_a_hundred_certificates_in_the_dns_are_bounded_work() {
    let [root, _, leaf] = three(NAME);
    for numbers in [[2, 1, 0], [2, 0, 0]] {
        let others = (0..99).map(|_| record(numbers, &Party::root("Below", |_| {}).der));
        let records = set(others.chain([record(numbers, &root.der)]));
        assert!(verify(&records, &[&leaf.der]).is_err());
    }
}
