//! A server's certificate, key and authority, for handshakes in memory.

use std::fs;
use std::sync::Arc;

use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::scratch::Scratch;

/// An authority, and a server's key with its certificate.
pub(super) struct TlsServer {
    scratch: Scratch,
    authority: (KeyPair, CertificateParams),
    key: KeyPair,
    chain: Vec<CertificateDer<'static>>,
}

impl TlsServer {
    pub(super) fn of(name: &str) -> Self {
        let scratch = Scratch::new();
        let (root, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let anchor = params.self_signed(&root).unwrap();
        fs::write(scratch.path().join("ca.pem"), anchor.pem()).unwrap();
        let issuer = Issuer::from_params(&params, &root);
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.serial_number = Some(SerialNumber::from(7));
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let chain = vec![leaf.der().clone(), anchor.der().clone()];
        Self { scratch, authority: (root, params), key, chain }
    }

    pub(super) fn path(&self, file: &str) -> std::path::PathBuf {
        self.scratch.path().join(file)
    }

    /// Writes a list that revokes the server's certificate, or another one.
    pub(super) fn revoke(&self, serial: u64) {
        let (key, params) = &self.authority;
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2036, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&Issuer::from_params(params, key)).unwrap();
        fs::write(self.path("crl.pem"), list.pem().unwrap()).unwrap();
    }

    /// The record of its key, or of another.
    pub(super) fn record(&self, matches: bool) -> TlsaRecord {
        let certificate = Certificate::parse(&self.chain[0]).unwrap();
        let (usage, selector) = (Usage::DANE_EE, Selector::new(1));
        let kind = MatchingType::new(1);
        let record = TlsaRecord::of_certificate(&certificate, usage, selector, kind).unwrap();
        if matches {
            return record;
        }
        let other = record.to_string().replace(['0', '1', '2'], "9");
        format!("3 1 1 {}", other.split(' ').next_back().unwrap()).parse().unwrap()
    }

    pub(super) fn config(&self) -> ServerConfig {
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap()
    }
}
