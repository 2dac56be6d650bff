//! OpenSSL, verifying the same.

use std::hint::black_box;

use openssl_dane::Host;

use crate::dane_cases::{Case, NOW};

/// Reads the certificates and verifies them; the records have been read before, as ours have.
pub(crate) fn verifier(case: &Case) -> Box<dyn Fn() -> bool> {
    let names: Vec<_> = case.names.iter().map(ToString::to_string).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let records: Vec<_> =
        case.records.records().map(|record| (record.numbers(), &*record.data)).collect();
    let Ok(host) = Host::new(&names, &records, NOW.into()) else { return Box::new(|| false) };
    let chain: Vec<_> = case.chain.iter().map(|der| der.to_vec()).collect();
    Box::new(move || {
        let chain: Vec<_> = chain.iter().map(Vec::as_slice).collect();
        host.verify(black_box(&chain)).is_some_and(|outcome| outcome.error == 0)
    })
}
