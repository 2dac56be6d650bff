//! Requests beside those of OpenSSL, and how they are sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/data.rs"]
mod data;

use data::file;
use ocsp_staple::{Certificate, Issuer, IssuerHash, Request};

fn request(leaf: &str, issuer: &str, hash: IssuerHash) -> Request {
    let (leaf, issuer) = (file(leaf), file(issuer));
    let (leaf, issuer) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&issuer).unwrap());
    Request::new(&leaf, &Issuer::from(&issuer), hash)
}

#[test]
fn requests_are_those_of_openssl() {
    for (leaf, issuer, hash, expected) in [
        ("leaf", "ca", IssuerHash::Sha1, "leaf"),
        ("leaf", "ca", IssuerHash::Sha256, "leaf256"),
        ("leafhi", "ca", IssuerHash::Sha1, "hi"), // its serial number begins with a zero octet
        ("leafms", "ca", IssuerHash::Sha1, "ms"),
        ("leafp256", "cap256", IssuerHash::Sha1, "leafp256"),
        ("leafother", "otherca", IssuerHash::Sha1, "other"),
    ] {
        let file = |kind: &str, name: &str| format!("{kind}/{name}.der");
        let (leaf, issuer) = (file("certificates", leaf), file("certificates", issuer));
        let expected = data::file(&file("requests", expected));
        assert_eq!(request(&leaf, &issuer, hash).as_der(), expected, "{leaf}");
    }
}

#[test]
fn a_nonce_is_as_rfc_8954_has_it() {
    let (leaf, issuer) = (file("certificates/leaf.der"), file("certificates/ca.der"));
    let (leaf, issuer) = (Certificate::parse(&leaf).unwrap(), Certificate::parse(&issuer).unwrap());
    let nonce = [7; 32];
    let request = Request::with_nonce(&leaf, &Issuer::from(&issuer), IssuerHash::Sha1, &nonce);
    // [2] SEQUENCE { SEQUENCE { id-pkix-ocsp-nonce, OCTET STRING { OCTET STRING } } }
    let extension = [
        &b"\xa2\x33\x30\x31\x30\x2f\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x22\x04\x20"[..],
        &nonce,
    ];
    assert!(request.as_der().ends_with(&extension.concat()));
}

#[test]
fn a_short_request_goes_into_the_url() {
    let request = request("certificates/leaf.der", "certificates/ca.der", IssuerHash::Sha1);
    let url = request.url("http://ocsp.example/ca1").unwrap();
    let encoded = url.strip_prefix("http://ocsp.example/ca1/").unwrap();
    assert!(!encoded.contains(['+', '/', '=']), "{url}");
    let base64 = encoded.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let decoded = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
    assert_eq!(decoded, request.as_der());
    assert_eq!(request.url("http://ocsp.example/ca1/").unwrap(), url);
    // 255 octets are the most.
    let least = request.url("http://a/").unwrap().len() - "http://a/".len();
    let responder = |length: usize| format!("http://{}/", "a".repeat(length - least - 8));
    assert_eq!(request.url(&responder(255)).unwrap().len(), 255);
    assert_eq!(request.url(&responder(256)), None);
    assert_eq!(request.url("http://ocsp.example/?ca=1"), None);
    assert_eq!(request.url("http://ocsp.example/#1"), None);
}
