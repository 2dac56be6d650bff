//! A server's certificates and the records of its host, as the library's own tests have them.

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::rustls_pki_types::pem::PemObject as _;
use dane_tlsa::{Limits, RecordSet, TlsaRecord};
use serde_json::Value;

/// When they are verified: 2026-12-01.
pub(crate) const NOW: u32 = 1_796_083_200;

/// A case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) records: RecordSet,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) names: Vec<Name>,
}

impl Case {
    /// Reads a row of the library's tests.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let file = include_str!("../crates/dane-tlsa/tests/data/verify-extra.json");
        let file: Value = serde_json::from_str(file).ok()?;
        let row =
            file.get("cases")?.as_array()?.iter().find(|row| row.get("id") == Some(&id.into()));
        let row = row?;
        let list = |name: &str| row.get(name).and_then(Value::as_array);
        let record = |record: &Value| -> Option<TlsaRecord> {
            let number = |name: &str| record.get(name).and_then(Value::as_u64);
            let numbers = (number("usage")?, number("selector")?, number("mtype")?);
            let data = record.get("data_hex")?.as_str()?;
            format!("{} {} {} {data}", numbers.0, numbers.1, numbers.2).parse().ok()
        };
        let certificate = |name: &Value| {
            let pem = file.get("certs")?.get(name.as_str()?)?.as_str()?;
            CertificateDer::from_pem_slice(pem.as_bytes()).ok()
        };
        let records: Option<Vec<_>> = list("tlsa")?.iter().map(record).collect();
        Some(Self {
            records: RecordSet::new(records?, &Limits::default()).ok()?,
            chain: list("chain")?.iter().map(certificate).collect::<Option<_>>()?,
            names: list("reference_names")?
                .iter()
                .map(|name| name.as_str()?.parse().ok())
                .collect::<Option<_>>()?,
        })
    }
}
