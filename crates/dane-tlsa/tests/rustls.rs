//! Handshakes in memory: which servers a client takes, by the records of their host.
#![cfg(feature = "rustls")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/handshake.rs"]
mod handshake;
#[path = "support/records.rs"]
mod records;
#[path = "support/version_one.rs"]
mod version_one;

use std::sync::Arc;

use authority::Party;
use dane_tlsa::rustls::{BaseDomainError, DaneVerifier, UnauthenticatedVerifier};
use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::{MismatchReason, Mismatches, RecordSet, Verdict};
use handshake::{Server, VERSIONS, connect, connect_as, with_version};
use rcgen::{CustomExtension, KeyPair, date_time_ymd};
use records::{names, record, set};
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::{CertificateError, Error, HandshakeKind, SupportedProtocolVersion};

const BASE: &str = "mx.example.com";

fn verifier(records: RecordSet) -> Arc<DaneVerifier> {
    let algorithms = default_provider().signature_verification_algorithms;
    Arc::new(DaneVerifier::new(records, names(&[BASE]), algorithms).unwrap())
}

fn server(chain: &[&CertificateDer<'static>], key: &KeyPair) -> Server {
    Server::new(chain.iter().map(|der| (*der).clone()).collect(), key)
}

/// Does a handshake of each version, which must succeed.
fn accepted(records: &RecordSet, server: &Server) {
    for version in VERSIONS {
        let verifier = verifier(records.clone());
        let made = connect(&verifier, &with_version(version), server, version);
        assert_eq!(made, Ok(HandshakeKind::Full), "{version:?}");
        assert!(verifier.verdict().unwrap().is_match());
    }
}

fn refused(
    records: &RecordSet,
    server: &Server,
    version: &'static SupportedProtocolVersion,
) -> Error {
    connect(&verifier(records.clone()), &with_version(version), server, version).unwrap_err()
}

#[test]
fn point_34_a_copied_chain_without_its_key_is_refused() {
    let root = Party::root("Root", |_| {}).authority("Below", |_| {});
    let leaf = root.server(&[BASE], |_| {});
    let other = KeyPair::generate().unwrap();
    for numbers in [[3, 1, 1], [3, 0, 1], [2, 0, 1]] {
        let of = if numbers[0] == 3 { &leaf.der } else { &root.der };
        let records = set([record(numbers, of)]);
        let chain = [&leaf.der, &root.der];
        for version in VERSIONS {
            let error = refused(&records, &server(&chain, &other), version);
            assert_eq!(error, Error::InvalidCertificate(CertificateError::BadSignature));
        }
        accepted(&records, &server(&chain, &leaf.key));
    }
}

#[test]
fn point_25_sni_is_the_base_domain() {
    let leaf = Party::root("Server", |_| {});
    let server = server(&[&leaf.der], &leaf.key);
    let verifier = verifier(set([record([3, 1, 1], &leaf.der)]));
    for version in VERSIONS {
        connect(&verifier, &with_version(version), &server, version).unwrap();
        assert_eq!(server.asked_for().as_deref(), Some(BASE));
    }
}

#[test]
fn certificates_that_webpki_refuses_are_taken_for_their_key() {
    let root = Party::root("Root", |_| {});
    let expired = root.server(&["wrong.example"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let critical = root.server(&[BASE], |params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    let key = KeyPair::generate().unwrap();
    let old = version_one::certificate(&key);
    for (der, key) in [
        (&expired.der, &expired.key),
        (&critical.der, &critical.key),
        (&root.der, &root.key),
        (&old, &key),
    ] {
        accepted(&set([record([3, 1, 1], der)]), &server(&[der], key));
        accepted(&set([record([3, 0, 2], der)]), &server(&[der], key));
    }
}

#[test]
fn a_certificate_without_a_readable_key_is_refused_even_if_it_is_pinned() {
    let pinned = CertificateDer::from(b"\x30\x03\x02\x01\x05".to_vec());
    let digest = "3 0 1 417c7763c4e320a6b747b3cb0c6d22f93741b29a32b48594b8eb4c144fe6d729";
    let records = set([digest.parse().unwrap()]);
    let key = KeyPair::generate().unwrap();
    for version in VERSIONS {
        let verifier = verifier(records.clone());
        let server = server(&[&pinned], &key);
        connect(&verifier, &with_version(version), &server, version).unwrap_err();
        let Some(Verdict::NoMatch(why)) = verifier.verdict() else { panic!("it matches") };
        assert!(
            matches!(why.records[..], [only] if matches!(only.reason, MismatchReason::NoKey(_)))
        );
    }
}

#[test]
fn the_error_says_why_no_record_matches() {
    let (leaf, other) = (Party::root("One", |_| {}), Party::root("Other", |_| {}));
    let records = set([record([3, 1, 1], &other.der)]);
    for version in VERSIONS {
        let error = refused(&records, &server(&[&leaf.der], &leaf.key), version);
        let Error::InvalidCertificate(CertificateError::Other(error)) = error else {
            panic!("{error}")
        };
        let why = error.0.downcast_ref::<Mismatches>().unwrap();
        let text = "none of the TLSA records matches: 3 1 1: the server's key is another";
        assert_eq!(why.to_string(), text);
    }
}

#[test]
fn point_40_no_session_is_resumed() {
    let leaf = Party::root("Server", |_| {});
    let server = server(&[&leaf.der], &leaf.key);
    for version in VERSIONS {
        let mut config = with_version(version);
        config.resumption = Resumption::in_memory_sessions(32);
        let verifier = verifier(set([record([3, 1, 1], &leaf.der)]));
        for _ in 0..3 {
            assert_eq!(connect(&verifier, &config, &server, version), Ok(HandshakeKind::Full));
        }
    }
}

#[test]
fn a_base_domain_that_sni_cannot_have_is_refused() {
    let algorithms = default_provider().signature_verification_algorithms;
    let make = |names| DaneVerifier::new(RecordSet::default(), names, algorithms);
    assert_eq!(make(Vec::new()).unwrap_err(), BaseDomainError::Missing);
    for name in [r"mx\.a.example", "192.0.2.1", r"a\000b.example", "."] {
        let names = names(&[name]);
        let name = names.first().unwrap().clone();
        assert_eq!(make(names).unwrap_err(), BaseDomainError::Unfit { name });
    }
    // Names with an underscore are not hosts', and occur.
    assert!(make(names(&["mx_1.example"])).is_ok());
}

#[test]
fn without_authentication_any_certificate_is_taken_but_only_with_its_key() {
    let algorithms = default_provider().signature_verification_algorithms;
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let old = version_one::certificate(&key);
    for version in VERSIONS {
        let connect = |key| {
            let mut config = with_version(version);
            let verifier = Arc::new(UnauthenticatedVerifier::new(algorithms));
            config.dangerous().set_certificate_verifier(verifier);
            let name = "elsewhere.example".try_into().unwrap();
            connect_as(config, name, &server(&[&old], key), version)
        };
        assert_eq!(connect(&key), Ok(HandshakeKind::Full));
        assert_eq!(connect(&other), Err(CertificateError::BadSignature.into()));
    }
}
