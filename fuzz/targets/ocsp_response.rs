//! A response is parsed to its last byte, verifies only with the signed content, and never removes a
//! good staple.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ocsp_staple::rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use ocsp_staple::{
    Certificate, CertificateStatus, Check, Issuer, Limits, Response, Schedule, ScheduleState,
};

/// Takes every signature, so that what is behind it is reached.
#[derive(Debug)]
struct Any(AlgorithmIdentifier);

impl SignatureVerificationAlgorithm for Any {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0
    }
}

static ANY: Any = Any(alg_id::RSA_PKCS1_SHA256);
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[&ANY];
static LEAF: &[u8] = include_bytes!("../../crates/ocsp-staple/tests/data/certificates/leaf.der");
static CA: &[u8] = include_bytes!("../../crates/ocsp-staple/tests/data/certificates/ca.der");
static GOOD: &[u8] =
    include_bytes!("../../crates/ocsp-staple/tests/data/responses/good_direct.der");
static CERTIFICATES: LazyLock<[Certificate<'static>; 2]> =
    LazyLock::new(|| [LEAF, CA].map(|der| Certificate::parse(der).expect("a sound certificate")));

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let parsed = Response::parse(input, &limits);
    if let Err(error) = &parsed {
        assert!(error.at <= input.len(), "{error}");
    } else {
        for longer in [&[0][..], &[0x30, 0], b"\n"] {
            let longer = [input, longer].concat();
            assert!(Response::parse(&longer, &limits).is_err(), "trailing bytes are taken");
        }
        for end in (0..input.len()).rev().take(50) {
            assert!(Response::parse(&input[..end], &limits).is_err(), "a prefix is taken");
        }
        let least = limits.with_response(input.len() - 1);
        assert!(Response::parse(input, &least).is_err(), "the limit does not hold");
    }
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_781_524_800));
    let [leaf, issuer] = &*CERTIFICATES;
    let check =
        Check::new(leaf, [Issuer::from(issuer)], ALGORITHMS).expect("every signature counts");
    let verified = check.verify(input, now);
    if let Ok(proof) = &verified {
        assert!(matches!(parsed, Ok(Response::Successful(_))));
        assert!(proof.until <= leaf.not_after());
        assert!(proof.next_update.is_some_and(|next| proof.until <= next));
        let _ = proof.to_string();
    } else if let Err(error) = &verified {
        let _ = error.to_string();
    }
    let mut schedule = Schedule::new(leaf, now);
    schedule.handle_response(GOOD, None, &check, now, 7);
    schedule.handle_response(input, None, &check, now, 7);
    let revoked = |status| matches!(status, CertificateStatus::Revoked(_));
    let taken_away = verified.as_ref().is_ok_and(|proof| revoked(proof.status));
    assert_eq!(schedule.state(now) == ScheduleState::Revoked, taken_away);
    assert_eq!(schedule.staple(now).is_none(), taken_away);
    if let Some(saved) = schedule.poll_saved() {
        let read = ocsp_staple::Saved::parse(&saved.to_bytes());
        assert_eq!(read.as_ref(), Ok(&saved));
    }
});
