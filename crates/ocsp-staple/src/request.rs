//! An OCSP request, and how it is sent: RFC 6960 section 4.1 and appendix A, RFC 5019 sections 2.1
//! and 5, RFC 8954.

use data_encoding::BASE64;
use der::asn1::ObjectIdentifier;
use der::{Encode as _, Header, Length, Tag};

use crate::cert_id::{Hash, IssuerHash};
use crate::certificate::Certificate;
use crate::check::NONCE;
use crate::fields;
use crate::issuer::Issuer;

/// A request for the status of one certificate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Request {
    der: Vec<u8>,
}

impl Request {
    /// The media type of a request that is sent with POST.
    pub const MEDIA_TYPE: &'static str = "application/ocsp-request";

    /// The longest URL that a request is sent with GET by, in octets ([RFC 5019 section 5]).
    ///
    /// [RFC 5019 section 5]: https://www.rfc-editor.org/rfc/rfc5019#section-5
    pub const MAX_URL: usize = 255;

    /// Writes a request, unsigned and without extensions, so that caches on the way can answer it.
    #[must_use]
    pub fn new(certificate: &Certificate<'_>, issuer: &Issuer<'_>, hash: IssuerHash) -> Self {
        Self::written(certificate, issuer, hash, &[])
    }

    /// Writes a request with a nonce, which has to be random; a responder that signs in advance
    /// leaves it out of its response.
    #[must_use]
    pub fn with_nonce(
        certificate: &Certificate<'_>,
        issuer: &Issuer<'_>,
        hash: IssuerHash,
        nonce: &[u8; 32],
    ) -> Self {
        let value = element(Tag::OctetString, &[&element(Tag::OctetString, &[nonce])]);
        let extension = element(Tag::Sequence, &[&oid(NONCE), &value]);
        let extensions = element(Tag::Sequence, &[&extension]);
        let extensions = element(fields::context(2, true), &[&extensions]);
        Self::written(certificate, issuer, hash, &extensions)
    }

    fn written(
        certificate: &Certificate<'_>,
        issuer: &Issuer<'_>,
        hash: IssuerHash,
        extensions: &[u8],
    ) -> Self {
        let hash = Hash::from(hash);
        let (name, key) = hash.of(issuer, |name, key| {
            (element(Tag::OctetString, &[name]), element(Tag::OctetString, &[key]))
        });
        let null = element(Tag::Null, &[]); // Responders know it; RFC 5754 lets it be absent.
        let algorithm = element(Tag::Sequence, &[&oid(hash.oid()), &null]);
        let serial = element(Tag::Integer, &[certificate.serial]);
        let cert_id = element(Tag::Sequence, &[&algorithm, &name, &key, &serial]);
        let request = element(Tag::Sequence, &[&cert_id]);
        let list = element(Tag::Sequence, &[&request]);
        let tbs = element(Tag::Sequence, &[&list, extensions]);
        Self { der: element(Tag::Sequence, &[&tbs]) }
    }

    /// Returns its DER, the body of a POST.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the URL for a GET at a responder, or `None` if it is too long, or the responder's
    /// address has a query or a fragment: then the request is sent with POST.
    ///
    /// ```
    /// use ocsp_staple::{Certificate, Issuer, IssuerHash, Request};
    ///
    /// # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
    /// # let issuer = include_bytes!("../tests/data/certificates/ca.der");
    /// let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
    /// let issuer = Issuer::from(&issuer);
    /// let request = Request::new(&leaf, &issuer, IssuerHash::Sha1);
    /// let url = request.url("http://ocsp.example").ok_or("too long for GET")?;
    /// assert!(url.starts_with("http://ocsp.example/ME") && url.len() <= Request::MAX_URL);
    /// // With a nonce no cache can answer, and the request is longer.
    /// let with_nonce = Request::with_nonce(&leaf, &issuer, IssuerHash::Sha1, &[7; 32]);
    /// assert!(with_nonce.as_der().len() > request.as_der().len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn url(&self, responder: &str) -> Option<String> {
        if responder.contains(['?', '#']) {
            return None;
        }
        let mut url = responder.to_owned();
        if !url.ends_with('/') {
            url.push('/');
        }
        for character in BASE64.encode(&self.der).chars() {
            match character {
                '+' => url.push_str("%2B"),
                '/' => url.push_str("%2F"),
                '=' => url.push_str("%3D"),
                _ => url.push(character),
            }
        }
        Some(url).filter(|url| url.len() <= Self::MAX_URL)
    }
}

fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    element(Tag::ObjectIdentifier, &[oid.as_bytes()])
}

/// Writes an element with these parts one behind the other.
fn element(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let header = Header::new(tag, Length::try_from(length).unwrap_or_default());
    let mut written = [0; 8];
    let header = header.encode_to_slice(&mut written).unwrap_or_default();
    [&[header], parts].concat().concat()
}
