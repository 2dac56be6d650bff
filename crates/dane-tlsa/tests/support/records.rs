//! Records of certificates.

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::{Certificate, Limits, MatchingType, RecordSet, Selector, TlsaRecord, Usage};

/// Makes the record of a certificate.
pub(crate) fn record(numbers: [u8; 3], certificate: &CertificateDer<'_>) -> TlsaRecord {
    let certificate = Certificate::parse(certificate).unwrap();
    let [usage, selector, matching_type] = numbers;
    let (usage, selector) = (Usage::new(usage), Selector::new(selector));
    let matching_type = MatchingType::new(matching_type);
    TlsaRecord::of_certificate(&certificate, usage, selector, matching_type).unwrap()
}

pub(crate) fn set(records: impl IntoIterator<Item = TlsaRecord>) -> RecordSet {
    RecordSet::new(records, &Limits::default()).unwrap()
}

pub(crate) fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}
