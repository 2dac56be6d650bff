//! Parties with keys and certificates.

use dane_tlsa::rustls_pki_types::CertificateDer;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// A key, and a certificate for it.
pub(crate) struct Party {
    pub(crate) key: KeyPair,
    params: CertificateParams,
    pub(crate) der: CertificateDer<'static>,
}

impl Party {
    /// Makes an authority that has issued its own certificate.
    pub(crate) fn root(name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Self {
        let (key, params) = (KeyPair::generate().unwrap(), authority(name, adjust));
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { key, params, der }
    }

    /// Issues the certificate of another authority.
    pub(crate) fn authority(
        &self,
        name: &str,
        adjust: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        self.issue(authority(name, adjust))
    }

    /// Issues the certificate of a server, with these names.
    pub(crate) fn server(
        &self,
        names: &[&str],
        adjust: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        self.issue(server(names, adjust))
    }

    fn issue(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let der = params.signed_by(&key, &issuer).unwrap().der().clone();
        Self { key, params, der }
    }
}

fn authority(name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = within_a_year(CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    adjust(&mut params);
    params
}

fn server(names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = within_a_year(CertificateParams::new(names).unwrap());
    params.distinguished_name.push(DnType::CommonName, "a server");
    adjust(&mut params);
    params
}

fn within_a_year(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2026, 6, 1);
    params.not_after = date_time_ymd(2027, 6, 1);
    params
}
