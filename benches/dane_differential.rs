//! Generated chains and records, verified by ours and by OpenSSL's DANE functions: the same verdict and depth,
//! but for the differences that are listed here, each by a section of the standards.
//!
//! `--cases N` (default 5000, with `--test` 500), `--seed N` (default 1). A case that differs is shown with its
//! seed, and fails the run.

#![expect(clippy::unwrap_in_result, clippy::unwrap_used, reason = "a check ends where it fails")]

#[path = "dane_differential/case.rs"]
mod case;
#[path = "dane_differential/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::env;

use case::{Case, Peculiarity};
use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::rustls_pki_types::{CertificateDer, UnixTime};
use dane_tlsa::{
    Check, Limits, MismatchReason, PathFault, RecordSet, Standing, TlsaRecord, Usage, Verdict,
};
use openssl_dane::{Host, Outcome};

/// 2026-12-01.
const NOW: u32 = 1_796_083_200;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let first = number("--seed").unwrap_or(1);
    let cases = number("--cases").unwrap_or(if is_test { 500 } else { 5000 });
    println!("seeds {first} to {}", first + cases - 1);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut differ = 0;
    for seed in first..first + cases {
        let case = Case::generate(seed);
        match compare(&case) {
            Ok(same) => *counts.entry(same).or_default() += 1,
            Err(difference) => {
                differ += 1;
                println!("seed {seed}: {difference}\n{case}");
            }
        }
    }
    for (outcome, count) in &counts {
        println!("{count:5} {outcome}");
    }
    assert_eq!(differ, 0, "cases differ");
}

/// Verifies by both, and returns what both say, or the name of a known difference.
fn compare(case: &Case) -> Result<String, String> {
    let records = RecordSet::new(case.records.iter().cloned(), &Limits::default()).unwrap();
    let names: Vec<Name> = case.names.iter().map(|name| name.parse().unwrap()).collect();
    let chain: Vec<_> = case.chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW.into()));
    let check = Check::new(&records, &names, webpki::ALL_VERIFICATION_ALGS);
    let ours = check.verify(&chain, now);
    let theirs = openssl(case, &records);
    match (&ours, theirs) {
        (Verdict::Unusable(_), None) => Ok("unusable".to_owned()),
        (Verdict::Match(found), Some(outcome)) if outcome.error == 0 => {
            let numbers = found.numbers.map(|number| number.to_string()).join(" ");
            if i32::try_from(found.depth) == Ok(outcome.depth) {
                return Ok(format!("match {} at {}", &numbers[..1], found.depth));
            }
            match known(case, &ours, outcome) {
                Some(known) => Ok(format!("known: {known}")),
                None => Err(format!("{ours}, but OpenSSL's depth is {}", outcome.depth)),
            }
        }
        (Verdict::NoMatch(_), Some(outcome)) if outcome.error != 0 => {
            Ok(format!("no match, error {}", outcome.error))
        }
        (_, Some(theirs)) if let Some(known) = known(case, &ours, theirs) => {
            Ok(format!("known: {known}"))
        }
        (_, theirs) => Err(format!("{ours}, OpenSSL {theirs:?}")),
    }
}

/// Names a known difference.
fn known(case: &Case, ours: &Verdict, theirs: Outcome) -> Option<&'static str> {
    let has = |numbers| case.records.iter().any(|record| record.numbers() == numbers);
    match ours {
        Verdict::Match(found) => match theirs.error {
            // `X509_V_ERR_CERT_HAS_EXPIRED`, of the anchor.
            10 if usize::try_from(theirs.error_depth) == Ok(found.depth) => {
                Some("RFC 5280 6.1.1: OpenSSL wants an anchor that is self-signed to be valid")
            }
            // `X509_V_ERR_HOSTNAME_MISMATCH`.
            62 if case.has(Peculiarity::ShortWildcard) => {
                Some("RFC 7672 3.2.3: OpenSSL wants two labels behind a wildcard")
            }
            _ if found.numbers == [2, 1, 0] && matches_without(case, [2, 0, 0], found.depth) => {
                Some(
                    "RFC 7671 5.2.3: OpenSSL prefers the certificate of a key, and its constraints",
                )
            }
            // `X509_V_ERR_CERT_SIGNATURE_FAILURE`, `_DANE_NO_MATCH`, `_INVALID_CA`: of the authority that it
            // tries instead. Another error of such a case is a difference.
            7 | 65 | 79 if case.has(Peculiarity::Namesakes) => {
                Some("RFC 5280 6: OpenSSL tries one issuer of a name only")
            }
            _ => None,
        },
        Verdict::NoMatch(why) if theirs.error == 0 => {
            let is_for = |reason| why.records.iter().any(|mismatch| mismatch.reason == reason);
            let own_key = theirs.depth == 0 && is_for(MismatchReason::OwnAnchor);
            if own_key && has([2, 1, 0]) {
                return Some(
                    "RFC 7671 5.2.3: a key that the server's own certificate has is no anchor",
                );
            }
            if is_for(MismatchReason::Path(PathFault::NotAuthority)) {
                return Some("RFC 5280 6.1.4 (k): OpenSSL takes keyCertSign for basicConstraints");
            }
            let is_path = why.records.iter().any(|it| matches!(it.reason, MismatchReason::Path(_)));
            if is_for(MismatchReason::Path(PathFault::NameConstraints))
                && case.has(Peculiarity::Wildcard)
            {
                return Some(
                    "RFC 5280 4.2.1.10: OpenSSL lets a wildcard stand for what is excluded",
                );
            }
            // The other authority of the name has another fault, which is told.
            if is_path && case.has(Peculiarity::Wildcard) && case.has(Peculiarity::Namesakes) {
                return Some(
                    "RFC 5280 4.2.1.10: OpenSSL lets a wildcard stand for what is excluded",
                );
            }
            if is_path && case.has(Peculiarity::OddName) {
                return Some("RFC 5280 4.2.1.6: webpki holds no such name to name constraints");
            }
            let is_hidden = has([2, 1, 0]) && case.has(Peculiarity::Namesakes);
            is_hidden
                .then_some("RFC 7671 5.2.3: topmost is who has no issuer, by name, in the chain")
        }
        _ => None,
    }
}

/// Tells whether OpenSSL finds a match at this depth without the records of these numbers.
fn matches_without(case: &Case, numbers: [u8; 3], depth: usize) -> bool {
    let (left_out, kept): (Vec<_>, Vec<_>) =
        case.records.iter().cloned().partition(|record| record.numbers() == numbers);
    let records = RecordSet::new(kept, &Limits::default()).unwrap();
    let outcome = openssl(case, &records).filter(|_| !left_out.is_empty());
    outcome.is_some_and(|outcome| outcome.error == 0 && usize::try_from(outcome.depth) == Ok(depth))
}

/// Verifies by OpenSSL; `None` if it takes none of the records.
fn openssl(case: &Case, records: &RecordSet) -> Option<Outcome> {
    // SMTP does not use these: RFC 7672 section 3.1.3.
    let is_smtp = |record: &&TlsaRecord| record.usage >= Usage::DANE_TA;
    let of_smtp: Vec<_> = records.records().filter(is_smtp).collect();
    let given: Vec<_> = of_smtp.iter().map(|record| (record.numbers(), &*record.data)).collect();
    let names: Vec<_> = case.names.iter().map(String::as_str).collect();
    let host = Host::new(&names, &given, NOW.into()).unwrap();
    let standings = records.records().zip(records.standings());
    let ours: Vec<_> = standings
        .filter(|(record, _)| is_smtp(record))
        .map(|(_, standing)| !matches!(standing, Standing::Unusable(_)))
        .collect();
    let theirs = host.loaded();
    assert!(theirs == ours, "seed {}: usable {ours:?}, OpenSSL {theirs:?}\n{case}", case.seed);
    if !ours.contains(&true) {
        return None;
    }
    let chain: Vec<_> = case.chain.iter().map(Vec::as_slice).collect();
    Some(host.verify(&chain).unwrap())
}
