//! Cases: certificates, what a server sends of them, and records.

use std::fmt;

use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, date_time_ymd,
};

use crate::random::Random;

/// A case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    /// The names of the server, the TLSA base domain first.
    pub(crate) names: Vec<String>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) records: Vec<TlsaRecord>,
    /// The known differences that OpenSSL may show.
    peculiarities: Vec<Peculiarity>,
    /// A description of the certificates.
    notes: Vec<String>,
}

/// Something that OpenSSL treats in a way of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Peculiarity {
    /// Authorities of one name have different keys.
    Namesakes,
    /// The server has a wildcard among its names.
    Wildcard,
    /// The server has a name that no host can have, or a wildcard with one label behind it.
    OddName,
    /// The server has such a wildcard.
    ShortWildcard,
}

/// A certificate with its key, and what is special about it.
struct Party {
    key: KeyPair,
    params: CertificateParams,
    der: Vec<u8>,
}

impl Case {
    pub(crate) fn generate(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut notes = Vec::new();
        let mut authorities: Vec<Party> = Vec::new();
        for level in 0..*random.one_of(&[0, 1, 1, 2, 2, 2, 3, 3]) {
            let params = authority(&mut random, level, &mut notes);
            authorities.push(issue(params, authorities.last()));
        }
        let params = server(&mut random, &mut notes);
        let leaf = issue(params, authorities.last());
        let level = if random.happens(10) { 0 } else { 9 };
        let other = issue(authority(&mut random, level, &mut Vec::new()), None);
        let mut chain = vec![leaf.der.clone()];
        // The nearest authority first; the root is often left out.
        for (level, authority) in authorities.iter().enumerate().rev() {
            if !random.happens(if level == 0 { 30 } else { 8 }) {
                chain.push(authority.der.clone());
            }
        }
        if random.happens(15) {
            let at = 1 + random.below(chain.len());
            chain.insert(at, other.der.clone());
            notes.push(format!("another authority at {at}"));
        }
        if chain.len() > 2 && random.happens(15) {
            let at = 1 + random.below(chain.len() - 1);
            chain.swap(1, at);
            notes.push(format!("1 and {at} swapped"));
        }
        let mut parties: Vec<_> = authorities.iter().chain(&authorities).collect();
        parties.extend([&leaf, &other]);
        let mut subjects: Vec<_> = authorities.iter().map(Party::name).collect();
        subjects.push(other.name());
        subjects.sort_unstable();
        let dns_names: Vec<_> = leaf.params.subject_alt_names.iter().filter_map(dns_name).collect();
        let common_name = leaf.name();
        let all = dns_names.iter().copied().chain([common_name.as_str()]);
        let is_odd = |name: &str| {
            let rest = name.strip_prefix("*.").unwrap_or(name);
            rest.contains('*') || rest.ends_with('.') || rest == "com"
        };
        let found = [
            (Peculiarity::Namesakes, subjects.windows(2).any(|pair| pair.first() == pair.last())),
            (Peculiarity::Wildcard, all.clone().any(|name| name.starts_with('*'))),
            (Peculiarity::OddName, all.clone().any(is_odd)),
            (Peculiarity::ShortWildcard, all.clone().any(|name| name == "*.com")),
        ];
        let found = found.into_iter().filter(|(_, is_there)| *is_there);
        let peculiarities = found.map(|(peculiarity, _)| peculiarity).collect();
        let records = (0..=random.below(4)).map(|_| record(&mut random, &parties)).collect();
        let all = ["mx.example.com", "example.com", "mail.example.org"];
        let names = all.iter().take(1 + random.below(3)).map(|name| (*name).to_owned()).collect();
        Self { seed, names, chain, records, peculiarities, notes }
    }

    pub(crate) fn has(&self, peculiarity: Peculiarity) -> bool {
        self.peculiarities.contains(&peculiarity)
    }
}

fn dns_name(name: &SanType) -> Option<&str> {
    match name {
        SanType::DnsName(name) => Some(name.as_str()),
        _ => None,
    }
}

impl Party {
    /// Returns its common name.
    fn name(&self) -> String {
        match self.params.distinguished_name.get(&DnType::CommonName) {
            Some(DnValue::Utf8String(name)) => name.clone(),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  names {:?}, {} certificates sent", self.names, self.chain.len())?;
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        for record in &self.records {
            let text = record.to_string();
            writeln!(f, "  {}", text.get(..24).unwrap_or(&text))?;
        }
        Ok(())
    }
}

fn issue(params: CertificateParams, issuer: Option<&Party>) -> Party {
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, &Issuer::from_params(&issuer.params, &issuer.key)),
        None => params.self_signed(&key),
    };
    let der = certificate.unwrap().der().to_vec();
    Party { key, params, der }
}

/// The parameters of authorities and servers alike.
fn params(random: &mut Random) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2026, 6, 1);
    params.not_after = date_time_ymd(if random.happens(6) { 2026 } else { 2030 }, 7, 1);
    params.use_authority_key_identifier_extension = random.happens(50);
    if random.happens(2) {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    }
    params
}

fn authority(random: &mut Random, level: usize, notes: &mut Vec<String>) -> CertificateParams {
    let mut params = params(random);
    let name = format!("Authority {}", if random.happens(5) { 0 } else { level });
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = match random.below(20) {
        0 => IsCa::ExplicitNoCa,
        1 => IsCa::NoCa,
        2..=4 => IsCa::Ca(BasicConstraints::Constrained(u8::try_from(random.below(3)).unwrap())),
        _ => IsCa::Ca(BasicConstraints::Unconstrained),
    };
    params.key_usages = match random.below(20) {
        0 => vec![KeyUsagePurpose::DigitalSignature],
        1..=8 => vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
        _ => Vec::new(),
    };
    params.extended_key_usages = match random.below(20) {
        0 => vec![ExtendedKeyUsagePurpose::ClientAuth],
        1..=4 => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        _ => Vec::new(),
    };
    if random.happens(12) {
        let subtrees = |random: &mut Random| {
            let names = ["example.com", "example.org", "mx.example.com", "com", "example.net"];
            let count = random.below(3);
            let names = (0..count).map(|_| (*random.one_of(&names)).to_owned());
            names.map(GeneralSubtree::DnsName).collect::<Vec<_>>()
        };
        let (permitted_subtrees, excluded_subtrees) = (subtrees(random), subtrees(random));
        if !permitted_subtrees.is_empty() || !excluded_subtrees.is_empty() {
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees, excluded_subtrees });
        }
    }
    notes.push(format!("authority: {}", described(&params)));
    params
}

fn server(random: &mut Random, notes: &mut Vec<String>) -> CertificateParams {
    let names = [
        "mx.example.com",
        "MX.example.com",
        "*.example.com",
        "example.com",
        "mail.example.org",
        "*.example.org",
        "example.net",
        "m*.example.com",
        "*x.example.com",
        "mx.*.com",
        "*.*.com",
        "*.com",
        "a.mx.example.com",
        "mx.example.com.",
    ];
    let mut params = params(random);
    if random.happens(3) {
        params.not_before = date_time_ymd(2027, 1, 1);
    }
    let one = |random: &mut Random| {
        let most = if random.happens(60) { 6 } else { names.len() };
        (*random.one_of(names.get(..most).unwrap())).to_owned()
    };
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, one(random));
    for _ in 0..random.below(4) {
        let name = one(random).try_into().unwrap();
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    if random.happens(10) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params.key_usages = match random.below(20) {
        0 => vec![KeyUsagePurpose::KeyCertSign],
        1..=6 => vec![KeyUsagePurpose::DigitalSignature],
        _ => Vec::new(),
    };
    params.extended_key_usages = match random.below(20) {
        0 => vec![ExtendedKeyUsagePurpose::ClientAuth],
        1..=8 => vec![ExtendedKeyUsagePurpose::ServerAuth],
        _ => Vec::new(),
    };
    notes.push(format!("server: {}", described(&params)));
    params
}

fn described(params: &CertificateParams) -> String {
    format!(
        "{:?} {:?} until {} {:?} {:?} {:?} {:?} critical {}",
        params.distinguished_name.iter().map(|(_, value)| value).collect::<Vec<_>>(),
        params.subject_alt_names,
        params.not_after.year(),
        params.is_ca,
        params.key_usages,
        params.extended_key_usages,
        params.name_constraints,
        params.custom_extensions.len(),
    )
}

fn record(random: &mut Random, parties: &[&Party]) -> TlsaRecord {
    let at = random.below(parties.len());
    let party = parties.get(at).unwrap();
    // Mostly the usage that fits: the last but one is the server.
    let fits = if at + 2 == parties.len() { 3 } else { 2 };
    let usage = match random.below(40) {
        0 => 0,
        1 => 1,
        2 => 4,
        3..=6 => 5 - fits,
        _ => fits,
    };
    let selector = Selector::new(u8::try_from(random.below(2)).unwrap());
    let matching_type = MatchingType::new(u8::try_from(random.below(3)).unwrap());
    let certificate = Certificate::parse(&party.der).unwrap();
    let usage = Usage::new(usage);
    let made = TlsaRecord::of_certificate(&certificate, usage, selector, matching_type);
    let mut record = made.unwrap();
    match random.below(40) {
        0 => record.selector = Selector::new(2),
        1 => record.matching_type = MatchingType::new(3),
        2 => record.data = record.data.iter().copied().skip(1).collect(),
        3 => record.data = record.data.iter().copied().chain([0]).collect(),
        4..=8 if matching_type != MatchingType::FULL => {
            if let Some(octet) = record.data.first_mut() {
                *octet ^= 1;
            }
        }
        _ => {}
    }
    record
}
