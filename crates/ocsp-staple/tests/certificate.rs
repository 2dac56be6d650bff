//! Certificates and errors as they are read, and as they are written for people.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "support/times.rs"]
mod times;
#[path = "support/vector_time.rs"]
mod vector_time;

use ocsp_staple::{Certificate, DerError, DerFault, Event, FetchError, Limits, Response};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use vector_time::now;

/// A certificate with this name, from the first day of a year on.
fn issue(name: &str, year: i32) -> Vec<u8> {
    let mut params = CertificateParams::new(["mx.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(year, 1, 1);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

/// RFC 5280 section 4.1.2.5. No time before 1970 can be told, so that it is the first of that year.
#[test]
fn a_certificate_may_have_begun_before_1970() {
    // With a year of four digits, and of two, which is one from 1950 on.
    let (long, short) = (issue("mx.example", 1900), issue("mx.example", 1969));
    for (text, expected) in [
        ("19000101000000Z", Some(0)),
        ("19691231235959Z", Some(0)),
        ("19000228000000Z", Some(0)),
        ("00000101000000Z", Some(0)),
        ("19700101000000Z", Some(0)),
        ("19700101000001Z", Some(1)),
        ("19690229000000Z", None),
        ("19000229000000Z", None),
        ("19691301000000Z", None),
        ("19690101240000Z", None),
        ("19690101000060Z", None),
        ("1969010100000xZ", None),
        ("690101000000Z", Some(0)),
        ("500101000000Z", Some(0)),
        ("691231235959Z", Some(0)),
        ("700101000001Z", Some(1)),
        ("490101000000Z", Some(2_493_072_000)),
        ("690229000000Z", None),
        ("691301000000Z", None),
        ("69010100000xZ", None),
    ] {
        let (der, there) = match text.len() {
            15 => (&long, "19000101000000Z"),
            _ => (&short, "690101000000Z"),
        };
        let mut windows = der.windows(there.len());
        let at = windows.position(|octets| octets == there.as_bytes()).unwrap();
        let mut der = der.clone();
        der.get_mut(at..at + text.len()).unwrap().copy_from_slice(text.as_bytes());
        let begins = Certificate::parse(&der).map(|read| read.not_before().as_secs());
        let invalid = DerError { at: at - 2, field: "notBefore", fault: DerFault::Value };
        assert_eq!(begins, expected.ok_or(invalid), "{text}");
    }
}

/// RFC 4514 section 2.4.
#[test]
fn no_value_of_a_name_looks_like_two() {
    for (name, expected) in [
        ("mx.example", "CN=mx.example"),
        ("x, O=Good CA", "CN=x\\, O=Good CA"),
        ("x+O=y;<z>\"\\", "CN=x\\+O=y\\;\\<z\\>\\\"\\\\"),
        ("#x # ", "CN=\\#x #\\ "),
        (" ", "CN=\\ "),
        ("x'\r\n\u{1b}\u{202e}\u{3164}", "CN=x'\\r\\n\\u{1b}\\u{202e}\\u{3164}"),
    ] {
        let der = issue(name, 2026);
        assert_eq!(Certificate::parse(&der).unwrap().subject().to_string(), expected);
    }
    let long = issue(LONG, 2026);
    assert_eq!(Certificate::parse(&long).unwrap().subject().to_string().len(), 512);
}

const LONG: &str = match std::str::from_utf8(&[b'x'; 2000]) {
    Ok(text) => text,
    Err(_) => "",
};

/// The address may come from a certificate, and the cause from a server.
#[test]
fn an_event_is_one_line() {
    let error = FetchError::Connect { why: "x\r\ny\u{2028}\\".to_owned() };
    let responder = ["http://x/\n", LONG].concat().into();
    let event = Event::Failed { responder, error, failures: 1, next: now() };
    let expected = [
        "no OCSP response from http://x/\\n",
        LONG.get(..502).unwrap(),
        "...: cannot connect to the responder: x\\r\\ny\\u{2028}\\\\ (failure 1, next at 2026-06-15T12:00:00Z)",
    ];
    assert_eq!(event.to_string(), expected.concat());
}

/// The place of a fault is where it begins.
#[test]
fn an_error_tells_the_element_that_is_wrong() {
    for (der, expected) in [
        (&b"\x30\x03\x0a\x01\x04"[..], "responseStatus: invalid value at byte 2"),
        (b"\x30\x03\x0a\x01\xff", "responseStatus: invalid value at byte 2"),
        (b"\x30\x04\x0a\x02\x00\x01", "responseStatus: invalid value at byte 2"),
        (b"\x30\x03\x0a\x01\x00", "responseBytes: the input ends too early at byte 5"),
        (b"\x31\x03\x0a\x01\x03", "OCSPResponse: unexpected tag at byte 0"),
        (
            b"\x30\x0c\x0a\x01\x00\xa0\x07\x30\x05\x06\x03\x2b\x06\x01",
            "responseType: unsupported value at byte 9",
        ),
    ] {
        let error = Response::parse(der, &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{}", der.escape_ascii());
    }
}
