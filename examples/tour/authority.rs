//! A private authority: a root, an intermediate, and the certificates of the servers.

use std::net::SocketAddr;

use dane_tlsa::{Certificate as Parsed, MatchingType, Selector, TlsaRecord, Usage};
use der::asn1::ObjectIdentifier;
use der::{Encode as _, Tag, TagNumber};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, IsCa, Issuer,
    KeyPair, SerialNumber,
};

use crate::Done;
use crate::element::element;

/// The authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    intermediate: Certificate,
    responder: String,
}

/// A certificate with its chain and its key, in PEM.
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    /// Makes the root and the intermediate; certificates name this responder.
    pub(crate) fn new(responder: SocketAddr, key: KeyPair) -> Done<Self> {
        let root_key = KeyPair::generate()?;
        let root = Issuer::new(authority("Root of the tour"), root_key);
        let params = authority("Intermediate of the tour");
        let intermediate = params.signed_by(&key, &root)?;
        let responder = format!("http://{responder}/");
        Ok(Self { issuer: Issuer::new(params, key), intermediate, responder })
    }

    /// Issues a certificate for these hosts.
    pub(crate) fn issue(&self, hosts: &[&str], serial: u8) -> Done<Issued> {
        let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        params.serial_number = Some(SerialNumber::from_slice(&[serial]));
        params.custom_extensions.push(self.access()?);
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { chain: leaf.pem() + &self.intermediate.pem(), key: key.serialize_pem() })
    }

    /// The extension with the address of the responder: RFC 5280 section 4.2.2.1.
    fn access(&self) -> Done<CustomExtension> {
        let uri = Tag::ContextSpecific { constructed: false, number: TagNumber(6) };
        let location = element(uri, &[self.responder.as_bytes()])?;
        let description = element(Tag::Sequence, &[&OCSP.to_der()?, &location])?;
        let content = element(Tag::Sequence, &[&description])?;
        Ok(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content))
    }

    /// Returns the TLSA record of the intermediate's key: DANE-TA, SPKI, SHA-256.
    pub(crate) fn tlsa(&self) -> Done<TlsaRecord> {
        let certificate = Parsed::parse(self.intermediate.der())?;
        let (selector, matching_type) = (Selector::SPKI, MatchingType::SHA2_256);
        Ok(TlsaRecord::of_certificate(&certificate, Usage::DANE_TA, selector, matching_type)?)
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// `id-ad-ocsp`.
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
