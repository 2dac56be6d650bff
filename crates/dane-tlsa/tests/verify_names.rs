//! The names of servers under DANE-TA(2): RFC 7672 sections 3.2.2 and 3.2.3.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/now.rs"]
mod now;
#[path = "support/records.rs"]
mod records;

use authority::Party;
use dane_tlsa::{Check, MismatchReason, PathFault, Verdict};
use now::now;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, GeneralSubtree, NameConstraints, SanType,
};
use records::{names, record, set};

/// Verifies a server of an authority by names of its.
fn verify(root: &Party, leaf: &Party, references: &[&str]) -> Result<(), MismatchReason> {
    let records = set([record([2, 0, 1], &root.der)]);
    let names = names(references);
    let check = Check::new(&records, &names, webpki::ALL_VERIFICATION_ALGS);
    match check.verify(&[leaf.der.clone(), root.der.clone()], now()) {
        Verdict::Match(_) => Ok(()),
        Verdict::NoMatch(why) | Verdict::Unusable(why) => Err(why.records.first().unwrap().reason),
    }
}

fn common_names(names: &[&str]) -> impl FnOnce(&mut CertificateParams) {
    let mut subject = DistinguishedName::new();
    for name in names {
        subject.push(DnType::CommonName, *name);
    }
    move |params| params.distinguished_name = subject
}

#[test]
fn point_24_any_of_the_reference_identifiers_is_enough() {
    let root = Party::root("Root", |_| {});
    let leaf = root.server(&["other.example", "example.com"], |_| {});
    for (references, result) in [
        (&["mx.example.com"][..], Err(MismatchReason::Name)),
        (&["mx.example.com", "example.com"], Ok(())),
        (&["mx.example.com", "example.org", "Example.COM"], Ok(())),
        (&["example.com", "example.org"], Ok(())),
        (&["example.org"], Err(MismatchReason::Name)),
        (&[], Err(MismatchReason::Name)),
    ] {
        assert_eq!(verify(&root, &leaf, references), result, "{references:?}");
    }
}

#[test]
fn a_wildcard_is_a_whole_first_label_and_stands_for_one() {
    let root = Party::root("Root", |_| {});
    for (presented, reference, is_match) in [
        ("*.example.com", "mx1.example.com", true),
        ("*.example.com", "MX1.EXAMPLE.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "a.mx.example.com", false),
        ("*.example.com", "mx.example.org", false),
        ("*.example.com", "mx_1.example.com", true),
        ("smtp*.example.com", "smtp1.example.com", false),
        ("*smtp.example.com", "xsmtp.example.com", false),
        ("*", "example", false),
        ("*.", "mx.", false),
        ("mx.*.com", "mx.example.com", false),
        ("*.*.com", "mx.example.com", false),
        // One label behind it is enough: "with the remaining labels matching verbatim".
        ("*.test", "mx.test", true),
        ("mx.example.com.", "mx.example.com", false),
        ("mx.example.com", "mx.example.com.", true),
        (".example.com", "mx.example.com", false),
        ("", "mx.example.com", false),
    ] {
        let leaf = root.server(&[presented], |_| {});
        let result = if is_match { Ok(()) } else { Err(MismatchReason::Name) };
        assert_eq!(verify(&root, &leaf, &[reference]), result, "{presented} for {reference}");
        let leaf = root.server(&[], common_names(&[presented]));
        assert_eq!(verify(&root, &leaf, &[reference]), result, "CN {presented} for {reference}");
    }
}

#[test]
fn a_dot_within_a_label_separates_nothing() {
    let root = Party::root("Root", |_| {});
    let leaf = root.server(&["mx.example.com", "*.example.org"], |_| {});
    for reference in [r"mx\.example.com", r"mx.example\.com", r"mx\.a.example.com"] {
        assert_eq!(verify(&root, &leaf, &[reference]), Err(MismatchReason::Name), "{reference}");
    }
    assert_eq!(verify(&root, &leaf, &[r"mx\.a.example.org"]), Ok(()));
}

#[test]
fn a_common_name_counts_only_without_a_dns_name() {
    let root = Party::root("Root", |_| {});
    let common = || common_names(&["mx.example.com"]);
    let leaf = root.server(&[], common());
    assert_eq!(verify(&root, &leaf, &["mx.example.com"]), Ok(()));
    let leaf = root.server(&["other.example"], common());
    assert_eq!(verify(&root, &leaf, &["mx.example.com"]), Err(MismatchReason::Name));
    // An unusable DNS name counts as a DNS name; an address does not.
    let leaf = root.server(&["no good"], common());
    assert_eq!(verify(&root, &leaf, &["mx.example.com"]), Err(MismatchReason::Name));
    let leaf = root.server(&["192.0.2.1"], common());
    assert_eq!(verify(&root, &leaf, &["mx.example.com"]), Ok(()));
    let leaf = root.server(&[], |params| {
        common()(params);
        params.subject_alt_names = vec![SanType::Rfc822Name("mx@example.com".try_into().unwrap())];
    });
    assert_eq!(verify(&root, &leaf, &["mx.example.com"]), Ok(()));
}

#[test]
fn a_common_name_is_a_text_of_ascii() {
    let root = Party::root("Root", |_| {});
    let name = "mx.example.com";
    for (value, result) in [
        (DnValue::Utf8String(name.into()), Ok(())),
        (DnValue::PrintableString(name.try_into().unwrap()), Ok(())),
        (DnValue::Ia5String(name.try_into().unwrap()), Ok(())),
        (DnValue::TeletexString(name.try_into().unwrap()), Ok(())),
        (DnValue::BmpString(name.try_into().unwrap()), Err(MismatchReason::Name)),
        (DnValue::Utf8String("mx.example.com\0.example.org".into()), Err(MismatchReason::Name)),
    ] {
        let leaf = root.server(&[], |params| {
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, value.clone());
        });
        assert_eq!(verify(&root, &leaf, &[name]), result, "{value:?}");
    }
    // Not of an organization.
    let leaf = root.server(&[], |params| {
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, name);
    });
    assert_eq!(verify(&root, &leaf, &[name]), Err(MismatchReason::Name));
}

/// RFC 7671 section 5.2.1, RFC 5280 section 4.2.1.10; of common names as OpenSSL does.
#[test]
fn the_name_constraints_of_an_anchor_are_kept() {
    let refused = Err(MismatchReason::Path(PathFault::NameConstraints));
    let subtree = |name: &str| vec![GeneralSubtree::DnsName(name.to_owned())];
    let of_mail = GeneralSubtree::Rfc822Name("example.com".to_owned());
    // webpki takes no path with constraints of directory names, whatever they are.
    let directory = GeneralSubtree::DirectoryName(DistinguishedName::new());
    for (permitted, excluded, name, result) in [
        (subtree("example.com"), vec![], "mx.example.com", Ok(())),
        (subtree("example.com"), vec![], "example.com", Ok(())),
        (subtree("EXAMPLE.com"), vec![], "mx.example.com", Ok(())),
        (subtree("example.com"), vec![], "mx.badexample.com", refused),
        (subtree("example.com"), vec![], "mx.example.org", refused),
        (subtree(".example.com"), vec![], "mx.example.com", Ok(())),
        (subtree(".example.com"), vec![], "example.com", refused),
        (vec![], subtree("example.com"), "mx.example.com", refused),
        (vec![], subtree("example.com"), "mx.example.org", Ok(())),
        (vec![], subtree(""), "mx.example.org", refused),
        (vec![of_mail], vec![], "mx.example.org", Ok(())),
        (vec![directory], vec![], "mx.example.org", refused),
        (
            [subtree("example.org"), subtree("example.com")].concat(),
            subtree("a.example.com"),
            "mx.example.com",
            Ok(()),
        ),
    ] {
        let constraints =
            NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded };
        let root =
            Party::root("Root", |params| params.name_constraints = Some(constraints.clone()));
        let leaf = root.server(&[name], |_| {});
        assert_eq!(verify(&root, &leaf, &[name]), result, "{name}: {constraints:?}");
        let leaf = root.server(&[], common_names(&[name]));
        assert_eq!(verify(&root, &leaf, &[name]), result, "CN {name}: {constraints:?}");
    }
}

#[test]
fn constraints_of_an_authority_between_hold_for_common_names_too() {
    let root = Party::root("Root", |_| {});
    let between = root.authority("Between", |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.org".to_owned())],
            excluded_subtrees: vec![GeneralSubtree::DnsName("mx.example.org".to_owned())],
        });
    });
    let refused = Err(MismatchReason::Path(PathFault::NameConstraints));
    for (common, reference, result) in [
        ("mx.example.com", "mx.example.com", refused),
        ("mx1.example.org", "mx1.example.org", Ok(())),
        ("mx.example.org", "mx.example.org", refused),
        // A wildcard that may stand for what is excluded.
        ("*.example.org", "mx1.example.org", refused),
    ] {
        let leaf = between.server(&[], common_names(&[common]));
        let records = set([record([2, 0, 1], &root.der)]);
        let names = names(&[reference]);
        let check = Check::new(&records, &names, webpki::ALL_VERIFICATION_ALGS);
        let chain = [leaf.der, between.der.clone(), root.der.clone()];
        let verdict = match check.verify(&chain, now()) {
            Verdict::Match(_) => Ok(()),
            Verdict::NoMatch(why) | Verdict::Unusable(why) => {
                Err(why.records.first().unwrap().reason)
            }
        };
        assert_eq!(verdict, result, "{common} for {reference}");
    }
}
