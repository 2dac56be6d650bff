//! What a response proves, and what it does not, with an authority of the tests' own.

#![expect(clippy::unwrap_in_result, clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/revocation.rs"]
mod revocation;
#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use std::time::Duration;

use authority::{Authority, GOOD, Said, Wanted, extension, later, tlv};
use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{
    Certificate, CertificateStatus, Check, Issuer, IssuerError, Options, Proof, ProofError, Signer,
};
use revocation::revoked;
use times::time;
use vector_time::now;

const UNKNOWN: &[u8] = &[0x82, 0];
const DAY: Duration = Duration::from_secs(24 * 3600);
const SECOND: Duration = Duration::from_secs(1);

/// So many days from now, at least a hundred before.
fn days(days: i32) -> UnixTime {
    later(time("2026-03-07T12:00:00Z"), DAY * u32::try_from(100 + days).unwrap())
}

/// Extended key usage: `OCSPSigning`.
fn ocsp_signing() -> Vec<u8> {
    extension(b"\x55\x1d\x25", b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09")
}

/// An issuer, a delegated signer, and a server, with their certificates.
struct World {
    issuer: Authority,
    signer: Authority,
    issuer_der: Vec<u8>,
    signer_der: Vec<u8>,
    leaf_der: Vec<u8>,
}

impl World {
    /// The server's certificate and the signer's end so many days from now.
    fn new(leaf_until: i32, signer_until: i32) -> Self {
        let (issuer, signer) = (Authority::new("Issuer", 1), Authority::new("Signer", 2));
        let server = Authority::new("mx.example", 3);
        let wanted = |serial, name, until, extensions| Wanted {
            serial,
            name,
            validity: (days(-50), days(until)),
            extensions,
        };
        let purpose = [ocsp_signing()];
        Self {
            issuer_der: issuer.issue(&issuer, &wanted(9, "Issuer", 1000, &[])),
            signer_der: issuer.issue(&signer, &wanted(2, "Signer", signer_until, &purpose)),
            leaf_der: issuer.issue(&server, &wanted(1, "mx.example", leaf_until, &[])),
            issuer,
            signer,
        }
    }

    fn delegated(&self, said: &Said) -> Vec<u8> {
        self.signer.respond(&self.issuer, said, Some(&self.signer_der))
    }

    fn direct(&self, said: &Said) -> Vec<u8> {
        self.issuer.respond(&self.issuer, said, None)
    }

    fn verify(&self, response: &[u8], at: UnixTime) -> Result<Proof, ProofError> {
        self.verify_with(response, at, Options::default(), None)
    }

    fn verify_with(
        &self,
        response: &[u8],
        at: UnixTime,
        options: Options,
        nonce: Option<&[u8]>,
    ) -> Result<Proof, ProofError> {
        let leaf = Certificate::parse(&self.leaf_der).unwrap();
        let issuer = Certificate::parse(&self.issuer_der).unwrap();
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        let check = Check::new(&leaf, [Issuer::from(&issuer)], algorithms).unwrap();
        let check = check.with_options(options);
        match nonce {
            Some(nonce) => check.with_nonce(nonce).verify(response, at),
            None => check.verify(response, at),
        }
    }
}

fn week() -> Said {
    Said::new(GOOD, days(-1), days(6))
}

#[test]
fn a_proof_ends_with_the_signer() {
    // What happened in 2014: the signer's certificate ended before the proof, and nobody noticed.
    let world = World::new(90, 2);
    let response = world.delegated(&week());
    let proof = world.verify(&response, now()).unwrap();
    assert_eq!((proof.status, proof.until), (CertificateStatus::Good, days(2)));
    assert_eq!(proof.signer, Signer::Delegated { until: days(2), no_check: false });
    assert!(proof.is_to_be_stapled(days(2)) && !proof.is_to_be_stapled(days(3)));
    world.verify(&response, days(2)).unwrap();
    let error = world.verify(&response, later(days(2), SECOND)).unwrap_err();
    assert!(error.to_string().ends_with(", ended at 2026-06-17T12:00:00Z"), "{error}");
    assert!(matches!(error, ProofError::SignerExpired { until, .. } if until == days(2)));
}

#[test]
fn a_proof_ends_with_the_certificate() {
    let world = World::new(2, 90);
    for response in [world.delegated(&week()), world.direct(&week())] {
        let proof = world.verify(&response, now()).unwrap();
        assert_eq!((proof.status, proof.until), (CertificateStatus::Good, days(2)));
        // RFC 5280 section 4.1.2.5: the period includes its ends.
        world.verify(&response, days(2)).unwrap();
        let error = world.verify(&response, later(days(2), SECOND)).unwrap_err();
        assert_eq!(error, ProofError::CertificateExpired(days(2)));
        let error = world.verify(&response, days(3)).unwrap_err();
        assert_eq!(error, ProofError::CertificateExpired(days(2)));
    }
}

#[test]
fn a_signer_counts_from_the_start_of_its_certificate() {
    let world = World::new(90, 90);
    let response = world.delegated(&Said::new(GOOD, days(-50), days(6)));
    world.verify(&response, days(-50)).unwrap();
    let error = world.verify(&response, later(days(-51), DAY.saturating_sub(SECOND))).unwrap_err();
    assert!(matches!(error, ProofError::SignerNotYetValid { from, .. } if from == days(-50)));
}

/// RFC 6960 section 4.2.2.2: the certificate that the issuer has given for it makes a signer, neither its name nor its
/// key.
#[test]
fn a_delegated_signer_may_have_the_name_or_the_key_of_the_issuer() {
    let world = World::new(90, 90);
    let purpose = [ocsp_signing()];
    for (name, seed) in [("Issuer", 2), ("Signer", 1)] {
        let signer = Authority::new(name, seed);
        let validity = (days(-50), days(50));
        let wanted = Wanted { serial: 2, name, validity, extensions: &purpose };
        let der = world.issuer.issue(&signer, &wanted);
        let said = Said { by_name: true, ..week() };
        let proof = world.verify(&signer.respond(&world.issuer, &said, Some(&der)), now()).unwrap();
        assert_eq!(proof.signer, Signer::Delegated { until: days(50), no_check: false }, "{name}");
    }
}

#[test]
fn the_skew_is_for_the_responders_clock() {
    let world = World::new(90, 90);
    let response = world.direct(&week());
    let skew = Options::default().skew;
    let end = later(days(6), skew);
    assert_eq!(world.verify(&response, end).unwrap().until, days(6));
    assert_eq!(world.verify(&response, later(end, SECOND)), Err(ProofError::Expired(days(6))));
    let early = Said::new(GOOD, later(now(), skew), days(6));
    world.verify(&world.direct(&early), now()).unwrap();
    let early = Said::new(GOOD, later(now(), skew + SECOND), days(6));
    let from = early.this_update;
    assert_eq!(world.verify(&world.direct(&early), now()), Err(ProofError::NotYetValid(from)));
    // Both times are within the skew, and yet in the wrong order.
    let (this, next) = (later(now(), SECOND * 60), later(now(), SECOND * 30));
    let wrong = world.direct(&Said::new(GOOD, this, next));
    assert_eq!(world.verify(&wrong, now()), Err(ProofError::NextUpdateBeforeThis(next)));
    // RFC 6960 section 4.2.2.1: what ends as it begins is not too old yet.
    let short = world.direct(&Said::new(GOOD, now(), now()));
    assert_eq!(world.verify(&short, now()).unwrap().until, now());
}

#[test]
fn without_next_update_age_decides() {
    let world = World::new(90, 90);
    let response = world.direct(&Said { next_update: None, ..week() });
    assert_eq!(world.verify(&response, now()), Err(ProofError::NextUpdateMissing));
    let verify = |options| world.verify_with(&response, now(), options, None);
    let lenient = Options::default().with_missing_next_update(true);
    assert_eq!(verify(lenient.clone()).unwrap().until, days(90));
    assert_eq!(verify(lenient.clone().with_max_age(Some(DAY * 2))).unwrap().until, days(1));
    let error = verify(lenient.with_max_age(Some(DAY / 2))).unwrap_err();
    assert_eq!(error, ProofError::Expired(later(days(-1), DAY / 2)));
}

#[test]
fn the_nonce_counts_if_it_was_sent() {
    let world = World::new(90, 90);
    let nonce = extension(b"\x2b\x06\x01\x05\x05\x07\x30\x01\x02", &tlv(0x04, &[&[7; 32]]));
    let extensions = tlv(0xa1, &[&tlv(0x30, &[&nonce])]);
    let (with, without) = (world.direct(&Said { extensions, ..week() }), world.direct(&week()));
    let strict = Options::default().with_require_nonce(true);
    for (response, options, sent, expected) in [
        (&with, Options::default(), None, Ok(false)),
        (&with, Options::default(), Some([7; 32]), Ok(true)),
        (&with, Options::default(), Some([8; 32]), Err(ProofError::NonceDiffers)),
        (&without, Options::default(), Some([7; 32]), Ok(false)),
        (&without, strict.clone(), Some([7; 32]), Err(ProofError::NonceMissing)),
        (&without, strict, None, Ok(false)),
    ] {
        let sent = sent.as_ref().map(|sent| &sent[..]);
        let verified = world.verify_with(response, now(), options, sent);
        assert_eq!(verified.map(|proof| proof.has_nonce), expected);
    }
}

#[test]
fn a_renewed_certificate_has_no_proof_of_the_old_one() {
    let world = World::new(90, 90);
    let old = world.direct(&Said { serial: 7, ..week() });
    assert_eq!(world.verify(&old, now()), Err(ProofError::OtherCertificate));
}

#[test]
fn revoked_and_unknown_are_no_errors() {
    let world = World::new(90, 90);
    let response = world.direct(&Said { status: revoked(days(-3)), ..week() });
    let proof = world.verify(&response, now()).unwrap();
    assert_eq!(proof.to_string(), "revoked since 2026-06-12T12:00:00Z, until 2026-06-21T12:00:00Z");
    assert!(!proof.is_to_be_stapled(now()));
    let response = world.direct(&Said { status: UNKNOWN.to_vec(), ..week() });
    let proof = world.verify(&response, now()).unwrap();
    assert_eq!(proof.to_string(), "unknown to the responder, until 2026-06-21T12:00:00Z");
    assert!(!proof.is_to_be_stapled(now()));
}

#[test]
fn of_several_answers_the_strictest_counts_and_of_those_the_first() {
    let world = World::new(90, 90);
    let (long, short) = (Said::new(GOOD, days(-1), days(6)), Said::new(GOOD, days(-1), days(3)));
    let ended = Said::new(GOOD, days(-9), days(-2));
    let unknown = Said { status: UNKNOWN.to_vec(), ..short.clone() };
    let revoked = Said { status: revoked(days(-3)), ..short.clone() };
    for (first, second, status, until) in [
        (&long, &short, "good", days(6)),
        (&short, &long, "good", days(3)),
        (&ended, &long, "good", days(6)),
        (&long, &ended, "good", days(6)),
        (&long, &unknown, "unknown", days(3)),
        (&unknown, &long, "unknown", days(3)),
        (&long, &revoked, "revoked", days(3)),
        (&revoked, &long, "revoked", days(3)),
    ] {
        let response = world.direct(&Said { others: vec![first.clone()], ..second.clone() });
        let proof = world.verify(&response, now()).unwrap();
        assert_eq!((proof.status.as_str(), proof.until), (status, until));
    }
}

#[test]
fn the_signer_whose_certificate_is_missing_is_named() {
    let world = World::new(90, 90);
    let response = world.signer.respond(&world.issuer, &week(), None);
    let error = world.verify(&response, now()).unwrap_err();
    assert!(matches!(error, ProofError::SignerMissing { .. }));
    let text = error.to_string();
    assert!(text.starts_with("the OCSP response has no certificate of its signer, the key"));
}

#[test]
fn a_wrong_signature_of_the_issuer_is_told_as_such_with_its_certificate_in_the_response_too() {
    let world = World::new(90, 90);
    let mut response = world.issuer.respond(&world.issuer, &week(), Some(&world.issuer_der));
    assert_eq!(world.verify(&response, now()).unwrap().signer, Signer::Issuer);
    // The signature is before the certificate.
    let length = world.issuer_der.len();
    let at = response.windows(length).position(|part| part == world.issuer_der).unwrap();
    response[at - 20] ^= 1;
    let error = world.verify(&response, now()).unwrap_err();
    assert!(matches!(error, ProofError::Signature { .. }), "{error}");
}

#[test]
fn the_issuer_is_the_one_that_signed() {
    let world = World::new(90, 90);
    let leaf = Certificate::parse(&world.leaf_der).unwrap();
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let missing = Check::new(&leaf, [], algorithms).unwrap_err();
    assert_eq!(missing.to_string(), "the certificate of the issuer \"CN=Issuer\" is missing");
    // The leaf itself, as where a chain file has nothing else.
    let missing = Check::new(&leaf, [Issuer::from(&leaf)], algorithms).unwrap_err();
    assert!(matches!(missing, IssuerError::Missing { .. }));
    let namesake = Authority::new("Issuer", 8);
    let wanted =
        Wanted { serial: 1, name: "Issuer", validity: (days(-1), days(1)), extensions: &[] };
    let namesake = namesake.issue(&namesake, &wanted);
    let namesake = Certificate::parse(&namesake).unwrap();
    let wrong = Check::new(&leaf, [Issuer::from(&namesake)], algorithms).unwrap_err();
    assert!(matches!(wrong, IssuerError::Signature { .. }));
    let issuer = Certificate::parse(&world.issuer_der).unwrap();
    let both = [Issuer::from(&namesake), Issuer::from(&issuer)];
    assert_eq!(*Check::new(&leaf, both, algorithms).unwrap().issuer(), Issuer::from(&issuer));
    let unsupported = Check::new(&leaf, [Issuer::from(&issuer)], &[]).unwrap_err();
    assert_eq!(unsupported, IssuerError::Unsupported);
}
