//! A header never depends on the rest of the input, a part of it needs exactly the missing bytes, and
//! an error stays.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy_protocol::{Header, HeaderError, Options};

fuzz_target!(|input: &[u8]| {
    let Some((switches, input)) = input.split_first() else { return };
    let mut options = Options::default();
    options.unknown = switches & 1 == 0;
    options.ipv4_in_tcp6 = switches & 2 != 0;
    if switches & 4 != 0 {
        options.limits.header = usize::from(*switches) * 4;
    }
    match Header::parse_with(input, &options) {
        Ok((rest, header)) => sound(&input[..input.len() - rest.len()], &header, &options),
        Err(HeaderError::Incomplete { needed }) => incomplete(input, needed.get(), &options),
        Err(error) => {
            for more in [&b"\0"[..], b"\r\n", b"0", b":", b" 0 0\r\n", &[0; 64]] {
                let more = [input, more].concat();
                assert_eq!(Header::parse_with(&more, &options), Err(error), "a final error stays");
            }
        }
    }
});

fn sound(used: &[u8], header: &Header<'_>, options: &Options) {
    assert_eq!(Header::parse_with(used, options), Ok((&[][..], *header)));
    for end in (0..used.len()).rev().take(300) {
        match Header::parse_with(&used[..end], options) {
            Err(HeaderError::Incomplete { needed }) => assert!(end + needed.get() <= used.len()),
            other => panic!("{end} bytes are {other:?}"),
        }
    }
    for tlv in header.tlvs {
        let _ = (tlv.kind.range(), tlv.ssl());
    }
    let tlvs = header.tlvs;
    let _ = (tlvs.alpn(), tlvs.authority(), tlvs.crc32c(), tlvs.unique_id(), tlvs.netns());
    let _ = (tlvs.aws_vpce_id(), tlvs.azure_link_id(), tlvs.gcp_psc_connection_id());
    if let Some(ssl) = tlvs.ssl() {
        let _ = (ssl.is_verified(), ssl.version(), ssl.common_name(), ssl.client_certificate());
        assert!(
            ssl.tlvs.iter().map(|tlv| 3 + tlv.value.len()).sum::<usize>()
                == ssl.tlvs.as_bytes().len()
        );
    }
    assert!(tlvs.iter().map(|tlv| 3 + tlv.value.len()).sum::<usize>() == tlvs.as_bytes().len());
}

/// So many bytes can complete it, for a line, and fewer cannot.
fn incomplete(input: &[u8], needed: usize, options: &Options) {
    for more in [b'0', b':', b' ', b'\n', 0] {
        let more = [input, &vec![more; needed - 1][..]].concat();
        assert!(Header::parse_with(&more, options).is_err(), "{needed} bytes were said to lack");
    }
    if input.first() != Some(&b'P') {
        return;
    }
    let mut line = input.to_vec();
    for left in (0..needed).rev() {
        let completes = |next: &&u8| {
            let line = [&line[..], &[**next]].concat();
            match Header::parse_with(&line, options) {
                Ok(_) => left == 0,
                Err(HeaderError::Incomplete { needed }) => needed.get() == left,
                Err(_) => false,
            }
        };
        let next = b"PROXYUNKNWTC46 0:.\r\n".iter().find(completes);
        line.push(*next.unwrap_or_else(|| panic!("{left} more do not complete {line:?}")));
    }
}
