//! Certificates and responses that are files or base64.

use std::borrow::Cow;
use std::error::Error;
use std::path::Path;

use examples::cases::certificates::{certificates, certificates_in, given, read_given};
use examples::cases::shown::read_in;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// Reads the certificate authorities of a file.
pub(crate) fn authorities(path: &Path) -> Result<RootCertStore, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for der in certificates(path)? {
        read_in(path, roots.add(CertificateDer::from(der)))?;
    }
    Ok(roots)
}

/// Returns the DER of a response that is a file or base64.
pub(crate) fn response(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = given(text)?;
    let decoded = ocsp_staple::decode_response(&bytes).map(Cow::into_owned);
    read_given(text, decoded.ok_or("no PEM block \"OCSP RESPONSE\""))
}

/// Returns the DER of a certificate that is a file or base64; of several, of the first.
pub(crate) fn certificate(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let first = read_given(text, certificates_in(&given(text)?))?.into_iter().next();
    Ok(first.unwrap_or_default())
}
