//! OCSP responses that have expired: OpenSSL signs none.

use std::fs;
use std::process::Command;

use super::authority::Authority;
use super::servers::output_of;

/// Signs the proof in a file anew, with the same content in the year 2020.
pub(crate) fn in_2020(authority: &Authority, file: &str) -> Vec<u8> {
    let proof = fs::read(authority.path(file)).unwrap();
    // RFC 6960 section 4.2.1: OCSPResponse, then [0] ResponseBytes, then an octet string with BasicOCSPResponse.
    let response = parts(&parts(&proof)[0].1);
    let bytes = parts(&parts(&response[1].1)[0].1);
    let basic = parts(&parts(&bytes[1].1)[0].1);
    let data = value(0x30, &dated(&basic[0].1));
    let to_be_signed = authority.path("to-be-signed");
    fs::write(&to_be_signed, &data).unwrap();
    let mut signer = Command::new("openssl");
    signer.args(["dgst", "-sha256", "-sign", &authority.path("ca.key"), &to_be_signed]);
    let signature = [&[0][..], &output_of(&mut signer, b"").stdout].concat();
    let rest: Vec<u8> = basic[3..].iter().flat_map(|(tag, content)| value(*tag, content)).collect();
    let algorithm = value(0x30, &basic[1].1);
    let basic = value(0x30, &[data, algorithm, value(0x03, &signature), rest].concat());
    let bytes = [value(0x06, &bytes[0].1), value(0x04, &basic)].concat();
    let response = [value(0x0a, &response[0].1), value(0xa0, &value(0x30, &bytes))].concat();
    value(0x30, &response)
}

/// The content with each `GeneralizedTime` of fifteen octets in 2020.
fn dated(content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    let starts =
        content.windows(6).enumerate().filter(|(_, window)| window.starts_with(b"\x18\x0f20"));
    let starts: Vec<_> = starts.map(|(at, _)| at + 2).collect();
    for at in starts {
        content[at..at + 4].copy_from_slice(b"2020");
    }
    content
}

/// The values in some DER, each with its tag.
fn parts(mut der: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut parts = Vec::new();
    while let [tag, first, rest @ ..] = der {
        let octets = usize::from(first & 0x7f) * usize::from(first >> 7);
        let (length, rest) = rest.split_at(octets);
        let long = length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        let (content, after) = rest.split_at(if octets > 0 { long } else { usize::from(*first) });
        parts.push((*tag, content.to_vec()));
        der = after;
    }
    parts
}

fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<_> = length.into_iter().skip_while(|octet| *octet == 0).collect();
    let head = match length[..] {
        [] => vec![tag, 0],
        [short] if short < 0x80 => vec![tag, short],
        _ => [&[tag, 0x80 | u8::try_from(length.len()).unwrap()], &length[..]].concat(),
    };
    [head, content.to_vec()].concat()
}
