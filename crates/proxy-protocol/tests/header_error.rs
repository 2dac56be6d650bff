//! Positions and limits in errors of headers.

use proxy_protocol::{Header, HeaderError, Options};

/// Of IPv4, up to the length.
const START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11";

/// The high byte of the length alone is no reason to refuse a block that may be just as long as the limit.
#[test]
fn a_block_may_be_as_long_as_its_limit() {
    let mut options = Options::default();
    options.limits.header = 16 + 256;
    let block = |length: u16| [START, &length.to_be_bytes()].concat();
    for input in [&block(256)[..15], &block(256)] {
        let error = Header::parse_v2(input, &options).unwrap_err();
        assert!(matches!(error, HeaderError::Incomplete { .. }), "{error}");
    }
    let error = HeaderError::TooLong { limit: 16 + 256 };
    assert_eq!(Header::parse_v2(&block(257), &options), Err(error));
    assert_eq!(Header::parse_v2(&block(512)[..15], &options), Err(error));
}

#[test]
fn an_error_has_its_position() {
    for (error, at) in [
        (HeaderError::Signature { at: 3, found: b'x' }, Some(3)),
        (HeaderError::Line { at: 11, found: b'x' }, Some(11)),
        (HeaderError::Tlv { at: 28 }, Some(28)),
        (HeaderError::Length { least: 12 }, Some(14)),
        (HeaderError::TooLong { limit: 4096 }, Some(14)),
        (Header::parse(b"PROXY").unwrap_err(), None),
    ] {
        assert_eq!(error.at(), at, "{error}");
    }
}
