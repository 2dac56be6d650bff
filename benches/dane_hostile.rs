//! The certificates and records, within the limits, whose verification takes longest.

use std::iter;

use dane_tlsa::mail_types::dns::Name;
use dane_tlsa::{Certificate, Limits, MatchingType, RecordSet, Selector, TlsaRecord, Usage};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use crate::dane_cases::Case;

/// An authority with a key of the kind that takes longest to verify by.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
}

impl Authority {
    fn new(name: &str) -> Result<Self, Error> {
        let mut params = within_a_year(CertificateParams::default());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { key: KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?, params })
    }

    fn own(&self) -> Result<CertificateDer<'static>, Error> {
        Ok(self.params.self_signed(&self.key)?.der().clone())
    }

    fn issue(&self, params: &CertificateParams) -> Result<CertificateDer<'static>, Error> {
        let (key, issuer) = (KeyPair::generate()?, Issuer::from_params(&self.params, &self.key));
        Ok(params.signed_by(&key, &issuer)?.der().clone())
    }

    fn server(&self) -> Result<CertificateDer<'static>, Error> {
        self.issue(&within_a_year(CertificateParams::new(vec![HOST.to_owned()])?))
    }
}

fn within_a_year(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2026, 6, 1);
    params.not_after = date_time_ymd(2027, 6, 1);
    params
}

/// A hundred anchors with the name of the issuer, none of them with its key.
pub(crate) fn anchors() -> Option<Case> {
    let server = Authority::new("An authority").ok()?.server().ok()?;
    let anchors = (0..RECORDS).map(|_| Authority::new("An authority").ok()?.own().ok());
    case(anchors, Selector::CERT, vec![server])
}

/// Five authorities that may have issued each other, with a hundred keys for each of four others: no path, and
/// 130,000 comparisons of names that differ at their end.
pub(crate) fn paths() -> Option<Case> {
    let (name, other) = (format!("{}a", "x".repeat(3000)), format!("{}b", "x".repeat(3000)));
    let own = Authority::new(&name).ok()?;
    let five = (0..5).map(|_| Authority::new(&name).ok()?.own().ok());
    let other = Authority::new(&other).ok()?;
    let four = (0..4).map(|at| other.issue(&Authority::new(&format!("{at}")).ok()?.params).ok());
    let chain: Option<Vec<_>> = iter::once(own.server().ok()).chain(five).chain(four).collect();
    let keys = (0..RECORDS).map(|_| Authority::new("A key").ok()?.own().ok());
    case(keys, Selector::SPKI, chain?)
}

fn case(
    anchors: impl Iterator<Item = Option<CertificateDer<'static>>>,
    selector: Selector,
    chain: Vec<CertificateDer<'static>>,
) -> Option<Case> {
    let record = |der: Option<CertificateDer<'static>>| {
        let der = der?;
        let certificate = Certificate::parse(&der).ok()?;
        let (usage, whole) = (Usage::DANE_TA, MatchingType::FULL);
        TlsaRecord::of_certificate(&certificate, usage, selector, whole).ok()
    };
    let records: Option<Vec<_>> = anchors.map(record).collect();
    let records = RecordSet::new(records?, &Limits::default()).ok()?;
    let names: Vec<Name> = vec![HOST.parse().ok()?];
    Some(Case { records, chain, names })
}

const HOST: &str = "mx.example.com";
const RECORDS: usize = 100;
