//! Certificates of mail servers for the rows of the DANE table.

use std::process::Command;

use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P384_SHA384,
    date_time_ymd,
};

use super::servers::{output_of, text};

/// A key with its certificate.
pub(crate) struct Party {
    key: KeyPair,
    params: CertificateParams,
    der: CertificateDer<'static>,
}

/// All of them, by name.
pub(crate) struct Certificates(Vec<(&'static str, Party)>);

/// The names that servers of the tests have.
const NAMES: [&str; 9] = [
    "*.secure.test",
    "implicit.secure.test",
    "*.nsec.test",
    "*.insecure.test",
    "*.ed.test",
    "*.optout.test",
    "*.unsupported.test",
    "*.tampered.test",
    "localhost",
];

impl Certificates {
    pub(crate) fn make() -> Self {
        let root = Party::root("Root of the tests");
        let below = root.authority(KeyPair::generate().unwrap(), "Intermediate of the tests");
        let rsa_below = root.authority(rsa(), "Intermediate with RSA");
        let other = Party::root("Another root");
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let ed25519 = by_openssl(&["-algorithm", "ED25519"]);
        let ecdsa = || KeyPair::generate().unwrap();
        let year = |from, to| {
            move |params: &mut CertificateParams| {
                params.not_before = date_time_ymd(from, 1, 1);
                params.not_after = date_time_ymd(to, 1, 1);
            }
        };
        let same = |_: &mut CertificateParams| {};
        let parties = vec![
            ("ecdsa", below.server(ecdsa(), &NAMES, same)),
            ("ecdsa2", below.server(ecdsa(), &NAMES, same)),
            ("rsa", rsa_below.server(rsa(), &NAMES, same)),
            ("p384", below.server(p384, &NAMES, same)),
            ("ed25519", below.server(ed25519, &NAMES, same)),
            ("wrongname", below.server(ecdsa(), &["elsewhere.invalid"], same)),
            ("expired", below.server(ecdsa(), &NAMES, year(2020, 2021))),
            ("notyet", below.server(ecdsa(), &NAMES, year(2040, 2041))),
            ("other", other.server(ecdsa(), &NAMES, same)),
            ("self", Party::alone(&NAMES)),
            ("below", below),
            ("rsa-below", rsa_below),
            ("root", root),
            ("other-root", other),
        ];
        Self(parties)
    }

    fn party(&self, name: &str) -> &Party {
        &self.0.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// The record of a certificate, in presentation form.
    pub(crate) fn record(&self, numbers: [u8; 3], name: &str) -> String {
        let certificate = Certificate::parse(&self.party(name).der).unwrap();
        let [usage, selector, matching_type] = numbers;
        let (usage, selector) = (Usage::new(usage), Selector::new(selector));
        let matching_type = MatchingType::new(matching_type);
        let record = TlsaRecord::of_certificate(&certificate, usage, selector, matching_type);
        record.unwrap().to_string()
    }

    /// The chain that a server with this certificate sends, in PEM: `leaf`, `chain` or `full`.
    pub(crate) fn chain(&self, name: &str, sends: &str) -> String {
        let issuers: &[&str] = match (name, sends) {
            (_, "leaf") | ("self", _) => &[],
            ("other", _) => &["other-root"],
            ("rsa", "chain") => &["rsa-below"],
            ("rsa", _) => &["rsa-below", "root"],
            (_, "chain") => &["below"],
            _ => &["below", "root"],
        };
        let parties = [name].into_iter().chain(issuers.iter().copied());
        parties.map(|name| pem(&self.party(name).der)).collect()
    }

    pub(crate) fn key(&self, name: &str) -> String {
        self.party(name).key.serialize_pem()
    }
}

impl Party {
    fn root(name: &str) -> Self {
        let (key, params) = (KeyPair::generate().unwrap(), authority(name));
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { key, params, der }
    }

    /// A server that has issued its own certificate.
    fn alone(names: &[&str]) -> Self {
        let (key, params) = (KeyPair::generate().unwrap(), server(names));
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { key, params, der }
    }

    fn authority(&self, key: KeyPair, name: &str) -> Self {
        self.issue(key, authority(name))
    }

    fn server(
        &self,
        key: KeyPair,
        names: &[&str],
        adjust: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = server(names);
        adjust(&mut params);
        self.issue(key, params)
    }

    fn issue(&self, key: KeyPair, params: CertificateParams) -> Self {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let der = params.signed_by(&key, &issuer).unwrap().der().clone();
        Self { key, params, der }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = within_years(CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn server(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = within_years(CertificateParams::new(names).unwrap());
    params.distinguished_name.push(DnType::CommonName, "a mail server");
    params
}

fn within_years(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn rsa() -> KeyPair {
    by_openssl(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
}

/// rcgen makes no RSA key, and one of Ed25519 in a form that OpenSSL does not read.
fn by_openssl(kind: &[&str]) -> KeyPair {
    let mut command = Command::new("openssl");
    command.arg("genpkey").args(kind);
    KeyPair::from_pem(&text(&output_of(&mut command, b"").stdout)).unwrap()
}

fn pem(der: &CertificateDer<'_>) -> String {
    let body = data_encoding::BASE64.encode(der);
    let lines = body.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap());
    let body = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}
