//! A verdict is what its records say: a match of usage 3 is one of the first certificate, a match of usage 2
//! needs a signature, and neither garbage behind the chain nor records that cannot be used change it.

#![no_main]

use std::time::Duration;

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};
use dane_tlsa::{
    Certificate, Check, Limits, MatchingType, RecordSet, Selector, TlsaRecord, Usage, Verdict,
};
use libfuzzer_sys::fuzz_target;

/// Takes every signature, or none.
#[derive(Debug)]
struct Signatures(bool);

impl SignatureVerificationAlgorithm for Signatures {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        if self.0 { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

static ANY: &[&dyn SignatureVerificationAlgorithm] = &[&Signatures(true)];
static NO: &[&dyn SignatureVerificationAlgorithm] = &[&Signatures(false)];

// The input: an octet that says which records there are, then certificates, each behind its length in
// two octets.
fuzz_target!(|input: &[u8]| {
    let Some((&choice, mut rest)) = input.split_first() else { return };
    let mut chain = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (der, behind) = behind.split_at(length);
        chain.push(CertificateDer::from(der));
        rest = behind;
    }
    let records = records(choice, &chain);
    let names: Vec<Name> =
        ["mx.example.com", "example.com"].iter().flat_map(|n| n.parse()).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_796_083_200));
    let set = |records: &[TlsaRecord]| {
        RecordSet::new(records.iter().cloned(), &Limits::default()).expect("few records")
    };
    let with = |records: &[TlsaRecord], chain: &[CertificateDer<'_>], algorithms| {
        Check::new(&set(records), &names, algorithms).verify(chain, now)
    };
    let verdict = with(&records, &chain, ANY);
    let _ = verdict.to_string();
    let (any, no) = (verdict, with(&records, &chain, NO));
    if let Verdict::Match(found) = &any {
        let record = &records[found.record];
        assert!(record.check_usable().is_ok());
        if record.usage == Usage::DANE_EE {
            assert_eq!(found.depth, 0);
            let leaf = Certificate::parse(&chain[0]).expect("a match");
            let again = TlsaRecord::of_certificate(
                &leaf,
                record.usage,
                record.selector,
                record.matching_type,
            );
            assert_eq!(again.as_ref(), Ok(record));
            assert_eq!(no, any);
            let garbage =
                [chain.clone(), vec![CertificateDer::from(&b"\x30\x82"[..]); 20]].concat();
            assert_eq!(with(&records, &garbage, NO), any);
        } else {
            assert!(!no.is_match(), "a path without a signature");
        }
    }
    // What cannot be used changes nothing.
    let mut unusable = records.clone();
    unusable.push("1 1 1 00".parse().expect("a record"));
    unusable.push("3 1 9 00".parse().expect("a record"));
    match (with(&unusable, &chain, ANY), any) {
        (Verdict::Match(with), Verdict::Match(without)) => assert_eq!(with, without),
        (with, without) => assert_eq!(with.is_match(), without.is_match()),
    }
    let checked = set(&records);
    let review = Check::new(&checked, &names, ANY).review(&chain, now);
    for finding in &review.findings {
        let _ = finding.to_string();
    }
});

/// Makes records of some of the certificates: bits of the choice say which, and how.
fn records(choice: u8, chain: &[CertificateDer<'_>]) -> Vec<TlsaRecord> {
    let mut records = Vec::new();
    for (at, der) in chain.iter().enumerate().take(12) {
        let Ok(certificate) = Certificate::parse(der) else { continue };
        let usage = Usage::new(if at == 0 && choice & 1 == 0 { 3 } else { 2 });
        let selector = Selector::new(choice >> 1 & 1);
        let matching_type = MatchingType::new(choice >> 2 & 3);
        if choice & 16 != 0 && at != chain.len() - 1 {
            continue;
        }
        let made = TlsaRecord::of_certificate(&certificate, usage, selector, matching_type);
        records.extend(made);
    }
    records
}
