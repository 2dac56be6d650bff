//! Other implementations that parse, or parse and verify, OCSP responses.

use std::hint::black_box;

use der_of_x509_ocsp::Decode as _;
use openssl::hash::MessageDigest;
use openssl::ocsp::{OcspCertId, OcspCertStatus, OcspFlag, OcspResponse};
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use x509_ocsp::BasicOcspResponse;

/// Whether x509-ocsp reads it, and what is in it.
pub(crate) fn parse(der: &[u8]) -> bool {
    let response = x509_ocsp::OcspResponse::from_der(der);
    let bytes = response.ok().and_then(|response| response.response_bytes);
    bytes.is_some_and(|bytes| {
        black_box(BasicOcspResponse::from_der(bytes.response.as_bytes())).is_ok()
    })
}

/// Reads a response with OpenSSL, verifies its signer and signature, and finds the certificate's
/// status.
pub(crate) fn verifier(
    response: &'static [u8],
    leaf: &[u8],
    issuer: &[u8],
    now: u64,
) -> Box<dyn Fn() -> bool> {
    let verifier = || -> Result<Box<dyn Fn() -> bool>, Box<dyn std::error::Error>> {
        let (leaf, issuer) = (X509::from_der(leaf)?, X509::from_der(issuer)?);
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(issuer.clone())?;
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_time(i64::try_from(now)?);
        store.set_param(&parameters)?;
        let store = store.build();
        let mut others = Stack::new()?;
        others.push(issuer.clone())?;
        let verify = move || -> Result<bool, openssl::error::ErrorStack> {
            let id = OcspCertId::from_cert(MessageDigest::sha1(), &leaf, &issuer)?;
            let basic = OcspResponse::from_der(black_box(response))?.basic()?;
            basic.verify(&others, &store, OcspFlag::empty())?;
            Ok(basic.find_status(&id).is_some_and(|found| found.status == OcspCertStatus::GOOD))
        };
        Ok(Box::new(move || verify().unwrap_or(false)))
    };
    verifier().unwrap_or_else(|_| Box::new(|| false))
}
