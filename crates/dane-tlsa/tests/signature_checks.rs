//! The number of signatures that are verified: the costliest work, which a server and its zone decide about.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/now.rs"]
mod now;
#[path = "support/records.rs"]
mod records;
#[path = "support/three.rs"]
mod three;

use std::sync::atomic::{AtomicUsize, Ordering};

use authority::Party;
use dane_tlsa::rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
};
use dane_tlsa::{Check, MismatchReason, PathFault, RecordSet, Verdict};
use now::now;
use records::{names, record, set};
use three::three;

const NAME: &str = "mx.example.com";

/// ECDSA on P-256, counted.
#[derive(Debug, Default)]
struct Counted(AtomicUsize);

impl SignatureVerificationAlgorithm for Counted {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.0.fetch_add(1, Ordering::Relaxed);
        webpki::ring::ECDSA_P256_SHA256.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        webpki::ring::ECDSA_P256_SHA256.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        webpki::ring::ECDSA_P256_SHA256.signature_alg_id()
    }
}

/// Verifies, and counts.
fn verify(records: &RecordSet, chain: &[&CertificateDer<'static>]) -> (Verdict, usize) {
    let counted = Counted::default();
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    let verdict = Check::new(records, &names(&[NAME]), &[&counted]).verify(&chain, now());
    (verdict, counted.0.into_inner())
}

fn reason(verdict: Verdict) -> MismatchReason {
    let (Verdict::NoMatch(why) | Verdict::Unusable(why)) = verdict else { panic!("{verdict}") };
    why.records.first().unwrap().reason
}

/// OpenSSL verifies one signature for each step of the path to the anchor, and none of the anchor itself:
/// `cargo bench -p benches --features peers --bench dane -- --signature-checks` counts its for three of these rows.
#[test]
fn a_path_costs_a_signature_for_each_of_its_steps_as_with_openssl() {
    let [root, below, leaf] = three(NAME);
    let (all, two, one) =
        (&[&leaf.der, &below.der, &root.der][..], &[&leaf.der, &below.der][..], &[&leaf.der][..]);
    for (numbers, of, chain, openssl) in [
        ([3, 1, 1], &leaf, all, 0),
        ([3, 0, 0], &leaf, one, 0),
        ([2, 0, 1], &root, all, 2),
        ([2, 1, 2], &root, all, 2),
        ([2, 0, 1], &below, all, 1),
        ([2, 1, 1], &below, two, 1),
        // Anchors in the DNS.
        ([2, 0, 0], &root, two, 2),
        ([2, 0, 0], &below, one, 1),
        ([2, 1, 0], &root, two, 2),
        ([2, 1, 0], &below, one, 1),
    ] {
        let (verdict, count) = verify(&set([record(numbers, &of.der)]), chain);
        assert!(verdict.is_match(), "{numbers:?}: {verdict}");
        assert!(count <= openssl, "{numbers:?}: {count}");
    }
}

/// Each anchor has the name of the issuer, and another key.
#[test]
fn a_hundred_anchors_that_fail_cost_a_hundred_signatures() {
    let [_, below, leaf] = three(NAME);
    let others: Vec<_> = (0..100).map(|_| Party::root("Below", |_| {})).collect();
    for numbers in [[2, 0, 0], [2, 1, 0]] {
        let records = set(others.iter().map(|other| record(numbers, &other.der)));
        let (verdict, count) = verify(&records, &[&leaf.der]);
        assert_eq!((reason(verdict), count), (MismatchReason::Path(PathFault::Signature), 100));
    }
    // More ways to each of them: the certificates of the issuer, by nine authorities of its own name.
    let records = set(others.iter().map(|other| record([2, 1, 0], &other.der)));
    let roots = (0..9).map(|_| Party::root("Root", |_| {}));
    let more: Vec<_> = roots.map(|root| root.authority("Below", |_| {})).collect();
    let chain: Vec<_> = [&leaf].into_iter().chain(&more).map(|party| &party.der).collect();
    let (verdict, count) = verify(&records, &chain);
    assert_eq!((reason(verdict), count), (MismatchReason::Path(PathFault::Limit), 100));
    // The right one among them is found before the limit.
    let records = set(others[..99].iter().chain([&below]).map(|it| record([2, 1, 0], &it.der)));
    let (verdict, count) = verify(&records, &[&leaf.der]);
    assert!(verdict.is_match() && count <= 100, "{verdict}: {count}");
}

/// Authorities of one name that is also that of their issuer: each may have issued each other.
#[test]
fn authorities_that_may_have_issued_each_other_are_not_tried_in_every_order() {
    let root = Party::root("One", |_| {});
    let leaf = root.server(&[NAME], |_| {});
    let others: Vec<_> = (0..8).map(|_| Party::root("One", |_| {})).collect();
    let anchor = Party::root("Two", |_| {});
    for (count, fault) in [(1, PathFault::Issuer), (8, PathFault::Limit)] {
        let chain = [&leaf].into_iter().chain(&others[..count]).map(|party| &party.der);
        let chain: Vec<_> = chain.collect();
        let (verdict, checks) = verify(&set([record([2, 0, 0], &anchor.der)]), &chain);
        assert_eq!((reason(verdict), checks), (MismatchReason::Path(fault), 0));
    }
    // Five of one name, as after so many replacements of a key, with the right one anywhere beside them.
    for at in 0..=5 {
        let mut party = others[..5].iter().collect::<Vec<_>>();
        party.insert(at, &root);
        let chain: Vec<_> = [&leaf].into_iter().chain(party).map(|party| &party.der).collect();
        let (verdict, checks) = verify(&set([record([2, 0, 1], &root.der)]), &chain);
        assert!(verdict.is_match(), "{verdict}");
        assert_eq!(checks, 1);
    }
}
