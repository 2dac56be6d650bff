//! A certificate is parsed to its last byte, and its responders can be asked.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocsp_staple::{Certificate, Issuer, IssuerHash, Request, Saved};

fuzz_target!(|input: &[u8]| {
    if let Ok(saved) = Saved::parse(input) {
        assert_eq!(saved.to_bytes(), input);
    }
    let certificate = match Certificate::parse(input) {
        Ok(certificate) => certificate,
        Err(error) => return assert!(error.at <= input.len(), "{error}"),
    };
    assert!(Certificate::parse(&[input, &[0]].concat()).is_err(), "trailing bytes are taken");
    assert!(Certificate::parse(&input[..input.len() - 1]).is_err(), "a prefix is taken");
    let (subject, issuer) = (certificate.subject().to_string(), certificate.issuer().to_string());
    assert!(!subject.chars().chain(issuer.chars()).any(char::is_control));
    for hash in [IssuerHash::Sha1, IssuerHash::Sha256] {
        let request = Request::new(&certificate, &Issuer::from(&certificate), hash);
        for responder in certificate.responders() {
            assert!(responder.bytes().all(|byte| byte.is_ascii_graphic()));
            let url = request.url(responder);
            assert!(url.is_none_or(|url| url.len() <= Request::MAX_URL));
        }
    }
});
