//! Certificates of servers and their issuers as others make them, and what a client makes of a staple then.
#![cfg(feature = "rustls")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/any_certificate.rs"]
mod any_certificate;
#[path = "support/authority.rs"]
mod authority;
#[path = "support/revocation.rs"]
mod revocation;
#[path = "support/times.rs"]
mod times;
#[path = "support/trusting.rs"]
mod trusting;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::sync::Arc;
use std::time::Duration;

use any_certificate::AnyCertificate;
use authority::{Authority, GOOD, Said, Wanted, extension, later, tlv};
use ocsp_staple::rustls::StapleVerifier;
use ocsp_staple::{Certificate, DerFault, IssuerError, Requirement, StapleError, Stapled};
use revocation::revoked;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};
use trusting::trusting;
use vector_time::now;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The contents of the identifiers of extensions: `subjectAltName`, `basicConstraints`, `keyUsage`,
/// `authorityInfoAccess`, `tlsfeature`, and one that nobody knows.
const ALTERNATIVE_NAME: &[u8] = b"\x55\x1d\x11";
const CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
const ACCESS: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x01";
const TLS_FEATURE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x18";
const PRIVATE: &[u8] = b"\x2b\x06\x01\x04\x01\x82\x37\x63";

/// A root that the client trusts, an authority that it issued for, and a server with a certificate of
/// the latter.
struct World {
    root: Authority,
    mid: Authority,
    server: Authority,
    root_der: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let [root, mid] = [("Root", 1), ("Mid", 2)].map(|(name, seed)| Authority::new(name, seed));
        let server = Authority::new("mx.example", 3);
        let root_der = issue(&root, &root, (9, "Root"), &[is_ca()]);
        Self { root, mid, server, root_der }
    }

    fn mid(&self, more: &[Vec<u8>]) -> Vec<u8> {
        issue(&self.root, &self.mid, (5, "Mid"), &[&[is_ca()], more].concat())
    }

    fn leaf(&self, more: &[Vec<u8>]) -> Vec<u8> {
        let names = tlv(0x30, &[&tlv(0x82, &[b"mx.example"])]);
        let names = extension(ALTERNATIVE_NAME, &names);
        issue(&self.mid, &self.server, (1, "mx.example"), &[&[names], more].concat())
    }

    fn staple(&self, status: &[u8]) -> Vec<u8> {
        self.mid.respond(&self.mid, &Said::new(status, now(), later(now(), DAY * 3)), None)
    }

    fn judge(&self, requirement: Requirement, chain: &[Vec<u8>], staple: &[u8]) -> Judged {
        let provider = Arc::new(default_provider());
        judge(&trusting(&self.root_der, &provider, requirement), chain, staple)
    }
}

/// The result of a staple, and the error of the handshake.
type Judged = (Stapled, Option<CertificateError>);

fn judge(verifier: &StapleVerifier, chain: &[Vec<u8>], staple: &[u8]) -> Judged {
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let (leaf, sent) = chain.split_first().unwrap();
    let name = "mx.example".try_into().unwrap();
    let judged = verifier.verify_server_cert(leaf, sent, &name, staple, later(now(), DAY));
    let error = judged.err().map(|error| match error {
        Error::InvalidCertificate(error) => error,
        _ => unreachable!("{error}"),
    });
    (verifier.stapled().unwrap(), error)
}

fn issue(by: &Authority, of: &Authority, of_it: (u8, &'static str), more: &[Vec<u8>]) -> Vec<u8> {
    let (serial, name) = of_it;
    let validity = (now(), later(now(), DAY * 90));
    by.issue(of, &Wanted { serial, name, validity, extensions: more })
}

fn is_ca() -> Vec<u8> {
    extension(CONSTRAINTS, b"\x30\x03\x01\x01\xff")
}

/// So many extensions that nobody knows.
fn many(count: u8) -> Vec<Vec<u8>> {
    let two = [[0x37, 1], [0x37, 2]].into_iter();
    two.flat_map(|[a, b]| (0..count / 2).map(move |c| [0x2b, 6, 1, 4, 1, 0x82, a, b, c & 0x7f]))
        .map(|oid| extension(&oid, b"hello"))
        .collect()
}

/// RFC 5280 section 4.2: an extension that is not known may have any contents, unless it is critical.
#[test]
fn a_revoked_server_is_refused_whatever_its_issuers_extensions_are() {
    let world = World::new();
    let (bad, good) = (world.staple(&revoked(now())), world.staple(GOOD));
    for (name, more) in [
        ("none", vec![]),
        ("no DER", vec![extension(PRIVATE, b"hello")]),
        ("empty", vec![extension(PRIVATE, b"")]),
        ("forty", many(40)),
        ("a malformed one", vec![extension(KEY_USAGE, b"\x04\x00")]),
        ("a repeated one", vec![extension(PRIVATE, b""), extension(PRIVATE, b"")]),
    ] {
        let chain = [world.leaf(&[]), world.mid(&more)];
        for requirement in [Requirement::Request, Requirement::Require] {
            let (stapled, error) = world.judge(requirement, &chain, &bad);
            let is_revoked = matches!(stapled, Stapled::Failed(StapleError::Revoked(_)));
            assert!(is_revoked, "{name}: {stapled}");
            assert_eq!(error, Some(CertificateError::InvalidOcspResponse), "{name}");
            let (stapled, error) = world.judge(requirement, &chain, &good);
            assert!(matches!(stapled, Stapled::Verified(_)), "{name}: {stapled}");
            assert_eq!(error, None, "{name}");
        }
    }
}

fn of_anybody() -> StapleVerifier {
    let algorithms = default_provider().signature_verification_algorithms;
    StapleVerifier::new(Arc::new(AnyCertificate), [].into(), algorithms)
}

/// RFC 6066 section 8: a staple that is there must be good, and it may say that the certificate is revoked.
#[test]
fn an_issuer_that_cannot_be_read_is_refused_and_not_called_missing() {
    let world = World::new();
    let (leaf, mid) = (world.leaf(&[]), world.mid(&[]));
    let staple = world.staple(&revoked(now()));
    let cut = mid.get(..mid.len() - 1).unwrap().to_vec();
    let namesake = issue(&world.server, &world.server, (6, "Mid"), &[is_ca()]);
    for sent in
        [vec![cut.clone()], vec![cut.clone(), namesake.clone()], vec![namesake.clone(), cut]]
    {
        let chain = [vec![leaf.clone()], sent].concat();
        let (stapled, error) = judge(&of_anybody(), &chain, &staple);
        let Stapled::NotVerified(cause @ IssuerError::Malformed(_)) = &stapled else {
            panic!("{stapled}")
        };
        let text = "a certificate that may be the issuer's is malformed: Certificate: ";
        assert!(cause.to_string().starts_with(text), "{cause}");
        assert_eq!(stapled.variable("tls_out_ocsp").as_deref(), Some("2"));
        assert_eq!(error, Some(CertificateError::InvalidOcspResponse));
    }
    // One that is missing proves nothing against the server.
    let (stapled, error) = judge(&of_anybody(), &[leaf, namesake], &staple);
    assert!(matches!(stapled, Stapled::NotVerified(IssuerError::Signature { .. })), "{stapled}");
    assert_eq!(error, None);
}

/// Each costs the client a signature.
#[test]
fn of_very_many_issuers_of_a_name_the_first_are_tried() {
    let world = World::new();
    let (leaf, staple) = (world.leaf(&[]), world.staple(GOOD));
    let namesakes = |count: u8| {
        (0..count).map(|seed| {
            let namesake = Authority::new("Mid", seed + 20);
            issue(&namesake, &namesake, (6, "Mid"), &[])
        })
    };
    let others = (0..100).map(|_| issue(&world.root, &world.root, (7, "Other"), &[]));
    for (count, is_found) in [(15, true), (16, false), (100, false)] {
        let sent = others.clone().chain(namesakes(count)).chain([world.mid(&[])]);
        let chain: Vec<_> = [leaf.clone()].into_iter().chain(sent).collect();
        let (stapled, error) = judge(&of_anybody(), &chain, &staple);
        if is_found {
            assert!(matches!(stapled, Stapled::Verified(_)), "{count}: {stapled}");
            assert_eq!(error, None);
        } else {
            assert_eq!(stapled, Stapled::NotVerified(IssuerError::TooMany { most: 16 }));
            assert_eq!(error, Some(CertificateError::InvalidOcspResponse), "{count}");
        }
    }
}

#[test]
fn a_certificate_without_a_staple_is_read_no_further_than_its_tls_features() {
    use Requirement::{Off, Request, Require};
    let world = World::new();
    let mid = world.mid(&[]);
    let feature = |value: &[u8]| extension(TLS_FEATURE, value);
    let refused = Some(CertificateError::InvalidOcspResponse);
    let malformed = Some(CertificateError::BadEncoding);
    for (name, more, at_request) in [
        ("none", vec![], None),
        ("no DER", vec![extension(PRIVATE, b"hello")], None),
        ("forty", many(40), None),
        ("a malformed access", vec![extension(ACCESS, b"\x04\x00")], None),
        ("another feature", vec![feature(b"\x30\x03\x02\x01\x11")], None),
        ("must-staple", vec![feature(b"\x30\x03\x02\x01\x05")], refused.clone()),
        ("a malformed feature", vec![feature(b"\x02\x01\x05")], malformed.clone()),
        (
            "a feature of too many octets",
            vec![feature(b"\x30\x04\x02\x02\x00\x05")],
            malformed.clone(),
        ),
    ] {
        let chain = [world.leaf(&more), mid.clone()];
        let require = at_request.clone().or(refused.clone());
        for (requirement, error) in [(Off, None), (Request, at_request), (Require, require)] {
            let (stapled, found) = world.judge(requirement, &chain, b"");
            assert_eq!(found, error, "{name}, {requirement:?}: {stapled}");
            let is_cause =
                stapled.to_string().contains("the certificate of the server is malformed: ");
            assert_eq!(is_cause, error == malformed, "{name}, {requirement:?}: {stapled}");
        }
    }
}

#[test]
fn a_certificate_has_at_most_256_extensions() {
    let world = World::new();
    let parse = |more| {
        let leaf = world.leaf(&[many(128), many_others(more)].concat());
        Certificate::parse(&leaf).map(|_| ()).map_err(|error| error.fault)
    };
    assert_eq!((parse(127), parse(128)), (Ok(()), Err(DerFault::Limit(256))), "beside its names");
    let repeated = world.leaf(&[many(40), many(2)].concat());
    assert_eq!(Certificate::parse(&repeated).map(|_| ()).unwrap_err().fault, DerFault::Repeated);
}

fn many_others(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|c| extension(&[0x2b, 6, 1, 4, 2, c & 0x7f], b"")).collect()
}
